import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** How often a starting server is asked. */
const pollMs = 20;

/** A server under test. */
export type Server = { readonly url: string; readonly pid: number; stop(): Promise<void> };

/** Processor time that a process has used, user and system, in microseconds; null where /proc is not. */
export function cpuMicros(pid: number): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    // Fields 14 and 15 of the line, in ticks of a hundredth of a second.
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    // No /proc: other systems.
    return null;
  }
}

/** Starts a server and waits until `isReady` says so; ends it with `stop`. */
export async function startServer(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  url: string,
  isReady: (url: string) => Promise<boolean>,
): Promise<Server> {
  const [program = '', ...args] = command;
  const child: ChildProcess = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const deadline = performance.now() + 30_000;
  while (!(await isReady(url).catch(() => false))) {
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`${command.join(' ')} did not start`);
    await delay(pollMs);
  }
  return {
    url,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
