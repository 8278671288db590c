import { pause } from '../../core/lifecycle.ts';
import { assertNever } from '../../core/result.ts';
import { legacyItem } from '../changes/item.ts';
import type { ChangeSubscriber, ChangeSubscription } from '../changes/subscriptions.ts';
import { joinReason, type Refusal } from '../errors.ts';
import type { Session } from '../session.ts';
import type { Frame, Inbound, Ref, Serializer } from '../socket/frame.ts';
import { askRights } from './ask-rights.ts';
import type { ChannelDeps, ChannelSocket } from './channel-deps.ts';
import { Inbox } from './inbox.ts';
import { type Admission, admit } from './join.ts';
import type { JoinConfig } from './join-config.ts';
import {
  type ChannelEffect,
  type ChannelInput,
  type ChannelSetup,
  type ChannelState,
  type Question,
  transition,
} from './machine.ts';
import type { BroadcastMessage, Space } from './message.ts';
import { createOwnPresence, type OwnPresence } from './own-presence.ts';
import { isReadyInTime } from './replication-ready.ts';
import { createTokenWatch, type TokenWatch } from './token-watch.ts';
import type { Member } from './topic.ts';
import { verifyToken } from './verify-token.ts';
import { createVoice, type Voice } from './voice.ts';

/** One joined topic of one socket: runs what the machine decides. */
export class Channel implements Member, ChangeSubscriber {
  readonly id: string;
  readonly topic: string;
  readonly serializer: Serializer;
  readonly isLegacy: boolean;
  readonly #socket: ChannelSocket;
  readonly #deps: ChannelDeps;
  readonly #voice: Voice;
  readonly #config: JoinConfig;
  readonly #subTopic: string;
  readonly #space: Space;
  readonly #setup: ChannelSetup;
  readonly #presence: OwnPresence;
  readonly #inbox: Inbox<ChannelInput>;
  readonly #tokenWatch: TokenWatch;
  readonly #ended = new AbortController();
  #state: ChannelState = { phase: 'joining' };
  #replayed: ReadonlySet<string> = new Set();
  #changes: ChangeSubscription | null = null;

