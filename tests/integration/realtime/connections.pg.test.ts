import { describe, expect, it } from 'vitest';
import { reasonOf, useChannels } from '../../support/channel-world.ts';
import { testToken } from '../../support/realtime.ts';
import { askUpgrade } from '../../support/upgrade.ts';

const world = useChannels();

describe('connections', () => {
  const statusOf = async (key: string | null, headers: Record<string, string> = {}, vsn = '2.0.0') => {
    const query = new URLSearchParams({ vsn, ...(key === null ? {} : { apikey: key }) });
    const response = await askUpgrade(`${world.realtime.url}/realtime/v1/websocket?${query}`, headers);
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
    expect((await statusOf('x', { 'x-api-key': world.realtime.anonToken })).status).toBe(101);
    expect((await statusOf(world.realtime.anonToken, { 'x-api-key': 'x' })).status).toBe(401);
  });

  it('accept keys of the new style, as their roles', async () => {
    const client = await world.open('2.0.0', world.realtime.secretKey);
    expect((await client.join('anything', { private: true })).payload.status).toBe('ok');
    const other = await world.open('2.0.0', world.realtime.publishableKey);
    expect((await other.join('anything', { private: true })).payload.status).toBe('error');
  });

  it('of an unknown protocol version are refused', async () => {
    expect((await statusOf(world.realtime.anonToken, {}, '3.0.0')).status).toBe(403);
  });

  it('end when a frame is too large', async () => {
    const client = await world.open();
    client.socket.send('x'.repeat(5_000_001));
    await client.until(() => client.closeCode !== null);
    expect(client.closeCode).toBe(1009);
  });

  it('are closed with 1012 when the service stops', async () => {
    const other = await world.startWith();
    const client = await world.open('2.0.0', world.realtime.anonToken, other.url);
    await other.stop();
    await client.until(() => client.closeCode !== null);
    expect(client.closeCode).toBe(1012);
  });
});

describe('a join that is refused', () => {
  it('is answered after a while, so that a client cannot try at will', async () => {
    const other = await world.startWith({ channelErrorDelayMs: 300 });
    const client = await world.open('2.0.0', world.realtime.anonToken, other.url);
    const askedAt = performance.now();
    expect(reasonOf(await client.join(''))).toBe('TopicNameRequired: You must provide a topic name');
    expect(performance.now() - askedAt).toBeGreaterThan(250);
  });

  it('is answered at once when the client leaves before', async () => {
    const other = await world.startWith({ channelErrorDelayMs: 60_000 });
    const client = await world.open('2.0.0', world.realtime.anonToken, other.url);
    client.send('realtime:', 'phx_join', { config: {} });
    const left = await client.request('realtime:', 'phx_leave', {});
    expect(left.payload).toEqual({ status: 'ok', response: {} });
  });
});
