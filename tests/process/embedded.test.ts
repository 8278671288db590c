import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { EmbeddedError, type EmbeddedErrorCode } from '../../src/embedded/errors.ts';
import { removeDataDir } from '../../src/embedded/placement.ts';
import { findFreePort } from '../../src/embedded/ports.ts';
import { isAlive } from '../../src/embedded/processes.ts';
import {
  type EmbeddedEvent,
  type EmbeddedOptions,
  type EmbeddedPostgres,
  startEmbedded,
} from '../../src/embedded/start.ts';
import { connect } from '../../src/pg/connect.ts';
import { sql } from '../../src/pg/sql/sql.ts';

type Server = EmbeddedPostgres & { readonly events: readonly EmbeddedEvent[] };

/** A folder whose `postgres` may be a data directory; mode 0755, so that root's Postgres can enter it. */
async function freshFolder(mode = 0o755): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ownbase-process-'));
  await chmod(folder, mode);
  onTestFinished(async () => {
    await removeDataDir(join(folder, 'postgres'));
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}

async function start(folder: string, options: Partial<EmbeddedOptions> = {}): Promise<Server> {
  const events: EmbeddedEvent[] = [];
  const server = await startEmbedded({
    dataDir: join(folder, 'postgres'),
    durable: false,
    onEvent: (event) => events.push(event),
    ...options,
  });
  onTestFinished(() => server.stop());
  return { ...server, events };
}

async function failureOf(starting: Promise<unknown>): Promise<EmbeddedError> {
  const error = await starting.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof EmbeddedError) return error;
  throw new Error(`expected an EmbeddedError, got ${String(error)}`);
}

async function query<Row>(server: EmbeddedPostgres, statement: ReturnType<typeof sql>): Promise<Row[]> {
  const client = await connect(server.ownerUrl);
  try {
    return await client.query<Row>(statement);
  } finally {
    await client.end();
  }
}

const notices = (server: Server): string[] =>
  server.events.flatMap((event) => (event.kind === 'notice' ? [event.message] : []));

