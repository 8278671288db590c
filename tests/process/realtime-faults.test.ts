import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openBus } from '../../src/cluster/open.ts';
import { sql } from '../../src/pg/sql/sql.ts';
import { type Broker, installedBrokers } from '../support/brokers.ts';
import { useFeedWorld } from '../support/feed-world.ts';
import { PhoenixClient } from '../support/phoenix.ts';
import { type RealtimeHarness, testToken } from '../support/realtime.ts';
import { createRowWriter, toldIds, watchTable } from '../support/realtime-world.ts';
import { until } from '../support/until.ts';

/* Faults while much is going on: what is lost or doubled shows in the ids that each client was told. */

const world = useFeedWorld('faults_under_test');
const { start, cutStream, crash } = world;
const rows = createRowWriter(() => world.db);

/** Faults that nobody foresaw; notices about the stream are no such. */
const faults = ({ observations }: RealtimeHarness): unknown[] =>
  observations.filter(({ kind }) => kind === 'fault');

describe('clients that come and go while the stream is cut again and again', () => {
  it('get every change since they heard that it is live, each once', async () => {
    const realtime = await start();
    const steady = await watchTable(realtime, 'rows');
    const expected: number[] = [];
    let isOver = false;
    const visitors = Array.from({ length: 8 }, async () => {
      let visits = 0;
      while (!isOver) {
        const client = await PhoenixClient.connect(realtime.url, realtime.anonToken);
        try {
          await client.join('feed', { postgres_changes: [{ event: '*', schema: 'public', table: 'rows' }] });
          if (visits++ % 3 === 0) continue;
          await client.next(({ payload }) => payload.message === 'Subscribed to PostgreSQL');
          const [id = 0] = await rows.insert(1);
          expected.push(id);
          await client.until(() => toldIds(client).includes(id));
          expect(new Set(toldIds(client)).size).toBe(toldIds(client).length);
          if (visits % 2 === 0) await client.request('realtime:feed', 'phx_leave', {});
        } finally {
          client.close();
        }
      }
      return visits;
    });
    for (let round = 0; round < 12; round++) {
      await cutStream();
      const [id = 0] = await rows.insert(1);
      expected.push(id);
      await until(() => toldIds(steady).includes(id), 30_000);
    }
    isOver = true;
    const visits = await Promise.all(visitors);
    expect(Math.min(...visits)).toBeGreaterThan(1);
    await until(() => toldIds(steady).length >= expected.length, 30_000);
    expect([...toldIds(steady)].sort((left, right) => left - right)).toEqual(
      expected.sort((left, right) => left - right),
    );
    expect(faults(realtime)).toEqual([]);
  });
});

describe('five hundred subscribers', () => {
  it('lose and double nothing when Postgres is killed while it is written to', async () => {
    const realtime = await start();
    const names = Array.from({ length: 10 }, (_, i) => `user-${i}`);
    const tokens = await Promise.all(names.map((name) => testToken({ role: 'authenticated', name })));
    const clients = await Promise.all(
      Array.from({ length: 500 }, (_, i) =>
        watchTable(realtime, 'guarded', { token: tokens[i % names.length] ?? '' }),
      ),
    );
    const insert = async (count: number): Promise<number[]> => {
      const ids = rows.take(count);
      await world.db.query(
        sql`insert into public.guarded select n, 'user-' || n % 10 from unnest(${ids}::int[]) n`,
      );
      return ids;
    };
    const expected = await insert(100);
    await crash();
    expected.push(...(await insert(100)));
    await crash();
    expected.push(...(await insert(100)));
    const own = (user: number): number[] => expected.filter((id) => id % 10 === user);
    await until(() => clients.every((client, i) => toldIds(client).length >= own(i % 10).length), 45_000, 50);
    for (const [i, client] of clients.entries()) expect(toldIds(client)).toEqual(own(i % 10));
    expect(faults(realtime)).toEqual([]);
  }, 90_000);
});

