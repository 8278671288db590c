import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CommandFailure, exitCode } from './exit.ts';
import { findInstance } from './instance-file.ts';

const POLL_MS = 25;

/**
 * Starts this command line again in the background, without `--detach`, and yields the values of `status` when
 * the instance answers. Its log goes to `.ownbase/logs/ownbase.log`.
 */
export async function startDetached(projectDir: string): Promise<Readonly<Record<string, string>>> {
  const logFile = join(projectDir, '.ownbase', 'logs', 'ownbase.log');
  const child = spawnAgain(logFile);
  for (;;) {
    const instance = await findInstance(projectDir);
    if (instance !== undefined && instance.pid === child.pid) {
      child.unref();
      return instance.values;
    }
    if (child.exitCode !== null || child.signalCode !== null) {
      const log = await readFile(logFile, 'utf8');
      throw new CommandFailure(log.trim(), child.exitCode ?? exitCode.startFailed);
    }
    await delay(POLL_MS);
  }
}

function spawnAgain(logFile: string): ChildProcess {
  mkdirSync(join(logFile, '..'), { recursive: true });
  const log = openSync(logFile, 'w', 0o600);
  try {
    // A person reads the log; what is printed here as JSON comes from the instance's file.
    const args = process.argv
      .slice(1)
      .filter((word, index, words) => !isOurs(word, words[index - 1], words[index + 1]));
    const stdio = ['ignore', log, log] as const;
    return spawn(process.execPath, [...process.execArgv, ...args], { detached: true, stdio: [...stdio] });
  } finally {
    closeSync(log);
  }
}

/** Words for this process alone: `--detach`, and what asks for JSON. */
const isOurs = (word: string, before: string | undefined, after: string | undefined): boolean =>
  word === '--detach' ||
  word === '--json' ||
  /^(-o|--output=)json$/.test(word) ||
  (/^(-o|--output)$/.test(word) && after === 'json') ||
  (word === 'json' && before !== undefined && /^(-o|--output)$/.test(before));
