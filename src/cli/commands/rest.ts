import type { Command } from 'commander';
import type { Observer } from '../../core/observe.ts';
import { createLog } from '../../observe/log.ts';
import type { RestServerConfig } from '../../rest/config/model.ts';
import { CommandFailure, describeError, exitCode } from '../exit.ts';
import { note, printResult, printStage, warn } from '../ui/output.ts';

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
    .option('-e, --example', 'print a configuration file to start from')
    .option('--dump-config', 'print the configuration that counts, and end')
    .option('--dump-schema', 'print the schema cache as JSON, and end')
    .option('--ready', 'ask the running server with this configuration whether it is ready')
    .addHelpText('after', examples)
    .action((file: string | undefined) => run(file ?? null, command.opts<Options>()));
}

type Options = {
  readonly workers?: number;
  readonly example?: true;
  readonly dumpConfig?: true;
  readonly dumpSchema?: true;
  readonly ready?: true;
};

async function run(file: string | null, options: Options): Promise<void> {
  const { workers, example, dumpConfig, dumpSchema, ready } = options;
  if (example) return printText('example', (await import('../../rest/config/example.ts')).exampleConfig);
  if (!(dumpConfig || dumpSchema || ready))
    return await serveRest(file, workers ?? parseCount(process.env.OWNBASE_WORKERS ?? '1'));
  const { askReadiness, describeConfig, describeSchema } = await import('../../rest/standalone/examine.ts');
  const sources = { file, env: process.env };
  if (dumpConfig) return printText('config', await describeConfig(sources, warnOfSettings));
  if (dumpSchema) {
    const schema = await describeSchema(sources, warnOfSettings);
    return printResult(JSON.parse(schema), () => `${schema}\n`);
  }
  const { isReady, text } = await askReadiness(sources);
  if (!isReady) throw new CommandFailure(text);
  printResult({ ready: isReady }, () => `${text}\n`);
}

const warnOfSettings = ({ message }: Error): void =>
  warn(`Settings in the database could not be read: ${message}`);

/** A text of PostgREST's own form; JSON holds it under a name. */
const printText = (name: string, text: string): void => printResult({ [name]: text }, () => text);

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
      warn(`Worker ${crashed} ended (${code}); a new one starts in ${retryMs} ms.`),
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
    observer: restLog,
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
    await Promise.race([stopped, givenUp.catch(fail)]);
  } finally {
    process.off('SIGUSR1', reload);
    process.off('SIGUSR2', reloadConfig);
    await server.stop();
  }
}

function announce(port: number): void {
  const text = port === 0 ? 'Listening on a socket.' : `Listening on port ${port}.`;
  printStage('ready', { port: port === 0 ? null : port }, () => note(text));
}

/** The least status of a request that is logged at a level. */
const loggedFrom: Readonly<Record<RestServerConfig['log']['level'], number>> = {
  crit: 1000,
  error: 500,
  warn: 400,
  info: 0,
  debug: 0,
};

/** PostgREST's levels choose among requests and queries; whatever concerns the service itself is always logged. */
function restLog({ level }: RestServerConfig['log']): Observer {
  const isVerbose = level === 'info' || level === 'debug';
  const log = createLog(level === 'debug' ? 'debug' : 'info');
  return (observation) => {
    if (observation.kind === 'request-done' && observation.status < loggedFrom[level]) return;
    if (observation.kind === 'notice' && observation.level === 'info' && !isVerbose) return;
    if (observation.kind === 'notice' && observation.message === 'query' && level === 'crit') return;
    log(observation);
  };
}

/** PostgREST's exit code when it gives up. */
function fail(cause: unknown): never {
  throw new CommandFailure(describeError(cause), exitCode.failed, { cause });
}

function failStart(cause: unknown): never {
  const isConfig = cause instanceof Error && cause.name === 'InvalidConfig';
  throw new CommandFailure(describeError(cause), isConfig ? exitCode.failed : exitCode.startFailed, {
    cause,
  });
}
