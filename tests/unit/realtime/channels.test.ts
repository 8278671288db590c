import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Bus } from '../../../src/cluster/bus.ts';
import { createMemoryNetwork, soloBus } from '../../../src/cluster/memory.ts';
import { decodeBusMessage, encodeBusMessage } from '../../../src/realtime/channel/bus-message.ts';
import { createHub, type Hub } from '../../../src/realtime/channel/hub.ts';
import { parseJoin } from '../../../src/realtime/channel/join-config.ts';
import { createPresenceTopic } from '../../../src/realtime/channel/presence.ts';
import type { Member } from '../../../src/realtime/channel/topic.ts';
import { createRateCounter } from '../../../src/realtime/limits.ts';
import { serializerV1 } from '../../../src/realtime/socket/serializer-v1.ts';

describe('a join payload', () => {
  const defaults = parseJoin({ config: {} });
  it.each([
    [null, { isLegacy: true }],
    ['text', { isLegacy: true }],
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
    [
      { access_token: 'a', user_token: 'u' },
      { token: 'u', isLegacy: true },
    ],
    [{ access_token: 'sb_x' }, { token: null, isLegacy: true }],
    [{ access_token: 5 }, { token: null, isLegacy: true }],
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

function listener(id: string): Member & { readonly frames: string[]; readonly ended: () => boolean } {
  const frames: string[] = [];
  let hasEnded = false;
  return {
    ended: () => hasEnded,
    overrun() {
      hasEnded = true;
    },
    id,
    frames,
    serializer: serializerV1,
    wantsBroadcast: () => true,
    wantsPresence: () => true,
    send: (frame) => frames.push(String(frame.data)),
  };
}

const rates = (limit = 0) => ({
  events: createRateCounter(limit, { now: () => 0 }),
  presenceEvents: createRateCounter(0, { now: () => 0 }),
});

describe('the hub', () => {
  it('counts what is sent and delivered, and ends those that hear more than the project may', () => {
    const counted = rates(1);
    const hub = createHub({ bus: soloBus, self: 'x', now: () => 0, ...counted });
    const members = [listener('x.1'), listener('x.2')];
    for (const member of members) hub.join('public', 'x', member);
    const message = { kind: 'object', payload: '{}' } as const;
    for (let n = 0; n < 20; n++) hub.publish('public', 'x', message);
    expect(counted.events.average()).toBe(1);
    expect(members.map(({ ended }) => ended())).toEqual([false, false]);
    hub.publish('public', 'x', message, members[1]);
    expect(members.map(({ frames, ended }) => [frames.length, ended()])).toEqual([
      [21, true],
      [20, false],
    ]);
    hub.close();
  });

  it('reaches members of other instances once, and never its own twice', () => {
    const network = createMemoryNetwork();
    const now = (): number => 0;
    const [left, right] = ['l', 'r'].map((self) =>
      createHub({ bus: network.join(), self, now, ...rates() }),
    ) as [Hub, Hub];
    const [here, there, elsewhere] = [listener('a'), listener('b'), listener('c')];
    left.join('public', 'x', here);
    right.join('public', 'x', there);
    right.join('private', 'x', elsewhere);
    left.publish('public', 'x', { kind: 'object', payload: '{"n":1}' });
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
    const open = (self: string): Hub =>
      createHub({ bus: network.join(), self, now: () => clock.now, ...rates() });
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

/** A bus whose line to the others can be cut. */
function cuttable(bus: Bus) {
  const healed = new Set<() => void>();
  let isCut = false;
  const cut: Bus = {
    ...bus,
    publish(subject, message) {
      if (!isCut) bus.publish(subject, message);
    },
    subscribe: (subject, receive, onReady) =>
      bus.subscribe(subject, (message) => (isCut ? undefined : receive(message)), onReady),
    onHealed(listener) {
      healed.add(listener);
      return () => healed.delete(listener);
    },
  };
  return {
    bus: cut,
    cut: () => {
      isCut = true;
    },
    heal() {
      isCut = false;
      for (const listener of healed) listener();
    },
  };
}

it('presence of an instance that was cut off converges, without a leave for those who stayed', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const network = createMemoryNetwork();
  const line = cuttable(network.join());
  const left = createHub({ bus: line.bus, self: 'l', now: () => 0, ...rates() });
  const right = createHub({ bus: network.join(), self: 'r', now: () => 0, ...rates() });
  const entry = (member: string, phxRef: string) => ({ member, key: member, meta: meta(phxRef) });
  const [one, two] = [listener('l.1'), listener('r.1')];
  left.join('public', 'x', one);
  right.join('public', 'x', two);
  left.track('public', 'x', entry('l.1', '1'));
  right.track('public', 'x', entry('r.1', '2'));
  right.track('public', 'x', entry('r.2', '3'));
  vi.advanceTimersByTime(1_000);
  line.cut();
  right.untrack('public', 'x', { ...two, id: 'r.2' });
  left.track('public', 'x', entry('l.2', '4'));
  vi.advanceTimersByTime(1_000);
  const before = [one, two].map(({ frames }) => frames.length);
  line.heal();
  vi.advanceTimersByTime(4_000);
  const keys = (hub: Hub): string[] => Object.keys(JSON.parse(hub.presenceState('public', 'x'))).sort();
  expect([keys(left), keys(right)]).toEqual([
    ['l.1', 'l.2', 'r.1'],
    ['l.1', 'l.2', 'r.1'],
  ]);
  const told = [one, two].map(({ frames }, i) =>
    frames.slice(before[i]).map((frame) => {
      const { joins, leaves } = JSON.parse(frame).payload;
      return [Object.keys(joins), Object.keys(leaves)];
    }),
  );
  expect(told).toEqual([[[[], ['r.2']]], [[['l.2'], []]]]);
  left.close();
  right.close();
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