describe('a channel whose token expires', () => {
  it('while its join asks for stored messages is closed, and hears nothing after', async () => {
    const realtime = await start();
    for (let n = 0; n < 25; n++)
      await world.db.query(sql`select realtime.send('{"n":1}'::jsonb, 'old', 'told', true)`);
    const exp = Math.floor(Date.now() / 1000) + 2;
    const token = await testToken({ role: 'authenticated', name: 'ada', exp });
    const client = await PhoenixClient.connect(realtime.url, realtime.anonToken);
    onTestFinished(() => client.close());
    const config = { private: true, broadcast: { replay: { since: 0, limit: 25 } } };
    // Joins again and again over the moment of the expiry: each is whole, or refused.
    for (let reply = await client.join('told', config, token); reply.payload.status === 'ok'; ) {
      reply = await client.join('told', config, token);
    }
    const refused = client.of('phx_reply').at(-1);
    expect(refused?.payload).toMatchObject({
      response: { reason: expect.stringMatching(/^InvalidJWTToken: Token has expired \d+ seconds ago$/) },
    });
    await client.settle();
    const joins = client
      .of('phx_reply')
      .filter(({ topic, payload }) => topic === 'realtime:told' && payload.status === 'ok');
    expect(client.of('broadcast')).toHaveLength(25 * joins.length);
    const heard = client.of('broadcast').length;
    await world.db.query(sql`select realtime.send('{"n":2}'::jsonb, 'new', 'told', true)`);
    const witness = await watchTable(realtime, 'rows');
    await rows.insert(1);
    await witness.until(() => toldIds(witness).length === 1);
    await client.settle();
    expect(client.of('broadcast')).toHaveLength(heard);
    expect(faults(realtime)).toEqual([]);
  });
});

for (const kind of installedBrokers()) {
  describe(`two instances joined by ${kind.name}`, () => {
    let broker: Broker;
    let serial = 0;
    beforeAll(async () => {
      broker = await kind.start();
    });
    afterAll(() => broker?.stop());
    const instance = async (prefix: string, nodeId: string): Promise<RealtimeHarness> => {
      const bus = await openBus({ url: broker.url, prefix, onLost() {}, onHealed() {} });
      onTestFinished(() => bus.close());
      return start({ bus, nodeId });
    };

    it('lose and double nothing when the leader changes in the midst of a large transaction', async () => {
      const prefix = `faults-${++serial}`;
      const [left, right] = [await instance(prefix, 'left'), await instance(prefix, 'right')];
      const clients = [await watchTable(left, 'rows'), await watchTable(right, 'rows')];
      const expected = await rows.insert(1);
      await until(() => clients.every((client) => toldIds(client).length === 1));
      const large = rows.take(20_000);
      expected.push(...large);
      await world.db.query(
        sql`insert into public.rows select n, repeat('x', 500) from unnest(${large}::int[]) n`,
      );
      // Some of it is out, the rest is not.
      await until(() => clients.some((client) => toldIds(client).length > 100), 30_000, 1);
      await world.db.query(sql`select pg_terminate_backend(pid) from pg_stat_activity
        where application_name in ('ownbase-leader', 'ownbase-realtime-feed')`);
      expected.push(...(await rows.insert(10)));
      await until(() => clients.every((client) => toldIds(client).length >= expected.length), 60_000, 50);
      for (const client of clients) expect(toldIds(client)).toEqual(expected);
      expect([...faults(left), ...faults(right)]).toEqual([]);
    }, 120_000);

    it('agree on who is present when the broker is started again while many come and go', async () => {
      const prefix = `faults-${++serial}`;
      const instances = [await instance(prefix, 'left'), await instance(prefix, 'right')];
      const clients = await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const { url, anonToken } = instances[i % 2] as RealtimeHarness;
          const client = await PhoenixClient.connect(url, anonToken);
          onTestFinished(() => client.close());
          await client.join('room', { presence: { enabled: true, key: `key-${i}` } });
          return client;
        }),
      );
      const say = (client: PhoenixClient, event: string, payload: unknown): Promise<unknown> =>
        client.request('realtime:room', 'presence', { type: 'presence', event, payload });
      for (const client of clients) await say(client, 'track', { n: 1 });
      await broker.kill();
      // Some go, some change what they show, some are cut off, while nobody hears of the others.
      await Promise.all(clients.slice(0, 5).map((client) => say(client, 'untrack', {})));
      await Promise.all(clients.slice(5, 10).map((client) => say(client, 'track', { n: 2 })));
      for (const client of clients.slice(10, 15)) client.close();
      await broker.restart();
      const expected = new Map(
        Array.from({ length: 20 }, (_, i) => [`key-${i}`, i < 10 ? 2 : 1] as const).filter(
          (_, i) => (i >= 5 && i < 10) || i >= 15,
        ),
      );
      for (const { url, anonToken } of instances) {
        await until(async () => {
          const late = await PhoenixClient.connect(url, anonToken);
          await late.join('room', { presence: { enabled: true, key: 'late' } });
          const state = await late.next(({ event }) => event === 'presence_state');
          late.close();
          const seen = Object.entries(state.payload as Record<string, { metas: { n: number }[] }>).map(
            ([key, { metas }]) => [key, metas.map(({ n }) => n)],
          );
          return (
            JSON.stringify(seen.sort()) === JSON.stringify([...expected].map(([key, n]) => [key, [n]]).sort())
          );
        }, 30_000);
      }
      expect(instances.flatMap(faults)).toEqual([]);
    }, 60_000);
  });
}
