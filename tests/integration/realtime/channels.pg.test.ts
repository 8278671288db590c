import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createTestDatabase } from '../../support/database.ts';
import { PhoenixClient, type Received } from '../../support/phoenix.ts';
import {
  type RealtimeHarness,
  type RealtimeHarnessOptions,
  startRealtime,
  testToken,
} from '../../support/realtime.ts';

type Version = '1.0.0' | '2.0.0';

const policies = `
  create policy read_rooms on realtime.messages for select to authenticated
    using (realtime.topic() like 'room:%' and extension in ('broadcast', 'presence')
      and coalesce(auth.jwt() -> 'rooms', '["*"]') ? any (array['*', realtime.topic()]));
  create policy write_rooms on realtime.messages for insert to authenticated
    with check (realtime.topic() like 'room:%' and coalesce(auth.jwt() ->> 'mute', '') <> 'yes');
  create policy lobby on realtime.messages for select to authenticated
    using (realtime.topic() = 'lobby' and extension = 'presence');
  create function public.raise_always() returns boolean language plpgsql as $$ begin raise exception 'no'; end $$;
  create policy angry on realtime.messages for select to anon using (public.raise_always());
`;

let realtime: RealtimeHarness;
let database: Pick<RealtimeHarnessOptions, 'ownerUrl' | 'authenticatorUrl'>;

beforeAll(async () => {
  const test = await createTestDatabase(policies);
  database = { ownerUrl: test.url('supabase_admin'), authenticatorUrl: test.url('authenticator') };
  realtime = await startRealtime({ ...database, withFeed: false });
});
afterAll(() => realtime?.stop());

async function open(version: Version = '2.0.0', key = realtime.anonToken, url = realtime.url) {
  const client = await PhoenixClient.connect(url, key, version);
  onTestFinished(() => client.close());
  return client;
}

async function startWith(config: NonNullable<RealtimeHarnessOptions['config']>) {
  const other = await startRealtime({ ...database, withFeed: false, config });
  onTestFinished(() => other.stop());
  return other;
}

const user = (claims: Record<string, unknown> = {}) =>
  testToken({ role: 'authenticated', sub: 'u', ...claims });
const isBroadcast = ({ event }: Received): boolean => event === 'broadcast';
const reason = ({ payload }: Received): unknown => (payload.response as { reason?: unknown }).reason;

