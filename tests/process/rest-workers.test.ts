import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { freePorts } from '../support/ports.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

let database: TestDatabase;
let running: ChildProcess | null = null;

beforeAll(async () => {
  database = await createTestDatabase(`
    create table public.items (id int primary key);
    insert into public.items select generate_series(1, 3);
    grant select on public.items to anon;`);
});

afterEach(() => {
  running?.kill('SIGKILL');
  running = null;
});

async function startWorkers(
  env: Record<string, string> = {},
): Promise<{ child: ChildProcess; url: string; output: () => string }> {
  const [port = 0] = await freePorts(1);
  const child = spawn(process.execPath, [main, 'rest', '--workers', '2'], {
    env: {
      ...process.env,
      PGRST_DB_URI: database.url('authenticator'),
      PGRST_DB_ANON_ROLE: 'anon',
      PGRST_SERVER_HOST: '127.0.0.1',
      PGRST_SERVER_PORT: String(port),
      ...env,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running = child;
  let output = '';
  child.stderr?.on('data', (chunk) => {
    output += String(chunk);
  });
  return { child, url: `http://127.0.0.1:${port}/items`, output: () => output };
}

/** How often a condition of another process is looked at. */
const pollMs = 20;

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await delay(pollMs);
}

const statusOf = (url: string): Promise<number> =>
  fetch(url, { headers: { connection: 'close' } }).then(
    (answer) => answer.status,
    () => 0,
  );

/** The workers of a process; none when it has not started any. */
async function workerPids(child: ChildProcess): Promise<number[]> {
  const listed = promisify(execFile)('pgrep', ['-P', String(child.pid)]);
  const text = await listed.then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
  return text === '' ? [] : text.split('\n').map(Number);
}

describe('ownbase rest --workers', () => {
  it('replaces a worker that crashes, serves meanwhile, and ends when it is asked to', async () => {
    const { child, url, output } = await startWorkers();
    await until(async () => (await statusOf(url)) === 200);
    const [first = 0] = await workerPids(child);
    process.kill(first, 'SIGKILL');
    await until(() => output().includes('a new one starts'));
    await until(async () => (await statusOf(url)) === 200);
    await until(async () => (await workerPids(child)).length === 2);
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
  });

  it('replaces workers that are killed before they serve', async () => {
    const { child, url, output } = await startWorkers();
    await until(async () => (await workerPids(child)).length === 2);
    for (const pid of await workerPids(child)) process.kill(pid, 'SIGKILL');
    await until(async () => (await statusOf(url)) === 200);
    expect(output().match(/a new one starts/g)).toHaveLength(2);
    expect(child.exitCode).toBeNull();
  });

  it('says at once when the configuration is wrong', async () => {
    const { child, output } = await startWorkers({ PGRST_LOG_LEVEL: 'loud' });
    const [code] = await once(child, 'exit');
    expect(code).toBe(2);
    expect(output()).toContain('Invalid logging level');
    expect(output()).toContain('The workers could not start.');
  });
});
