import colors from 'picocolors';
import type { PrepareEvent } from '../../app/prepare-database.ts';
import type { MigrationEvent } from '../../platform/migrations/run.ts';
import { describeError } from '../exit.ts';
import { note, warn } from './output.ts';
import { clearProgress, showProgress } from './progress-line.ts';

/** Tells a person what happens while a database is made ready; on standard error. */
export function reportPreparation(event: PrepareEvent): void {
  if (event.kind === 'migrations') clearProgress();
  for (const { isWarning, text } of linesOf(event)) {
    if (isWarning) warn(text, { mark: `${colors.yellow('!')} ` });
    else note(text, { mark: `${colors.cyan('›')} ` });
  }
  if (event.kind === 'migrations' && event.event.kind === 'applying') {
    showProgress({ label: 'Applying', ...event.event });
  }
}

/** As `reportPreparation`, where migrations are all that happens. */
export function reportMigration(event: MigrationEvent): void {
  reportPreparation({ kind: 'migrations', event });
}

type Line = { readonly isWarning: boolean; readonly text: string };

const step = (text: string): Line => ({ isWarning: false, text });
const warning = (text: string): Line => ({ isWarning: true, text });

function linesOf(event: PrepareEvent): readonly Line[] {
  switch (event.kind) {
    case 'postgres':
      return [describePostgres(event.event)];
    case 'bootstrap':
      return event.report.degraded.map(({ feature, reason }) => warning(`without ${feature}: ${reason}`));
    case 'migrations':
      return describeMigration(event.event);
  }
}

function describeMigration(event: MigrationEvent): readonly Line[] {
  switch (event.kind) {
    case 'applying':
      return [step(`Applying ${event.what} ${event.path}...`)];
    case 'ended':
      return [];
    case 'notice':
      return [warning(event.message)];
  }
}

function describePostgres(event: Extract<PrepareEvent, { kind: 'postgres' }>['event']): Line {
  switch (event.kind) {
    case 'notice':
      return warning(event.message);
    case 'initializing':
      return step(`Making a database in ${event.dataDir}...`);
    case 'ready':
      return step(`Postgres listens on port ${event.port}.`);
    case 'lost':
      return warning(
        `Postgres ended (${event.exit.signal ?? `code ${event.exit.code}`}); starting it again in ${event.retryInMs} ms.`,
      );
    case 'restart_failed':
      return warning(`${describeError(event.error)} Trying again in ${event.retryInMs} ms.`);
  }
}