describe.each<Version>(['1.0.0', '2.0.0'])('protocol %s', (version) => {
  it('answers a heartbeat', async () => {
    const client = await open(version);
    const reply = await client.request('phoenix', 'heartbeat', {});
    expect(reply.payload).toEqual({ status: 'ok', response: {} });
  });

  it('joins, and leaves with a reply and a close', async () => {
    const client = await open(version);
    const joined = await client.join('a');
    expect(joined.payload).toEqual({ status: 'ok', response: { postgres_changes: [] } });
    const left = await client.request('realtime:a', 'phx_leave', {});
    expect(left.payload).toEqual({ status: 'ok', response: {} });
    const closed = await client.next(({ event }) => event === 'phx_close');
    expect(closed).toMatchObject({ topic: 'realtime:a', ref: '1', payload: {} });
  });

  it('closes the former channel when a topic is joined again', async () => {
    const client = await open(version);
    await client.join('a');
    const again = await client.join('a');
    expect(again.payload.status).toBe('ok');
    expect(client.of('phx_close')).toMatchObject([{ ref: '1' }]);
  });

  it('refuses events of topics that are not joined, and joins without a name', async () => {
    const client = await open(version);
    const stray = await client.request('realtime:b', 'broadcast', {});
    expect(stray.payload).toEqual({ status: 'error', response: { reason: 'unmatched topic' } });
    expect(reason(await client.join(''))).toBe('TopicNameRequired: You must provide a topic name');
  });

  it('drops what is not a message and keeps the socket', async () => {
    const client = await open(version);
    for (const frame of [
      '',
      '{',
      'null',
      '[1,2]',
      '{"topic":1}',
      '[]',
      Buffer.from([3]),
      Buffer.from([9, 9]),
    ])
      client.socket.send(frame);
    await client.settle();
  });

  it('delivers broadcasts to others, and to the sender when it asked for its own', async () => {
    const [quiet, loud] = [await open(version), await open(version)];
    await quiet.join('talk');
    await loud.join('talk', { broadcast: { self: 'TRUE', ack: true } });
    const message = { type: 'broadcast', event: 'hi', payload: { n: 1 }, extra: true };
    quiet.send('realtime:talk', 'broadcast', message);
    await loud.next(isBroadcast);
    const ack = await loud.request('realtime:talk', 'broadcast', message);
    expect(ack.payload).toEqual({ status: 'ok', response: {} });
    await loud.until(() => loud.of('broadcast').length === 2);
    await quiet.next(isBroadcast);
    expect(loud.of('broadcast').map(({ payload }) => payload)).toEqual([message, message]);
    expect(quiet.of('broadcast')).toHaveLength(1);
  });

  it('takes what a client sends under the join_ref of a former join', async () => {
    const client = await open(version);
    await client.join('stale', { broadcast: { self: true, ack: true } });
    const ref = client.send('realtime:stale', 'broadcast', { event: 'x', payload: {} }, 'long ago');
    const ack = await client.next((message) => message.event === 'phx_reply' && message.ref === ref);
    expect(ack.payload.status).toBe('ok');
    await client.next(isBroadcast);
  });

  it('tells topics with colons apart', async () => {
    const [one, two] = [await open(version), await open(version)];
    await one.join('a:b:c', { broadcast: { self: true } });
    await two.join('a:b', { broadcast: { self: true } });
    one.send('realtime:a:b:c', 'broadcast', { event: 'x', payload: {} });
    expect((await one.next(isBroadcast)).topic).toBe('realtime:a:b:c');
    await two.settle();
    expect(two.of('broadcast')).toEqual([]);
  });

  it('keeps the order of one sender', async () => {
    const [sender, receiver] = [await open(version), await open(version)];
    await sender.join('order');
    await receiver.join('order');
    for (let n = 0; n < 1000; n++)
      sender.send('realtime:order', 'broadcast', { type: 'broadcast', event: 'n', payload: { n } });
    await receiver.until(() => receiver.of('broadcast').length === 1000);
    const numbers = receiver.of('broadcast').map(({ payload }) => (payload.payload as { n: number }).n);
    expect(numbers).toEqual(Array.from({ length: 1000 }, (_, n) => n));
  });

  it('shows who is present, in state and differences', async () => {
    const [first, second] = [await open(version), await open(version)];
    await first.join('here', { presence: { enabled: true, key: 'one' } });
    const before = await first.next(({ event }) => event === 'presence_state');
    expect(before.payload).toEqual({});
    const tracked = await first.request('realtime:here', 'presence', {
      type: 'presence',
      event: 'TRACK',
      payload: { a: 1 },
    });
    expect(tracked.payload).toEqual({ status: 'ok', response: {} });
    const diff = await first.next(({ event }) => event === 'presence_diff');
    expect(diff.payload).toEqual({
      joins: { one: { metas: [{ a: 1, phx_ref: expect.any(String) }] } },
      leaves: {},
    });
    await second.join('here', { presence: { enabled: true, key: 'two' } });
    const state = await second.next(({ event }) => event === 'presence_state');
    expect(state.payload).toEqual(diff.payload.joins);
    await first.request('realtime:here', 'presence', { type: 'presence', event: 'track', payload: { a: 2 } });
    await second.until(() => second.of('presence_diff').length === 1);
    const [update] = second.of('presence_diff');
    const old = (diff.payload.joins as Record<string, { metas: { phx_ref: string }[] }>).one?.metas[0]
      ?.phx_ref;
    expect(update?.payload).toEqual({
      joins: { one: { metas: [{ a: 2, phx_ref: expect.any(String), phx_ref_prev: old }] } },
      leaves: { one: { metas: [{ a: 1, phx_ref: old }] } },
    });
    first.close();
    await second.until(() => second.of('presence_diff').length === 2);
    expect(second.of('presence_diff')[1]?.payload).toMatchObject({
      joins: {},
      leaves: { one: { metas: [{ a: 2 }] } },
    });
  });
});

