import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createTestDatabase } from '../../support/database.ts';
import { PhoenixClient } from '../../support/phoenix.ts';
import { type RealtimeHarness, startRealtime, testToken } from '../../support/realtime.ts';

const policies = `
  create policy read_all on realtime.messages for select to authenticated using (true);
  create policy write_rooms on realtime.messages for insert to authenticated
    with check (realtime.topic() like 'room:%');
`;

let realtime: RealtimeHarness;
let userToken: string;

beforeAll(async () => {
  const test = await createTestDatabase(policies);
  realtime = await startRealtime({
    ownerUrl: test.url('supabase_admin'),
    authenticatorUrl: test.url('authenticator'),
    withFeed: false,
    config: { maxPayloadKilobytes: 1 },
  });
  userToken = await testToken({ role: 'authenticated', sub: 'u' });
});
afterAll(() => realtime?.stop());

async function listen(subTopic: string, isPrivate: boolean, version: '1.0.0' | '2.0.0' = '2.0.0') {
  const client = await PhoenixClient.connect(realtime.url, realtime.anonToken, version);
  onTestFinished(() => client.close());
  await client.join(subTopic, { private: isPrivate }, userToken);
  return client;
}

const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  fetch(`${realtime.url}/realtime/v1/api/broadcast${path}`, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${userToken}`, ...headers },
  });

const postBatch = (messages: unknown, headers?: Record<string, string>) =>
  post('', JSON.stringify({ messages }), { 'content-type': 'application/json', ...headers });

describe('a batch of broadcasts', () => {
  it('reaches public and private channels, with the ids that were given', async () => {
    const [open, closed] = [await listen('room:1', false), await listen('room:1', true, '1.0.0')];
    const response = await postBatch([
      { topic: 'room:1', event: 'a', payload: { n: 1 }, private: true, id: 'abc' },
      { topic: 'room:1', event: 'b', payload: { n: 2 } },
    ]);
    expect(response.status).toBe(202);
    expect(await response.text()).toBe('');
    expect((await closed.next(({ event }) => event === 'broadcast')).payload).toEqual({
      type: 'broadcast',
      event: 'a',
      payload: { n: 1 },
      meta: { id: 'abc' },
    });
    expect((await open.next(({ event }) => event === 'broadcast')).payload).toEqual({
      type: 'broadcast',
      event: 'b',
      payload: { n: 2 },
    });
  });

  it('is accepted without a word when a policy forbids a private topic', async () => {
    const client = await listen('hall', true);
    expect((await postBatch([{ topic: 'hall', event: 'a', payload: {}, private: true }])).status).toBe(202);
    await client.settle();
    expect(client.of('broadcast')).toEqual([]);
  });

  it.each([
    ['no topic', { event: 'a', payload: {} }, { topic: ["can't be blank"] }],
    ['no event', { topic: 'a', payload: {} }, { event: ["can't be blank"] }],
    ['no payload', { topic: 'a', event: 'a' }, { payload: ["can't be blank"] }],
    ['a topic of blanks', { topic: ' ', event: 'a', payload: {} }, { topic: ["can't be blank"] }],
    [
      'what is of another type',
      { topic: 1, event: ['a'], payload: [], private: 'perhaps', id: 7 },
      {
        topic: ['is invalid'],
        event: ['is invalid'],
        payload: ['is invalid'],
        private: ['is invalid'],
        id: ['is invalid'],
      },
    ],
    ['a payload that is no object', { topic: 'a', event: 'a', payload: 1 }, { payload: ['is invalid'] }],
    [
      'a payload that is too large',
      { topic: 'a', event: 'a', payload: { x: 'x'.repeat(1600) } },
      { payload: ['Payload size exceeds tenant limit'] },
    ],
  ])('is refused with %s', async (_, message, errors) => {
    const response = await postBatch([message]);
    expect(response.status).toBe(422);
    expect(await response.json()).toEqual({ errors: { messages: [errors] } });
  });

  it('is refused as a whole when one of its messages is wrong', async () => {
    const client = await listen('whole', false);
    const response = await postBatch([{ topic: 'whole', event: 'a', payload: {} }, { topic: 'whole' }]);
    expect(response.status).toBe(422);
    const blank = ["can't be blank"];
    expect(await response.json()).toEqual({ errors: { messages: [{}, { event: blank, payload: blank }] } });
    await client.settle();
    expect(client.of('broadcast')).toEqual([]);
  });

  it.each([
    ['{}', "can't be blank"],
    ['[]', "can't be blank"],
    ['{"messages":[]}', "can't be blank"],
    ['{"messages":null}', "can't be blank"],
    ['{"messages":"x"}', 'is invalid'],
    ['{"messages":[1]}', 'is invalid'],
  ])('is refused without messages: %s', async (body, error) => {
    const response = await post('', body);
    expect(response.status).toBe(422);
    expect(await response.json()).toEqual({ errors: { messages: [error] } });
  });

  it('takes a word or a digit for the channel being private', async () => {
    const client = await listen('room:words', true);
    const message = { topic: 'room:words', payload: {} };
    await postBatch([
      { ...message, event: 'a', private: 'true' },
      { ...message, event: 'b', private: '1' },
      { ...message, event: 'c', private: '0' },
      { ...message, event: 'd', private: true, id: '' },
    ]);
    await client.until(() => client.of('broadcast').length === 3);
    expect(client.of('broadcast').map(({ payload }) => [payload.event, payload.meta])).toEqual([
      ['a', undefined],
      ['b', undefined],
      ['d', undefined],
    ]);
  });

  it.each([
    ['a wrong token', 'Bearer x'],
    ['an unsigned token', 'Bearer eyJhbGciOiJub25lIn0.e30.'],
  ])('is refused with %s', async (_, authorization) => {
    const response = await postBatch([], { authorization });
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({ message: 'Unauthorized' });
  });

  it('is refused when it is not JSON', async () => {
    expect((await post('', '{')).status).toBe(400);
  });

  it("is refused above the project's rate", async () => {
    const limited = await startRealtime({
      ownerUrl: 'postgres://nowhere',
      authenticatorUrl: 'postgres://nowhere',
      withFeed: false,
      config: { maxEventsPerSecond: 1 },
    });
    onTestFinished(() => limited.stop());
    const message = { topic: 'a', event: 'a', payload: {} };
    const response = await fetch(`${limited.url}/realtime/v1/api/broadcast`, {
      method: 'POST',
      headers: { authorization: `Bearer ${userToken}` },
      body: JSON.stringify({ messages: [message, message] }),
    });
    expect(response.status).toBe(429);
    expect(await response.json()).toEqual({
      message: 'Too many messages to broadcast, please reduce the batch size',
    });
  });

  it('is refused before anything else once the rate is reached, with the figures in the headers', async () => {
    const limited = await startRealtime({
      ownerUrl: 'postgres://nowhere',
      authenticatorUrl: 'postgres://nowhere',
      withFeed: false,
      config: { maxEventsPerSecond: 1 },
    });
    onTestFinished(() => limited.stop());
    const post = (path: string): Promise<Response> =>
      fetch(`${limited.url}/realtime/v1/api/broadcast${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${userToken}` },
      });
    const first = await post('/a/events/b');
    expect([first.status, first.headers.get('x-rate-limit'), first.headers.get('x-rate-rolling')]).toEqual([
      ...[202, '1', '0'],
    ]);
    for (let n = 1; n < 60; n++) await post('/a/events/b');
    const refused = await post('');
    expect(refused.status).toBe(429);
    expect(await refused.json()).toEqual({ message: 'Too many requests' });
    expect(refused.headers.get('x-rate-limit-remaining')).toBe('0');
  });
});

describe('a single broadcast', () => {
  it('carries JSON', async () => {
    const client = await listen('room:a/b', true);
    const path = `/${encodeURIComponent('room:a/b')}/events/${encodeURIComponent('ev ent')}?private=true`;
    expect((await post(path, '{"n":1}', { 'content-type': 'application/json' })).status).toBe(202);
    const message = await client.next(({ event }) => event === 'broadcast');
    expect(message.payload).toEqual({ type: 'broadcast', event: 'ev ent', payload: { n: 1 } });
  });

  it('carries bytes', async () => {
    const client = await listen('bytes', false);
    const response = await post('/bytes/events/raw', Buffer.from([0, 255, 1]), {
      'content-type': 'application/octet-stream',
    });
    expect(response.status).toBe(202);
    const message = await client.next(({ event }) => event === 'broadcast');
    expect(message.bytes).toEqual(Buffer.from([0, 255, 1]));
  });

  it('is refused to those who may not write', async () => {
    const response = await post('/hall/events/x?private=true', '{}', { 'content-type': 'application/json' });
    expect(response.status).toBe(403);
    expect(await response.json()).toEqual({ message: 'Unauthorized' });
  });

  it.each([
    ['a payload that is too large', '/a/events/b', { payload: ['Payload size exceeds tenant limit'] }],
    [
      'a topic and an event of blanks',
      '/%20/events/%20',
      { topic: ["can't be blank"], event: ["can't be blank"] },
    ],
  ])('is refused with %s', async (_, path, errors) => {
    const text = 'payload' in errors ? 'x'.repeat(1600) : '';
    const response = await post(path, JSON.stringify({ text }), { 'content-type': 'application/json' });
    expect(response.status).toBe(422);
    expect(await response.json()).toEqual({ errors });
  });

  it('is refused in another type', async () => {
    const response = await post('/hall/events/x', '<x/>', { 'content-type': 'application/xml' });
    expect(response.status).toBe(415);
    expect(await response.json()).toEqual({
      error: 'Unsupported Media Type. Use application/json or application/octet-stream',
    });
  });
});

describe('health', () => {
  it('is told to anybody, and in detail to those with a token', async () => {
    const get = (path: string, headers: Record<string, string> = {}) =>
      fetch(`${realtime.url}/realtime/v1${path}`, { headers });
    expect(await (await get('/api/ping')).json()).toEqual({ message: 'Success' });
    expect((await get('/api/health')).status).toBe(200);
    expect((await get('/api/tenants/realtime-dev/health')).status).toBe(403);
    const detail = await get('/api/tenants/realtime-dev/health', {
      authorization: `Bearer ${realtime.anonToken}`,
    });
    const told = { db_connected: false, replication_connected: false, region: null, node: 'test' };
    expect(await detail.json()).toEqual({ data: { healthy: true, connected_cluster: 0, ...told } });
    await listen('healthy', false);
    const served = await get('/api/tenants/realtime-dev/health', {
      authorization: `Bearer ${realtime.anonToken}`,
    });
    // Somebody is served, and the database's changes do not come.
    expect(await served.json()).toEqual({ data: { healthy: false, connected_cluster: 1, ...told } });
    expect((await get('/api/nothing')).status).toBe(404);
  });
});
