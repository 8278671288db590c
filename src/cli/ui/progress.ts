import colors from 'picocolors';
import type { PrepareEvent } from '../../app/prepare-database.ts';
import { describeError } from '../exit.ts';
import { clearProgress, showProgress } from './progress-line.ts';

/** Tells a person what happens while a database is made ready; on standard error. */
export function reportPreparation(event: PrepareEvent): void {
  const line = describe(event);
  if (event.kind === 'migrations') clearProgress();
  if (line !== null) process.stderr.write(`${line}\n`);
  if (event.kind === 'migrations' && event.event.kind === 'applying') {
    showProgress({ label: 'Applying', ...event.event });
  }
}

const step = (text: string): string => `${colors.cyan('›')} ${text}`;
const warning = (text: string): string => `${colors.yellow('!')} ${text}`;

function describe(event: PrepareEvent): string | null {
  switch (event.kind) {
    case 'postgres':
      return describePostgres(event.event);
    case 'bootstrap':
      return event.report.degraded.length === 0
        ? null
        : event.report.degraded
            .map(({ feature, reason }) => warning(`without ${feature}: ${reason}`))
            .join('\n');
    case 'migrations':
      return describeMigration(event.event);
  }
}

function describeMigration(event: Extract<PrepareEvent, { kind: 'migrations' }>['event']): string | null {
  switch (event.kind) {
    case 'applying':
      return step(`Applying ${event.what} ${event.path}...`);
    case 'ended':
      return null;
    case 'notice':
      return warning(event.message);
  }
}

function describePostgres(event: Extract<PrepareEvent, { kind: 'postgres' }>['event']): string | null {
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
