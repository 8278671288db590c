import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyProject, type RunningInstance, runCli, startInstance } from '../support/cli.ts';
import { writeProject } from '../support/project.ts';

describe('commands on the database of a running instance', () => {
  let project: Awaited<ReturnType<typeof copyProject>>;
  let instance: RunningInstance;
  const cli = (...args: string[]) => runCli([...args, '--project', project.dir]);
  const migrations = () => readdir(join(project.dir, 'supabase/migrations'));

  beforeAll(async () => {
    project = await copyProject('journal');
    instance = await startInstance(project.dir);
  });
  afterAll(async () => {
    await instance.stop();
    await project.remove();
  });

  it('db query prints rows as a table, JSON and CSV', async () => {
    const query = (...args: string[]) => cli('db', 'query', `select 1 as one, 'a,b' as two`, ...args);
    expect(await query()).toMatchObject({ code: 0, stdout: 'one  two\n---  ---\n1    a,b\n' });
    expect(JSON.parse((await query('--json')).stdout)).toEqual([{ one: 1, two: 'a,b' }]);
    expect((await query('-o', 'csv')).stdout).toBe('one,two\n1,"a,b"\n');
    expect(await cli('db', 'query', 'select nope')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'column "nope" does not exist\n',
    });
  });

  it('db diff makes a migration of what was changed by hand, and finds nothing afterwards', async () => {
    await cli(
      'db',
      'query',
      'create table public.by_hand (id int primary key); alter table tags add column hue text',
    );
    const made = await cli('db', 'diff', '-f', 'by_hand');
    expect(made.code).toBe(0);
    const file = (await migrations()).find((name) => name.endsWith('_by_hand.sql')) ?? '';
    const text = await readFile(join(project.dir, 'supabase/migrations', file), 'utf8');
    expect(text).toContain('ALTER TABLE public.tags ADD COLUMN hue text;');
    const version = file.split('_')[0] ?? '';
    expect(await cli('migration', 'repair', version, '--status', 'applied')).toMatchObject({ code: 0 });
    const { stdout, stderr } = await cli('db', 'diff');
    expect(stdout).toBe('');
    expect(stderr).toContain('No schema changes found');
  });

  it.each(['/nowhere/dump.sql', '/dev/full'])(
    'db dump into %s says in one line what the system refuses',
    async (file) => {
      const { code, stdout, stderr } = await cli('db', 'dump', '-f', file);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^Dumping schema of the database.*\n(ENOENT|ENOSPC): .*\n$/);
    },
  );

  it('db dump writes schema, data and roles', async () => {
    const schema = await cli('db', 'dump');
    expect(schema.stdout).toMatch(/CREATE TABLE .*by_hand/);
    expect(schema.stdout).not.toMatch(/CREATE TABLE .*(auth|storage)\b/);
    const data = await cli('db', 'dump', '--data-only', '-s', 'public');
    expect(data.stdout).toMatch(/^SET session_replication_role = replica;\n/);
    expect(data.stdout).toMatch(/INSERT INTO "?public"?\."?tags/);
    expect((await cli('db', 'dump', '--role-only')).stdout).toMatch(/RESET ALL;\n$/);
    expect(await cli('db', 'dump', '--data-only', '--role-only')).toMatchObject({ code: 1, stdout: '' });
  });

  it('db push lists what it would apply, applies it after a yes, and says when there is nothing', async () => {
    await writeProject(project.dir, {
      'supabase/migrations/20991231000000_last.sql': 'create table last ();',
    });
    const url = ['--db-url', instance.dbUrl];
    const dry = await cli('db', 'push', ...url, '--dry-run', '--json');
    expect(JSON.parse(dry.stdout)).toEqual({
      dryRun: true,
      applied: [{ what: 'migration', path: 'supabase/migrations/20991231000000_last.sql' }],
    });
    expect(await cli('db', 'push', ...url)).toMatchObject({ code: 1, stdout: '' });
    expect(await cli('db', 'push', ...url, '--yes')).toMatchObject({ code: 0 });
    expect((await cli('db', 'push', ...url)).stderr).toContain('Remote database is up to date.');
  });

  it('db lint says what it needs where the extension is missing', async () => {
    const { code, stderr } = await cli('db', 'lint');
    expect(code).toBe(1);
    expect(stderr).toContain('plpgsql_check');
  });

  it('inspect prints a table, or JSON', async () => {
    expect((await cli('inspect', 'db', 'table-stats')).stdout).toMatch(/^Name +Table size/);
    const { stdout } = await cli('inspect', 'db', 'table-stats', '--json');
    expect((JSON.parse(stdout) as { name: string }[]).map(({ name }) => name)).toContain('public.posts');
  });

  it('migration squash leaves one file that makes the same', async () => {
    const before = await migrations();
    const { code, stderr } = await cli('migration', 'squash');
    expect({ code, stderr: stderr.split('\n').at(-2) }).toEqual({
      code: 0,
      stderr: expect.stringContaining('migration repair'),
    });
    expect(await migrations()).toEqual(before.slice(-1));
    const { stdout } = await cli('db', 'diff');
    expect(stdout).toBe('');
  });
});

describe('init', () => {
  it('makes a configuration once, and again when asked', async () => {
    const project = await copyProject('journal');
    const init = (...args: string[]) => runCli(['init', '--project', project.dir, ...args]);
    expect(await init()).toMatchObject({ code: 1, stderr: expect.stringContaining('--force') });
    expect(await init('--force', '--json')).toMatchObject({ code: 0, stderr: '' });
    expect(await readFile(join(project.dir, 'supabase/.gitignore'), 'utf8')).toContain('.temp\n');
    const config = await runCli(['config', '--project', project.dir]);
    expect(config).toMatchObject({ code: 0, stderr: '' });
    await project.remove();
  });
});
