import { createHash } from 'node:crypto';
import type { Bus } from '../../cluster/bus.ts';
import type { RateCounter } from '../limits.ts';
import { type BusMessage, decodeBusMessage, encodeBusMessage } from './bus-message.ts';
import type { BroadcastMessage, Space } from './message.ts';
import { createPeers } from './peers.ts';
import { createPresenceTopic, type PresenceEntry } from './presence.ts';
import { announcePresence, deliver, type Member, sendDiff, type Topic } from './topic.ts';

/** The topics of this instance, joined with those of others by the bus. */
export interface Hub {
  join(space: Space, subTopic: string, member: Member): void;
  /** Takes the member out of the topic, with what it tracked. */
  leave(space: Space, subTopic: string, member: Member): void;
  /** Delivers to the members of all instances, without `except`. */
  publish(space: Space, subTopic: string, message: BroadcastMessage, except?: Member): void;
  /** Delivers to the members of this instance alone: a message that every instance gets by itself. */
  deliver(space: Space, subTopic: string, message: BroadcastMessage): void;
  track(space: Space, subTopic: string, entry: PresenceEntry): void;
  untrack(space: Space, subTopic: string, member: Member): void;
  /** JSON text of `presence_state`; what changed before is sent to the members first. */
  presenceState(space: Space, subTopic: string): string;
  /** To be called every few seconds: tells the other instances that this one lives, and drops those that do not. */
  beat(): void;
  close(): void;
}

/** What the topics of an instance need. */
export type HubOptions = {
  readonly bus: Bus;
  /** Name of this instance; the ids of its members begin with it and a dot. */
  readonly self: string;
  readonly now: () => number;
  /** Counts broadcasts, sent and delivered ones. */
  readonly events: RateCounter;
  /** Counts messages of presence. */
  readonly presenceEvents: RateCounter;
};

/** Time that an instance has to confirm the members that it had before it was out of sight. */
const confirmMs = 3_000;

const subjectOf = (space: Space, subTopic: string): string =>
  `realtime.${space}.${createHash('sha1').update(subTopic).digest('base64url')}`;