/** Starts a supervisor in a process of its own and yields the pid of its Postgres. */
async function startApart(folder: string): Promise<{ supervisor: ChildProcess; postmaster: number }> {
  const script = new URL('supervised.ts', import.meta.url).pathname;
  const supervisor = spawn(process.execPath, ['--import', 'tsx', script, join(folder, 'postgres')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void supervisor.kill('SIGKILL'));
  const [line] = await once(supervisor.stdout ?? supervisor, 'data');
  return { supervisor, postmaster: Number(String(line)) };
}

describe('the embedded Postgres', () => {
  it("makes a cluster as upstream's is: UTF-8, ICU, UTC, logical WAL, loopback only", async () => {
    const server = await start(await freshFolder());
    expect(server.created).toBe(true);
    const rows = await query(
      server,
      sql`select current_user as owner, pg_encoding_to_char(encoding) as encoding, datlocprovider as provider,
            current_setting('wal_level') as wal, current_setting('timezone') as zone,
            current_setting('listen_addresses') as addresses, 'a' < 'B' as natural_order
          from pg_database where datname = current_database()`,
    );
    expect(rows).toEqual([
      {
        owner: 'supabase_admin',
        encoding: 'UTF8',
        provider: 'i',
        wal: 'logical',
        zone: 'UTC',
        addresses: '127.0.0.1',
        natural_order: true,
      },
    ]);
  });

  it('keeps data and password between starts, and takes settings', async () => {
    const folder = await freshFolder();
    const first = await start(folder, { durable: true });
    await query(first, sql`create table kept as select 1 as a`);
    await first.stop();
    expect(await first.exited).toEqual({ code: 0, signal: null });
    const second = await start(folder, { settings: { work_mem: '7MB', listen_addresses: '*' } });
    expect(second.created).toBe(false);
    const rows = await query(
      second,
      sql`select a, current_setting('work_mem') as mem, current_setting('listen_addresses') as at from kept`,
    );
    expect(rows).toEqual([{ a: 1, mem: '7MB', at: '127.0.0.1' }]);
  });

  it('refuses a login without the password', async () => {
    const server = await start(await freshFolder());
    const url = new URL(server.ownerUrl);
    url.password = 'guess';
    await expect(connect(url.href)).rejects.toMatchObject({ sqlstate: '28P01' });
  });

  it('comes back by itself when it is killed', async () => {
    const server = await start(await freshFolder(), { durable: true });
    await query(server, sql`create table kept as select 1 as a`);
    const killed = server.pid();
    process.kill(killed ?? 0, 'SIGKILL');
    await vi.waitUntil(() => server.events.filter(({ kind }) => kind === 'ready').length === 2, 20_000);
    expect(server.pid()).not.toBe(killed);
    expect(await query(server, sql`select a from kept`)).toEqual([{ a: 1 }]);
    expect(server.events.find(({ kind }) => kind === 'lost')).toMatchObject({ exit: { signal: 'SIGKILL' } });
  });

  it('is stopped and taken over when its supervisor was killed', async () => {
    const folder = await freshFolder();
    const { supervisor, postmaster } = await startApart(folder);
    supervisor.kill('SIGKILL');
    await once(supervisor, 'exit');
    expect(isAlive(postmaster)).toBe(true);
    const server = await start(folder);
    expect(notices(server)).toEqual([
      `stopping the Postgres that an earlier run left behind (process ${postmaster})`,
    ]);
    expect(isAlive(postmaster)).toBe(false);
    expect(await query(server, sql`select 1 as one`)).toEqual([{ one: 1 }]);
  });

  it('does not mind what a killed supervisor and Postgres leave behind', async () => {
    const folder = await freshFolder();
    const { supervisor, postmaster } = await startApart(folder);
    supervisor.kill('SIGKILL');
    process.kill(postmaster, 'SIGKILL');
    await vi.waitUntil(() => !isAlive(postmaster));
    const server = await start(folder);
    expect(await query(server, sql`select 1 as one`)).toEqual([{ one: 1 }]);
  });

  it('removes what a crash in the making of a cluster left', async () => {
    const folder = await freshFolder();
    await mkdir(join(folder, 'postgres.init-999999999-abcdef'));
    await writeFile(join(folder, 'postgres.init-999999999-abcdef.password'), 'secret');
    await start(folder);
    expect((await readdir(folder)).sort()).toEqual(['logs', 'postgres', 'run']);
  });

  it('starts once when two starts meet', async () => {
    const folder = await freshFolder();
    const outcomes = await Promise.allSettled([start(folder), start(folder)]);
    const started = outcomes.filter(({ status }) => status === 'fulfilled');
    expect(started).toHaveLength(1);
  });

  it('removes a pid file whose process is something else by now', async () => {
    const folder = await freshFolder();
    await (await start(folder)).stop();
    const dataDir = join(folder, 'postgres');
    await writeFile(join(dataDir, 'postmaster.pid'), `${process.pid}\n${dataDir}\n0\n5432\n\n\n\nready   \n`);
    const server = await start(folder);
    expect(notices(server)[0]).toContain(`process ${process.pid} is not its Postgres`);
  });
});

describe('the embedded Postgres does not start, and says why,', () => {
  const cases: readonly (readonly [
    name: string,
    code: EmbeddedErrorCode,
    says: RegExp,
    prepare: (folder: string) => Promise<Partial<EmbeddedOptions>>,
  ])[] = [
    [
      'when another instance runs on its data',
      'data_dir_in_use',
      /in use by another ownbase \(process \d+, port \d+\)/,
      async (folder) => {
        await start(folder);
        return {};
      },
    ],
    [
      'when its port is taken',
      'port_taken',
      /Port \d+ is taken by .*process \d+/,
      async () => {
        const port = await findFreePort();
        const holder = createServer().listen(port, '127.0.0.1');
        await once(holder, 'listening');
        onTestFinished(() => void holder.close());
        return { port };
      },
    ],
    [
      'when its port is taken by the Postgres of another project',
      'port_taken',
      /taken by the Postgres of the project .*other \(process \d+\)/,
      async (folder) => {
        await mkdir(join(folder, 'other/.ownbase'), { recursive: true });
        const { port } = await start(folder, { dataDir: join(folder, 'other/.ownbase/postgres') });
        return { port };
      },
    ],
    [
      'when another version made the data',
      'data_dir_version',
      /made by Postgres 9 and cannot be opened by Postgres 17/,
      async (folder) => {
        await mkdir(join(folder, 'postgres'));
        await writeFile(join(folder, 'postgres/PG_VERSION'), '9.6\n');
        return {};
      },
    ],
    [
      'when the folder holds something else',
      'data_dir_foreign',
      /holds files but no database/,
      async (folder) => {
        await mkdir(join(folder, 'postgres'));
        await writeFile(join(folder, 'postgres/letter.txt'), '');
        return {};
      },
    ],
    [
      'when a setting is wrong',
      'start_failed',
      /FATAL: .*shared_buffers/,
      async () => ({ settings: { shared_buffers: 'plenty' } }),
    ],
    [
      'when there are no programs',
      'binaries_missing',
      /OWNBASE_PG_BIN/,
      async () => ({ pgBin: '/nowhere/bin' }),
    ],
  ];
  it.each(cases)('%s', async (_name, code, says, prepare) => {
    const folder = await freshFolder();
    const options = await prepare(folder);
    const error = await failureOf(start(folder, options));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(says);
  });

  it('and leaves no half-made cluster', async () => {
    const folder = await freshFolder();
    await failureOf(start(folder, { ownerPassword: '' }));
    expect((await readdir(folder)).filter((name) => name.startsWith('postgres'))).toEqual([]);
  });
});

describe('the socket', () => {
  it('is beside the data, or in the temporary folder when its path would be too long', async () => {
    const folder = await freshFolder();
    const near = await start(folder);
    expect(near.socketDir).toBe(join(folder, 'run'));
    const deep = join(folder, 'x'.repeat(100));
    await mkdir(deep);
    const far = await start(deep);
    expect(far.socketDir.length).toBeLessThan(90);
    onTestFinished(() => rm(far.socketDir, { recursive: true, force: true }));
  });
});

describe.runIf(process.getuid?.() === 0)('as root', () => {
  it('Postgres runs as somebody else, also in a folder that only root can enter', async () => {
    const folder = await freshFolder(0o700);
    const first = await start(folder);
    expect(notices(first).join()).toContain(`its data is in ${first.dataDir}`);
    await query(first, sql`create table kept as select 1 as a`);
    await first.stop();
    const second = await start(folder);
    expect(second.dataDir).toBe(first.dataDir);
    expect(await query(second, sql`select a from kept`)).toEqual([{ a: 1 }]);
    await second.stop();
    await removeDataDir(join(folder, 'postgres'));
    expect(await readdir(folder)).not.toContain('postgres');
    await expect(readdir(first.dataDir)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each(['root', 'no-such-account'])('Postgres does not run as %s', async (runAs) => {
    expect((await failureOf(start(await freshFolder(), { runAs }))).code).toBe('account_unusable');
  });
});
