import { describe, expect, it, onTestFinished } from 'vitest';
import { sql } from '../../src/pg/sql/sql.ts';
import { useFeedWorld } from '../support/feed-world.ts';
import { PhoenixClient } from '../support/phoenix.ts';
import { type ToldChange, toldIds, watchTable } from '../support/realtime-world.ts';
import { until } from '../support/until.ts';

const slot = 'large_under_test';
const world = useFeedWorld(slot);
const { start } = world;

describe('the change feed', () => {
  it('brings a transaction of 50 megabytes to a subscriber, in order, while others go on', async () => {
    const realtime = await start();
    const client = await watchTable(realtime, 'rows');
    const other = await PhoenixClient.connect(realtime.url, realtime.anonToken);
    onTestFinished(() => other.close());
    let received = 0;
    let inOrder = true;
    client.received.push = (message) => {
      if (message.event !== 'postgres_changes') return 0;
      const { record } = message.payload.data as ToldChange;
      inOrder &&= record?.id === 1_000_000 + received;
      received++;
      return 0;
    };
    const before = process.memoryUsage().rss;
    const writing = world.db.exec(
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
    await world.db.exec(`alter system set wal_sender_timeout = '6s'`);
    await world.db.query(sql`select pg_reload_conf()`);
    onTestFinished(async () => {
      await world.db.exec('alter system reset wal_sender_timeout');
      await world.db.query(sql`select pg_reload_conf()`);
    });
    const realtime = await start();
    const client = await watchTable(realtime, 'rows', {}, { filter: 'body=eq.wanted' });
    const reader = async (): Promise<number | undefined> => {
      const [row] = await world.db.query<{ pid: number }>(
        sql`select active_pid as pid from pg_replication_slots where slot_name = ${slot}`,
      );
      return row?.pid;
    };
    const [pid, before] = [await reader(), process.memoryUsage().rss];
    await world.db.exec(`insert into public.rows
      select 2000000 + n, case when n % 100000 = 99999 then 'wanted' end from generate_series(0, 999999) n`);
    await until(() => toldIds(client).length >= 10, 90_000, 100);
    expect(toldIds(client)).toEqual(Array.from({ length: 10 }, (_, i) => 2_099_999 + i * 100_000));
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 ** 2);
    expect(await reader()).toBe(pid);
  }, 120_000);
});
