import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, open, rename, stat } from 'node:fs/promises';
import { platform } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunAs } from './account.ts';
import type { Binaries } from './binaries.ts';
import { readPostmasterPid } from './cluster-files.ts';
import { EmbeddedError } from './errors.ts';

/** How a postmaster ended. */
export type ExitInfo = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** What it takes to start a postmaster. */
export type PostmasterSpec = {
  readonly binaries: Binaries;
  readonly dataDir: string;
  readonly arguments: readonly string[];
  readonly runAs: RunAs;
  readonly logFile: string;
  readonly readyTimeoutMs: number;
};

/** A postmaster that accepts connections. */
export type Postmaster = {
  readonly pid: number;
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: Promise<ExitInfo>;
  /** Shuts down: open transactions are rolled back, then a checkpoint; without one after `timeoutMs`. */
  stop(timeoutMs: number): Promise<void>;
};

const READY_POLL_MS = 5;
const IMMEDIATE_STOP_TIMEOUT_MS = 10_000;
const MAX_LOG_BYTES = 10 * 1024 * 1024;
const LOG_TAIL_BYTES = 4096;

/**
 * Starts `postgres` on a data directory and waits until it accepts connections, crash recovery included.
 * Its log goes straight to the file, so that it survives the supervisor.
 * @throws EmbeddedError `start_failed` with the end of its log.
 */
export async function startPostmaster(spec: PostmasterSpec): Promise<Postmaster> {
  const logStart = await prepareLog(spec.logFile);
  const child = spawnPostgres(spec);
  const ended = endOf(child);
  const failure = await waitUntilReady(spec, child);
  if (failure === undefined && child.pid !== undefined) {
    const pid = child.pid;
    return { pid, ended, stop: (timeoutMs) => stopPostmaster(spec, child, ended, timeoutMs) };
  }
  child.kill('SIGQUIT');
  await ended;
  const log = await readFrom(spec.logFile, logStart);
  throw new EmbeddedError('start_failed', `Postgres did not start: ${failure}. ${explain(log)}`);
}

function spawnPostgres(spec: PostmasterSpec): ChildProcess {
  const log = openSync(spec.logFile, 'a', 0o600);
  try {
    return spawn(spec.binaries.postgres, ['-D', spec.dataDir, ...spec.arguments], {
      stdio: ['ignore', log, log],
      cwd: '/',
      // Its own process group: Ctrl-C in a terminal is for the supervisor, which drains before it stops Postgres.
      detached: true,
      env: { PATH: process.env.PATH, LC_MESSAGES: 'C', TZ: 'UTC' },
      ...(spec.runAs && { uid: spec.runAs.uid, gid: spec.runAs.gid }),
    });
  } finally {
    closeSync(log);
  }
}

function endOf(child: ChildProcess): Promise<ExitInfo> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
  });
}

/** Undefined when ready, else why not. */
async function waitUntilReady(spec: PostmasterSpec, child: ChildProcess): Promise<string | undefined> {
  let spawnFailure: string | undefined;
  child.once('error', (error) => {
    spawnFailure = error.message;
  });
  const deadline = Date.now() + spec.readyTimeoutMs;
  for (;;) {
    const found = await readPostmasterPid(spec.dataDir);
    if (found?.pid === child.pid && found?.status === 'ready') return undefined;
    if (spawnFailure !== undefined) return spawnFailure;
    if (child.exitCode !== null) return `it ended with code ${child.exitCode}`;
    if (child.signalCode !== null) return `it was ended by ${child.signalCode}`;
    if (Date.now() > deadline) return `it was not ready after ${spec.readyTimeoutMs / 1000} s`;
    await delay(READY_POLL_MS);
  }
}

async function stopPostmaster(
  spec: PostmasterSpec,
  child: ChildProcess,
  ended: Promise<ExitInfo>,
  timeoutMs: number,
): Promise<void> {
  signalStop(spec, child, 'fast');
  if (await settles(ended, timeoutMs)) return;
  signalStop(spec, child, 'immediate');
  if (await settles(ended, IMMEDIATE_STOP_TIMEOUT_MS)) return;
  child.kill('SIGKILL');
  await ended;
}

function signalStop(spec: PostmasterSpec, child: ChildProcess, mode: 'fast' | 'immediate'): void {
  if (platform() === 'win32') {
    // Windows has no signals: pg_ctl knows the named pipe that stands for them.
    execFile(spec.binaries.pgCtl, ['stop', '-W', '-m', mode, '-D', spec.dataDir]);
  } else {
    child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  }
}

async function settles(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const timer = new AbortController();
  const expired = delay(timeoutMs, false, { signal: timer.signal }).catch(() => false); // aborted below
  const settled = await Promise.race([promise.then(() => true), expired]);
  timer.abort();
  return settled;
}

/** Makes the log's folder, puts a long log aside, and yields the offset at which this start's lines begin. */
async function prepareLog(logFile: string): Promise<number> {
  await mkdir(dirname(logFile), { recursive: true });
  const size = await stat(logFile).then(
    (found) => found.size,
    () => 0, // no log yet
  );
  if (size < MAX_LOG_BYTES) return size;
  await rename(logFile, `${logFile}.1`);
  return 0;
}

async function readFrom(path: string, offset: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const start = Math.max(offset, size - LOG_TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** What the log of a failed start says: the fatal lines with their hints, else its end. */
export function explain(log: string): string {
  const lines = log.trim().split('\n');
  const telling = lines.filter((line) => /\b(FATAL|PANIC|HINT|DETAIL|error while loading)/.test(line));
  const chosen = telling.length > 0 ? telling : lines.slice(-5);
  return chosen.join('\n').trim() === '' ? 'Its log is empty.' : `Its log says:\n${chosen.join('\n')}`;
}
