import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { commands } from '../../../src/cli/command-table.ts';
import { run } from '../../../src/cli/program.ts';

/** Runs a command line in this process and collects what it prints. */
async function ownbase(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    const spy = vi.spyOn(process[name], 'write').mockImplementation((text) => {
      output[name] += String(text);
      return true;
    });
    onTestFinished(() => spy.mockRestore());
  }
  const code = await run(args);
  vi.restoreAllMocks();
  return { code, ...output };
}

/** Options of the option tables stand in docs/configuration.md; those of `compat` are reviewed with the suite. */
const REVIEWED_ELSEWHERE = new Set(['start', 'config', 'rest', 'compat', 'shadow']);
const shown = commands.filter(({ hidden }) => hidden !== true);
const line = ({ path }: { path: readonly string[] }): string => path.join(' ');

describe('help', () => {
  it.each(
    shown
      .filter((entry) => !REVIEWED_ELSEWHERE.has(entry.path[0] ?? ''))
      .map((entry) => [line(entry), entry.path] as const),
  )('of "%s" reads as reviewed', async (_, path) => {
    const { code, stdout } = await ownbase(...path, '--help');
    expect(code).toBe(0);
    expect(stdout).toMatchSnapshot();
  });

  it.each(shown.map((entry) => [line(entry), entry.path] as const))(
    'of "%s" teaches by examples',
    async (_, path) => {
      expect((await ownbase(...path, '--help')).stdout).toMatch(
        /Examples:\n {2}\$ ownbase|Examples:\n {2}\$ \w/,
      );
    },
  );

  it('of the program lists the commands', async () => {
    expect((await ownbase('--help')).stdout).toMatchSnapshot();
  });
});

describe('the command line', () => {
  it.each([
    [['sttus'], 'Did you mean status?'],
    [['db', 'rset'], 'Did you mean reset?'],
    [['inspect', 'db', 'blot'], 'Did you mean bloat?'],
    [['status', '--jso'], 'Did you mean --json?'],
  ])('%j suggests what was meant', async (args, suggestion) => {
    const { code, stderr } = await ownbase(...args);
    expect(code).toBe(1);
    expect(stderr).toContain(suggestion);
  });

  it.each([
    [['functions', 'deploy', 'hello', '--no-verify-jwt'], 'not served yet'],
    [['secrets', 'set', 'A=1'], 'not served yet'],
    [['link', '--project-ref', 'abc'], 'hosted platform'],
    [['db', 'start'], 'ownbase start'],
    [['test', 'db'], 'pg_prove'],
  ])('%j ends with 1 and says why it is not there', async (args, reason) => {
    const { code, stdout, stderr } = await ownbase(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(reason);
  });

  it('takes -o json for --json, as the Supabase CLI does', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ownbase-output-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const made = await ownbase('migration', 'new', 'a', '--project', folder, '-o', 'json');
    expect(JSON.parse(made.stdout)).toEqual({ path: expect.stringMatching(/_a\.sql$/) });
    const refused = await ownbase('migration', 'new', 'a', '--project', folder, '-o', 'toml');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('pretty, json') });
  });

  it('takes the folder before the command, as the Supabase CLI does', async () => {
    const { code, stderr } = await ownbase('--workdir', '/nowhere', '--experimental', 'status');
    expect(code).toBe(1);
    expect(stderr).toContain('No backend runs for /nowhere');
  });

  it.each([[['start']], [['config']], [['db', 'diff']], [['migration', 'list']]])(
    '%j refuses a folder that is not there',
    async (args) => {
      const { code, stderr } = await ownbase(...args, '--project', '/nowhere');
      expect({ code, stderr }).toEqual({ code: 1, stderr: 'There is no folder /nowhere.\n' });
    },
  );

  it('says what a database URL looks like', async () => {
    const { code, stderr } = await ownbase('db', 'query', 'select 1', '--db-url', 'nonsense');
    expect(code).toBe(1);
    expect(stderr).toContain('postgresql://user:password@host');
  });

  it('--debug adds where an error came from', async () => {
    expect((await ownbase('status', '--project', '/nowhere', '--debug')).stderr).toMatch(/\n {4}at /);
  });
});

describe('--json', () => {
  it.each(commands.map((entry) => [line(entry), entry.path] as const))(
    'is an option of "%s"',
    async (_, path) => {
      expect((await ownbase(...path, '--help')).stdout).toContain('--json');
    },
  );

  it.each(commands.map((entry) => [line(entry), entry.path] as const))(
    'makes of a wrong line of "%s" one line of JSON and a code',
    async (_, path) => {
      const { code, stdout, stderr } = await ownbase(...path, '--json', '--nonsense');
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(
        stderr
          .trimEnd()
          .split('\n')
          .map((text) => JSON.parse(text)),
      ).toEqual([
        { level: 'error', time: expect.any(String), exitCode: 1, msg: expect.stringMatching(/^[^{]+$/) },
      ]);
    },
  );

  it.each([
    [['status', '--project', '/nowhere', '--json'], 'No backend runs for /nowhere'],
    [['status', '--project', '/nowhere', '-o', 'json'], 'No backend runs for /nowhere'],
    [['stop', '--project', '/nowhere', '--output=json', '--jsno'], "unknown option '--jsno'"],
    [['db', '--json'], 'unknown option'],
    [['--json'], 'unknown option'],
    [['compat', 'diff', '--json'], 'required option'],
    [['rest', '/nowhere.conf', '--json'], '/nowhere.conf'],
  ])('%j tells as JSON what is wrong', async (args, reason) => {
    const { code, stdout, stderr } = await ownbase(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ level: 'error', msg: expect.stringContaining(reason) });
  });

  it('with --debug tells where an error came from', async () => {
    const { stderr } = await ownbase('status', '--project', '/nowhere', '--json', '--debug');
    expect(JSON.parse(stderr)).toMatchObject({ stack: expect.stringContaining('    at ') });
  });
});

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'])('for %s knows every command that the help shows', async (shell) => {
    const { code, stdout } = await ownbase('completion', shell);
    expect(code).toBe(0);
    expect(shown.filter(({ path }) => !stdout.includes(path.at(-1) ?? '')).map(line)).toEqual([]);
    expect(stdout).not.toContain('network-bans');
  });

  it('for another shell is refused', async () => {
    expect(await ownbase('completion', 'tcsh')).toMatchObject({ code: 1, stdout: '' });
  });
});
