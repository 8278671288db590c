import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

/** How often a starting server is asked. */
const pollMs = 20;

/** A server under test. */
export type Server = { readonly url: string; readonly pid: number; stop(): Promise<void> };

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