describe('broadcasts between versions', () => {
  it('turn a binary JSON push into an object for the old protocol', async () => {
    const [sender, old, recent] = [await open(), await open('1.0.0'), await open()];
    for (const client of [sender, old, recent]) await client.join('mixed');
    sender.socket.send(userPush('realtime:mixed', 'hi', '{"n":1}', 1));
    expect((await old.next(isBroadcast)).payload).toEqual({
      type: 'broadcast',
      event: 'hi',
      payload: { n: 1 },
    });
    const binary = await recent.next(isBroadcast);
    expect(binary.bytes?.toString()).toBe('{"n":1}');
  });

  it('keep bytes and broken JSON away from the old protocol', async () => {
    const [sender, old, recent] = [await open(), await open('1.0.0'), await open()];
    for (const client of [sender, old, recent]) await client.join('mixed');
    sender.socket.send(userPush('realtime:mixed', 'raw', '\x00\x01', 0));
    sender.socket.send(userPush('realtime:mixed', 'bad', '1},"event":"phx_close","x":{', 1));
    await recent.until(() => recent.of('broadcast').length === 2);
    await old.settle();
    expect(old.of('broadcast')).toEqual([]);
    expect(old.of('phx_close')).toEqual([]);
  });
});

function userPush(topic: string, event: string, payload: string, encoding: number): Buffer {
  const [joinRef, ref] = ['1', '9'];
  const header = [3, joinRef.length, ref.length, topic.length, event.length, 0, encoding];
  return Buffer.concat([
    Buffer.from(header),
    Buffer.from(joinRef + ref + topic + event),
    Buffer.from(payload, 'latin1'),
  ]);
}

