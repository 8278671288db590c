import type { Bus } from '../../cluster/bus.ts';
import { Consumer, type ConsumerOptions } from './consumer.ts';
import { nowhere, type Position } from './feed-state.ts';
import { createStreamDecoder, type StreamMessage, type WantsTable } from './pgoutput.ts';
import { decodeRelay, encodeRelay, type RelayMessage, relaySubjects } from './relay-message.ts';

/*
 *              welcome, start                       a message is missing
 *   strange ------------------> in step ----------------------------------> strange
 *
 * A strange follower says hello every second. The leader welcomes it or, when it has missed something that the slot
 * still has, begins the stream anew for everybody. What went out already is skipped, by its position.
 */

/** What following needs. */
export type FollowingOptions = Pick<ConsumerOptions, 'relations' | 'sink' | 'limits'> & {
  readonly bus: Bus;
  /** Name of this instance. */
  readonly self: string;
  readonly wants: WantsTable;
  readonly now: () => number;
  /** Where this instance stands; kept up to date. */
  readonly position: Position;
  readonly onLive: (publications: readonly string[]) => void;
  /** Changes were missed that nobody has any more. */
  readonly onGap: (restart: bigint | null) => void;
  readonly onFailure: (failure: unknown) => void;
};

/** Follows a leader. */
export interface Following {
  /** Resolves when the leader says that it is over, or when it was silent for long. */
  readonly ended: Promise<'over' | 'silent'>;
  /** Asks the leader to begin the stream anew, until it does. */
  restart(): void;
  /** `leaves`: the instance comes to its end, so that nothing is kept for it. */
  stop(leaves: boolean): Promise<void>;
}

const helloMs = 1_000;
/** A leader beats every second. */
const silenceMs = 4_000;
/** What may be dealt with before the leader is told. */
const ackBytes = 1024 ** 2;

/** Starts to follow. */
export function follow(options: FollowingOptions): Following {
  const { bus, self, now, position } = options;
  const isFresh = (): boolean => position.processed === 0n;
  let step: { readonly epoch: string; seq: number } | null = null;
  let consumer: Consumer | null = null;
  let decode = createStreamDecoder(options.wants);
  let hasBegun = false;
  let unacknowledged = 0;
  let heardAt = now();
  let mustRestart = false;
  let end: (why: 'over' | 'silent') => void = () => {};
  const ended = new Promise<'over' | 'silent'>((resolve) => {
    end = resolve;
  });
  /** Streams that others have followed: their leader does not lead any more, even if it does not know yet. */
  const former = new Set<string>();

  const say = (word: Parameters<typeof encodeRelay>[0]): void =>
    bus.publish(relaySubjects.toLeader, encodeRelay(word));
  const note = (): void => {
    if (consumer === null) return;
    if (consumer.processed > position.processed) position.processed = consumer.processed;
    position.delivered = consumer.delivered;
  };
  const hello = (): void => {
    note();
    say({ kind: 'hello', from: self, lsn: isFresh() ? null : position.processed });
  };
  const acknowledge = (): void => {
    note();
    unacknowledged = 0;
    if (step !== null) say({ kind: 'ack', from: self, ...step, lsn: position.processed });
  };
  const loseStep = (): void => {
    if (step === null) return;
    step = null;
    hello();
  };
  const begin = async (epoch: string, seq: number): Promise<void> => {
    await consumer?.settle();
    note();
    const { relations, sink, limits } = options;
    const onFailure = (failure: unknown): void => {
      loseStep();
      options.onFailure(failure);
    };
    relations.clear();
    consumer = new Consumer({ relations, sink, limits, onFailure, onProgress: () => {} }, position.delivered);
    decode = createStreamDecoder(options.wants);
    hasBegun = false;
    if (step !== null && step.epoch !== epoch) former.add(step.epoch);
    step = { epoch, seq };
    mustRestart = false;
  };
  const take = async (message: StreamMessage): Promise<void> => {
    if (message.kind === 'begin') hasBegun = true;
    // A follower that is welcomed in the midst of a transaction has nothing to do with that one.
    if (hasBegun || message.kind === 'relation') await consumer?.handle(message);
  };
  const takeAll = async (messages: readonly Buffer[]): Promise<void> => {
    for (const raw of messages) {
      await take(decode(raw));
      unacknowledged += raw.length;
    }
    if (unacknowledged >= ackBytes) acknowledge();
  };
  const hear = async (word: RelayMessage): Promise<void> => {
    if ('epoch' in word && former.has(word.epoch)) return;
    switch (word.kind) {
      case 'start': {
        const wasFresh = isFresh();
        await begin(word.epoch, 0);
        const hasGap = word.isNew || position.processed < word.confirmed;
        if (word.isNew) [position.processed, position.delivered] = [word.confirmed, nowhere];
        if (word.isNew) await begin(word.epoch, 0);
        options.onLive(word.publications);
        if (hasGap && !wasFresh) options.onGap(word.isNew ? word.confirmed : null);
        acknowledge();
        return;
      }
      case 'welcome':
        if (word.to !== self) return;
        await begin(word.epoch, word.seq);
        if (word.lsn > position.processed) position.processed = word.lsn;
        await takeAll(word.messages);
        options.onLive(word.publications);
        if (word.hasGap) options.onGap(null);
        return;
      case 'data':
        if (step?.epoch !== word.epoch || step.seq + 1 !== word.seq) return loseStep();
        step.seq = word.seq;
        await takeAll(word.messages);
        return;
      case 'beat':
        if (step?.epoch !== word.epoch || step.seq !== word.seq) return loseStep();
        await consumer?.settle();
        consumer?.idle(word.lsn);
        acknowledge();
        return;
      case 'over':
        end('over');
    }
  };
  let last: Promise<void> = Promise.resolve();
  const stopListening = bus.subscribe(
    relaySubjects.fromLeader,
    (bytes) => {
      const word = decodeRelay(bytes);
      if (word === null) return;
      heardAt = now();
      // One after the other; the leader does not send more than fits its window.
      last = last
        .then(() => hear(word))
        .catch((failure: unknown) => {
          loseStep();
          options.onFailure(failure);
        });
    },
    hello,
  );
  const tick = setInterval(() => {
    if (step === null) hello();
    if (mustRestart) say({ kind: 'restart', from: self });
    if (now() - heardAt > silenceMs) end('silent');
  }, helloMs);

  return {
    ended,
    restart() {
      mustRestart = true;
      say({ kind: 'restart', from: self });
    },
    async stop(leaves) {
      clearInterval(tick);
      stopListening();
      if (leaves) say({ kind: 'bye', from: self });
      await last;
      await consumer?.settle();
      note();
    },
  };
}
