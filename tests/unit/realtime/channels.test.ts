import { describe, expect, it } from 'vitest';
import { createMemoryNetwork } from '../../../src/cluster/memory.ts';
import { decodeBusMessage, encodeBusMessage } from '../../../src/realtime/channel/bus-message.ts';
import { createHub, type Hub } from '../../../src/realtime/channel/hub.ts';
import { parseJoin } from '../../../src/realtime/channel/join-config.ts';
import { createPresenceTopic } from '../../../src/realtime/channel/presence.ts';
import type { Member } from '../../../src/realtime/channel/topic.ts';
import { createRateCounter } from '../../../src/realtime/limits.ts';
import { serializerV1 } from '../../../src/realtime/socket/serializer-v1.ts';

describe('a join payload', () => {
  const defaults = parseJoin({});
  it.each([
    [null, {}],
    ['text', {}],
    [{ config: null }, {}],
    [
      { config: { private: 'TRUE', broadcast: { ack: true, self: 'false' } } },
      { isPrivate: true, ackBroadcast: true },
    ],
    [{ config: { private: 7, broadcast: 'x', presence: [] } }, {}],
    [{ config: { presence: { key: '', enabled: true } } }, { presenceEnabled: true }],
    [{ config: { presence: { key: 'k' } } }, { presenceKey: 'k' }],
    [{ config: { postgres_changes: [null, { a: 1 }, 5] } }, { postgresChanges: [{ a: 1 }] }],
    [{ config: { postgres_changes: null } }, {}],
    [{ access_token: 'a', user_token: 'u' }, { token: 'u' }],
    [{ access_token: 'sb_x' }, { token: null }],
    [{ access_token: 5 }, { token: null }],
  ])('%j is read as far as it can be', (payload, expected) => {
    expect(parseJoin(payload)).toEqual({ ...defaults, ...expected });
  });
});

const meta = (phxRef: string, payload = '{}', previous: string | null = null) => ({
  phxRef,
  previous,
  payload,
});

describe('presence', () => {
  it('tells an update as a leave and a join', () => {
    const topic = createPresenceTopic();
    topic.track({ member: 'm', key: 'k', meta: meta('1', '{"a":1}') });
    topic.takeDiff();
    topic.track({ member: 'm', key: 'k', meta: meta('2', '{"a":2}', '1') });
    expect(JSON.parse(topic.takeDiff() ?? '')).toEqual({
      joins: { k: { metas: [{ a: 2, phx_ref: '2', phx_ref_prev: '1' }] } },
      leaves: { k: { metas: [{ a: 1, phx_ref: '1' }] } },
    });
    expect(topic.takeDiff()).toBeNull();
  });

  it('holds one meta per channel under a shared key', () => {
    const topic = createPresenceTopic();
    topic.track({ member: 'a', key: 'k', meta: meta('1') });
    topic.track({ member: 'b', key: 'k', meta: meta('2') });
    expect(JSON.parse(topic.state())).toEqual({ k: { metas: [{ phx_ref: '1' }, { phx_ref: '2' }] } });
    topic.untrack('a');
    expect(JSON.parse(topic.state())).toEqual({ k: { metas: [{ phx_ref: '2' }] } });
  });

  it('does not tell of what came and went between two differences', () => {
    const topic = createPresenceTopic();
    topic.track({ member: 'a', key: 'k', meta: meta('1') });
    topic.untrack('a');
    expect(topic.takeDiff()).toBeNull();
    expect(topic.isEmpty).toBe(true);
  });

  it('lets nobody choose the reference of a meta', () => {
    const topic = createPresenceTopic();
    topic.track({ member: 'a', key: 'k', meta: meta('1', '{"phx_ref":"mine"}') });
    expect(JSON.parse(topic.state())).toEqual({ k: { metas: [{ phx_ref: '1' }] } });
  });
});

function listener(id: string): Member & { readonly frames: string[] } {
  const frames: string[] = [];
  return {
    id,
    frames,
    serializer: serializerV1,
    wantsBroadcast: () => true,
    wantsPresence: () => true,
    send: (frame) => frames.push(String(frame.data)),
  };
}