describe('private channels', () => {
  it('are joined by those whom a policy lets read, apart from the public channel of that name', async () => {
    const [reader, stranger, open1] = [await open(), await open(), await open()];
    expect((await reader.join('room:1', { private: true }, await user())).payload.status).toBe('ok');
    expect(reason(await stranger.join('room:1', { private: true }, await user({ rooms: ['room:2'] })))).toBe(
      'Unauthorized: You do not have permissions to read from this Channel topic: room:1',
    );
    await open1.join('room:1');
    const sender = await open();
    await sender.join('room:1', { private: true, broadcast: { ack: true } }, await user());
    await sender.request('realtime:room:1', 'broadcast', { type: 'broadcast', event: 'x', payload: {} });
    await reader.next(isBroadcast);
    await open1.settle();
    expect(open1.of('broadcast')).toEqual([]);
  });

  it('are refused to a role whose policy raises', async () => {
    const client = await open();
    expect(reason(await client.join('room:1', { private: true }))).toMatch(/^Unauthorized: /);
  });

  it('swallow what a client may not write, without an acknowledgement', async () => {
    const [reader, mute] = [await open(), await open()];
    await reader.join('room:1', { private: true }, await user());
    await mute.join('room:1', { private: true, broadcast: { ack: true } }, await user({ mute: 'yes' }));
    mute.send('realtime:room:1', 'broadcast', { type: 'broadcast', event: 'x', payload: {} });
    // The channel deals with its messages in order: the answer to this one comes after the silence about the other.
    await mute.request('realtime:room:1', 'presence', {});
    await reader.settle();
    expect(reader.of('broadcast')).toEqual([]);
    expect(mute.of('phx_reply').filter(({ topic }) => topic === 'realtime:room:1')).toHaveLength(2);
  });

  it('withhold broadcasts from those who may read presence only', async () => {
    const [watcher, sender] = [await open(), await open()];
    const joined = await watcher.join('lobby', { private: true, presence: { enabled: true } }, await user());
    expect(joined.payload.status).toBe('ok');
    await watcher.next(({ event }) => event === 'presence_state');
    await sender.join('lobby', { private: true }, realtime.serviceToken);
    await sender.request('realtime:lobby', 'presence', {
      type: 'presence',
      event: 'track',
      payload: { a: 1 },
    });
    sender.send('realtime:lobby', 'broadcast', { type: 'broadcast', event: 'x', payload: {} });
    await watcher.next(({ event }) => event === 'presence_diff');
    await watcher.settle();
    expect(watcher.of('broadcast')).toEqual([]);
  });

  it('are closed when a new token may no longer read', async () => {
    const client = await open();
    await client.join('room:1', { private: true }, await user());
    client.send('realtime:room:1', 'access_token', { access_token: await user({ rooms: [] }) });
    const status = await client.next(({ event }) => event === 'system');
    expect(status.payload).toEqual({
      extension: 'system',
      status: 'error',
      message: 'You do not have permissions to read from this Channel topic: room:1',
      channel: 'room:1',
    });
    await client.next(({ event }) => event === 'phx_close');
  });

  it('take the right to write from a new token', async () => {
    const [reader, writer] = [await open(), await open()];
    await reader.join('room:1', { private: true }, await user());
    await writer.join('room:1', { private: true, broadcast: { ack: true } }, await user({ mute: 'yes' }));
    writer.send('realtime:room:1', 'broadcast', { type: 'broadcast', event: 'lost', payload: {} });
    writer.send('realtime:room:1', 'access_token', { access_token: await user({ n: 1 }) });
    const ack = await writer.request('realtime:room:1', 'broadcast', {
      type: 'broadcast',
      event: 'kept',
      payload: {},
    });
    expect(ack.payload.status).toBe('ok');
    await reader.next(isBroadcast);
    expect(reader.of('broadcast').map(({ payload }) => payload.event)).toEqual(['kept']);
  });
});

describe('tokens', () => {
  it('end a channel when they expire, and leave socket and other channels alone', async () => {
    const client = await open();
    await client.join('stays');
    await client.join('ends', {}, await testToken({ role: 'anon', exp: Math.floor(Date.now() / 1000) + 1 }));
    const closed = await client.next(({ event }) => event === 'phx_close');
    expect(closed.topic).toBe('realtime:ends');
    expect(client.of('system')[0]?.payload.message).toMatch(/^Token has expired \d+ seconds ago$/);
    const ack = await client.request('realtime:stays', 'presence', {
      type: 'presence',
      event: 'track',
      payload: {},
    });
    expect(ack.payload.status).toBe('ok');
  });

  it.each([
    ['null', null],
    ['a new-style key', 'sb_publishable_x'],
  ])('are kept when %s comes instead', async (_, token) => {
    const client = await open();
    await client.join('kept');
    client.send('realtime:kept', 'access_token', { access_token: token });
    const ack = await client.request('realtime:kept', 'presence', {
      type: 'presence',
      event: 'track',
      payload: {},
    });
    expect(ack.payload.status).toBe('ok');
  });

  it('close the channel when they cannot be read', async () => {
    const client = await open();
    await client.join('bad');
    client.send('realtime:bad', 'access_token', { access_token: '' });
    const status = await client.next(({ event }) => event === 'system');
    expect(status.payload.message).toBe('The token provided is not a valid JWT');
  });

  it.each([
    ['expired', { role: 'anon', exp: 1 }, /^InvalidJWTToken: Token has expired \d+ seconds ago$/],
    ['without a role', {}, 'InvalidJWTToken: Fields `role` and `exp` are required in JWT'],
  ])('refuse a join when they are %s', async (_, claims, expected) => {
    const client = await open();
    expect(reason(await client.join('x', {}, await testToken(claims)))).toEqual(
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    );
  });
});

