import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type AdminClient, connect } from '../../src/pg/connect.ts';
import { sql } from '../../src/pg/sql/sql.ts';
import { loginUrl, startTestCluster, type TestCluster } from '../support/cluster.ts';
import { PhoenixClient } from '../support/phoenix.ts';
import { type RealtimeHarness, startRealtime, testToken } from '../support/realtime.ts';

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
  for (let attempt = 0; ; attempt++) {
    try {
      return await connect(cluster.ownerUrl, { timeoutMs: 2_000 });
    } catch (failure) {
      if (attempt > 100) throw failure;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function start(config: Parameters<typeof startRealtime>[0]['config'] = {}): Promise<RealtimeHarness> {
  const realtime = await startRealtime({
    ownerUrl: cluster.ownerUrl,
    authenticatorUrl: loginUrl(new URL(cluster.ownerUrl), 'postgres', 'authenticator'),
    config: { slotName: slot, ...config },
  });
  onTestFinished(() => realtime.stop());
  return realtime;
}

async function watch(realtime: RealtimeHarness, table = 'rows', token?: string): Promise<PhoenixClient> {
  const client = await PhoenixClient.connect(realtime.url, realtime.anonToken);
  onTestFinished(() => client.close());
  await client.join('feed', { postgres_changes: [{ event: '*', schema: 'public', table }] }, token);
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
    const before = await busy();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
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
