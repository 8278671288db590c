import { assertNever } from '../../core/result.ts';
import { canonicalJson } from '../canonical-json.ts';
import { type Refusal, refusalText } from '../errors.ts';
import type { Session } from '../session.ts';
import type { Ref } from '../socket/frame.ts';
import { type BroadcastMessage, messageBytes } from './message.ts';
import { lostReading, mayJoin, type Rights } from './rights.ts';

/*
 *              admitted                      leave, shutdown, replaced
 *   joining ---------------> joined ------------------------------------> closed
 *      |                      ^  |
 *      | refused              +--+  broadcast, presence, access token, token check,
 *      v                            rights learned, reauthorized
 *   closed
 *
 * The machine decides, the channel acts. A right that is not known yet yields the effect `ask`: the channel asks the
 * database, feeds the rights back, and then feeds the same input again.
 */

/** What does not change while a channel lives. */
export type ChannelSetup = {
  readonly subTopic: string;
  readonly isPrivate: boolean;
  readonly ackBroadcast: boolean;
  /** Zero means no limit, for calls. */
  readonly presenceMaxCalls: number;
  readonly presenceWindowMs: number;
  readonly maxPayloadBytes: number;
};

/** Calls to presence in the current window. */
type Calls = { readonly count: number; readonly resetAt: number };

/** A channel that takes part in its topic. */
export type JoinedState = {
  readonly phase: 'joined';
  readonly session: Session;
  readonly rights: Rights;
  readonly presenceEnabled: boolean;
  /** Canonical text of the presence payload; null while nothing is tracked. */
  readonly tracked: string | null;
  readonly calls: Calls;
};

/** Where a channel stands. */
export type ChannelState = { readonly phase: 'joining' } | JoinedState | { readonly phase: 'closed' };

/** What happens to a channel. */
export type ChannelInput =
  | {
      readonly kind: 'admitted';
      readonly session: Session;
      readonly rights: Rights;
      readonly presenceEnabled: boolean;
    }
  | { readonly kind: 'refused' }
  | { readonly kind: 'broadcast'; readonly ref: Ref; readonly message: BroadcastMessage }
  | { readonly kind: 'presence'; readonly ref: Ref; readonly payload: unknown }
  | { readonly kind: 'leave'; readonly ref: Ref }
  | { readonly kind: 'replaced' }
  | { readonly kind: 'access-token'; readonly token: unknown }
  | { readonly kind: 'check-token' }
  | { readonly kind: 'token-checked'; readonly session: Session }
  | { readonly kind: 'reauthorized'; readonly session: Session; readonly rights: Rights }
  | { readonly kind: 'rights'; readonly rights: Rights }
  | { readonly kind: 'shutdown'; readonly message: string };

/** Rights that are asked for when they are first needed. */
export type Question = 'broadcast-write' | 'presence';

/** What the channel does about it. */
export type ChannelEffect =
  | { readonly kind: 'reply'; readonly ref: Ref; readonly status: 'ok' | 'error'; readonly response: string }
  | { readonly kind: 'system'; readonly status: 'ok' | 'error'; readonly message: string }
  | { readonly kind: 'publish'; readonly message: BroadcastMessage }
  | { readonly kind: 'track'; readonly payload: string }
  | { readonly kind: 'untrack' }
  | { readonly kind: 'ask'; readonly question: Question; readonly again: ChannelInput }
  | { readonly kind: 'verify-token'; readonly token: string; readonly isRefresh: boolean }
  | { readonly kind: 'session-changed'; readonly session: Session; readonly isRefresh: boolean }
  | { readonly kind: 'rights-changed' }
  /** Leaves the topic; the client is told by `phx_close`. */
  | { readonly kind: 'close' };

/** The next state and what to do. */
export type Transition = { readonly state: ChannelState; readonly effects: readonly ChannelEffect[] };

/** What a decision may look at beside state and input. */
export type Surroundings = {
  readonly setup: ChannelSetup;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly tooManyPresenceMessages: boolean;
};

const closed: ChannelState = { phase: 'closed' };
const closing: Transition = { state: closed, effects: [{ kind: 'close' }] };

const shutdown = (message: string): Transition => ({
  state: closed,
  effects: [{ kind: 'system', status: 'error', message }, { kind: 'close' }],
});

const stay = (state: ChannelState, ...effects: ChannelEffect[]): Transition => ({ state, effects });

/** Decides what an input means for a channel. Upstream: supabase/realtime lib/realtime_web/channels/realtime_channel.ex. */
export function transition(state: ChannelState, input: ChannelInput, around: Surroundings): Transition {
  if (state.phase === 'closed') return stay(state);
  if (state.phase === 'joining') return whileJoining(state, input);
  switch (input.kind) {
    case 'broadcast':
      return onBroadcast(state, input, around);
    case 'presence':
      return onPresence(state, input, around);
    case 'leave':
      return { state: closed, effects: [reply(input.ref, 'ok'), { kind: 'close' }] };
    case 'replaced':
      return closing;
    case 'access-token':
      return onAccessToken(state, input.token);
    case 'check-token':
      return stay(state, { kind: 'verify-token', token: state.session.token, isRefresh: false });
    case 'token-checked':
      return stay(
        { ...state, session: input.session },
        { kind: 'session-changed', session: input.session, isRefresh: false },
      );
    case 'reauthorized':
      return onReauthorized(state, input, around.setup);
    case 'rights':
      return stay({ ...state, rights: input.rights }, { kind: 'rights-changed' });
    case 'shutdown':
      return shutdown(input.message);
    case 'admitted':
    case 'refused':
      return stay(state);
    default:
      return assertNever(input);
  }
}

