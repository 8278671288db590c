import { describe, expect, it } from 'vitest';
import { isBroadcast, reasonOf, useChannels, type Version } from '../../support/channel-world.ts';

const world = useChannels();

describe.each<Version>(['1.0.0', '2.0.0'])('protocol %s', (version) => {
  it('answers a heartbeat', async () => {
    const client = await world.open(version);
    const reply = await client.request('phoenix', 'heartbeat', {});
    expect(reply.payload).toEqual({ status: 'ok', response: {} });
  });

  it('joins, and leaves with a reply and a close', async () => {
    const client = await world.open(version);
    const joined = await client.join('a');
    expect(joined.payload).toEqual({ status: 'ok', response: { postgres_changes: [] } });
    const left = await client.request('realtime:a', 'phx_leave', {});
    expect(left.payload).toEqual({ status: 'ok', response: {} });
    const closed = await client.next(({ event }) => event === 'phx_close');
    expect(closed).toMatchObject({ topic: 'realtime:a', ref: '1', payload: {} });
  });

  it('closes the former channel when a topic is joined again', async () => {
    const client = await world.open(version);
    await client.join('a');
    const again = await client.join('a');
    expect(again.payload.status).toBe('ok');
    expect(client.of('phx_close')).toMatchObject([{ ref: '1' }]);
  });

  it('refuses events of topics that are not joined, and joins without a name', async () => {
    const client = await world.open(version);
    const stray = await client.request('realtime:b', 'broadcast', {});
    expect(stray.payload).toEqual({ status: 'error', response: { reason: 'unmatched topic' } });
    expect(reasonOf(await client.join(''))).toBe('TopicNameRequired: You must provide a topic name');
  });

  it('drops what is not a message and keeps the socket', async () => {
    const client = await world.open(version);
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
    const [quiet, loud] = [await world.open(version), await world.open(version)];
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
    const client = await world.open(version);
    await client.join('stale', { broadcast: { self: true, ack: true } });
    const ref = client.send('realtime:stale', 'broadcast', { event: 'x', payload: {} }, 'long ago');
    const ack = await client.next((message) => message.event === 'phx_reply' && message.ref === ref);
    expect(ack.payload.status).toBe('ok');
    await client.next(isBroadcast);
  });

  it('tells topics with colons apart', async () => {
    const [one, two] = [await world.open(version), await world.open(version)];
    await one.join('a:b:c', { broadcast: { self: true } });
    await two.join('a:b', { broadcast: { self: true } });
    one.send('realtime:a:b:c', 'broadcast', { event: 'x', payload: {} });
    expect((await one.next(isBroadcast)).topic).toBe('realtime:a:b:c');
    await two.settle();
    expect(two.of('broadcast')).toEqual([]);
  });

  it('keeps the order of one sender', async () => {
    const [sender, receiver] = [await world.open(version), await world.open(version)];
    await sender.join('order');
    await receiver.join('order');
    for (let n = 0; n < 1000; n++)
      sender.send('realtime:order', 'broadcast', { type: 'broadcast', event: 'n', payload: { n } });
    await receiver.until(() => receiver.of('broadcast').length === 1000);
    const numbers = receiver.of('broadcast').map(({ payload }) => (payload.payload as { n: number }).n);
    expect(numbers).toEqual(Array.from({ length: 1000 }, (_, n) => n));
  });

  it('shows who is present, in state and differences', async () => {
    const [first, second] = [await world.open(version), await world.open(version)];
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
    const [sender, old, recent] = [await world.open(), await world.open('1.0.0'), await world.open()];
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
    const [sender, old, recent] = [await world.open(), await world.open('1.0.0'), await world.open()];
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

describe('a crowd', () => {
  it('of two thousand joins is let in within seconds, and out', async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => world.open()));
    for (const client of sockets)
      for (let n = 0; n < 100; n++) client.send(`realtime:crowd-${n}`, 'phx_join', { config: {} });
    await Promise.all(sockets.map((client) => client.until(() => client.of('phx_reply').length === 100)));
    expect(
      sockets.flatMap((client) => client.of('phx_reply')).every(({ payload }) => payload.status === 'ok'),
    ).toBe(true);
    for (const client of sockets) client.close();
  });
});
