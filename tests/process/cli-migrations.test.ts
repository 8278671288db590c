import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyProject, type RunningInstance, runCli, startInstance } from '../support/cli.ts';

describe('commands that go between a database and its migration files', () => {
  let project: Awaited<ReturnType<typeof copyProject>>;
  let instance: RunningInstance;
  /** A project without any file of the first one, which knows the database by its URL alone. */
  let other: string;
  const cli = (...args: string[]) => runCli([...args, '--project', project.dir]);
  const fromOther = (...args: string[]) =>
    runCli([...args, '--project', other, '--db-url', instance.dbUrl], { NO_COLOR: '1' });
  const files = async (dir: string) => (await readdir(join(dir, 'supabase/migrations'))).sort();
  const count = async (table: string): Promise<number> => {
    const { stdout } = await cli('db', 'query', `select count(*)::int as n from ${table}`, '--json');
    return (JSON.parse(stdout) as [{ n: number }])[0].n;
  };

  beforeAll(async () => {
    project = await copyProject('journal');
    other = await mkdtemp(join(tmpdir(), 'ownbase-other-'));
    instance = await startInstance(project.dir);
  });
  afterAll(async () => {
    await instance.stop();
    await project.remove();
    await rm(other, { recursive: true, force: true });
  });

  it('migration fetch writes the files that the history holds, and asks before it overwrites', async () => {
    const fetched = await fromOther('migration', 'fetch', '--json');
    expect(fetched.code).toBe(0);
    const names = await files(project.dir);
    expect(JSON.parse(fetched.stdout)).toEqual({ paths: names.map((name) => `supabase/migrations/${name}`) });
    expect(await files(other)).toEqual(names);
    const mine = join(other, 'supabase/migrations', names[0] ?? '');
    const text = await readFile(mine, 'utf8');
    await writeFile(mine, 'changed');
    expect(await fromOther('migration', 'fetch')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Say --yes'),
    });
    expect(await readFile(mine, 'utf8')).toBe('changed');
    expect(await fromOther('migration', 'fetch', '--yes')).toMatchObject({ code: 0 });
    expect(await readFile(mine, 'utf8')).toBe(text);
  });

  it('what was fetched makes the same database', async () => {
    const { stdout, stderr } = await fromOther('db', 'diff');
    expect({ stdout, stderr }).toEqual({
      stdout: '',
      stderr: expect.stringContaining('No schema changes found'),
    });
  });

  it('migration fetch writes into its folder alone, whatever the history says', async () => {
    await cli(
      'db',
      'query',
      "insert into supabase_migrations.schema_migrations (version, name, statements) values ('20300101000000', '/../../../evil', '{select 1}'), ('20300102000000', null, null)",
    );
    const { code, stdout, stderr } = await fromOther('migration', 'fetch', '--yes', '--json');
    expect(code).toBe(0);
    expect(stdout).not.toContain('evil');
    expect(stderr.split('\n').map((line) => (line === '' ? '' : JSON.parse(line).msg))).toEqual([
      '20300101000000 is left out: the history has no file of it.',
      '20300102000000 is left out: the history has no file of it.',
      '',
    ]);
    await cli('db', 'query', "delete from supabase_migrations.schema_migrations where version like '2030%'");
  });

  it('db pull refuses a history that the files do not have, and names the ways out', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'ownbase-empty-'));
    const pulled = await runCli(['db', 'pull', '--project', empty, '--db-url', instance.dbUrl]);
    expect(pulled.code).toBe(1);
    expect(pulled.stderr).toContain('ownbase migration repair --status reverted 20260101000000');
    expect(pulled.stderr).toContain('ownbase migration fetch');
    await mkdir(join(empty, 'supabase'), { recursive: true });
    await rm(empty, { recursive: true });
  });

  it('db pull makes a migration of what was changed by hand, records it, and finds nothing afterwards', async () => {
    await cli('db', 'query', 'create table public.pulled (id int primary key)');
    const { code, stdout } = await fromOther('db', 'pull', 'by_hand', '--yes', '--json');
    expect(code).toBe(0);
    const { path, recorded } = JSON.parse(stdout) as { path: string; recorded: boolean };
    expect(recorded).toBe(true);
    expect(await readFile(join(other, path), 'utf8')).toContain('CREATE TABLE public.pulled');
    const listed = await fromOther('migration', 'list', '--json');
    expect((JSON.parse(listed.stdout) as unknown[]).at(-1)).toMatchObject({ file: true, applied: true });
    expect(await fromOther('db', 'pull')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('No schema changes found'),
    });
    // The first project takes the file over.
    await writeFile(join(project.dir, path), await readFile(join(other, path), 'utf8'));
  });

  it('migration down takes the last migrations back and applies the others anew', async () => {
    const all = await files(project.dir);
    await cli('db', 'query', "insert into public.tags (name) values ('by hand')");
    const asked = await cli('migration', 'down');
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain('you will lose all data');
    expect(await count('public.pulled')).toBe(0);

    const { code, stdout } = await cli('migration', 'down', '--yes', '--json');
    expect(code).toBe(0);
    const facts = JSON.parse(stdout) as { version: string; reverted: string[]; applied: string[] };
    expect(facts.reverted).toEqual(all.slice(-1).map((name) => name.split('_')[0]));
    expect(facts.version).toBe(all.at(-2)?.split('_')[0]);
    expect(facts.applied).toHaveLength(all.length - 1);
    expect((await cli('db', 'query', "select to_regclass('public.pulled') as it", '--json')).stdout).toMatch(
      /"it": null/,
    );
    expect(await count(`public.tags where name = 'by hand'`)).toBe(0);
    expect(
      (await fetch(`${instance.url}/rest/v1/`, { headers: { apikey: instance.env.SERVICE_ROLE_KEY ?? '' } }))
        .status,
    ).toBe(200);
  });

  it.each([
    ['0', 'must be greater than 0'],
    ['x', 'must be greater than 0'],
    ['99', 'must be smaller than total applied migrations: 3\nTry ownbase db reset'],
  ])('migration down --last %s is refused', async (last, reason) => {
    expect(await cli('migration', 'down', '--last', last, '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(reason),
    });
  });

  it.each([
    ['pg_dump', {}],
    ['its own dump', { PATH: '' }],
  ])('db dump of a schema that is not there ends with 1, by %s', async (_, env) => {
    const dump = (...args: string[]) => runCli(['db', 'dump', ...args, '--project', project.dir], env);
    expect(await dump('-s', 'nosuch')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('no matching schemas were found'),
    });
    expect(await dump('-s', 'nosuch,public')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/CREATE TABLE .*"?tags/),
    });
    expect((await dump('--data-only', '-s', 'publ*')).stdout).toMatch(/INSERT INTO "?public/);
  });

  it('db dump writes a file and says so in JSON', async () => {
    const file = join(project.dir, 'dump.sql');
    const { code, stdout } = await cli('db', 'dump', '-f', file, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ file, kind: 'schema' });
    expect(await readFile(file, 'utf8')).toMatch(/CREATE TABLE/);
    expect(await cli('db', 'dump', '--json')).toMatchObject({ code: 1, stdout: '' });
  });

  it('db advisors prints findings and gates on a level', async () => {
    await cli('db', 'query', 'create table public.wide_open (); grant select on public.wide_open to anon');
    const { code, stdout } = await cli('db', 'advisors', '--type', 'security', '--fail-on', 'error');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toContainEqual(
      expect.objectContaining({ cache_key: 'rls_disabled_in_public_public_wide_open' }),
    );
    expect(await cli('db', 'advisors', '--type', 'security')).toMatchObject({ code: 0 });
  });
});
