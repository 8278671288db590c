import { describe, expect, it } from 'vitest';
import { reasonOf, useChannels } from '../../support/channel-world.ts';
import { askUpgrade } from '../../support/upgrade.ts';

const world = useChannels();

describe('limits', () => {
  it('refuse one channel too many on a socket', async () => {
    const other = await world.startWith({ maxChannelsPerClient: 2 });
    const client = await world.open('2.0.0', world.realtime.anonToken, other.url);
    await client.join('1');
    await client.join('2');
    expect(reasonOf(await client.join('3'))).toBe('ChannelRateLimitReached: Too many channels');
  });

  it('refuse public channels where only private ones are wanted', async () => {
    const other = await world.startWith({ privateOnly: true });
    const client = await world.open('2.0.0', world.realtime.anonToken, other.url);
    expect(reasonOf(await client.join('1'))).toBe('PrivateOnly: This project only allows private channels');
  });

  it('refuse one socket too many', async () => {
    const other = await world.startWith({ maxConcurrentUsers: 1 });
    await world.open('2.0.0', world.realtime.anonToken, other.url);
    const refused = await askUpgrade(`${other.url}/realtime/v1/websocket?apikey=${world.realtime.anonToken}`);
    expect(refused).toEqual({ status: 429, body: { error: 'Too many connected users' } });
  });

  it('end the socket of a client that joins too fast', async () => {
    const other = await world.startWith({ maxJoinsPerSecond: 1 });
    const client = await world.open('2.0.0', world.realtime.anonToken, other.url);
    for (let n = 0; n < 62; n++) client.send(`realtime:${n % 50}`, 'phx_join', {});
    await client.until(() => client.closeCode !== null);
    expect(client.closeCode).toBe(1001);
    expect(
      client.received.some(
        (message) =>
          message.event === 'phx_reply' &&
          reasonOf(message) === 'ClientJoinRateLimitReached: Too many joins per second',
      ),
    ).toBe(true);
  });

  it('close a channel after too many presence calls', async () => {
    const client = await world.open();
    await client.join('busy');
    for (let n = 0; n < 6; n++)
      client.send('realtime:busy', 'presence', { type: 'presence', event: 'track', payload: { n } });
    const status = await client.next(({ event }) => event === 'system');
    expect(status.payload.message).toBe('Client presence rate limit exceeded');
    await client.next(({ event }) => event === 'phx_close');
  });

  it('acknowledge a payload that is too large as an error', async () => {
    const other = await world.startWith({ maxPayloadKilobytes: 1 });
    const client = await world.open('2.0.0', world.realtime.anonToken, other.url);
    await client.join('big', { broadcast: { ack: true } });
    const ack = await client.request('realtime:big', 'broadcast', { event: 'x', payload: 'x'.repeat(1600) });
    expect(ack.payload).toEqual({ status: 'error', response: 'payload_size_exceeded' });
  });

  it('close the channels that hear more than the project may send, after what they heard', async () => {
    const other = await world.startWith({ maxEventsPerSecond: 1 });
    const client = await world.open('2.0.0', world.realtime.anonToken, other.url);
    await client.join('flood', { broadcast: { self: true } });
    for (let n = 0; n < 70; n++) client.send('realtime:flood', 'broadcast', { event: 'x', payload: n });
    const status = await client.next(({ event }) => event === 'system');
    expect(status.payload.message).toBe('Too many messages per second');
  });

  it('answer presence that is not an object, and events that nobody knows', async () => {
    const client = await world.open();
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
