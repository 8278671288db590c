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
  $ ownbase rest postgrest.conf --workers 4`;

/** `ownbase rest`: the REST service alone, configured as PostgREST is. */
export function configure(command: Command): void {
  command
    .argument('[file]', 'configuration file in the format of PostgREST')
    .option('--workers <count>', 'processes that share the port, to use more cores', parseCount)
    .addHelpText('after', examples)
    .action((file: string | undefined) => {
      const { workers } = command.opts<{ workers?: number }>();
      return serveRest(file ?? null, workers ?? parseCount(process.env.OWNBASE_WORKERS ?? '1'));
    });
}

const maxWorkers = 64;

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= maxWorkers) return count;
  throw new CommandFailure(`--workers takes a number from 1 to ${maxWorkers}, not ${text}`);
}

/** Resolves when this process is asked to end. */
const askedToStop = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });

async function serveRest(file: string | null, workers: number): Promise<void> {
  const { leaveWorkers, runWorkers, workerNumber } = await import('../../rest/standalone/workers.ts');
  const number = workerNumber(process.env);
  if (workers === 1) return await serveInThisProcess(file, undefined);
  if (number !== null)
    return await serveInThisProcess(file, { number, count: workers }).finally(leaveWorkers);
  const stopping = new AbortController();
  void askedToStop().then(() => stopping.abort());
  await runWorkers({
    count: workers,
    signal: stopping.signal,
    relayed: ['SIGUSR1', 'SIGUSR2'],
    onCrash: (crashed, code, retryMs) =>
      process.stderr.write(`Worker ${crashed} ended (${code}); a new one starts in ${retryMs} ms.\n`),
  }).catch((cause: unknown) => {
    throw new CommandFailure('The workers could not start.', exitCode.startFailed, { cause });
  });
}

type ThisWorker = { readonly number: number; readonly count: number };

async function serveInThisProcess(file: string | null, worker: ThisWorker | undefined): Promise<void> {
  const { startRestServer } = await import('../../rest/standalone/start.ts');
  const stopped = askedToStop();
  let giveUp: (failure: unknown) => void = () => {};
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  const server = await startRestServer({
    sources: { file, env: process.env },
    observer: ({ level }) => createLog(logLevels[level]),
    onGiveUp: giveUp,
    ...(worker === undefined ? {} : { worker }),
  }).catch(failStart);
  const reload = (): void => void server.reloadSchema().catch(() => {}); // reported by the cache itself
  // A database that is away is reported when it is asked for the schema.
  const reloadConfig = (): void => void server.reloadConfig().catch(() => {});
  process.on('SIGUSR1', reload);
  process.on('SIGUSR2', reloadConfig);
  if (worker === undefined || worker.number === 0) announce(server.port);
  try {
    await Promise.race([stopped, givenUp.catch(failStart)]);
  } finally {
    process.off('SIGUSR1', reload);
    process.off('SIGUSR2', reloadConfig);
    await server.stop();
  }
}

function announce(port: number): void {
  process.stderr.write(port === 0 ? 'Listening on a socket.\n' : `Listening on port ${port}.\n`);
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
