import { describe, expect, it } from 'vitest';
import {
  type ChannelInput,
  type ChannelState,
  type JoinedState,
  type Surroundings,
  transition,
} from '../../../src/realtime/channel/machine.ts';
import { publicRights, type Rights, unknownRights } from '../../../src/realtime/channel/rights.ts';

const session = { token: 'one', role: 'anon', sub: null, claimsText: '{}', expiresAt: 100 };
const around: Surroundings = {
  setup: {
    subTopic: 'room',
    isPrivate: false,
    ackBroadcast: false,
    presenceMaxCalls: 2,
    presenceWindowMs: 1000,
    maxPayloadBytes: 100,
  },
  now: 5_000,
  tooManyPresenceMessages: false,
};
const joined: JoinedState = {
  phase: 'joined',
  session,
  rights: publicRights,
  presenceEnabled: false,
  tracked: null,
  calls: { count: 0, resetAt: 0 },
};
const acking = { ...around, setup: { ...around.setup, ackBroadcast: true } };
const readOnly: Rights = { broadcast: { read: true, write: false }, presence: { read: true, write: false } };
const message = { kind: 'object', payload: '{}' } as const;
const broadcast: ChannelInput = { kind: 'broadcast', ref: '1', message };
const track = (payload: unknown): ChannelInput => ({
  kind: 'presence',
  ref: '2',
  payload: { event: 'track', payload },
});

const run = (state: ChannelState, input: ChannelInput, where = around) => {
  const next = transition(state, input, where);
  return { phase: next.state.phase, effects: next.effects.map(summary) };
};

function summary(effect: ReturnType<typeof transition>['effects'][number]): string {
  switch (effect.kind) {
    case 'reply':
      return `reply ${effect.status} ${effect.response}`;
    case 'system':
      return `system ${effect.status} ${effect.message}`;
    case 'ask':
      return `ask ${effect.question}`;
    case 'verify-token':
      return `verify ${effect.token}${effect.isRefresh ? ' refresh' : ''}`;
    case 'session-changed':
      return `session ${effect.session.token}${effect.isRefresh ? ' refresh' : ''}`;
    case 'track':
      return `track ${effect.payload}`;
    default:
      return effect.kind;
  }
}

type Row = readonly [
  name: string,
  state: ChannelState,
  input: ChannelInput,
  phase: string,
  effects: string[],
  where?: Surroundings,
];

