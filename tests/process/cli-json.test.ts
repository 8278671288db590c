import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { commands } from '../../src/cli/command-table.ts';
import { copyProject, type RunningInstance, runCli, startInstance } from '../support/cli.ts';
import { freePorts } from '../support/ports.ts';
import { writeProject } from '../support/project.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

let project: Awaited<ReturnType<typeof copyProject>>;
let instance: RunningInstance;
/** A project of its own for what changes files or runs without a backend. */
let aside: string;

beforeAll(async () => {
  project = await copyProject('journal');
  instance = await startInstance(project.dir);
  aside = await mkdtemp(join(tmpdir(), 'ownbase-aside-'));
  await writeProject(aside, {
    'supabase/migrations/1_a.sql': 'create table a (id int);',
    'supabase/migrations/2_b.sql': 'create table b (id int);',
  });
});

afterAll(async () => {
  await instance.stop();
  await project.remove();
  await rm(aside, { recursive: true });
});

const here = (): string[] => ['--project', project.dir];
const there = (): string[] => ['--project', aside];
const keys = (side: string): string[] => [
  ...[`--${side}`, instance.url, `--${side}-anon-key`, instance.env.ANON_KEY ?? ''],
  ...[`--${side}-service-key`, instance.env.SERVICE_ROLE_KEY ?? ''],
];
const oneCase = ['--case', 'auth.session.garbage'];

type Example = {
  /** What follows the command. */
  readonly args: () => readonly string[];
  /** 1 where the embedded Postgres lacks what the command needs, and where something is found. */
  readonly code?: number;
  /** `lines` where each line is a document. */
  readonly form?: 'lines';
};

/** A line of every command that ends, in an order in which they can follow each other. */
const examples: Readonly<Record<string, Example>> = {
  init: { args: () => ['--force', ...there()] },
  stop: { args: there },
  status: { args: here },
  keys: { args: here },
  config: { args: here },
  'db query': { args: () => ['create table public.by_hand (id int)', ...here()] },
  'db diff': { args: here },
  'db dump': { args: () => ['--data-only', '--file', join(aside, 'dump.sql'), ...here()] },
  'db pull': { args: () => ['pulled', '--yes', ...here()] },
  'db push': { args: () => ['--dry-run', ...here()] },
  'db lint': { args: here, code: 1 },
  'db advisors': { args: here },
  'migration new': { args: () => ['empty', ...here()] },
  'migration up': { args: here },
  'migration list': { args: here },
  'migration repair': { args: () => ['20260101000000', '--status', 'applied', ...here()] },
  'migration fetch': { args: () => ['--yes', ...here()] },
  'migration down': { args: () => ['--yes', ...here()] },
  'migration squash': { args: there },
  'db reset': { args: here },
  'inspect report': { args: () => ['--output-dir', aside, ...here()] },
  ...Object.fromEntries(
    commands
      .filter(({ path, hidden }) => path[0] === 'inspect' && path[1] === 'db' && hidden !== true)
      .map(({ path }) => [path.join(' '), { args: here }]),
  ),
  'storage check': { args: () => ['--min-age', '0', ...here()], code: 1, form: 'lines' },
  doctor: { args: here },
  'gen types': { args: here },
  'compat run': { args: () => [...oneCase, ...here()] },
  'compat diff': { args: () => [...keys('left'), ...keys('right'), ...oneCase] },
  'compat scan': { args: () => [project.dir] },
  completion: { args: () => ['bash'] },
  functions: { args: () => ['deploy'], code: 1 },
  secrets: { args: () => ['list'], code: 1 },
};

/** Commands that go on until they are asked to end. */
const services = ['start', 'rest', 'shadow'];

const documentsOf = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

const logLine = {
  level: expect.stringMatching(/^(info|warn|error)$/),
  time: expect.any(String),
  msg: expect.any(String),
};

