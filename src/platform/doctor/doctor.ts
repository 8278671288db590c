import type { Check, Patient, Verdict } from './check.ts';
import { keyCheck } from './key-check.ts';
import { roleChecks } from './role-checks.ts';
import { schemaChecks } from './schema-checks.ts';
import { serverChecks } from './server-checks.ts';

/** Every check, in the order of the report. */
export const checks: readonly Check[] = [...serverChecks, ...roleChecks, ...schemaChecks, keyCheck];

/** One line of the report. */
export type Diagnosis = { readonly id: string; readonly title: string } & Verdict;

/** Runs every check, one after the other. Rejects with `PgFailure` when the connection is lost. */
export async function examine(patient: Patient): Promise<Diagnosis[]> {
  const report: Diagnosis[] = [];
  for (const { id, title, run } of checks) report.push({ id, title, ...(await run(patient)) });
  return report;
}
