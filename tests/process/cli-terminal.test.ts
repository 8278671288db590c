import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyProject, type RunningInstance, startInstance } from '../support/cli.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** util-linux's program that gives a command a terminal. */
const hasTerminal = spawnSync('script', ['--version']).stdout?.includes('util-linux') ?? false;

const CTRL_C = '\u0003';
const CYAN = '\u001b[36m';
const ERASE = '\r\u001b[2K';

/** What the last line of a terminal shows after some output. */
const lastLine = (output: string): string =>
  (output.split('\n').at(-1) ?? '').split(ERASE).at(-1)?.split('\r').at(-1) ?? '';

type Ended = { readonly code: number; readonly output: string };

/** Runs a command on a terminal of some width; types Ctrl-C once it shows what matches. */
async function onTerminal(
  args: readonly string[],
  {
    columns = 80,
    interruptAt,
    env = {},
  }: { columns?: number; interruptAt?: RegExp; env?: Record<string, string> } = {},
): Promise<Ended> {
  const line = [process.execPath, main, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', `stty cols ${columns} rows 24; ${line}`, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh', FORCE_COLOR: '', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  let typed = false;
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
    if (typed || interruptAt === undefined || !interruptAt.test(output)) return;
    typed = true;
    child.stdin.write(CTRL_C);
  });
  const [code] = await once(child, 'close');
  return { code: Number(code), output };
}

describe.skipIf(!hasTerminal)('on a terminal', () => {
  let project: Awaited<ReturnType<typeof copyProject>>;
  let instance: RunningInstance;
  const here = (): string[] => ['--project', project.dir];

  beforeAll(async () => {
    project = await copyProject('journal');
    instance = await startInstance(project.dir);
  });
  afterAll(async () => {
    await instance.stop();
    await project.remove();
  });

  it.each([
    ['compat scan', () => [project.dir]],
    ['compat run', () => ['--case', 'auth.session', ...here()]],
    ['storage check', here],
    ['db dump', () => ['--data-only', '--file', `${project.dir}/dump.sql`, ...here()]],
    ['db reset', here],
    ['inspect report', () => ['--output-dir', project.dir, ...here()]],
  ])('%s draws a line of progress in 40 columns and takes it away', async (name, args) => {
    const { code, output } = await onTerminal([...name.split(' '), ...args()], { columns: 40 });
    expect(code).toBe(0);
    const drawn = output
      .split(ERASE)
      .slice(1)
      .map((part) => part.split(/[\r\n]/)[0] ?? '');
    expect(drawn.some((text) => text !== '')).toBe(true);
    expect(lastLine(output)).toBe('');
  });

  it('shows no colour to whom wants none', async () => {
    const { output } = await onTerminal(['compat', 'scan', project.dir], { env: { NO_COLOR: '1' } });
    expect(output).not.toContain(CYAN);
    expect((await onTerminal(['compat', 'scan', project.dir])).output).toContain(CYAN);
  });

  it('draws nothing where a program listens', async () => {
    const { output } = await onTerminal(['compat', 'scan', project.dir, '--json']);
    expect(output).not.toContain('\u001b');
    expect(JSON.parse(output)).toBeTypeOf('object');
  });

  it.each([
    ['compat run', here, /\d+ cases/],
    ['compat run while it prepares', () => ['--case', 'rest', ...here()], /Making/],
    ['db diff', here, /temporary folder/],
    ['db diff while it applies migrations', here, /Applying migration/],
  ])('Ctrl-C ends %s with 130 and an empty line, and no words about it', async (name, args, interruptAt) => {
    const [first = '', second = ''] = name.split(' ');
    const { code, output } = await onTerminal([first, second, ...args()], { interruptAt });
    expect(code).toBe(130);
    expect(lastLine(output)).toBe('');
    expect(output).not.toMatch(/Error|at file:/);
  });
});
