import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openBus } from '../../src/cluster/open.ts';
import { sql } from '../../src/pg/sql/sql.ts';
import { type Broker, installedBrokers } from '../support/brokers.ts';
import { useFeedWorld } from '../support/feed-world.ts';
import { PhoenixClient } from '../support/phoenix.ts';
import { type RealtimeHarness, testToken } from '../support/realtime.ts';
import { createRowWriter, toldIds, watchTable } from '../support/realtime-world.ts';
import { until } from '../support/until.ts';

const world = useFeedWorld('cluster_under_test');
const rows = createRowWriter(() => world.db);

const leaderCount = async (): Promise<number> => {
  const [row] = await world.db.query<{ count: number }>(sql`
    select count(*)::int as count from pg_locks l join pg_stat_activity a using (pid)
    where l.locktype = 'advisory' and a.application_name = 'ownbase-leader'`);
  return row?.count ?? 0;
};

/** An instance of the project `prefix`, in a process of its own as far as the others can tell. */
async function startInstance({ url }: Broker, prefix: string, nodeId: string): Promise<RealtimeHarness> {
  const bus = await openBus({ url, prefix, onLost() {}, onHealed() {} });
  onTestFinished(() => bus.close());
  const realtime = await world.start({ nodeId, bus });
  const stop = async (): Promise<void> => {
    await realtime.stop();
    await bus.close();
  };
  return { ...realtime, stop };
}

