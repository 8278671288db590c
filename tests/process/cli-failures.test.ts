import { once } from 'node:events';
import { lstat, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { removeDataDir } from '../../src/embedded/placement.ts';
import { runCli } from '../support/cli.ts';
import { createProject } from '../support/project.ts';

const ports = ['--port', '0', '--db-port', '0', '--admin-port', '0', '--inbox-port', '0'];

async function project(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await createProject(files);
  onTestFinished(() => removeDataDir(join(folder, '.ownbase/postgres')));
  return folder;
}

describe('the command line', () => {
  it.each([
    [['--help'], /Usage: ownbase/],
    [['help', 'db', 'reset'], /Usage: ownbase db reset[\s\S]*Examples:/],
    [['start', '--help'], /--db, --db-url <url>[\s\S]*Ends with 0/],
    [['--version'], /^\d+\.\d+\.\d+/],
  ])('%j explains', async (args, says) => {
    const { code, stdout } = await runCli(args);
    expect(code).toBe(0);
    expect(stdout).toMatch(says);
  });

  it.each([[['nonsense']], [['start', '--nonsense']], [['status', '-o', 'xml']]])(
    '%j is refused',
    async (args) => {
      const { code, stderr } = await runCli(args);
      expect(code).toBe(1);
      expect(stderr).toContain('error:');
    },
  );

  it('prints every setting with its origin and without secrets', async () => {
    const folder = await project({ 'supabase/config.toml': '[api]\nport = 8123\n' });
    const { stdout } = await runCli(['config', '--print', '--json', '--project', folder], {
      JWT_SECRET: 'not-to-be-shown-in-any-listing',
    });
    expect(stdout).not.toContain('not-to-be-shown');
    expect(JSON.parse(stdout)).toEqual(
      expect.arrayContaining([{ name: 'gateway.port', value: '8123', origin: 'config.toml api.port' }]),
    );
  });

  it('makes keys once, readable by their owner only', async () => {
    const folder = await project();
    const made = await runCli(['keys', '--generate', '-o', 'json', '--project', folder]);
    const keys = JSON.parse(made.stdout) as { SECRET_KEY: string };
    const file = join(folder, '.ownbase/keys.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toContain(keys.SECRET_KEY);
    expect(await runCli(['keys', '--generate', '--project', folder])).toMatchObject({ code: 1 });
    const replaced = await runCli(['keys', '--generate', '--force', '-o', 'json', '--project', folder]);
    expect(replaced.stdout).not.toContain(keys.SECRET_KEY);
  });

  it.each([[['status']], [['migration', 'up']], [['migration', 'list']], [['doctor']]])(
    '%j needs a running backend and says how to get one',
    async (args) => {
      const { code, stderr } = await runCli([...args, '--project', await project()]);
      expect(code).toBe(1);
      expect(stderr).toContain('"ownbase start"');
    },
  );
});

describe('start', () => {
  it('ends with 1 and every problem when the configuration is wrong', async () => {
    const folder = await project({ 'supabase/config.toml': '[api]\nport = "x"\nmax_rows = -5\n' });
    const { code, stderr } = await runCli(['start', '--project', folder]);
    expect(code).toBe(1);
    expect(stderr).toContain('api.port');
    expect(stderr).toContain('api.max_rows');
  });

  it('ends with 1 when the public keys would be used in production', async () => {
    const { code, stderr } = await runCli(['start', '--project', await project()], {
      NODE_ENV: 'production',
    });
    expect(code).toBe(1);
    expect(stderr).toContain('ownbase keys --generate');
  });

  it('ends with 2 and the place of the error when a migration fails', async () => {
    const folder = await project({ 'supabase/migrations/1_a.sql': 'select 1;\nselect nope;\n' });
    const { code, stderr } = await runCli(['start', '--project', folder, ...ports]);
    expect(code).toBe(2);
    expect(stderr).toContain('supabase/migrations/1_a.sql:2');
    expect(stderr).toContain('At statement: 1\nselect nope\n       ^');
  });

  it('ends with 2 and the ways out when an extension is missing', async () => {
    const folder = await project({ 'supabase/migrations/1_a.sql': 'create extension vector;' });
    const { code, stderr } = await runCli(['start', '--project', folder, ...ports]);
    expect(code).toBe(2);
    expect(stderr).toContain('--skip-missing-extensions');
    // Another Postgres, the usual way out, could not open a data directory of this one.
    await expect(lstat(join(folder, '.ownbase/postgres'))).rejects.toThrow('ENOENT');
  });

  it('ends with 1 when the files of a bucket are not there', async () => {
    const folder = await project({
      'supabase/config.toml': '[storage.buckets.pictures]\nobjects_path = "./pictures"\n',
    });
    const { code, stderr } = await runCli(['start', '--project', folder, ...ports]);
    expect(code).toBe(1);
    expect(stderr).toContain('[storage.buckets.pictures] objects_path: there is no ./pictures in supabase/');
  });

  it('ends with 2 when one service does not start, with what the others had begun', async () => {
    const taken = await project({ store: 'a file in the place of the folder' });
    const args = ['--storage-path', join(taken, 'store'), ...ports];
    const { code, stderr } = await runCli(['start', '--project', await project(), ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain('store');
  });

  it('ends with 2 when the port of the gateway is taken, before a database is made', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    onTestFinished(() => void holder.close());
    const { port } = holder.address() as AddressInfo;
    const { code, stderr } = await runCli(['start', '--project', await project(), '--port', String(port)]);
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`Port ${port} is taken by .*--port`));
    expect(stderr).not.toContain('Making a database');
  });

  it('in the background ends with the code and the words of the start', async () => {
    const folder = await project({ 'supabase/migrations/1_a.sql': 'nonsense' });
    const { code, stderr } = await runCli(['start', '--detach', '--project', folder, ...ports]);
    expect(code).toBe(2);
    expect(stderr).toContain('supabase/migrations/1_a.sql:1');
  });
});