  constructor(join: Inbound, config: JoinConfig, socket: ChannelSocket, deps: ChannelDeps) {
    this.id = deps.nextRef();
    this.topic = join.topic;
    this.serializer = socket.serializer;
    this.isLegacy = config.isLegacy;
    this.#socket = socket;
    this.#deps = deps;
    this.#config = config;
    this.#subTopic = join.topic.slice('realtime:'.length);
    this.#voice = createVoice({
      serializer: this.serializer,
      topic: this.topic,
      subTopic: this.#subTopic,
      // Protocol 1.0.0 does not demand a join_ref: the ref of the join is it then.
      joinRef: join.joinRef ?? join.ref,
      send: (frame) => socket.send(frame),
    });
    this.#inbox = new Inbox(
      (input) => this.#apply(input),
      (failure) => this.#crash(failure),
    );
    this.#tokenWatch = createTokenWatch(deps.clock, () => this.feed({ kind: 'check-token' }));
    this.#space = config.isPrivate ? 'private' : 'public';
    this.#presence = createOwnPresence({
      ...{ hub: deps.hub, space: this.#space, subTopic: this.#subTopic, member: this },
      key: config.presenceKey ?? deps.uuid(),
      events: deps.presenceEvents,
      nextRef: deps.nextRef,
    });
    this.#setup = {
      subTopic: this.#subTopic,
      isPrivate: config.isPrivate,
      ackBroadcast: config.ackBroadcast,
      ...deps.limits,
    };
  }

  /** Asks to be let in, and answers the join. Never rejects. */
  join(ref: Ref): Promise<void> {
    return this.#inbox.during(() => this.#knock(ref));
  }

  /** Hands the channel something to deal with, after what it deals with already. */
  feed(input: ChannelInput): void {
    // Who is still waiting at the door can be sent away at once.
    if (this.#state.phase === 'joining' && (input.kind === 'leave' || input.kind === 'replaced')) {
      void this.#apply(input);
      return;
    }
    this.#inbox.add(input);
  }

  /** Counts an event that no channel knows. */
  ignored(): void {
    this.#deps.events.add();
  }

  /** Leaves the topic without a word: the socket is gone. */
  abandon(): void {
    this.#state = { phase: 'closed' };
    this.#release();
  }

  wantsBroadcast(messageId: string | null): boolean {
    const state = this.#state;
    if (state.phase !== 'joined' || state.rights.broadcast.read !== true) return false;
    return messageId === null || !this.#replayed.has(messageId);
  }

  wantsPresence(): boolean {
    return this.#state.phase === 'joined' && this.#state.rights.presence.read === true;
  }

  overrun(): void {
    this.feed({ kind: 'shutdown', message: 'Too many messages per second' });
  }

  send(frame: Frame): number {
    return this.#socket.send(frame);
  }

  bufferedBytes(): number {
    return this.#socket.bufferedBytes();
  }

  changesStatus(status: 'ok' | 'error', message: string): void {
    if (this.#state.phase === 'joined') this.#voice.system('postgres_changes', status, message);
  }

  async #knock(ref: Ref): Promise<void> {
    try {
      const request = {
        subTopic: this.#subTopic,
        config: this.#config,
        connectionToken: this.#socket.token,
        headers: this.#socket.headers,
        hasTooManyChannels: this.#socket.hasTooManyChannels(),
      };
      const admission = await admit(request, this.#deps);
      if (this.#ended.signal.aborted) return;
      if (admission.ok) this.#enter(ref, admission.value);
      else await this.#refuse(ref, admission.error);
    } catch (error) {
      this.#deps.reportFault(error);
      this.#voice.reply(ref, 'error', '{"reason":"Unknown Error on Channel"}');
      this.#end();
    }
  }

  #enter(ref: Ref, { session, rights, replay }: Admission): void {
    const { presenceEnabled } = this.#config;
    this.#replayed = new Set(replay.map(({ id }) => id));
    void this.#apply({ kind: 'admitted', session, rights, presenceEnabled });
    this.#deps.hub.join(this.#space, this.#subTopic, this);
    const { isLegacy, postgresChanges } = this.#config;
    const items = this.#deps.changes.identify(isLegacy ? [legacyItem(this.#subTopic)] : postgresChanges);
    const echo = items.map(({ raw, id }) => ({ ...raw, id }));
    this.#voice.reply(ref, 'ok', JSON.stringify({ postgres_changes: echo }));
    for (const message of replay) this.#voice.replay(message);
    if (presenceEnabled && rights.presence.read === true) this.#sendPresenceState();
    if (items.length > 0) this.#changes = this.#deps.changes.subscribe(this, items, session);
    if (this.#config.wantsReplicationReady) void this.#announceReplication();
  }

  async #refuse(ref: Ref, refusal: Refusal): Promise<void> {
    await pause(this.#deps.joinErrorDelayMs, this.#ended.signal);
    if (this.#ended.signal.aborted) return;
    void this.#apply({ kind: 'refused' });
    this.#voice.reply(ref, 'error', JSON.stringify({ reason: joinReason(refusal) }));
    this.#end();
    if (refusal === 'too-many-joins') this.#socket.disconnect();
  }

  #crash(failure: unknown): void {
    this.#deps.reportFault(failure);
    this.#voice.crashed();
    this.#end();
  }

  /** Runs one transition. Yields what has to be fed next, when an effect had an outcome. */
  #apply(input: ChannelInput): Promise<ChannelInput | undefined> | undefined {
    const { state, effects } = transition(this.#state, input, {
      setup: this.#setup,
      now: this.#deps.clock.now(),
      tooManyPresenceMessages: this.#deps.presenceEvents.isExceeded(),
    });
    this.#state = state;
    let outcome: Promise<ChannelInput | undefined> | undefined;
    for (const effect of effects) outcome = this.#run(effect) ?? outcome;
    return outcome;
  }

  #run(effect: ChannelEffect): Promise<ChannelInput | undefined> | undefined {
    switch (effect.kind) {
      case 'reply':
        this.#voice.reply(effect.ref, effect.status, effect.response);
        return;
      case 'system':
        this.#voice.system('system', effect.status, effect.message);
        return;
      case 'publish':
        this.#publish(effect.message);
        return;
      case 'track':
        this.#presence.track(effect.payload);
        return;
      case 'untrack':
        this.#presence.untrack();
        return;
      case 'ask':
        return this.#ask(effect.question, effect.again);
      case 'verify-token':
        return this.#verify(effect);
      case 'session-changed':
        this.#onSession(effect.session, effect.isRefresh);
        return;
      case 'rights-changed':
        return;
      case 'close':
        this.#voice.closed();
        this.#end();
        return;
      default:
        assertNever(effect);
    }
  }

  #publish(message: BroadcastMessage): void {
    const except = this.#config.selfBroadcast ? undefined : this;
    this.#deps.hub.publish(this.#space, this.#subTopic, message, except);
  }

  async #ask(question: Question, again: ChannelInput): Promise<ChannelInput | undefined> {
    const state = this.#state;
    if (state.phase !== 'joined') return;
    const rights = await askRights(question, state, this.#deps.authorizer, {
      subTopic: this.#subTopic,
      headers: this.#socket.headers,
    });
    if (rights === null) {
      // Nobody could say. The sender of a broadcast hears nothing, that of presence an error; both may try again.
      if (again.kind === 'presence') this.#voice.reply(again.ref, 'error', '{}');
      return;
    }
    void this.#apply({ kind: 'rights', rights });
    return again;
  }

  async #verify(effect: Extract<ChannelEffect, { kind: 'verify-token' }>): Promise<ChannelInput | undefined> {
    const channel = { subTopic: this.#subTopic, headers: this.#socket.headers, config: this.#config };
    const usesPresence = (): boolean => this.#state.phase === 'joined' && this.#state.presenceEnabled;
    const outcome = await verifyToken(effect, channel, usesPresence, this.#deps);
    return this.#state.phase === 'joined' ? outcome : undefined;
  }

  #onSession(session: Session, isRefresh: boolean): void {
    this.#tokenWatch.watch(session);
    if (isRefresh) this.#changes?.refresh(session);
  }

  async #announceReplication(): Promise<void> {
    const isReady = await isReadyInTime(this.#deps.replicationReady, this.#ended.signal);
    if (!isReady)
      this.feed({ kind: 'shutdown', message: 'Replication connection was not established in time' });
    else if (this.#state.phase === 'joined')
      this.#voice.system('system', 'ok', 'Replication connection established');
  }

  #sendPresenceState(): void {
    const state = this.#presence.state();
    if (state === null) this.feed({ kind: 'shutdown', message: 'Too many presence messages per second' });
    else this.#voice.push('presence_state', state);
  }

  #end(): void {
    this.#state = { phase: 'closed' };
    this.#release();
    this.#socket.channelClosed(this);
  }

  #release(): void {
    this.#ended.abort();
    this.#tokenWatch.stop();
    this.#changes?.close();
    this.#changes = null;
    this.#deps.hub.leave(this.#space, this.#subTopic, this);
    this.#inbox.clear();
  }
}
