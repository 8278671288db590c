import type { Command } from 'commander';
import { createLog, type LogLevel } from '../../observe/log.ts';
import type { RestServerConfig } from '../../rest/config/model.ts';
import { CommandFailure, describeError, exitCode } from '../exit.ts';

const examples = `
Speaks PostgREST on any database: no other service, no bootstrap, no keys of ours. Settings have PostgREST's names: a
configuration file, PGRST_* variables, and pgrst.* settings of the login role. SIGUSR1 reloads the schema cache,
SIGUSR2 the configuration.

Examples:
  $ PGRST_DB_URI=postgresql://authenticator:secret@localhost/app PGRST_DB_ANON_ROLE=anon ownbase rest
  $ ownbase rest postgrest.conf`;

/** `ownbase rest`: the REST service alone, configured as PostgREST is. */
export function configure(command: Command): void {
  command
    .argument('[file]', 'configuration file in the format of PostgREST')
    .addHelpText('after', examples)
    .action((file: string | undefined) => serveRest(file ?? null));
}

async function serveRest(file: string | null): Promise<void> {
  const { startRestServer } = await import('../../rest/standalone/start.ts');
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  let giveUp: (failure: unknown) => void = () => {};
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  const server = await startRestServer({
    sources: { file, env: process.env },
    observer: ({ level }) => createLog(logLevels[level]),
    onGiveUp: giveUp,
  }).catch(failStart);
  const reload = (): void => void server.reloadSchema().catch(() => {}); // reported by the cache itself
  // A database that is away is reported when it is asked for the schema.
  const reloadConfig = (): void => void server.reloadConfig().catch(() => {});
  process.on('SIGUSR1', reload);
  process.on('SIGUSR2', reloadConfig);
  process.stderr.write(
    server.port === 0 ? 'Listening on a socket.\n' : `Listening on port ${server.port}.\n`,
  );
  try {
    await Promise.race([stopped, givenUp.catch(failStart)]);
  } finally {
    process.off('SIGUSR1', reload);
    process.off('SIGUSR2', reloadConfig);
    await server.stop();
  }
}

/** PostgREST's levels in ours. */
const logLevels: Readonly<Record<RestServerConfig['log']['level'], LogLevel>> = {
  crit: 'error',
  error: 'error',
  warn: 'warn',
  info: 'info',
  debug: 'debug',
};

function failStart(cause: unknown): never {
  const isConfig = cause instanceof Error && cause.name === 'InvalidConfig';
  throw new CommandFailure(describeError(cause), isConfig ? exitCode.failed : exitCode.startFailed, {
    cause,
  });
}
