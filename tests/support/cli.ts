import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { removeDataDir } from '../../src/embedded/placement.ts';
import { freePorts } from './ports.ts';

/** How often a condition of another process is looked at. */
const pollMs = 20;
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const projects = fileURLToPath(new URL('../fixtures/projects/', import.meta.url));

/** How a command ended. */
export type CommandResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs one `ownbase` command to its end. */
export function runCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [main, ...args],
      { env: { ...process.env, ...env } },
      (error, stdout, stderr) => {
        resolve({
          code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1,
          stdout,
          stderr,
        });
      },
    );
  });
}

/** Copies a fixture project to a temporary folder. */
export async function copyProject(name: string): Promise<{ readonly dir: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'ownbase-project-'));
  await cp(join(projects, name), dir, { recursive: true });
  return {
    dir,
    async remove() {
      // As root the data may stand elsewhere, where Postgres' account can reach it.
      await removeDataDir(join(dir, '.ownbase', 'postgres'));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A running `ownbase start`. */
export type RunningInstance = {
  readonly url: string;
  readonly inboxUrl: string;
  readonly dbUrl: string;
  readonly adminUrl: string;
  readonly env: Readonly<Record<string, string>>;
  readonly child: ChildProcess;
  /** Everything that it printed so far. */
  output(): string;
  /** Sends a signal and resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
};

/** Starts `ownbase start` on a project with ports of its own and waits until it answers. */
export async function startInstance(
  dir: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  program: string = main,
): Promise<RunningInstance> {
  const [port, dbPort, adminPort, inboxPort] = await freePorts(4);
  const ports = ['--port', port, '--db-port', dbPort, '--admin-port', adminPort, '--inbox-port', inboxPort];
  const child = spawn(process.execPath, [program, 'start', '--project', dir, ...ports.map(String), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    output += String(chunk);
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const url = `http://127.0.0.1:${port}`;
  await untilAnswering(`${url}/health`, child, () => output);
  const status = await runCli(['status', '--project', dir, '-o', 'json']);
  return {
    url,
    inboxUrl: `http://127.0.0.1:${inboxPort}`,
    dbUrl: `postgresql://postgres:postgres@127.0.0.1:${dbPort}/postgres`,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    env: JSON.parse(status.stdout) as Record<string, string>,
    child,
    output: () => output,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
  };
}

async function untilAnswering(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const isUp = await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isUp) return;
    if (child.exitCode !== null) throw new Error(`ownbase start ended with ${child.exitCode}:\n${output()}`);
    if (performance.now() > deadline) throw new Error(`ownbase start does not answer:\n${output()}`);
    await delay(pollMs);
  }
}