const table: readonly Row[] = [
  [
    'a join that is let in',
    { phase: 'joining' },
    { kind: 'admitted', session, rights: publicRights, presenceEnabled: true },
    'joined',
    ['session one'],
  ],
  ['a join that is refused', { phase: 'joining' }, { kind: 'refused' }, 'closed', []],
  [
    'leaving while joining',
    { phase: 'joining' },
    { kind: 'leave', ref: '1' },
    'closed',
    ['reply ok {}', 'close'],
  ],
  ['another join of the topic', joined, { kind: 'replaced' }, 'closed', ['close']],
  ['leaving', joined, { kind: 'leave', ref: '1' }, 'closed', ['reply ok {}', 'close']],
  ['anything after the end', { phase: 'closed' }, broadcast, 'closed', []],
  ['a broadcast', joined, broadcast, 'joined', ['publish']],
  ['a broadcast with acknowledgement', joined, broadcast, 'joined', ['publish', 'reply ok {}'], acking],
  [
    'a broadcast that is too large',
    joined,
    { kind: 'broadcast', ref: '1', message: { kind: 'object', payload: 'x'.repeat(101) } },
    'joined',
    [],
  ],
  [
    'a broadcast that is too large, with acknowledgement',
    joined,
    { kind: 'broadcast', ref: '1', message: { kind: 'object', payload: 'x'.repeat(101) } },
    'joined',
    ['reply error "payload_size_exceeded"'],
    acking,
  ],
  [
    'the first broadcast of a private channel',
    { ...joined, rights: unknownRights },
    broadcast,
    'joined',
    ['ask broadcast-write'],
  ],
  ['a broadcast that a policy forbids', { ...joined, rights: readOnly }, broadcast, 'joined', [], acking],
  [
    'presence without an event',
    joined,
    { kind: 'presence', ref: '2', payload: {} },
    'joined',
    ['reply ok {}'],
  ],
  [
    'presence of an unknown event',
    joined,
    { kind: 'presence', ref: '2', payload: { event: 'x' } },
    'joined',
    ['reply error {}'],
  ],
  ['tracking', joined, track({ a: 1 }), 'joined', ['track {"a":1}', 'reply ok {}']],
  [
    'tracking the same, in another order',
    { ...joined, tracked: '{"a":1,"b":2}' },
    track({ b: 2, a: 1 }),
    'joined',
    ['reply ok {}'],
  ],
  [
    'tracking what is no object',
    joined,
    track('x'),
    'joined',
    ['reply error {"reason":"Presence track payload must be a map"}'],
  ],
  [
    'tracking too much',
    joined,
    track({ x: 'x'.repeat(101) }),
    'closed',
    ['system error Track message size exceeded', 'close'],
  ],
  [
    'tracking above the rate',
    joined,
    track({}),
    'closed',
    ['system error Too many presence messages per second', 'close'],
    { ...around, tooManyPresenceMessages: true },
  ],
  [
    'tracking in a private channel for the first time',
    { ...joined, rights: unknownRights },
    track({}),
    'joined',
    ['ask presence'],
  ],
  [
    'tracking that a policy forbids',
    { ...joined, rights: readOnly },
    track({}),
    'joined',
    ['reply error {}'],
  ],
  [
    'untracking',
    { ...joined, tracked: '{}' },
    { kind: 'presence', ref: '2', payload: { event: 'UnTrack' } },
    'joined',
    ['untrack', 'reply ok {}'],
  ],
  [
    'one call too many',
    { ...joined, calls: { count: 2, resetAt: 5_500 } },
    track({}),
    'closed',
    ['system error Client presence rate limit exceeded', 'close'],
  ],
  [
    'a call in the next window',
    { ...joined, calls: { count: 2, resetAt: 4_999 } },
    track({}),
    'joined',
    ['track {}', 'reply ok {}'],
  ],
  [
    'a call after the clock went back',
    { ...joined, calls: { count: 2, resetAt: 900_000 } },
    track({}),
    'joined',
    ['track {}', 'reply ok {}'],
  ],
  ['a new token', joined, { kind: 'access-token', token: 'two' }, 'joined', ['verify two refresh']],
  ['an empty token', joined, { kind: 'access-token', token: '' }, 'joined', ['verify  refresh']],
  ['the same token', joined, { kind: 'access-token', token: 'one' }, 'joined', []],
  ['no token', joined, { kind: 'access-token', token: null }, 'joined', []],
  ['a key of the new style for a token', joined, { kind: 'access-token', token: 'sb_x' }, 'joined', []],
  ['the time to look at the token again', joined, { kind: 'check-token' }, 'joined', ['verify one']],
  ['a token that still holds', joined, { kind: 'token-checked', session }, 'joined', ['session one']],
  [
    'a token that may read as before',
    joined,
    { kind: 'reauthorized', session: { ...session, token: 'two' }, rights: publicRights },
    'joined',
    ['rights-changed', 'session two refresh'],
  ],
  [
    'a token that may read nothing',
    joined,
    { kind: 'reauthorized', session, rights: unknownRights },
    'closed',
    ['system error You do not have permissions to read from this Channel topic: room', 'close'],
  ],
  [
    'a token that may read less',
    joined,
    { kind: 'reauthorized', session, rights: { ...readOnly, presence: { read: false, write: null } } },
    'closed',
    ['system error You no longer have permission to read from this Channel topic: room', 'close'],
  ],
  [
    'the end of the service',
    joined,
    { kind: 'shutdown', message: 'over' },
    'closed',
    ['system error over', 'close'],
  ],
];

describe('the channel machine', () => {
  it.each(table.map((row) => [row[0], row] as const))('%s', (_, [, state, input, phase, effects, where]) => {
    expect(run(state, input, where)).toEqual({ phase, effects });
  });
});
