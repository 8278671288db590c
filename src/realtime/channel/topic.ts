import type { Unsubscribe } from '../../cluster/bus.ts';
import type { Frame, Push, Serializer } from '../socket/frame.ts';
import type { BroadcastMessage } from './message.ts';
import type { PresenceTopic } from './presence.ts';

/** A channel as its topic sees it. */
export interface Member {
  readonly id: string;
  readonly serializer: Serializer;
  /** Whether a broadcast, by its stored id, may and should reach this channel. */
  wantsBroadcast(messageId: string | null): boolean;
  wantsPresence(): boolean;
  /** More is sent and delivered than the project may: the channel ends after what it was just sent. */
  overrun(): void;
  send(frame: Frame): void;
}

/** One topic of this instance. */
export type Topic = {
  readonly name: string;
  readonly subject: string;
  readonly members: Set<Member>;
  readonly presence: PresenceTopic;
  /** Members of other instances that have to be confirmed, since their instance was out of sight. */
  readonly suspects: Set<string>;
  unsubscribe: Unsubscribe;
  /** Runs while a difference was sent just now; later changes wait for its end. */
  pause: NodeJS.Timeout | null;
};

/** Presence differences of one topic are at least this far apart, so that a crowd costs one message, not a square. */
const presencePauseMs = 50;

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

/** Sends a broadcast to the members that want it, without `except`; yields their number. */
export function deliver(
  topic: Topic,
  message: BroadcastMessage,
  except: Member | undefined,
  isTooMuch: boolean,
): number {
  const frameFor = framesOf((serializer) => broadcastFrame(serializer, topic.name, message));
  const id = message.kind === 'user' ? message.id : null;
  let delivered = 0;
  for (const member of topic.members) {
    if (member === except || !member.wantsBroadcast(id)) continue;
    const frame = frameFor(member.serializer);
    if (frame === null) continue;
    member.send(frame);
    if (isTooMuch) member.overrun();
    delivered++;
  }
  return delivered;
}

/** Sends what changed in presence, now or at the end of the pause after the last difference. */
export function announcePresence(topic: Topic, onSent: (count: number) => void): void {
  if (topic.pause !== null) return;
  if (!sendDiff(topic, onSent)) return;
  topic.pause = setTimeout(() => {
    topic.pause = null;
    announcePresence(topic, onSent);
  }, presencePauseMs);
}

/** Sends what changed in presence; false when nothing did. */
export function sendDiff(topic: Topic, onSent: (count: number) => void): boolean {
  const diff = topic.presence.takeDiff();
  if (diff === null) return false;
  const frameFor = framesOf((serializer) => serializer.push(pushOf(topic.name, 'presence_diff', diff)));
  let sent = 0;
  for (const member of topic.members) {
    if (!member.wantsPresence()) continue;
    const frame = frameFor(member.serializer);
    if (frame === null) continue;
    member.send(frame);
    sent++;
  }
  onSent(sent);
  return true;
}