for (const kind of installedBrokers()) {
  describe(`two instances joined by ${kind.name}`, () => {
    let broker: Broker;
    let serial = 0;
    beforeAll(async () => {
      broker = await kind.start();
    });
    afterAll(() => broker?.stop());

    const instance = (prefix: string, name: string): Promise<RealtimeHarness> =>
      startInstance(broker, prefix, name);
    /** A leader and a follower, each with a subscriber. */
    const pair = async () => {
      const prefix = `cluster-${++serial}`;
      const left = await instance(prefix, 'left');
      const here = await watchTable(left, 'rows');
      const right = await instance(prefix, 'right');
      const there = await watchTable(right, 'rows');
      return { prefix, left, right, here, there };
    };
    const bothHave = (clients: readonly PhoenixClient[], expected: readonly number[]) => () =>
      clients.every((client) => toldIds(client).length >= expected.length);

    it('bring changes to the subscribers of both, in order, and one of them leads', async () => {
      const { here, there } = await pair();
      const expected = [...(await rows.insert(1)), ...(await rows.insert(500)), ...(await rows.insert(1))];
      await until(bothHave([here, there], expected));
      expect([toldIds(here), toldIds(there)]).toEqual([expected, expected]);
      expect(await leaderCount()).toBe(1);
    });

    it('show a row only to those who may see it, on each of them', async () => {
      const { left, right } = await pair();
      const [ann, bob] = [
        await testToken({ role: 'authenticated', name: 'ann' }),
        await testToken({ role: 'authenticated', name: 'bob' }),
      ];
      const [annLeft, bobRight, annRight] = [
        await watchTable(left, 'guarded', { token: ann }),
        await watchTable(right, 'guarded', { token: bob }),
        await watchTable(right, 'guarded', { token: ann }),
      ];
      const all = rows.take(4);
      await world.db.query(sql`insert into public.guarded
        select n, case n % 2 when 0 then 'ann' else 'bob' end from unnest(${all}::int[]) n`);
      const [even, odd] = [all.filter((id) => id % 2 === 0), all.filter((id) => id % 2 === 1)];
      await until(() => [annLeft, annRight, bobRight].every((client) => toldIds(client).length === 2));
      expect([toldIds(annLeft), toldIds(annRight), toldIds(bobRight)]).toEqual([even, even, odd]);
    });

    it('deliver a transaction of many megabytes to both', async () => {
      const { here, there } = await pair();
      const expected = rows.take(4_000);
      await world.db.query(
        sql`insert into public.rows select n, repeat('x', 4000) from unnest(${expected}::int[]) n`,
      );
      await until(bothHave([here, there], expected), 60_000, 50);
      expect([toldIds(here), toldIds(there)]).toEqual([expected, expected]);
    }, 90_000);

    it('carry broadcasts and presence over, and stored messages once', async () => {
      const { left, right } = await pair();
      const [one, two] = [
        await PhoenixClient.connect(left.url, left.anonToken),
        await PhoenixClient.connect(right.url, right.anonToken),
      ];
      onTestFinished(() => [one, two].forEach((client) => void client.close()));
      for (const client of [one, two]) await client.join('room', { presence: { enabled: true } });
      for (const client of [one, two]) await client.join('stored', { private: true });
      const heard = (client: PhoenixClient): string[] =>
        client.of('broadcast').map(({ payload }) => String(payload.event));
      await until(() => {
        one.send('realtime:room', 'broadcast', { type: 'broadcast', event: 'hi', payload: {} });
        return heard(two).includes('hi');
      });
      one.send('realtime:room', 'presence', { type: 'presence', event: 'track', payload: { name: 'one' } });
      await two.next(
        ({ event, payload }) => event === 'presence_diff' && /one/.test(JSON.stringify(payload)),
      );
      await world.db.query(sql`select realtime.send('{"n":1}'::jsonb, 'stored', 'stored', true)`);
      await until(() => [one, two].every((client) => heard(client).includes('stored')));
      await rows.insert(1);
      for (const client of [one, two]) await client.settle();
      expect([one, two].map((client) => heard(client).filter((event) => event === 'stored'))).toEqual([
        ['stored'],
        ['stored'],
      ]);
    });

    it('lose and double nothing when the leader comes to its end and when it is cut off', async () => {
      const { left, there } = await pair();
      const expected = await rows.insert(50);
      await until(bothHave([there], expected));
      // What is written while nobody reads is brought by the next leader.
      const stopping = left.stop();
      expected.push(...(await rows.insert(50)));
      await stopping;
      expected.push(...(await rows.insert(50)));
      await until(bothHave([there], expected));
      expect(toldIds(there)).toEqual(expected);
      expect(await leaderCount()).toBe(1);
    });

    it('go on when the connections of the leader are cut', async () => {
      const { here, there } = await pair();
      const expected = await rows.insert(10);
      for (let round = 0; round < 3; round++) {
        await world.db.query(sql`select pg_terminate_backend(pid) from pg_stat_activity
          where application_name in ('ownbase-leader', 'ownbase-realtime-feed')`);
        expected.push(...(await rows.insert(10)));
        await until(bothHave([here, there], expected), 30_000);
      }
      expect([toldIds(here), toldIds(there)]).toEqual([expected, expected]);
      expect(await leaderCount()).toBe(1);
    }, 60_000);

    it('do not mind a follower that goes and one that comes', async () => {
      const { prefix, right, here } = await pair();
      const expected = await rows.insert(10);
      await right.stop();
      expected.push(...(await rows.insert(10)));
      const late = await watchTable(await instance(prefix, 'late'), 'rows');
      const news = await rows.insert(10);
      await until(bothHave([here], [...expected, ...news]));
      await until(bothHave([late], news));
      expect([toldIds(here), toldIds(late)]).toEqual([[...expected, ...news], news]);
    });

    it('lose and double nothing when the broker is away for a while, and find each other again', async () => {
      const { left, right, here, there } = await pair();
      const expected = await rows.insert(10);
      await until(bothHave([here, there], expected));
      const [one, two] = [
        await PhoenixClient.connect(left.url, left.anonToken),
        await PhoenixClient.connect(right.url, right.anonToken),
      ];
      onTestFinished(() => [one, two].forEach((client) => void client.close()));
      for (const client of [one, two]) await client.join('room', { presence: { enabled: true } });
      one.send('realtime:room', 'presence', { type: 'presence', event: 'track', payload: { name: 'one' } });
      await two.next(
        ({ event, payload }) => event === 'presence_diff' && /one/.test(JSON.stringify(payload)),
      );
      await broker.kill();
      for (let round = 0; round < 3; round++) expected.push(...(await rows.insert(20)));
      // What happens here while the others cannot hear it is made up for.
      one.send('realtime:room', 'presence', { type: 'presence', event: 'untrack' });
      two.send('realtime:room', 'presence', { type: 'presence', event: 'track', payload: { name: 'two' } });
      await until(bothHave([here], expected));
      await broker.restart();
      await until(bothHave([there], expected), 30_000);
      expected.push(...(await rows.insert(10)));
      await until(bothHave([here, there], expected), 30_000);
      expect([toldIds(here), toldIds(there)]).toEqual([expected, expected]);
      await one.next(
        ({ event, payload }) => event === 'presence_diff' && /"two"/.test(JSON.stringify(payload)),
      );
      await two.next(
        ({ event, payload }) => event === 'presence_diff' && /"one"/.test(JSON.stringify(payload.leaves)),
      );
    }, 60_000);
  });
}

it('two instances lose and double nothing when Postgres is killed', async () => {
  const [kind] = installedBrokers();
  if (kind === undefined) return;
  const broker = await kind.start();
  onTestFinished(() => broker.stop());
  const open = (name: string): Promise<RealtimeHarness> => startInstance(broker, 'killed', name);
  const [here, there] = [
    await watchTable(await open('left'), 'rows'),
    await watchTable(await open('right'), 'rows'),
  ];
  const expected = await rows.insert(20);
  await world.crash();
  expected.push(...(await rows.insert(20)));
  await until(() => [here, there].every((client) => toldIds(client).length >= expected.length), 40_000);
  expect([toldIds(here), toldIds(there)]).toEqual([expected, expected]);
}, 60_000);
