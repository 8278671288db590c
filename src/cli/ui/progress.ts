import colors from 'picocolors';
import type { PrepareEvent } from '../../app/prepare-database.ts';
import { describeError } from '../exit.ts';

/** Tells a person what happens while a database is made ready; on standard error. */
export function reportPreparation(event: PrepareEvent): void {
  const line = describe(event);
  if (line !== null) process.stderr.write(`${line}\n`);
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
      return event.event.kind === 'applying'
        ? step(`Applying ${event.event.what} ${event.event.path}...`)
        : warning(event.event.message);
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
