import { activityReports } from './activity-reports.ts';
import type { Report } from './report.ts';
import { sizeReports } from './size-reports.ts';
import { statementReports } from './statement-reports.ts';

/** Every report by its name on the command line. */
export const reports: Readonly<Record<string, Report>> = {
  ...sizeReports,
  ...statementReports,
  ...activityReports,
};