describe('--json', () => {
  it('is tried on every command', () => {
    const shown = commands.filter(({ hidden }) => hidden !== true).map(({ path }) => path.join(' '));
    expect([...Object.keys(examples), ...services].sort()).toEqual([...shown].sort());
  });

  it.each(Object.keys(examples))('%s speaks JSON and nothing else', async (name) => {
    const { args, code = 0, form } = examples[name] as Example;
    const ended = await runCli([...name.split(' '), ...args(), '--json']);
    expect(ended, ended.stderr).toMatchObject({ code });
    const remarks = documentsOf(ended.stderr);
    for (const remark of remarks) expect(remark).toMatchObject(logLine);
    if (form === 'lines') {
      expect(documentsOf(ended.stdout)).toContainEqual(expect.any(Object));
    } else if (code === 0) {
      expect(JSON.parse(ended.stdout)).toBeTypeOf('object');
    } else {
      expect(ended.stdout).toBe('');
      expect(remarks.at(-1)).toMatchObject({ level: 'error', exitCode: code });
    }
  });
});

/** Starts a command that goes on; its lines so far, and its end. */
function runService(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child: ChildProcess = spawn(process.execPath, [main, ...args, '--json'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let remarks = '';
  child.stderr?.on('data', (chunk) => {
    remarks += String(chunk);
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const next = async (): Promise<{ readonly msg: string }> => JSON.parse(String((await lines.next()).value));
  /** The line that says that it is ready; the log may have begun before it. */
  const ready = async (): Promise<unknown> => {
    for (;;) {
      const line = await next();
      if (line.msg === 'ready') return line;
    }
  };
  const end = async () => {
    child.kill('SIGINT');
    const rest: unknown[] = [];
    for (let line = await lines.next(); line.done !== true; line = await lines.next())
      rest.push(JSON.parse(String(line.value)));
    if (child.exitCode === null) await once(child, 'exit');
    return { code: child.exitCode, rest, remarks: documentsOf(remarks) };
  };
  return { ready, end };
}

describe('a command that goes on', () => {
  it('start says when it is ready and where, between the lines of its log', async () => {
    const folder = await copyProject('third-party');
    onTestFinished(() => folder.remove());
    const [port = 0] = await freePorts(1);
    const rest = ['--db-port', '0', '--admin-port', '0', '--inbox-port', '0'];
    const service = runService(['start', '--project', folder.dir, '--port', String(port), ...rest]);
    expect(await service.ready()).toMatchObject({
      ...{ ...logLine, level: 'info', msg: 'ready' },
      values: { API_URL: `http://127.0.0.1:${port}`, ANON_KEY: expect.any(String) },
    });
    await fetch(`http://127.0.0.1:${port}/rest/v1/`);
    const { code, rest: log, remarks } = await service.end();
    expect(code).toBe(0);
    expect(log).toContainEqual(expect.objectContaining({ msg: 'request', status: expect.any(Number) }));
    expect(remarks).toContainEqual(expect.objectContaining({ msg: expect.stringMatching(/^Applying migr/) }));
  });

  it('rest says when it is ready', async () => {
    const [port = 0] = await freePorts(1);
    const service = runService(['rest'], {
      PGRST_DB_URI: instance.dbUrl,
      PGRST_DB_ANON_ROLE: 'anon',
      PGRST_SERVER_PORT: String(port),
    });
    expect(await service.ready()).toMatchObject({ ...logLine, port });
    expect((await service.end()).code).toBe(0);
  });

  it('shadow says where it listens, and ends with the report', async () => {
    const args = ['--upstream', instance.url, '--listen', '0', '--project', project.dir];
    const service = runService(['shadow', ...args]);
    const ready = (await service.ready()) as { readonly url: string };
    expect(ready).toMatchObject({ ...logLine, msg: 'ready', upstream: `${instance.url}/` });
    await fetch(`${ready.url}/rest/v1/posts`);
    const { code, rest, remarks } = await service.end();
    expect({ code, remarks }).toEqual({ code: 0, remarks: [] });
    expect(rest).toEqual([expect.objectContaining({ msg: 'report', routes: expect.any(Array) })]);
  });
});