describe('the hub', () => {
  it('reaches members of other instances once, and never its own twice', () => {
    const network = createMemoryNetwork();
    const now = (): number => 0;
    const [left, right] = ['l', 'r'].map((self) => createHub({ bus: network.join(), self, now })) as [
      Hub,
      Hub,
    ];
    const [here, there, elsewhere] = [listener('a'), listener('b'), listener('c')];
    left.join('public', 'x', here);
    right.join('public', 'x', there);
    right.join('private', 'x', elsewhere);
    expect(left.publish('public', 'x', { kind: 'object', payload: '{"n":1}' })).toBe(1);
    expect([here.frames.length, there.frames.length, elsewhere.frames.length]).toEqual([1, 1, 0]);
    right.leave('public', 'x', there);
    left.publish('public', 'x', { kind: 'object', payload: '{}' }, here);
    expect([here.frames.length, there.frames.length]).toEqual([1, 1]);
    left.close();
    right.close();
  });

  it.each([
    { kind: 'object', payload: '{"a":"\\n"}' },
    { kind: 'user', event: 'e\n', encoding: 'binary', data: Buffer.from([0, 10, 255]), id: null },
    { kind: 'user', event: 'e', encoding: 'json', data: Buffer.from('{}'), id: 'x' },
    { kind: 'presence-request' },
    {
      kind: 'presence',
      tracked: [{ member: 'm', key: 'k', meta: { phxRef: '1', previous: null, payload: '{}' } }],
      untracked: ['n'],
    },
  ] as const)('carries %j between instances', (message) => {
    expect(decodeBusMessage(encodeBusMessage(message))).toEqual(message);
  });

  it.each(['', 'x', '{}\n', '{"kind":"user"}\nabc'])('ignores %j from the bus', (text) => {
    expect(decodeBusMessage(Buffer.from(text))).toBeNull();
  });
});

describe('presence over two instances', () => {
  const entry = (member: string, phxRef: string) => ({ member, key: 'k', meta: meta(phxRef) });
  const state = (hub: Hub): unknown => JSON.parse(hub.presenceState('public', 'x'));
  const ofRefs = (...refs: string[]): unknown =>
    refs.length === 0 ? {} : { k: { metas: refs.map((ref) => ({ phx_ref: ref })) } };

  function pair(clock = { now: 0 }) {
    const network = createMemoryNetwork();
    const open = (self: string): Hub => createHub({ bus: network.join(), self, now: () => clock.now });
    const [left, right] = [open('l'), open('r')];
    left.beat();
    right.beat();
    return { left, right, clock };
  }

  it('is the same on both, also for a topic that is opened later', () => {
    const { left, right } = pair();
    const [one, two] = [listener('l.1'), listener('r.1')];
    left.join('public', 'x', one);
    left.track('public', 'x', entry('l.1', '1'));
    right.join('public', 'x', two);
    right.track('public', 'x', entry('r.1', '2'));
    expect(state(left)).toEqual(ofRefs('1', '2'));
    expect(state(right)).toEqual(ofRefs('1', '2'));
    left.leave('public', 'x', one);
    expect(state(right)).toEqual(ofRefs('2'));
    left.close();
    right.close();
  });

  it('loses the entries of an instance that stops, and of one that falls silent', () => {
    const { left, right, clock } = pair();
    right.join('public', 'x', listener('r.1'));
    left.join('public', 'x', listener('l.1'));
    left.track('public', 'x', entry('l.1', '1'));
    expect(state(right)).toEqual(ofRefs('1'));
    clock.now = 5_000;
    right.beat();
    clock.now = 10_001;
    right.beat();
    expect(state(right)).toEqual({});
    left.beat();
    left.track('public', 'x', entry('l.1', '2'));
    expect(state(right)).toEqual(ofRefs('2'));
    left.close();
    expect(state(right)).toEqual({});
    right.close();
  });
});

describe('a rate', () => {
  it('is averaged over a minute', () => {
    let now = 1_000_000;
    const counter = createRateCounter(1, { now: () => now });
    counter.add(60);
    expect(counter.isExceeded()).toBe(false);
    counter.add();
    expect(counter.isExceeded()).toBe(true);
    now += 61_000;
    expect(counter.average()).toBe(0);
  });

  it('starts anew when the clock jumps', () => {
    let now = 1_000_000;
    const counter = createRateCounter(1, { now: () => now });
    counter.add(100);
    now -= 500_000;
    expect(counter.isExceeded()).toBe(false);
    counter.add(100);
    now += 86_400_000;
    expect(counter.isExceeded()).toBe(false);
  });

  it('of zero is no limit', () => {
    const counter = createRateCounter(0, { now: () => 0 });
    counter.add(1e9);
    expect(counter.isExceeded()).toBe(false);
  });
});
