import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../src/pg/connect.ts';
import { sql } from '../../src/pg/sql/sql.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { useFeedWorld } from '../support/feed-world.ts';
import { testToken } from '../support/realtime.ts';
import { authenticatorUrl, createRowWriter, toldIds, watchTable } from '../support/realtime-world.ts';
import { until } from '../support/until.ts';

const slot = 'feed_under_test';
const world = useFeedWorld(slot);
const { start, cutStream, crash } = world;
const rows = createRowWriter(() => world.db);

const urlsOf = ({ ownerUrl }: TestCluster) => ({
  ownerUrl,
  authenticatorUrl: authenticatorUrl({ ownerUrl }),
});

describe('the change feed', () => {
  it('comes back after its connection was cut, without losing or doubling a change', async () => {
    const realtime = await start();
    const client = await watchTable(realtime, 'rows');
    const expected: number[] = [];
    for (let round = 0; round < 3; round++) {
      expected.push(...(await rows.insert(10)));
      await cutStream();
      expected.push(...(await rows.insert(10)));
    }
    await client.until(() => toldIds(client).length >= expected.length);
    expected.push(...(await rows.insert(1)));
    await client.until(() => toldIds(client).length >= expected.length);
    expect(toldIds(client)).toEqual(expected);
  });

  it('comes back after Postgres was killed, with all that was committed', async () => {
    const realtime = await start();
    const client = await watchTable(realtime, 'rows');
    const before = await rows.insert(50);
    await crash();
    const after = await rows.insert(50);
    await client.until(() => toldIds(client).length >= 100);
    expect(toldIds(client)).toEqual([...before, ...after]);
  });

  it('makes a lost slot anew and tells the subscribers that changes may have been missed', async () => {
    const realtime = await start();
    const client = await watchTable(realtime, 'rows');
    await world.db.exec(`
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
    const expected = await rows.insert(3);
    await client.until(() => toldIds(client).length >= 3);
    expect(toldIds(client)).toEqual(expected);
  });

  it('survives a publication that is dropped and made again', async () => {
    const realtime = await start();
    const client = await watchTable(realtime, 'rows');
    await world.db.exec('drop publication supabase_realtime');
    await rows.insert(1);
    await world.db.exec(`create publication supabase_realtime for table public.rows, public.guarded;
      alter publication supabase_realtime owner to postgres`);
    await client.until(() => client.of('system').length >= 2);
    const expected = await rows.insert(2);
    await client.until(() => toldIds(client).at(-1) === expected[1]);
    const late = await watchTable(realtime, 'rows');
    const last = await rows.insert(1);
    await late.until(() => toldIds(late).length === 1);
    expect(toldIds(late)).toEqual(last);
  });

  it('keeps its slot over a restart, and does not deliver what is older than a subscription', async () => {
    const first = await start();
    await watchTable(first, 'rows');
    await first.stop();
    await rows.insert(20);
    const second = await start();
    const client = await watchTable(second, 'rows');
    const expected = await rows.insert(2);
    await client.until(() => toldIds(client).length >= 2);
    expect(toldIds(client)).toEqual(expected);
  });

  it('gives up a slot that holds back more of the log than it may', async () => {
    const first = await start();
    await watchTable(first, 'rows');
    await first.stop();
    await world.db.exec(`create table public.noise as select md5(n::text) from generate_series(1, 100000) n`);
    const [before] = await world.db.query<{ restart_lsn: string }>(
      sql`select restart_lsn::text from pg_replication_slots where slot_name = ${slot}`,
    );
    const second = await start({ config: { maxSlotLagBytes: 1_000_000 } });
    await watchTable(second, 'rows');
    const [after] = await world.db.query<{ moved: boolean }>(
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
    const first = await start(urlsOf(guarded));
    await watchTable(first, 'rows');
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
    const client = await watchTable(await start(urlsOf(guarded)), 'rows');
    await own.exec('insert into public.rows values (100), (101)');
    await client.until(() => toldIds(client).length >= 2);
    expect(toldIds(client)).toEqual([100, 101]);
    expect(await status()).not.toBe('lost');
  });

  it('lets the log go while only other tables are written', async () => {
    const realtime = await start();
    await watchTable(realtime, 'rows');
    await world.db.exec('create table if not exists public.elsewhere (n int)');
    await world.db.exec('insert into public.elsewhere select n from generate_series(1, 50000) n');
    const [target] = await world.db.query<{ lsn: string }>(sql`select pg_current_wal_lsn()::text as lsn`);
    const hasMoved = async (): Promise<boolean> => {
      const [row] = await world.db.query<{ moved: boolean }>(
        sql`select confirmed_flush_lsn >= ${target?.lsn ?? ''}::pg_lsn as moved from pg_replication_slots where slot_name = ${slot}`,
      );
      return row?.moved === true;
    };
    await expect.poll(hasMoved, { timeout: 40_000, interval: 200 }).toBe(true);
  });

  it('asks the database nothing while nothing happens', async () => {
    const realtime = await start();
    await watchTable(realtime, 'rows');
    await watchTable(realtime, 'guarded', { token: await testToken({ role: 'authenticated', name: 'ada' }) });
    const busy = async (): Promise<Set<string>> => {
      const rows = await world.db.query<{ seen: string }>(sql`
        select pid || ' ' || query_start as seen from pg_stat_activity
        where application_name like '%realtime%' and pid <> pg_backend_pid()`);
      return new Set(rows.map(({ seen }) => seen));
    };
    /** When the feed has told the server last that it lives, which it does every few seconds. */
    const heardAt = async (): Promise<string> => {
      const [row] = await world.db.query<{ at: string }>(sql`
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
    const client = await watchTable(realtime, 'guarded', {
      token: await testToken({ role: 'authenticated', name: 'ada' }),
    });
    await world.db.exec(`insert into public.guarded values (1, 'ada')`);
    await client.until(() => toldIds(client).length === 1);
    await world.db.exec(`drop policy own on public.guarded; insert into public.guarded values (2, 'ada');
      create policy own on public.guarded for select to authenticated using (true)`);
    await world.db.exec(`insert into public.guarded values (3, 'bob')`);
    await client.until(() => toldIds(client).includes(3));
    // The policy that shows everything may have been there when the second row was looked at.
    expect(toldIds(client).filter((id) => id !== 2)).toEqual([1, 3]);
    await world.db.exec(`drop policy own on public.guarded; truncate public.guarded;
      create policy own on public.guarded for select to authenticated using (owner = auth.jwt() ->> 'name')`);
  });

  it('goes on as another user with a new token, and gets nothing of the former', async () => {
    const realtime = await start();
    const client = await watchTable(realtime, 'guarded', {
      token: await testToken({ role: 'authenticated', name: 'ada' }),
    });
    client.send('realtime:feed', 'access_token', {
      access_token: await testToken({ role: 'authenticated', name: 'bob' }),
    });
    await client.until(() => client.of('system').length === 2);
    await world.db.exec(`insert into public.guarded values (1, 'ada'), (2, 'bob')`);
    await client.until(() => toldIds(client).length === 1);
    expect(toldIds(client)).toEqual([2]);
    await world.db.exec('truncate public.guarded');
  });

  it('gets nothing more when its token expires', async () => {
    const realtime = await start();
    const exp = Math.floor(Date.now() / 1000) + 2;
    const client = await watchTable(realtime, 'guarded', {
      token: await testToken({ role: 'authenticated', name: 'ada', exp }),
    });
    await client.next(({ event }) => event === 'phx_close');
    const witness = await watchTable(realtime, 'rows');
    await world.db.exec(`insert into public.guarded values (1, 'ada')`);
    await rows.insert(1);
    await witness.until(() => toldIds(witness).length === 1);
    await client.settle();
    expect(toldIds(client)).toEqual([]);
    await world.db.exec('truncate public.guarded');
  });

  it('that does not read is cut, and the others do not notice', async () => {
    const realtime = await start({ config: { maxSocketBufferBytes: 256 * 1024 } });
    const [slow, quick] = [await watchTable(realtime, 'rows'), await watchTable(realtime, 'rows')];
    slow.socket.pause();
    const expected: number[] = [];
    for (let round = 0; round < 200; round++) {
      const [id = 0] = rows.take(1);
      expected.push(id);
      await world.db.query(sql`insert into public.rows values (${id}::int, repeat('x', 100000))`);
    }
    await quick.until(() => toldIds(quick).length === expected.length);
    expect(toldIds(quick)).toEqual(expected);
    await expect
      .poll(
        () =>
          realtime.observations.filter((seen) => seen.kind === 'notice' && /slow socket/.test(seen.message))
            .length,
      )
      .toBe(1);
  });
});