describe('connections', () => {
  const statusOf = async (key: string | null, headers: Record<string, string> = {}, vsn = '2.0.0') => {
    const query = new URLSearchParams({ vsn, ...(key === null ? {} : { apikey: key }) });
    const response = await fetchUpgrade(`${realtime.url}/realtime/v1/websocket?${query}`, headers);
    return response;
  };

  it.each([
    ['no key', null, 401, 'API key is missing'],
    ['a key that is no token', 'x', 401, 'The token provided is not a valid JWT'],
    ['a key of a stranger', 'eyJhbGciOiJIUzI1NiJ9.e30.AAAA', 401, 'Failed to validate JWT signature'],
    [
      'an unsigned key',
      'eyJhbGciOiJub25lIn0.e30.',
      401,
      'Failed to generate JWT signer, check your JWT secret or JWKS configuration',
    ],
  ])('with %s are refused', async (_, key, status, error) => {
    expect(await statusOf(key)).toEqual({ status, body: { error } });
  });

  it('with an expired key are refused', async () => {
    const key = await testToken({ role: 'anon', exp: 1 });
    expect(await statusOf(key)).toEqual({ status: 401, body: { error: 'Token has expired' } });
  });

  it('take the key of the header before that of the query', async () => {
    expect((await statusOf('x', { 'x-api-key': realtime.anonToken })).status).toBe(101);
    expect((await statusOf(realtime.anonToken, { 'x-api-key': 'x' })).status).toBe(401);
  });

  it('accept keys of the new style, as their roles', async () => {
    const client = await open('2.0.0', realtime.secretKey);
    expect((await client.join('anything', { private: true })).payload.status).toBe('ok');
    const other = await open('2.0.0', realtime.publishableKey);
    expect((await other.join('anything', { private: true })).payload.status).toBe('error');
  });

  it('of an unknown protocol version are refused', async () => {
    expect((await statusOf(realtime.anonToken, {}, '3.0.0')).status).toBe(403);
  });

  it('end when a frame is too large', async () => {
    const client = await open();
    client.socket.send('x'.repeat(5_000_001));
    await client.until(() => client.closeCode !== null);
    expect(client.closeCode).toBe(1009);
  });

  it('are closed with 1012 when the service stops', async () => {
    const other = await startRealtime({ ...database, withFeed: false });
    const client = await open('2.0.0', realtime.anonToken, other.url);
    await other.stop();
    await client.until(() => client.closeCode !== null);
    expect(client.closeCode).toBe(1012);
  });
});

