import { createHash } from 'node:crypto';
import type { Bus, Unsubscribe } from '../../cluster/bus.ts';
import type { Frame, Push, Serializer } from '../socket/frame.ts';
import { type BusMessage, decodeBusMessage, encodeBusMessage } from './bus-message.ts';
import type { BroadcastMessage, Space } from './message.ts';
import { createPeers } from './peers.ts';
import { createPresenceTopic, type PresenceEntry, type PresenceTopic } from './presence.ts';

/** A channel as its topic sees it. */
export interface Member {
  readonly id: string;
  readonly serializer: Serializer;
  /** Whether a broadcast, by its stored id, may and should reach this channel. */
  wantsBroadcast(messageId: string | null): boolean;
  wantsPresence(): boolean;
  send(frame: Frame): void;
}

/** The topics of this instance, joined with those of others by the bus. */
export interface Hub {
  join(space: Space, subTopic: string, member: Member): void;
  /** Takes the member out of the topic, with what it tracked. */
  leave(space: Space, subTopic: string, member: Member): void;
  /** Delivers to the members of all instances, without `except`; yields the number of local deliveries. */
  publish(space: Space, subTopic: string, message: BroadcastMessage, except?: Member): number;
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
};

type Topic = {
  readonly name: string;
  readonly subject: string;
  readonly members: Set<Member>;
  readonly presence: PresenceTopic;
  readonly unsubscribe: Unsubscribe;
  /** Runs while a difference was sent just now; later changes wait for its end. */
  pause: NodeJS.Timeout | null;
};

/** Presence differences of one topic are at least this far apart, so that a crowd costs one message, not a square. */
const presencePauseMs = 50;

const subjectOf = (space: Space, subTopic: string): string =>
  `realtime.${space}.${createHash('sha1').update(subTopic).digest('base64url')}`;

/** Frames of one message, made once per protocol version. */
function framesOf(make: (serializer: Serializer) => Frame | null): (serializer: Serializer) => Frame | null {
  const made = new Map<number, Frame | null>();
  return (serializer) => {
    const known = made.get(serializer.version);
    if (known !== undefined) return known;
    const frame = make(serializer);
    made.set(serializer.version, frame);
    return frame;
  };
}

const pushOf = (topic: string, event: string, payload: string): Push => ({
  joinRef: null,
  ref: null,
  topic,
  event,
  payload,
});

/** The frame of a broadcast in one version. */
function broadcastFrame(serializer: Serializer, topic: string, message: BroadcastMessage): Frame | null {
  if (message.kind === 'object') return serializer.push(pushOf(topic, 'broadcast', message.payload));
  const metadata = message.id === null ? null : JSON.stringify({ id: message.id });
  return serializer.userBroadcast({ topic, metadata, ...message });
}

/** Creates the topics of one instance. */
export function createHub({ bus, self, now }: HubOptions): Hub {
  const topics = new Map<string, Topic>();
  const isOwn = ({ member }: PresenceEntry): boolean => member.startsWith(`${self}.`);
  const tell = (subject: string, message: BusMessage): void => {
    if (bus.isShared) bus.publish(subject, encodeBusMessage(message));
  };
  const receive = (topic: Topic, bytes: Buffer): void => {
    const message = decodeBusMessage(bytes);
    switch (message?.kind) {
      case 'object':
      case 'user':
        deliver(topic, message, undefined);
        return;
      case 'presence':
        for (const member of message.untracked) topic.presence.untrack(member);
        for (const entry of message.tracked) topic.presence.track(entry);
        announcePresence(topic);
        return;
      case 'presence-request': {
        const tracked = [...topic.presence.entries()].filter(isOwn);
        if (tracked.length > 0) tell(topic.subject, { kind: 'presence', tracked, untracked: [] });
        return;
      }
    }
  };
  const peers = createPeers({
    bus,
    self,
    now,
    onGone(peer) {
      for (const topic of topics.values()) {
        const lost = [...topic.presence.entries()].filter(({ member }) => member.startsWith(`${peer}.`));
        for (const { member } of lost) topic.presence.untrack(member);
        announcePresence(topic);
      }
    },
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
      unsubscribe: bus.subscribe(subject, (bytes) => receive(topic, bytes)),
      pause: null,
    };
    topics.set(key, topic);
    tell(subject, { kind: 'presence-request' });
    return topic;
  };
  /** Takes out what a channel tracked, here and, when it tracked something, elsewhere. */
  const untrack = (topic: Topic, member: Member): void => {
    if (topic.presence.untrack(member.id)) {
      tell(topic.subject, { kind: 'presence', tracked: [], untracked: [member.id] });
    }
    announcePresence(topic);
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
      return topic === undefined ? 0 : deliver(topic, message, except);
    },
    track(space, subTopic, entry) {
      const topic = open(space, subTopic);
      topic.presence.track(entry);
      tell(topic.subject, { kind: 'presence', tracked: [entry], untracked: [] });
      announcePresence(topic);
    },
    untrack(space, subTopic, member) {
      const topic = topics.get(keyOf(space, subTopic));
      if (topic !== undefined) untrack(topic, member);
    },
    presenceState(space, subTopic) {
      const topic = topics.get(keyOf(space, subTopic));
      if (topic === undefined) return '{}';
      sendDiff(topic);
      return topic.presence.state();
    },
    beat: () => peers.beat(),
    close() {
      peers.leave();
      for (const topic of topics.values()) {
        topic.unsubscribe();
        if (topic.pause !== null) clearTimeout(topic.pause);
      }
      topics.clear();
    },
  };
}

function deliver(topic: Topic, message: BroadcastMessage, except: Member | undefined): number {
  const frameFor = framesOf((serializer) => broadcastFrame(serializer, topic.name, message));
  const id = message.kind === 'user' ? message.id : null;
  let delivered = 0;
  for (const member of topic.members) {
    if (member === except || !member.wantsBroadcast(id)) continue;
    const frame = frameFor(member.serializer);
    if (frame === null) continue;
    member.send(frame);
    delivered++;
  }
  return delivered;
}

function announcePresence(topic: Topic): void {
  if (topic.pause !== null) return;
  if (!sendDiff(topic)) return;
  topic.pause = setTimeout(() => {
    topic.pause = null;
    announcePresence(topic);
  }, presencePauseMs);
}

function sendDiff(topic: Topic): boolean {
  const diff = topic.presence.takeDiff();
  if (diff === null) return false;
  const frameFor = framesOf((serializer) => serializer.push(pushOf(topic.name, 'presence_diff', diff)));
  for (const member of topic.members) {
    if (!member.wantsPresence()) continue;
    const frame = frameFor(member.serializer);
    if (frame !== null) member.send(frame);
  }
  return true;
}
