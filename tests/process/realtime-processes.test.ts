import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type AdminClient, connect } from '../../src/pg/connect.ts';
import { sql } from '../../src/pg/sql/sql.ts';
import { type Broker, installedBrokers } from '../support/brokers.ts';
import { type RunningInstance, startInstance } from '../support/cli.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import type { PhoenixClient } from '../support/phoenix.ts';
import { jwtSecret, testToken } from '../support/realtime.ts';
import { createRowWriter, toldIds, watchTable } from '../support/realtime-world.ts';
import { until } from '../support/until.ts';

/* Instances as processes of the operating system: what stops or ends one of them cannot be played in one process. */

let cluster: TestCluster;
let db: AdminClient;

beforeAll(async () => {
  cluster = await startTestCluster();
  db = await connect(cluster.ownerUrl);
});
afterAll(async () => {
  await db?.end();
  await cluster?.stop();
});

const rows = createRowWriter(() => db);

async function start(brokerUrl: string): Promise<RunningInstance> {
  const dir = await mkdtemp(join(tmpdir(), 'ownbase-process-'));
  await mkdir(join(dir, 'supabase'));
  await writeFile(join(dir, 'supabase/config.toml'), '[auth]\nenabled = false\n[storage]\nenabled = false\n');
  const instance = await startInstance(dir, ['--db-url', cluster.ownerUrl], {
    JWT_SECRET: jwtSecret,
    OWNBASE_CLUSTER_URL: brokerUrl,
  });
  onTestFinished(async () => {
    if (instance.child.exitCode === null && instance.child.signalCode === null)
      await instance.stop('SIGKILL');
    await rm(dir, { recursive: true, force: true });
  });
  return instance;
}

const watch = async ({ url }: RunningInstance): Promise<PhoenixClient> =>
  watchTable({ url, anonToken: await testToken({ role: 'anon' }) }, 'rows');

/** Backends that hold the lead, by their process at the server. */
async function leaders(): Promise<number[]> {
  const rows = await db.query<{ pid: number }>(sql`
    select pid from pg_locks join pg_stat_activity using (pid)
    where locktype = 'advisory' and granted and application_name = 'ownbase-leader'`);
  return rows.map(({ pid }) => pid);
}

const healedMs = 40_000;

for (const kind of installedBrokers()) {
  describe(`two processes joined by ${kind.name}`, () => {
    let broker: Broker;
    let leader: RunningInstance;
    let here: PhoenixClient;
    let there: PhoenixClient;
    let expected: number[];

    beforeAll(async () => {
      broker = await kind.start();
    });
    afterAll(() => broker?.stop());
    beforeEach(async () => {
      leader = await start(broker.url);
      await db.exec(`create table if not exists public.rows (id int primary key);
        grant select on public.rows to anon;
        do $$ begin
          alter publication supabase_realtime add table public.rows;
        exception when duplicate_object then null;
        end $$`);
      here = await watch(leader);
      there = await watch(await start(broker.url));
      expected = await rows.insert(20);
      await until(() => has(here) && has(there));
    });
    const has = (client: PhoenixClient): boolean => toldIds(client).length >= expected.length;

    it('go on without a leader that was killed, and take who was present there for gone', async () => {
      const [former] = await leaders();
      for (const client of [here, there]) await client.join('room', { presence: { enabled: true } });
      here.send('realtime:room', 'presence', { type: 'presence', event: 'track', payload: { name: 'here' } });
      const diffs = (kind: 'joins' | 'leaves'): string =>
        JSON.stringify(there.of('presence_diff').map(({ payload }) => payload[kind]));
      await until(() => diffs('joins').includes('"here"'));
      expect(diffs('leaves')).not.toContain('"here"');
      leader.child.kill('SIGKILL');
      for (let round = 0; round < 5; round++) expected.push(...(await rows.insert(20)));
      await until(() => has(there), healedMs);
      expected.push(...(await rows.insert(20)));
      await until(() => has(there), healedMs);
      expect(toldIds(there)).toEqual(expected);
      expect(await leaders()).toHaveLength(1);
      expect(await leaders()).not.toEqual([former]);
      await until(() => diffs('leaves').includes('"here"'), healedMs);
    }, 90_000);

    it('depose a leader that stands still; when it goes on it has missed nothing', async () => {
      const [former] = await leaders();
      leader.child.kill('SIGSTOP');
      for (let round = 0; round < 5; round++) expected.push(...(await rows.insert(20)));
      await until(() => has(there), healedMs);
      expected.push(...(await rows.insert(20)));
      await until(() => has(there), healedMs);
      leader.child.kill('SIGCONT');
      await until(() => has(here), healedMs);
      expected.push(...(await rows.insert(20)));
      await until(() => has(here) && has(there), healedMs);
      expect([toldIds(here), toldIds(there)]).toEqual([expected, expected]);
      expect(await leaders()).toHaveLength(1);
      expect(await leaders()).not.toEqual([former]);
    }, 120_000);

    it('keep their leader while the broker is dead, and make up for it', async () => {
      const before = await leaders();
      await broker.kill();
      for (let round = 0; round < 5; round++) expected.push(...(await rows.insert(20)));
      await until(() => has(here), healedMs);
      await broker.restart();
      await until(() => has(there), healedMs);
      expected.push(...(await rows.insert(20)));
      await until(() => has(here) && has(there), healedMs);
      expect([toldIds(here), toldIds(there)]).toEqual([expected, expected]);
      expect(await leaders()).toEqual(before);
    }, 90_000);
  });
}