async function fetchUpgrade(url: string, headers: Record<string, string>) {
  const { request } = await import('node:http');
  return new Promise<{ status: number; body: unknown }>((resolve, reject) => {
    const outgoing = request(url, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    });
    outgoing.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, body: null });
    });
    outgoing.on('response', (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

describe('a join that is refused', () => {
  it('is answered after a while, so that a client cannot try at will', async () => {
    const other = await startWith({ channelErrorDelayMs: 300 });
    const client = await open('2.0.0', realtime.anonToken, other.url);
    const askedAt = performance.now();
    expect(reason(await client.join(''))).toBe('TopicNameRequired: You must provide a topic name');
    expect(performance.now() - askedAt).toBeGreaterThan(250);
  });

  it('is answered at once when the client leaves before', async () => {
    const other = await startWith({ channelErrorDelayMs: 60_000 });
    const client = await open('2.0.0', realtime.anonToken, other.url);
    client.send('realtime:', 'phx_join', { config: {} });
    const left = await client.request('realtime:', 'phx_leave', {});
    expect(left.payload).toEqual({ status: 'ok', response: {} });
  });
});

describe('limits', () => {
  it('refuse one channel too many on a socket', async () => {
    const other = await startWith({ maxChannelsPerClient: 2 });
    const client = await open('2.0.0', realtime.anonToken, other.url);
    await client.join('1');
    await client.join('2');
    expect(reason(await client.join('3'))).toBe('ChannelRateLimitReached: Too many channels');
  });

  it('refuse public channels where only private ones are wanted', async () => {
    const other = await startWith({ privateOnly: true });
    const client = await open('2.0.0', realtime.anonToken, other.url);
    expect(reason(await client.join('1'))).toBe('PrivateOnly: This project only allows private channels');
  });

  it('refuse one socket too many', async () => {
    const other = await startWith({ maxConcurrentUsers: 1 });
    await open('2.0.0', realtime.anonToken, other.url);
    const refused = await fetchUpgrade(`${other.url}/realtime/v1/websocket?apikey=${realtime.anonToken}`, {});
    expect(refused).toEqual({ status: 429, body: { error: 'Too many connected users' } });
  });

  it('end the socket of a client that joins too fast', async () => {
    const other = await startWith({ maxJoinsPerSecond: 1 });
    const client = await open('2.0.0', realtime.anonToken, other.url);
    for (let n = 0; n < 62; n++) client.send(`realtime:${n % 50}`, 'phx_join', {});
    await client.until(() => client.closeCode !== null);
    expect(client.closeCode).toBe(1001);
    expect(
      client.received.some(
        (message) =>
          message.event === 'phx_reply' &&
          reason(message) === 'ClientJoinRateLimitReached: Too many joins per second',
      ),
    ).toBe(true);
  });

  it('close a channel after too many presence calls', async () => {
    const client = await open();
    await client.join('busy');
    for (let n = 0; n < 6; n++)
      client.send('realtime:busy', 'presence', { type: 'presence', event: 'track', payload: { n } });
    const status = await client.next(({ event }) => event === 'system');
    expect(status.payload.message).toBe('Client presence rate limit exceeded');
    await client.next(({ event }) => event === 'phx_close');
  });

  it('acknowledge a payload that is too large as an error', async () => {
    const other = await startWith({ maxPayloadKilobytes: 1 });
    const client = await open('2.0.0', realtime.anonToken, other.url);
    await client.join('big', { broadcast: { ack: true } });
    const ack = await client.request('realtime:big', 'broadcast', { event: 'x', payload: 'x'.repeat(1600) });
    expect(ack.payload).toEqual({ status: 'error', response: 'payload_size_exceeded' });
  });

  it('close the channels that hear more than the project may send, after what they heard', async () => {
    const other = await startWith({ maxEventsPerSecond: 1 });
    const client = await open('2.0.0', realtime.anonToken, other.url);
    await client.join('flood', { broadcast: { self: true } });
    for (let n = 0; n < 70; n++) client.send('realtime:flood', 'broadcast', { event: 'x', payload: n });
    const status = await client.next(({ event }) => event === 'system');
    expect(status.payload.message).toBe('Too many messages per second');
  });

  it('answer presence that is not an object, and events that nobody knows', async () => {
    const client = await open();
    await client.join('odd');
    const track = await client.request('realtime:odd', 'presence', {
      type: 'presence',
      event: 'track',
      payload: 1,
    });
    expect(track.payload).toEqual({
      status: 'error',
      response: { reason: 'Presence track payload must be a map' },
    });
    const unknown = await client.request('realtime:odd', 'presence', { type: 'presence', event: 'dance' });
    expect(unknown.payload).toEqual({ status: 'error', response: {} });
    const none = await client.request('realtime:odd', 'presence', {});
    expect(none.payload).toEqual({ status: 'ok', response: {} });
  });
});

describe('a crowd', () => {
  it('of two thousand joins is let in within seconds, and out', async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => open()));
    for (const client of sockets)
      for (let n = 0; n < 100; n++) client.send(`realtime:crowd-${n}`, 'phx_join', { config: {} });
    await Promise.all(sockets.map((client) => client.until(() => client.of('phx_reply').length === 100)));
    expect(
      sockets.flatMap((client) => client.of('phx_reply')).every(({ payload }) => payload.status === 'ok'),
    ).toBe(true);
    for (const client of sockets) client.close();
  });
});
