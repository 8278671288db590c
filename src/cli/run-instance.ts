import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type App, startApp } from '../app/app.ts';
import { stateDir } from '../app/directories.ts';
import { type PreparedDatabase, prepareDatabase } from '../app/prepare-database.ts';
import { preloadServices } from '../app/services.ts';
import { type Config, ConfigError } from '../config/load.ts';
import { demandFreePort, findFreePort } from '../embedded/ports.ts';
import type { InstanceKeys } from '../identity/instance-keys.ts';
import { createLog } from '../observe/log.ts';
import { CommandFailure, describeError, exitCode } from './exit.ts';
import { removeInstance, writeInstance } from './instance-file.ts';
import { statusValues } from './status-values.ts';
import { note } from './ui/output.ts';
import { reportPreparation } from './ui/progress.ts';
import { eraseInterrupt } from './ui/progress-line.ts';

/** Time that open handles get after everything was stopped; the process ends then in any case. */
const LINGER_MS = 2_000;

type Running = { readonly database: PreparedDatabase; readonly app: App };

/**
 * Runs one instance until a signal asks it to stop, and yields the exit code. The first SIGINT, SIGTERM or
 * SIGHUP drains, the second ends at once.
 */
export async function runInstance(
  config: Config,
  keys: InstanceKeys,
  announce: (values: Readonly<Record<string, string>>) => void,
): Promise<number> {
  const stopping = listenForSignals();
  const running = await Promise.race([bringUp(config, keys), stopping.second.then(abandon)]);
  const values = valuesOf(config, keys, running);
  try {
    await writeInstance(config.projectDir, {
      url: running.app.addresses.publicUrl,
      readyUrl: `http://127.0.0.1:${running.app.addresses.adminPort}/ready`,
      dbUrl: running.database.publicUrl,
      ownerUrl: running.database.urls.owner,
      values,
    });
    announce(values);
    freeStartMemory();
    await stopping.first;
    sayStopping();
    return await Promise.race([drain(running), stopping.second.then(() => endNow(running))]);
  } finally {
    await removeInstance(config.projectDir);
    setTimeout(() => process.exit(), LINGER_MS).unref();
  }
}

async function bringUp(given: Config, keys: InstanceKeys): Promise<Running> {
  try {
    await keepOutOfGit(given.projectDir);
    const config = await withPort(given);
    const { host, port } = config.gateway;
    await demandFreePort(port, host, 'choose another port with --port (config.toml: [api] port)');
    preloadServices(config);
    const database = await prepareDatabase(config, keys, reportPreparation);
    try {
      const observer = createLog(config.gateway.logLevel);
      const seedsBuckets = database.isNew && (config.db.seed ?? process.env.NODE_ENV !== 'production');
      return { database, app: await startApp({ config, keys, urls: database.urls, observer, seedsBuckets }) };
    } catch (thrown) {
      await database.embedded?.stop();
      throw thrown;
    }
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    throw new CommandFailure(describeError(cause), exitCode.startFailed, { cause });
  }
}

/** Port 0 is any free one; tokens and links name it, so that it is chosen before the services start. */
async function withPort(config: Config): Promise<Config> {
  if (config.gateway.port !== 0) return config;
  return { ...config, gateway: { ...config.gateway, port: await findFreePort() } };
}

/**
 * Gives back what the start took: most of the heap's young generation holds what was needed once, and the engine would
 * shrink it only after half a minute without work. Memory at rest falls by a sixth.
 */
function freeStartMemory(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect({ type: 'minor' });
}

/** Two signals before the instance is up: its owner does not want to wait. The next start cleans up behind it. */
function abandon(): never {
  process.exit(exitCode.drainTimedOut);
}

function valuesOf(config: Config, keys: InstanceKeys, { app, database }: Running): Record<string, string> {
  const { inboxPort, publicUrl } = app.addresses;
  return statusValues(config, keys, {
    apiUrl: publicUrl,
    dbUrl: database.publicUrl,
    inboxUrl: inboxPort === null ? null : `http://127.0.0.1:${inboxPort}`,
  });
}

/** Takes the place of the `^C` of a terminal; a supervisor knows what it asked for. */
function sayStopping(): void {
  if (!process.stderr.isTTY) return;
  eraseInterrupt();
  note('Stopping. Ctrl-C again does not wait for requests.');
}

async function drain({ app, database }: Running): Promise<number> {
  const { timedOut } = await app.stop();
  await database.embedded?.stop();
  return timedOut ? exitCode.drainTimedOut : exitCode.ok;
}

async function endNow({ database }: Running): Promise<number> {
  await database.embedded?.stop(0);
  return exitCode.drainTimedOut;
}

function listenForSignals(): { readonly first: Promise<void>; readonly second: Promise<void> } {
  const heard: (() => void)[] = [];
  const first = new Promise<void>((resolve) => heard.push(resolve));
  const second = new Promise<void>((resolve) => heard.push(resolve));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => heard.shift()?.());
  return { first, second };
}

/** The state folder holds keys and data: it asks version control to stay out. */
async function keepOutOfGit(projectDir: string): Promise<void> {
  const folder = stateDir(projectDir);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, '.gitignore'), '*\n');
}
