import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type AdminClient, connect } from '../../src/pg/connect.ts';
import { sql } from '../../src/pg/sql/sql.ts';
import { loginUrl, startTestCluster, type TestCluster } from '../support/cluster.ts';
import { PhoenixClient } from '../support/phoenix.ts';
import { startProxy } from '../support/proxy.ts';
import { type RealtimeHarness, startRealtime, testToken } from '../support/realtime.ts';
import { until } from '../support/until.ts';

const slot = 'feed_under_test';

let cluster: TestCluster;
let db: AdminClient;

beforeAll(async () => {
  cluster = await startTestCluster();
  db = await connectOwner();
  await db.exec(`
    create table public.rows (id int primary key, body text);
    create table public.guarded (id int primary key, owner text);
    alter table public.guarded enable row level security;
    create policy own on public.guarded for select to authenticated using (owner = auth.jwt() ->> 'name');
    grant select on all tables in schema public to anon, authenticated;
    alter publication supabase_realtime add table public.rows, public.guarded;`);
});
afterAll(async () => {
  await db?.end();
  await cluster?.stop();
});

/** Connects, again and again while the server is starting. */
async function connectOwner(): Promise<AdminClient> {
  let client: AdminClient | null = null;
  await until(async () => {
    client = await connect(cluster.ownerUrl, { timeoutMs: 2_000 }).catch(() => null);
    return client !== null;
  });
  return client as unknown as AdminClient;
}

async function start(
  config: Parameters<typeof startRealtime>[0]['config'] = {},
  { ownerUrl }: Pick<TestCluster, 'ownerUrl'> = cluster,
): Promise<RealtimeHarness> {
  const realtime = await startRealtime({
    ownerUrl,
    authenticatorUrl: loginUrl(new URL(ownerUrl), 'postgres', 'authenticator'),
    config: { slotName: slot, ...config },
  });
  onTestFinished(() => realtime.stop());
  return realtime;
}

async function watch(
  realtime: RealtimeHarness,
  table = 'rows',
  token?: string,
  filter?: string,
): Promise<PhoenixClient> {
  const client = await PhoenixClient.connect(realtime.url, realtime.anonToken);
  onTestFinished(() => client.close());
  await client.join('feed', { postgres_changes: [{ event: '*', schema: 'public', table, filter }] }, token);
  const status = await client.next(({ event }) => event === 'system');
  expect(status.payload.message).toBe('Subscribed to PostgreSQL');
  return client;
}

type Data = { type: string; record: { id: number } };
const changes = (client: PhoenixClient): Data[] =>
  client.of('postgres_changes').map(({ payload }) => payload.data as Data);
const ids = (client: PhoenixClient): number[] => changes(client).map(({ record }) => record?.id);

let nextId = 1;
async function insertRows(count: number): Promise<number[]> {
  const from = nextId;
  nextId += count;
  await db.query(
    sql`insert into public.rows select n from generate_series(${from}::int, ${nextId - 1}::int) n`,
  );
  return Array.from({ length: count }, (_, i) => from + i);
}

async function killWalsender(): Promise<void> {
  await db.query(
    sql`select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = ${slot}`,
  );
}

