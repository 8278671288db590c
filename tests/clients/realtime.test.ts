import { createClient, type RealtimeChannel, type SupabaseClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { type AdminClient, connect } from '../../src/pg/connect.ts';
import { loginUrl, startTestCluster, type TestCluster } from '../support/cluster.ts';
import { type RealtimeHarness, startRealtime, testToken } from '../support/realtime.ts';

const fixture = `
  create table public.posts (id int primary key, author text, body text);
  alter table public.posts enable row level security;
  create policy own on public.posts for select to authenticated using (author = auth.jwt() ->> 'sub');
  grant select on public.posts to anon, authenticated;
  alter publication supabase_realtime add table public.posts;
  create policy read_rooms on realtime.messages for select to authenticated using (realtime.topic() like 'room:%');
  create policy write_rooms on realtime.messages for insert to authenticated with check (realtime.topic() like 'room:%');
`;

let cluster: TestCluster;
let realtime: RealtimeHarness;
let db: AdminClient;

const start = (): Promise<RealtimeHarness> =>
  startRealtime({
    ownerUrl: cluster.ownerUrl,
    authenticatorUrl: loginUrl(new URL(cluster.ownerUrl), 'postgres', 'authenticator'),
  });

beforeAll(async () => {
  cluster = await startTestCluster();
  db = await connect(loginUrl(new URL(cluster.ownerUrl), 'postgres', 'postgres'));
  await db.exec(fixture);
  realtime = await start();
});
afterAll(async () => {
  await realtime?.stop();
  await db?.end();
  await cluster?.stop();
});

/** Resolves when the channel has this status. */
const subscribed = (channel: RealtimeChannel): Promise<void> =>
  new Promise((resolve, reject) => {
    channel.subscribe((status, error) => {
      if (status === 'SUBSCRIBED') resolve();
      else if (status === 'CHANNEL_ERROR') reject(error ?? new Error(status));
    });
  });

describe.each(['1.0.0', '2.0.0'])('supabase-js, protocol %s', (vsn) => {
  async function client(sub?: string): Promise<SupabaseClient> {
    const made = createClient(realtime.url, realtime.anonToken, {
      auth: { persistSession: false, autoRefreshToken: false },
      realtime: { transport: WebSocket as never, vsn },
    });
    onTestFinished(() => void made.realtime.disconnect());
    if (sub !== undefined) await made.realtime.setAuth(await testToken({ role: 'authenticated', sub }));
    return made;
  }

  it('hears the changes that its user may see', async () => {
    await db.exec('delete from public.posts');
    const events: unknown[] = [];
    let isReady = false;
    const channel = (await client('ada'))
      .channel('changes')
      .on(
        'postgres_changes',
        { event: '*', schema: 'public', table: 'posts' },
        ({ eventType, new: row, old }) => events.push([eventType, row, old]),
      )
      .on('system', {}, ({ status }: { status: string }) => {
        if (status === 'ok') isReady = true;
      });
    await subscribed(channel);
    await expect.poll(() => isReady).toBe(true);
    const steps: [statement: string, event: unknown][] = [
      [
        `insert into public.posts values (1, 'bob', 'x'), (2, 'ada', 'y')`,
        ['INSERT', { id: 2, author: 'ada', body: 'y' }, {}],
      ],
      [`update public.posts set body = 'z'`, ['UPDATE', { id: 2, author: 'ada', body: 'z' }, { id: 2 }]],
      ['delete from public.posts where id = 2', ['DELETE', {}, { id: 2 }]],
    ];
    for (const [statement, event] of steps) {
      await db.exec(statement);
      await expect.poll(() => events.at(-1)).toEqual(event);
    }
    expect(events).toHaveLength(3);
  });

  it('sends and hears broadcasts on a private channel', async () => {
    const heard: unknown[] = [];
    const config = { config: { private: true, broadcast: { ack: true, self: true } } };
    const channel = (await client('ada'))
      .channel('room:1', config)
      .on('broadcast', { event: 'hi' }, ({ payload }) => heard.push(payload));
    await subscribed(channel);
    expect(await channel.send({ type: 'broadcast', event: 'hi', payload: { n: 1 } })).toBe('ok');
    await expect.poll(() => heard).toEqual([{ n: 1 }]);
  });

  it('is kept out of a private channel without a policy for it', async () => {
    const channel = (await client('ada')).channel('hall', { config: { private: true } });
    await expect(subscribed(channel)).rejects.toThrow(
      /You do not have permissions to read from this Channel topic: hall/,
    );
  });

  it('sees who is there, with one entry per tab', async () => {
    const [first, second, watcher] = await Promise.all([client(), client(), client()]);
    const open = async (from: SupabaseClient, key: string): Promise<RealtimeChannel> => {
      const channel = from.channel(`tabs-${vsn}`, { config: { presence: { key } } });
      channel.on('presence', { event: 'sync' }, () => {});
      await subscribed(channel);
      return channel;
    };
    const [one, two, seen] = [
      await open(first, 'ada'),
      await open(second, 'ada'),
      await open(watcher, 'eve'),
    ];
    await one.track({ tab: 1 });
    await two.track({ tab: 2 });
    const tabs = (): unknown =>
      seen
        .presenceState<{ tab: number }>()
        .ada?.map(({ tab }) => tab)
        .sort();
    await expect.poll(tabs).toEqual([1, 2]);
    // This release of the client loses the reference of an entry when another joins it, so the later one goes.
    await two.untrack();
    await expect.poll(tabs).toEqual([1]);
  });
});

it('supabase-js joins again by itself after the service was stopped and started', async () => {
  const { createServer } = await import('node:net');
  const first = await start();
  // A fixed address in front of both instances, as a load balancer is.
  let target = Number(new URL(first.url).port);
  const { connect: dial } = await import('node:net');
  const proxy = createServer((socket) => {
    const upstream = dial(target, '127.0.0.1');
    socket.pipe(upstream).pipe(socket);
    socket.on('error', () => upstream.destroy());
    upstream.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close());
  const { port } = proxy.address() as { port: number };
  const client = createClient(`http://127.0.0.1:${port}`, first.anonToken, {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: WebSocket as never },
  });
  onTestFinished(() => void client.realtime.disconnect());
  const statuses: string[] = [];
  const heard: unknown[] = [];
  client
    .channel('again', { config: { broadcast: { self: true } } })
    .on('broadcast', { event: 'hi' }, ({ payload }) => heard.push(payload))
    .subscribe((status) => statuses.push(status));
  await expect.poll(() => statuses.at(-1)).toBe('SUBSCRIBED');
  await first.stop();
  const second = await start();
  onTestFinished(() => second.stop());
  target = Number(new URL(second.url).port);
  await expect
    .poll(() => statuses.filter((status) => status === 'SUBSCRIBED').length, { timeout: 15_000 })
    .toBe(2);
  await client.getChannels()[0]?.send({ type: 'broadcast', event: 'hi', payload: { n: 1 } });
  await expect.poll(() => heard).toEqual([{ n: 1 }]);
});
