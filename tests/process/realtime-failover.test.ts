import { describe, expect, it, onTestFinished } from 'vitest';
import { openBus } from '../../src/cluster/open.ts';
import { type AdminClient, connect } from '../../src/pg/connect.ts';
import { sql } from '../../src/pg/sql/sql.ts';
import { installedBrokers } from '../support/brokers.ts';
import { startTestCluster } from '../support/cluster.ts';
import type { PhoenixClient } from '../support/phoenix.ts';
import { type Proxy as Switch, startProxy } from '../support/proxy.ts';
import { type RealtimeHarness, startRealtime, testToken } from '../support/realtime.ts';
import { authenticatorUrl, toldIds, watchTable } from '../support/realtime-world.ts';
import { type ReplicatedPair, startReplicatedPair } from '../support/standby.ts';

const slotName = 'failover_under_test';
const fixture = `
  create table public.rows (id int primary key, owner text);
  alter table public.rows enable row level security;
  create policy own on public.rows for select to authenticated using (owner = auth.jwt() ->> 'name');
  create policy anybody on public.rows for select to anon using (true);
  grant select on public.rows to anon, authenticated;
  alter publication supabase_realtime add table public.rows;
  create policy hear on realtime.messages for select to anon using (true)`;

const portOf = (url: string): number => Number(new URL(url).port);

function through(proxy: Switch, ownerUrl: string): string {
  const url = new URL(ownerUrl);
  url.port = String(proxy.port);
  return url.href;
}

async function proxyTo(ownerUrl: string): Promise<Switch> {
  const proxy = await startProxy(portOf(ownerUrl));
  onTestFinished(() => proxy.stop());
  return proxy;
}

async function serve(
  ownerUrl: string,
  more: Partial<Parameters<typeof startRealtime>[0]> = {},
): Promise<RealtimeHarness> {
  const realtime = await startRealtime({
    ownerUrl,
    authenticatorUrl: authenticatorUrl({ ownerUrl }),
    config: { slotName },
    ...more,
  });
  onTestFinished(() => realtime.stop());
  return realtime;
}

async function write(ownerUrl: string, statement: string): Promise<void> {
  const db: AdminClient = await connect(ownerUrl);
  await db.exec(statement);
  await db.end();
}

/** The second word about the subscription: changes may have been missed, and it is live again. */
const isToldAgain = (client: PhoenixClient): boolean => client.of('system').length === 2;