describe('the change feed', () => {
  it('comes back after its connection was cut, without losing or doubling a change', async () => {
    const realtime = await start();
    const client = await watch(realtime);
    const expected: number[] = [];
    for (let round = 0; round < 3; round++) {
      expected.push(...(await insertRows(10)));
      await killWalsender();
      expected.push(...(await insertRows(10)));
    }
    await client.until(() => ids(client).length >= expected.length);
    expected.push(...(await insertRows(1)));
    await client.until(() => ids(client).length >= expected.length);
    expect(ids(client)).toEqual(expected);
  });

  it('comes back after Postgres was killed, with all that was committed', async () => {
    const realtime = await start();
    const client = await watch(realtime);
    const before = await insertRows(50);
    process.kill(cluster.pid() ?? 0, 'SIGKILL');
    await db.end().catch(() => {});
    db = await connectOwner();
    const after = await insertRows(50);
    await client.until(() => ids(client).length >= 100);
    expect(ids(client)).toEqual([...before, ...after]);
  });

  it('makes a lost slot anew and tells the subscribers that changes may have been missed', async () => {
    const realtime = await start();
    const client = await watch(realtime);
    await db.exec(`
      do $$ begin
        perform pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = '${slot}';
        loop
          begin
            perform pg_drop_replication_slot('${slot}');
            exit;
          exception when object_in_use then
            perform pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = '${slot}';
          end;
        end loop;
      end $$`);
    await client.until(() => client.of('system').length === 2);
    expect(client.of('system')[1]?.payload).toMatchObject({
      status: 'ok',
      message: 'Subscribed to PostgreSQL',
    });
    const expected = await insertRows(3);
    await client.until(() => ids(client).length >= 3);
    expect(ids(client)).toEqual(expected);
  });

  it('goes on at another server that takes over, without a slot and with positions of its own', async () => {
    const [old, taking] = [await startTestCluster(), await startTestCluster()];
    onTestFinished(async () => {
      await old.stop();
      await taking.stop();
    });
    const proxy = await startProxy(Number(new URL(old.ownerUrl).port));
    onTestFinished(() => proxy.stop());
    const connections = await Promise.all([old, taking].map(({ ownerUrl }) => connect(ownerUrl)));
    const { username, password } = new URL(old.ownerUrl);
    for (const own of connections) {
      await own.exec(`alter role ${username} password '${password}'; create table public.rows (id int primary key);
        grant select on public.rows to anon; alter publication supabase_realtime add table public.rows;
        create policy hear on realtime.messages for select to anon using (true)`);
    }
    const [before, after] = connections as [AdminClient, AdminClient];
    for (let n = 0; n < 5; n++)
      await before.exec(`select pg_switch_wal(); insert into public.rows values (${n})`);
    const url = new URL(old.ownerUrl);
    url.port = String(proxy.port);
    const realtime = await start({}, { ownerUrl: url.href });
    const client = await watch(realtime);
    await client.join('told', { private: true });
    await before.exec('insert into public.rows values (10)');
    await client.until(() => ids(client).length === 1);
    for (const own of connections.slice(0, 1)) await own.end();
    await old.stop();
    proxy.switchTo(Number(new URL(taking.ownerUrl).port));
    await client.until(() => client.of('system').length === 2);
    expect(client.of('system')[1]?.payload.message).toBe('Subscribed to PostgreSQL');
    await after.exec(
      `insert into public.rows values (11); select realtime.send('{}'::jsonb, 'hi', 'told', true)`,
    );
    await client.until(() => ids(client).length === 2 && client.of('broadcast').length === 1);
    expect(ids(client)).toEqual([10, 11]);
    await after.end();
  });

  it('survives a publication that is dropped and made again', async () => {
    const realtime = await start();
    const client = await watch(realtime);
    await db.exec('drop publication supabase_realtime');
    await insertRows(1);
    await db.exec(`create publication supabase_realtime for table public.rows, public.guarded;
      alter publication supabase_realtime owner to postgres`);
    await client.until(() => client.of('system').length >= 2);
    const expected = await insertRows(2);
    await client.until(() => ids(client).at(-1) === expected[1]);
    const late = await watch(realtime);
    const last = await insertRows(1);
    await late.until(() => ids(late).length === 1);
    expect(ids(late)).toEqual(last);
  });

  it('keeps its slot over a restart, and does not deliver what is older than a subscription', async () => {
    const first = await start();
    await watch(first);
    await first.stop();
    await insertRows(20);
    const second = await start();
    const client = await watch(second);
    const expected = await insertRows(2);
    await client.until(() => ids(client).length >= 2);
    expect(ids(client)).toEqual(expected);
  });

  it('gives up a slot that holds back more of the log than it may', async () => {
    const first = await start();
    await watch(first);
    await first.stop();
    await db.exec(`create table public.noise as select md5(n::text) from generate_series(1, 100000) n`);
    const [before] = await db.query<{ restart_lsn: string }>(
      sql`select restart_lsn::text from pg_replication_slots where slot_name = ${slot}`,
    );
    const second = await start({ maxSlotLagBytes: 1_000_000 });
    await watch(second);
    const [after] = await db.query<{ moved: boolean }>(
      sql`select restart_lsn > ${before?.restart_lsn ?? ''}::pg_lsn as moved from pg_replication_slots where slot_name = ${slot}`,
    );
    expect(after).toEqual({ moved: true });
  });

  it('begins anew where the server has thrown the log away to spare the disk', async () => {
    const guarded = await startTestCluster({ max_slot_wal_keep_size: '16MB' });
    onTestFinished(() => guarded.stop());
    const own = await connect(guarded.ownerUrl);
    onTestFinished(() => own.end());
    await own.exec(`create table public.rows (id int primary key);
      grant select on public.rows to anon; alter publication supabase_realtime add table public.rows`);
    const first = await start({}, guarded);
    await watch(first);
    await first.stop();
    const status = async (): Promise<string | undefined> => {
      const [row] = await own.query<{ status: string }>(
        sql`select wal_status as status from pg_replication_slots where slot_name = ${slot}`,
      );
      return row?.status;
    };
    await until(async () => {
      await own.exec('insert into public.rows select coalesce(max(id), 0) + 1 from public.rows');
      await own.query(sql`select pg_switch_wal()`);
      await own.exec('checkpoint');
      return (await status()) === 'lost';
    });
    const client = await watch(await start({}, guarded));
    await own.exec('insert into public.rows values (100), (101)');
    await client.until(() => ids(client).length >= 2);
    expect(ids(client)).toEqual([100, 101]);
    expect(await status()).not.toBe('lost');
  });

  it('lets the log go while only other tables are written', async () => {
    const realtime = await start();
    await watch(realtime);
    await db.exec('create table if not exists public.elsewhere (n int)');
    await db.exec('insert into public.elsewhere select n from generate_series(1, 50000) n');
    const [target] = await db.query<{ lsn: string }>(sql`select pg_current_wal_lsn()::text as lsn`);
    const hasMoved = async (): Promise<boolean> => {
      const [row] = await db.query<{ moved: boolean }>(
        sql`select confirmed_flush_lsn >= ${target?.lsn ?? ''}::pg_lsn as moved from pg_replication_slots where slot_name = ${slot}`,
      );
      return row?.moved === true;
    };
    await expect.poll(hasMoved, { timeout: 40_000, interval: 200 }).toBe(true);
  });

  it('brings a transaction of 50 megabytes to a subscriber, in order, while others go on', async () => {
    const realtime = await start();
    const client = await watch(realtime);
    const other = await PhoenixClient.connect(realtime.url, realtime.anonToken);
    onTestFinished(() => other.close());
    let received = 0;
    let inOrder = true;
    client.received.push = (message) => {
      if (message.event !== 'postgres_changes') return 0;
      const { record } = message.payload.data as Data;
      inOrder &&= record.id === 1_000_000 + received;
      received++;
      return 0;
    };
    const before = process.memoryUsage().rss;
    const writing = db.exec(
      `insert into public.rows select 1000000 + n, repeat('x', 250) from generate_series(0, 199999) n`,
    );
    await other.settle();
    await writing;
    await expect.poll(() => received, { timeout: 50_000, interval: 100 }).toBe(200_000);
    await other.settle();
    expect(inOrder).toBe(true);
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 ** 2);
  });

  it('reads a transaction of a million rows in bounded memory, and the server does not give up on it', async () => {
    await db.exec(`alter system set wal_sender_timeout = '6s'`);
    await db.query(sql`select pg_reload_conf()`);
    onTestFinished(async () => {
      await db.exec('alter system reset wal_sender_timeout');
      await db.query(sql`select pg_reload_conf()`);
    });
    const realtime = await start();
    const client = await watch(realtime, 'rows', undefined, 'body=eq.wanted');
    const reader = async (): Promise<number | undefined> => {
      const [row] = await db.query<{ pid: number }>(
        sql`select active_pid as pid from pg_replication_slots where slot_name = ${slot}`,
      );
      return row?.pid;
    };
    const [pid, before] = [await reader(), process.memoryUsage().rss];
    await db.exec(`insert into public.rows
      select 2000000 + n, case when n % 100000 = 99999 then 'wanted' end from generate_series(0, 999999) n`);
    await until(() => ids(client).length >= 10, 90_000, 100);
    expect(ids(client)).toEqual(Array.from({ length: 10 }, (_, i) => 2_099_999 + i * 100_000));
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 ** 2);
    expect(await reader()).toBe(pid);
  }, 120_000);

  it('asks the database nothing while nothing happens', async () => {
    const realtime = await start();
    await watch(realtime);
    await watch(realtime, 'guarded', await testToken({ role: 'authenticated', name: 'ada' }));
    const busy = async (): Promise<Set<string>> => {
      const rows = await db.query<{ seen: string }>(sql`
        select pid || ' ' || query_start as seen from pg_stat_activity
        where application_name like '%realtime%' and pid <> pg_backend_pid()`);
      return new Set(rows.map(({ seen }) => seen));
    };
    /** When the feed has told the server last that it lives, which it does every few seconds. */
    const heardAt = async (): Promise<string> => {
      const [row] = await db.query<{ at: string }>(sql`
        select reply_time::text as at from pg_stat_replication r join pg_replication_slots s on s.active_pid = r.pid
        where s.slot_name = ${slot}`);
      return row?.at ?? '';
    };
    const [before, heard] = [await busy(), await heardAt()];
    await until(async () => (await heardAt()) !== heard);
    expect(await busy()).toEqual(before);
  });
});