function whileJoining(state: ChannelState, input: ChannelInput): Transition {
  switch (input.kind) {
    case 'admitted':
      return stay(
        {
          phase: 'joined',
          session: input.session,
          rights: input.rights,
          presenceEnabled: input.presenceEnabled,
          tracked: null,
          calls: { count: 0, resetAt: 0 },
        },
        { kind: 'session-changed', session: input.session, isRefresh: false },
      );
    case 'refused':
      return stay(closed);
    case 'leave':
      return { state: closed, effects: [reply(input.ref, 'ok'), { kind: 'close' }] };
    case 'replaced':
    case 'shutdown':
      return closing;
    default:
      return stay(state);
  }
}

const reply = (ref: Ref, status: 'ok' | 'error', response = '{}'): ChannelEffect => ({
  kind: 'reply',
  ref,
  status,
  response,
});

type Broadcast = Extract<ChannelInput, { kind: 'broadcast' }>;
type Presence = Extract<ChannelInput, { kind: 'presence' }>;
type Reauthorized = Extract<ChannelInput, { kind: 'reauthorized' }>;

function onBroadcast(state: JoinedState, input: Broadcast, around: Surroundings): Transition {
  const { write } = state.rights.broadcast;
  if (write === null) return stay(state, { kind: 'ask', question: 'broadcast-write', again: input });
  // A denied sender is not told: its acknowledgement never comes.
  if (!write) return stay(state);
  const { ackBroadcast, maxPayloadBytes } = around.setup;
  if (messageBytes(input.message) > maxPayloadBytes) {
    return ackBroadcast ? stay(state, reply(input.ref, 'error', '"payload_size_exceeded"')) : stay(state);
  }
  const publish: ChannelEffect = { kind: 'publish', message: input.message };
  return ackBroadcast ? stay(state, publish, reply(input.ref, 'ok')) : stay(state, publish);
}

function onPresence(state: JoinedState, input: Presence, around: Surroundings): Transition {
  const { payload, ref } = input;
  const message = typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
  if (typeof message.event !== 'string') return stay(state, reply(ref, 'ok'));
  const event = message.event.toLowerCase();
  // Asked before the call is counted, since the answer brings the same call back.
  if (event === 'track' && state.rights.presence.write === null) {
    return stay(state, { kind: 'ask', question: 'presence', again: input });
  }
  const calls = countCall(state.calls, around);
  if (calls === null) return shutdown('Client presence rate limit exceeded');
  const counted: JoinedState = { ...state, calls };
  switch (event) {
    case 'track':
      return onTrack(counted, ref, 'payload' in message ? message.payload : {}, around);
    case 'untrack':
      return stay({ ...counted, tracked: null }, { kind: 'untrack' }, reply(ref, 'ok'));
    default:
      return stay(counted, reply(ref, 'error'));
  }
}

function countCall(calls: Calls, around: Surroundings): Calls | null {
  const { presenceMaxCalls, presenceWindowMs } = around.setup;
  if (presenceMaxCalls === 0) return calls;
  // A window further away than its length was set before the clock went back.
  const isOver = around.now > calls.resetAt || calls.resetAt - around.now > presenceWindowMs;
  if (isOver) return { count: 1, resetAt: around.now + presenceWindowMs };
  return calls.count >= presenceMaxCalls ? null : { ...calls, count: calls.count + 1 };
}

function onTrack(state: JoinedState, ref: Ref, payload: unknown, around: Surroundings): Transition {
  if (state.rights.presence.write !== true) return stay(state, reply(ref, 'error'));
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    return stay(state, reply(ref, 'error', '{"reason":"Presence track payload must be a map"}'));
  }
  const text = canonicalJson(payload);
  if (text === state.tracked) return stay(state, reply(ref, 'ok'));
  if (Buffer.byteLength(text) > around.setup.maxPayloadBytes) return shutdown('Track message size exceeded');
  if (around.tooManyPresenceMessages) return shutdown('Too many presence messages per second');
  return stay(
    { ...state, tracked: text, presenceEnabled: true },
    { kind: 'track', payload: JSON.stringify(payload) },
    reply(ref, 'ok'),
  );
}

function onAccessToken(state: JoinedState, token: unknown): Transition {
  if (typeof token !== 'string' || token === state.session.token || token.startsWith('sb_'))
    return stay(state);
  return stay(state, { kind: 'verify-token', token, isRefresh: true });
}

function onReauthorized(state: JoinedState, input: Reauthorized, setup: ChannelSetup): Transition {
  const { rights, session } = input;
  const { subTopic } = setup;
  const refusal: Refusal | null = !mayJoin(rights)
    ? { kind: 'unauthorized-read', subTopic }
    : lostReading(state.rights, rights)
      ? { kind: 'read-revoked', subTopic }
      : null;
  if (refusal !== null) return shutdown(refusalText(refusal));
  return stay(
    { ...state, session, rights },
    { kind: 'rights-changed' },
    { kind: 'session-changed', session, isRefresh: true },
  );
}