/** Creates the topics of one instance. */
export function createHub({ bus, self, now, events, presenceEvents }: HubOptions): Hub {
  const topics = new Map<string, Topic>();
  const isOwn = ({ member }: PresenceEntry): boolean => member.startsWith(`${self}.`);
  const tell = (subject: string, message: BusMessage): void => {
    if (bus.isShared) bus.publish(subject, encodeBusMessage(message));
  };
  const send = (topic: Topic, message: BroadcastMessage, except?: Member): void =>
    events.add(deliver(topic, message, except, events.isExceeded()));
  const countPresence = (sent: number): void => presenceEvents.add(sent);
  const receive = (topic: Topic, bytes: Buffer): void => {
    const message = decodeBusMessage(bytes);
    switch (message?.kind) {
      case 'object':
      case 'user':
        send(topic, message);
        return;
      case 'presence':
        for (const member of message.untracked) topic.presence.untrack(member);
        for (const entry of message.tracked) {
          topic.suspects.delete(entry.member);
          peers.sawMember(entry.member);
          topic.presence.track(entry);
        }
        announcePresence(topic, countPresence);
        return;
      case 'presence-request': {
        const tracked = [...topic.presence.entries()].filter(isOwn);
        if (tracked.length > 0) tell(topic.subject, { kind: 'presence', tracked, untracked: [] });
        return;
      }
    }
  };
  const membersIn = (topic: Topic, isMeant: (entry: PresenceEntry) => boolean): string[] =>
    [...topic.presence.entries()].filter(isMeant).map(({ member }) => member);
  const drop = (topic: Topic, members: Iterable<string>): void => {
    for (const member of members) topic.presence.untrack(member);
    announcePresence(topic, countPresence);
  };
  let confirmation: NodeJS.Timeout | null = null;
  /** Asks who is there, and drops those that nobody confirms. */
  const doubt = (isSuspect: (entry: PresenceEntry) => boolean): void => {
    for (const topic of topics.values()) {
      for (const member of membersIn(topic, isSuspect)) topic.suspects.add(member);
      tell(topic.subject, { kind: 'presence-request' });
    }
    if (confirmation !== null) clearTimeout(confirmation);
    confirmation = setTimeout(() => {
      for (const topic of topics.values()) {
        drop(topic, topic.suspects);
        topic.suspects.clear();
      }
    }, confirmMs);
  };
  const isOf = (peer: string) => (entry: PresenceEntry) => entry.member.startsWith(`${peer}.`);
  const peers = createPeers({
    bus,
    self,
    now,
    onGone(peer) {
      for (const topic of topics.values()) drop(topic, membersIn(topic, isOf(peer)));
    },
    onBack: (peer) => doubt(isOf(peer)),
    onReturn: () => doubt((entry) => !isOwn(entry)),
  });
  const keyOf = (space: Space, subTopic: string): string => `${space}:${subTopic}`;

  const open = (space: Space, subTopic: string): Topic => {
    const key = keyOf(space, subTopic);
    const known = topics.get(key);
    if (known !== undefined) return known;
    const subject = subjectOf(space, subTopic);
    const topic: Topic = {
      name: `realtime:${subTopic}`,
      subject,
      members: new Set(),
      presence: createPresenceTopic(),
      suspects: new Set(),
      unsubscribe: () => {},
      pause: null,
    };
    topics.set(key, topic);
    // Not asked before the answers can be heard.
    const ask = (): void => tell(subject, { kind: 'presence-request' });
    topic.unsubscribe = bus.subscribe(subject, (bytes) => receive(topic, bytes), ask);
    return topic;
  };
  /** Takes out what a channel tracked, here and, when it tracked something, elsewhere. */
  const untrack = (topic: Topic, member: Member): void => {
    if (topic.presence.untrack(member.id)) {
      tell(topic.subject, { kind: 'presence', tracked: [], untracked: [member.id] });
    }
    announcePresence(topic, countPresence);
  };
  const closeIfUnused = (key: string, topic: Topic): void => {
    if (topic.members.size > 0) return;
    topic.unsubscribe();
    if (topic.pause !== null) clearTimeout(topic.pause);
    topics.delete(key);
  };

  return {
    join(space, subTopic, member) {
      open(space, subTopic).members.add(member);
    },
    leave(space, subTopic, member) {
      const key = keyOf(space, subTopic);
      const topic = topics.get(key);
      if (topic === undefined) return;
      topic.members.delete(member);
      untrack(topic, member);
      closeIfUnused(key, topic);
    },
    publish(space, subTopic, message, except) {
      const topic = topics.get(keyOf(space, subTopic));
      if (bus.isShared) tell(topic?.subject ?? subjectOf(space, subTopic), message);
      events.add();
      if (topic !== undefined) send(topic, message, except);
    },
    deliver(space, subTopic, message) {
      const topic = topics.get(keyOf(space, subTopic));
      events.add();
      if (topic !== undefined) send(topic, message);
    },
    track(space, subTopic, entry) {
      const topic = open(space, subTopic);
      topic.presence.track(entry);
      tell(topic.subject, { kind: 'presence', tracked: [entry], untracked: [] });
      announcePresence(topic, countPresence);
    },
    untrack(space, subTopic, member) {
      const topic = topics.get(keyOf(space, subTopic));
      if (topic !== undefined) untrack(topic, member);
    },
    presenceState(space, subTopic) {
      const topic = topics.get(keyOf(space, subTopic));
      if (topic === undefined) return '{}';
      sendDiff(topic, countPresence);
      return topic.presence.state();
    },
    beat: () => peers.beat(),
    close() {
      peers.leave();
      if (confirmation !== null) clearTimeout(confirmation);
      for (const topic of topics.values()) {
        topic.unsubscribe();
        if (topic.pause !== null) clearTimeout(topic.pause);
      }
      topics.clear();
    },
  };
}
