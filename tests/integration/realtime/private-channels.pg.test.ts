import { describe, expect, it } from 'vitest';
import { isBroadcast, reasonOf, useChannels, userToken } from '../../support/channel-world.ts';
import { testToken } from '../../support/realtime.ts';

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

const world = useChannels(policies);

describe('private channels', () => {
  it('are joined by those whom a policy lets read, apart from the public channel of that name', async () => {
    const [reader, stranger, open1] = [await world.open(), await world.open(), await world.open()];
    expect((await reader.join('room:1', { private: true }, await userToken())).payload.status).toBe('ok');
    expect(
      reasonOf(await stranger.join('room:1', { private: true }, await userToken({ rooms: ['room:2'] }))),
    ).toBe('Unauthorized: You do not have permissions to read from this Channel topic: room:1');
    await open1.join('room:1');
    const sender = await world.open();
    await sender.join('room:1', { private: true, broadcast: { ack: true } }, await userToken());
    await sender.request('realtime:room:1', 'broadcast', { type: 'broadcast', event: 'x', payload: {} });
    await reader.next(isBroadcast);
    await open1.settle();
    expect(open1.of('broadcast')).toEqual([]);
  });

  it('are refused to a role whose policy raises', async () => {
    const client = await world.open();
    expect(reasonOf(await client.join('room:1', { private: true }))).toMatch(/^Unauthorized: /);
  });

  it('swallow what a client may not write, without an acknowledgement', async () => {
    const [reader, mute] = [await world.open(), await world.open()];
    await reader.join('room:1', { private: true }, await userToken());
    await mute.join('room:1', { private: true, broadcast: { ack: true } }, await userToken({ mute: 'yes' }));
    mute.send('realtime:room:1', 'broadcast', { type: 'broadcast', event: 'x', payload: {} });
    // The channel deals with its messages in order: the answer to this one comes after the silence about the other.
    await mute.request('realtime:room:1', 'presence', {});
    await reader.settle();
    expect(reader.of('broadcast')).toEqual([]);
    expect(mute.of('phx_reply').filter(({ topic }) => topic === 'realtime:room:1')).toHaveLength(2);
  });

  it('withhold broadcasts from those who may read presence only', async () => {
    const [watcher, sender] = [await world.open(), await world.open()];
    const joined = await watcher.join(
      'lobby',
      { private: true, presence: { enabled: true } },
      await userToken(),
    );
    expect(joined.payload.status).toBe('ok');
    await watcher.next(({ event }) => event === 'presence_state');
    await sender.join('lobby', { private: true }, world.realtime.serviceToken);
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
    const client = await world.open();
    await client.join('room:1', { private: true }, await userToken());
    client.send('realtime:room:1', 'access_token', { access_token: await userToken({ rooms: [] }) });
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
    const [reader, writer] = [await world.open(), await world.open()];
    await reader.join('room:1', { private: true }, await userToken());
    await writer.join(
      'room:1',
      { private: true, broadcast: { ack: true } },
      await userToken({ mute: 'yes' }),
    );
    writer.send('realtime:room:1', 'broadcast', { type: 'broadcast', event: 'lost', payload: {} });
    writer.send('realtime:room:1', 'access_token', { access_token: await userToken({ n: 1 }) });
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
    const client = await world.open();
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
    const client = await world.open();
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
    const client = await world.open();
    await client.join('bad');
    client.send('realtime:bad', 'access_token', { access_token: '' });
    const status = await client.next(({ event }) => event === 'system');
    expect(status.payload.message).toBe('The token provided is not a valid JWT');
  });

  it.each([
    ['expired', { role: 'anon', exp: 1 }, /^InvalidJWTToken: Token has expired \d+ seconds ago$/],
    ['without a role', {}, 'InvalidJWTToken: Fields `role` and `exp` are required in JWT'],
  ])('refuse a join when they are %s', async (_, claims, expected) => {
    const client = await world.open();
    expect(reasonOf(await client.join('x', {}, await testToken(claims)))).toEqual(
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    );
  });
});
