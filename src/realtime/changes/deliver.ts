import { setTimeout as delay } from 'node:timers/promises';
import type { Frame } from '../socket/frame.ts';
import { changeFrame } from './encode.ts';
import type { ChangeKind } from './model.ts';
import type { ChangeReceiver } from './subscription-index.ts';
import type { Candidate, Telling } from './telling.ts';

/** Puts changes onto sockets. */
export interface Delivery {
  /**
   * Sends a change to the subscribers of these groups, one message per channel and form of the change; yields the
   * number of messages.
   */
  deliver(telling: Telling, candidates: readonly Candidate[]): number;
  /**
   * Gives clients that read, but not as fast as a large transaction is written, time to take what they were sent.
   * The wait is bounded: one that does not read at all delays the others a little, and is cut soon after.
   */
  untilTaken(): Promise<void>;
}

/** Limits and counters of deliveries. */
export type DeliveryOptions = {
  /** Whether deliveries are above their limit: then they are skipped. */
  readonly mustSkip: () => boolean;
  readonly onDelivered: (count: number) => void;
  /** Unsent bytes of a socket above which the next batch waits a little. */
  readonly highWaterBytes: number;
};

const pressureStepMs = 5;
const maxPressureSteps = 20;

/** Creates the delivery of one instance. */
export function createDelivery(options: DeliveryOptions): Delivery {
  const behind = new Set<ChangeReceiver>();
  const send = (receiver: ChangeReceiver, frame: Frame): void => {
    if (receiver.send(frame) > options.highWaterBytes) behind.add(receiver);
  };
  return {
    deliver(telling, candidates) {
      let count = 0;
      for (const [text, list] of byText(telling, candidates)) {
        if (options.mustSkip()) break;
        const sent = sendText(telling, text, list, send);
        options.onDelivered(sent);
        count += sent;
      }
      return count;
    },
    async untilTaken() {
      if (behind.size === 0) return;
      const waited = [...behind];
      behind.clear();
      const isHigh = (receiver: ChangeReceiver): boolean => receiver.bufferedBytes() > options.highWaterBytes;
      for (let step = 0; step < maxPressureSteps && waited.some(isHigh); step++) await delay(pressureStepMs);
    },
  };
}

function byText(telling: Telling, candidates: readonly Candidate[]): Map<string, Candidate[]> {
  const lists = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const text = telling.text(candidate.form);
    const list = lists.get(text);
    if (list === undefined) lists.set(text, [candidate]);
    else list.push(candidate);
  }
  return lists;
}

/** Sends one form of a change; yields the number of channels. */
function sendText(
  { change: { kind, commitLsn } }: Telling,
  text: string,
  candidates: readonly Candidate[],
  send: (receiver: ChangeReceiver, frame: Frame) => void,
): number {
  const frameFor = framesOf(kind, text);
  /** The ids of channels that may be reached by several of their items. */
  const merged = new Map<ChangeReceiver, number[]>();
  let count = 0;
  for (const { group } of candidates) {
    const isForAll = commitLsn >= group.fullLsn;
    for (const { receiver, id, sinceLsn, isOnly } of group.subscribers) {
      if (!isForAll && commitLsn < sinceLsn) continue;
      if (isOnly) {
        send(receiver, frameFor(receiver, id));
        count++;
        continue;
      }
      const ids = merged.get(receiver);
      if (ids === undefined) merged.set(receiver, [id]);
      else ids.push(id);
    }
  }
  for (const [receiver, ids] of merged) send(receiver, frameFor(receiver, ids));
  return count + merged.size;
}

/** Frames of one text: channels of one topic, protocol and list of ids share theirs. */
function framesOf(
  kind: ChangeKind,
  text: string,
): (receiver: ChangeReceiver, ids: number | readonly number[]) => Frame {
  const frames = new Map<string, Frame>();
  let last: { readonly receiver: ChangeReceiver; readonly ids: unknown; readonly frame: Frame } | null = null;
  return (receiver, ids) => {
    // Most often the one of the channel before.
    if (last !== null && last.ids === ids && isAlike(last.receiver, receiver)) return last.frame;
    const list = typeof ids === 'number' ? [ids] : ids;
    const key = `${receiver.serializer.version} ${receiver.isLegacy} ${list.join(',')} ${receiver.topic}`;
    const frame = frames.get(key) ?? changeFrame(receiver, kind, list, text);
    frames.set(key, frame);
    last = { receiver, ids, frame };
    return frame;
  };
}

const isAlike = (left: ChangeReceiver, right: ChangeReceiver): boolean =>
  left.topic === right.topic && left.serializer === right.serializer && left.isLegacy === right.isLegacy;
