import { setTimeout as delay } from 'node:timers/promises';
import type { Frame } from '../socket/frame.ts';
import type { Candidate } from './candidates.ts';
import { changeFrame } from './encode.ts';
import type { Change, ChangeKind } from './model.ts';
import type { ChangeReceiver } from './subscription-index.ts';

/** Puts changes onto sockets. */
export interface Delivery {
  /** Sends a change to the subscribers of these groups: one message per channel and form of the change. */
  deliver(change: Change, candidates: Iterable<Candidate>): void;
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
  const told = new Set<ChangeReceiver>();
  const sendAll = (
    kind: ChangeKind,
    data: string,
    receivers: ReadonlyMap<ChangeReceiver, readonly number[]>,
  ): void => {
    if (options.mustSkip()) return;
    const frames = new Map<string, Frame>();
    for (const [receiver, ids] of receivers) {
      const key = `${receiver.serializer.version} ${receiver.isLegacy} ${ids.join(',')} ${receiver.topic}`;
      const frame = frames.get(key) ?? changeFrame(receiver, kind, ids, data);
      frames.set(key, frame);
      receiver.send(frame);
      told.add(receiver);
    }
    options.onDelivered(receivers.size);
  };
  return {
    deliver(change, candidates) {
      for (const [data, receivers] of receiversByData(change, candidates))
        sendAll(change.kind, data, receivers);
    },
    async untilTaken() {
      const waited = [...told];
      told.clear();
      const isHigh = (receiver: ChangeReceiver): boolean => receiver.bufferedBytes() > options.highWaterBytes;
      for (let step = 0; step < maxPressureSteps && waited.some(isHigh); step++) await delay(pressureStepMs);
    },
  };
}

function receiversByData(
  { commitLsn }: Change,
  candidates: Iterable<Candidate>,
): Map<string, Map<ChangeReceiver, number[]>> {
  const byData = new Map<string, Map<ChangeReceiver, number[]>>();
  for (const { group, data } of candidates) {
    const text = data();
    const receivers = byData.get(text) ?? new Map<ChangeReceiver, number[]>();
    byData.set(text, receivers);
    for (const { receiver, id, sinceLsn } of group.subscribers) {
      if (commitLsn < sinceLsn) continue;
      const ids = receivers.get(receiver);
      if (ids === undefined) receivers.set(receiver, [id]);
      else ids.push(id);
    }
  }
  return byData;
}
