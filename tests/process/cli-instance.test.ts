import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeDataDir } from '../../src/embedded/placement.ts';
import { connect } from '../../src/pg/connect.ts';
import { sql } from '../../src/pg/sql/sql.ts';
import { copyProject, type RunningInstance, runCli, startInstance } from '../support/cli.ts';
import { writeProject } from '../support/project.ts';

async function query<Row>(url: string, statement: ReturnType<typeof sql>): Promise<Row[]> {
  const client = await connect(url);
  try {
    return await client.query<Row>(statement);
  } finally {
    await client.end();
  }
}

const posts = sql`select count(*)::int as posts from public.posts`;

describe('an instance and the commands that find it by its project', () => {
  let project: Awaited<ReturnType<typeof copyProject>>;
  let instance: RunningInstance;
  const cli = (...args: string[]) => runCli([...args, '--project', project.dir]);

  beforeAll(async () => {
    project = await copyProject('journal');
    instance = await startInstance(project.dir);
  });
  afterAll(async () => {
    await instance.stop();
    await removeDataDir(join(project.dir, '.ownbase/postgres'));
    await project.remove();
  });

  it('status prints what the Supabase CLI prints, for a shell and under other names', async () => {
    const { code, stdout } = await cli(
      'status',
      '-o',
      'env',
      '--override-name',
      'api.url=NEXT_PUBLIC_SUPABASE_URL',
    );
    expect(code).toBe(0);
    expect(stdout).toContain(`NEXT_PUBLIC_SUPABASE_URL="${instance.url}"\n`);
    expect(stdout.split('\n').map((line) => line.split('=')[0])).toEqual(
      expect.arrayContaining([
        'ANON_KEY',
        'DB_URL',
        'JWT_SECRET',
        'PUBLISHABLE_KEY',
        'REST_URL',
        'SERVICE_ROLE_KEY',
      ]),
    );
    expect(instance.env).toMatchObject({ API_URL: instance.url, DB_URL: instance.dbUrl });
  });

  it('status for people shows the same', async () => {
    const { code, stdout, stderr } = await cli('status');
    expect(code).toBe(0);
    expect(stderr).toContain('is running');
    expect(stdout).toContain(instance.url);
    expect(stdout).toContain(instance.dbUrl);
  });

  it('a second start says where the first one is', async () => {
    const { code, stderr } = await cli('start');
    expect(code).toBe(2);
    expect(stderr).toContain(`at ${instance.url} (process ${instance.child.pid})`);
  });

  it('migration list, new and up work on its database', async () => {
    const made = await cli('migration', 'new', 'notes');
    const path = /at (supabase\/migrations\/\d{14}_notes\.sql)/.exec(made.stdout)?.[1] ?? '';
    await writeProject(project.dir, { [path]: 'create table notes ();' });
    expect(await cli('migration', 'up')).toMatchObject({ code: 0 });
    const { stdout } = await cli('migration', 'list');
    const version = /\d{14}/.exec(path)?.[0] ?? '';
    expect(stdout).toMatch(new RegExp(`${version}  ${version}`));
  });

  it('doctor finds nothing that does not work', async () => {
    const { code, stdout } = await cli('doctor', '--json');
    const report = JSON.parse(stdout) as { status: string; finding?: string }[];
    expect(report.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(code).toBe(0);
  });

  it('db reset drops what was made beside the migrations, and the backend goes on', async () => {
    await query(instance.dbUrl, sql`create table public.by_hand ()`);
    await query(instance.dbUrl, sql`select vault.create_secret('s', 'mine')`);
    expect(await cli('db', 'reset')).toMatchObject({ code: 0 });
    const [left] = await query<{ table: string | null; secrets: number }>(
      instance.dbUrl,
      sql`select to_regclass('public.by_hand')::text as table, (select count(*)::int from vault.secrets) as secrets`,
    );
    expect(left).toEqual({ table: null, secrets: 0 });
    const answer = await fetch(`${instance.url}/health`);
    expect(answer.status).toBe(200);
  });

  it('comes up with its data after both processes were killed', async () => {
    const before = await query(instance.dbUrl, posts);
    instance.child.kill('SIGKILL');
    await once(instance.child, 'exit');
    expect(await cli('status')).toMatchObject({ code: 1 });
    instance = await startInstance(project.dir);
    expect(instance.output()).toContain('that an earlier run left behind');
    expect(await query(instance.dbUrl, posts)).toEqual(before);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'ends cleanly with code 0 on %s, Postgres with it',
    async (signal) => {
      expect(await instance.stop(signal)).toBe(0);
      await expect(connect(instance.dbUrl)).rejects.toMatchObject({ kind: 'connection' });
      expect(await cli('status')).toMatchObject({ code: 1 });
      instance = await startInstance(project.dir);
    },
  );

  it('stop ends it from outside', async () => {
    expect(await cli('stop')).toMatchObject({ code: 0, stderr: 'Stopped.\n' });
    expect(instance.child.exitCode).toBe(0);
    expect((await cli('stop')).stderr).toContain('No backend runs');
  });

  it('db reset makes the database anew while nothing runs', async () => {
    const { code, stderr } = await cli('db', 'reset', '--db-port', '0', '--no-seed');
    expect(code).toBe(0);
    expect(stderr).toContain('Making a database');
    expect(stderr).not.toContain('Applying seed');
  });

  it('start --detach returns when it answers, and stop --no-backup deletes the data', async () => {
    const ports = ['--port', '0', '--db-port', '0', '--admin-port', '0', '--inbox-port', '0'];
    const started = await cli('start', '--detach', '--json', ...ports);
    expect(started.code).toBe(0);
    const values = JSON.parse(started.stdout) as { DB_URL: string; API_URL: string; SECRET_KEY: string };
    const headers = { apikey: values.SECRET_KEY };
    expect((await fetch(`${values.API_URL}/rest/v1/`, { headers })).status).toBe(200);
    expect((await fetch(`${values.API_URL}/health`)).status).toBe(200);
    expect(await query(values.DB_URL, sql`select 1 as one`)).toEqual([{ one: 1 }]);
    const stopped = await cli('stop', '--no-backup');
    expect(stopped.stderr).toContain('Deleted the database');
  });
});