describe('a standby that is promoted', () => {
  async function replicated(): Promise<{ pair: ReplicatedPair; proxy: Switch; url: string }> {
    const pair = await startReplicatedPair();
    onTestFinished(() => pair.stop());
    await write(pair.primary.ownerUrl, fixture);
    const proxy = await proxyTo(pair.primary.ownerUrl);
    return { pair, proxy, url: through(proxy, pair.primary.ownerUrl) };
  }
  async function failOver(pair: ReplicatedPair, proxy: Switch): Promise<void> {
    await pair.killPrimary();
    await pair.promote();
    proxy.switchTo(pair.standby.port);
  }

  it('goes on with a slot of its own; subscribers hear that changes may have been missed, and what comes later', async () => {
    const { pair, proxy, url } = await replicated();
    const realtime = await serve(url);
    const all = await watchTable(realtime, 'rows');
    const ofAda = await watchTable(realtime, 'rows', {
      token: await testToken({ role: 'authenticated', name: 'ada' }),
    });
    await all.join('told', { private: true });
    await write(pair.primary.ownerUrl, `insert into public.rows values (1, 'ada'), (2, 'bob')`);
    await all.until(() => toldIds(all).length === 2);
    await ofAda.until(() => toldIds(ofAda).length === 1);
    await failOver(pair, proxy);
    for (const client of [all, ofAda]) {
      await client.until(() => isToldAgain(client));
      expect(client.of('system')[1]?.payload).toMatchObject({
        status: 'ok',
        message: 'Subscribed to PostgreSQL',
      });
    }
    await write(
      pair.standby.ownerUrl,
      `insert into public.rows values (3, 'ada'), (4, 'bob'); select realtime.send('{}'::jsonb, 'hi', 'told', true)`,
    );
    await all.until(() => toldIds(all).length === 4 && all.of('broadcast').length === 1);
    await ofAda.until(() => toldIds(ofAda).length === 2);
    expect([toldIds(all), toldIds(ofAda)]).toEqual([
      [1, 2, 3, 4],
      [1, 3],
    ]);
    expect(all.of('phx_close')).toEqual([]);
    const db = await connect(pair.standby.ownerUrl);
    expect(await db.query(sql`select slot_name, active from pg_replication_slots`)).toEqual([
      { slot_name: slotName, active: true },
    ]);
    await db.end();
  });

  it('takes new subscribers and new joins to private channels', async () => {
    const { pair, proxy, url } = await replicated();
    const realtime = await serve(url);
    const first = await watchTable(realtime, 'rows');
    await failOver(pair, proxy);
    await first.until(() => isToldAgain(first));
    const late = await watchTable(realtime, 'rows');
    expect((await late.join('told', { private: true })).payload.status).toBe('ok');
    await write(pair.standby.ownerUrl, `insert into public.rows values (1, 'ada')`);
    for (const client of [first, late]) await client.until(() => toldIds(client).length === 1);
  });

  const [broker] = installedBrokers();
  it.skipIf(broker === undefined)('is announced by each of two instances', async () => {
    const running = await broker?.start();
    if (running === undefined) return;
    onTestFinished(() => running.stop());
    const { pair, proxy, url } = await replicated();
    const clients: PhoenixClient[] = [];
    for (const nodeId of ['left', 'right']) {
      const bus = await openBus({ url: running.url, prefix: 'failover', onLost() {}, onHealed() {} });
      onTestFinished(() => bus.close());
      clients.push(await watchTable(await serve(url, { bus, nodeId }), 'rows'));
    }
    await write(pair.primary.ownerUrl, `insert into public.rows values (1, 'ada')`);
    for (const client of clients) await client.until(() => toldIds(client).length === 1);
    await failOver(pair, proxy);
    for (const client of clients) await client.until(() => isToldAgain(client));
    await write(pair.standby.ownerUrl, `insert into public.rows values (2, 'ada')`);
    for (const client of clients) await client.until(() => toldIds(client).length === 2);
    expect(clients.map(toldIds)).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });
});

describe('another server that takes over', () => {
  it('goes on where its own log is, though that is before the positions of the former', async () => {
    const [former, taking] = [await startTestCluster(), await startTestCluster()];
    onTestFinished(async () => {
      await former.stop();
      await taking.stop();
    });
    const proxy = await proxyTo(former.ownerUrl);
    const { username, password } = new URL(former.ownerUrl);
    for (const { ownerUrl } of [former, taking]) {
      const db = await connect(ownerUrl);
      await db.exec(`alter role ${username} password '${password}'; ${fixture}`);
      await db.end();
    }
    for (let n = 0; n < 5; n++) {
      await write(former.ownerUrl, `select pg_switch_wal(); insert into public.rows values (${n})`);
    }
    const realtime = await serve(through(proxy, former.ownerUrl));
    const client = await watchTable(realtime, 'rows');
    await client.join('told', { private: true });
    await write(former.ownerUrl, 'insert into public.rows values (10)');
    await client.until(() => toldIds(client).length === 1);
    await former.stop();
    proxy.switchTo(portOf(taking.ownerUrl));
    await client.until(() => isToldAgain(client));
    await write(
      through(proxy, former.ownerUrl),
      `insert into public.rows values (11); select realtime.send('{}'::jsonb, 'hi', 'told', true)`,
    );
    await client.until(() => toldIds(client).length === 2 && client.of('broadcast').length === 1);
    expect(toldIds(client)).toEqual([10, 11]);
  });
});