describe('a subscriber', () => {
  it('is held to a policy as it stands when the change is made', async () => {
    const realtime = await start();
    const client = await watch(realtime, 'guarded', await testToken({ role: 'authenticated', name: 'ada' }));
    await db.exec(`insert into public.guarded values (1, 'ada')`);
    await client.until(() => ids(client).length === 1);
    await db.exec(`drop policy own on public.guarded; insert into public.guarded values (2, 'ada');
      create policy own on public.guarded for select to authenticated using (true)`);
    await db.exec(`insert into public.guarded values (3, 'bob')`);
    await client.until(() => ids(client).includes(3));
    // The policy that shows everything may have been there when the second row was looked at.
    expect(ids(client).filter((id) => id !== 2)).toEqual([1, 3]);
    await db.exec(`drop policy own on public.guarded; truncate public.guarded;
      create policy own on public.guarded for select to authenticated using (owner = auth.jwt() ->> 'name')`);
  });

  it('goes on as another user with a new token, and gets nothing of the former', async () => {
    const realtime = await start();
    const client = await watch(realtime, 'guarded', await testToken({ role: 'authenticated', name: 'ada' }));
    client.send('realtime:feed', 'access_token', {
      access_token: await testToken({ role: 'authenticated', name: 'bob' }),
    });
    await client.until(() => client.of('system').length === 2);
    await db.exec(`insert into public.guarded values (1, 'ada'), (2, 'bob')`);
    await client.until(() => ids(client).length === 1);
    expect(ids(client)).toEqual([2]);
    await db.exec('truncate public.guarded');
  });

  it('gets nothing more when its token expires', async () => {
    const realtime = await start();
    const exp = Math.floor(Date.now() / 1000) + 2;
    const client = await watch(
      realtime,
      'guarded',
      await testToken({ role: 'authenticated', name: 'ada', exp }),
    );
    await client.next(({ event }) => event === 'phx_close');
    const witness = await watch(realtime, 'rows');
    await db.exec(`insert into public.guarded values (1, 'ada')`);
    await insertRows(1);
    await witness.until(() => ids(witness).length === 1);
    await client.settle();
    expect(ids(client)).toEqual([]);
    await db.exec('truncate public.guarded');
  });

  it('that does not read is cut, and the others do not notice', async () => {
    const realtime = await start({ maxSocketBufferBytes: 256 * 1024 });
    const [slow, quick] = [await watch(realtime), await watch(realtime)];
    slow.socket.pause();
    const expected: number[] = [];
    for (let round = 0; round < 200; round++) {
      const id = nextId++;
      expected.push(id);
      await db.query(sql`insert into public.rows values (${id}::int, repeat('x', 100000))`);
    }
    await quick.until(() => ids(quick).length === expected.length);
    expect(ids(quick)).toEqual(expected);
    await expect
      .poll(
        () =>
          realtime.observations.filter((seen) => seen.kind === 'notice' && /slow socket/.test(seen.message))
            .length,
      )
      .toBe(1);
  });
});
