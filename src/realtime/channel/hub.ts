import { createHash } from 'node:crypto';
import type { Bus, Unsubscribe } from '../../cluster/bus.ts';
import type { Frame, Push, Serializer } from '../socket/frame.ts';
import { decodeBusMessage, encodeBusMessage } from './bus-message.ts';
import type { BroadcastMessage, Space } from './message.ts';
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
  close(): void;
}

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
export function createHub(bus: Bus): Hub {
  const topics = new Map<string, Topic>();
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
    return topic;
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
      topic.presence.untrack(member.id);
      announcePresence(topic);
      closeIfUnused(key, topic);
    },
    publish(space, subTopic, message, except) {
      bus.publish(subjectOf(space, subTopic), encodeBusMessage(message));
      const topic = topics.get(keyOf(space, subTopic));
      return topic === undefined ? 0 : deliver(topic, message, except);
    },
    track(space, subTopic, entry) {
      const topic = open(space, subTopic);
      topic.presence.track(entry);
      announcePresence(topic);
    },
    untrack(space, subTopic, member) {
      const topic = topics.get(keyOf(space, subTopic));
      if (topic === undefined) return;
      topic.presence.untrack(member.id);
      announcePresence(topic);
    },
    presenceState(space, subTopic) {
      const topic = topics.get(keyOf(space, subTopic));
      if (topic === undefined) return '{}';
      sendDiff(topic);
      return topic.presence.state();
    },
    close() {
      for (const topic of topics.values()) {
        topic.unsubscribe();
        if (topic.pause !== null) clearTimeout(topic.pause);
      }
      topics.clear();
    },
  };
}

function receive(topic: Topic, bytes: Buffer): void {
  const message = decodeBusMessage(bytes);
  if (message !== null) deliver(topic, message, undefined);
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
