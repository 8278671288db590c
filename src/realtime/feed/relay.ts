import type { Bus } from '../../cluster/bus.ts';
import {
  decodeRelay,
  encodeRelay,
  type FollowerWord,
  type LeaderWord,
  relaySubjects,
} from './relay-message.ts';

/** What the followers have to know of a stream. */
type RelayedStream = {
  /** Whether the slot was made anew. */
  readonly isNew: boolean;
  /** Where it begins. */
  readonly confirmed: bigint;
  readonly publications: readonly string[];
};

/** Hands the stream of the leader on to the other instances, and remembers how far they have come. */
export interface Relay {
  /** A stream begins; followers skip what they have dealt with. */
  start(stream: RelayedStream): void;
  /** Takes a message of the stream; those of a transaction travel together. */
  add(raw: Buffer): void;
  /** Resolves when the followers have room for more; those that do not answer are not waited for. */
  room(): Promise<void>;
  /** Up to where everybody has dealt with the stream, when this instance has up to `own`. */
  floor(own: bigint): bigint;
  /** Tells the followers that somebody else may lead. */
  close(): void;
}

/** What a relay needs. */
export type RelayOptions = {
  readonly bus: Bus;
  readonly newEpoch: () => string;
  readonly now: () => number;
  /** Whether the former leader was deposed: its process may go on, and has missed what came since. */
  readonly awaitsFormer: boolean;
  /** Position up to which this instance has dealt with the stream. */
  readonly processed: () => bigint;
  /** A follower has missed something that the slot still has. */
  readonly onReplay: () => void;
};

type Follower = { lsn: bigint; seq: number; heardAt: number };

const beatMs = 1_000;
/** A follower that was not heard of for this long is not waited for. */
const patienceMs = 3_000;
/** A follower that was not heard of for this long is given up; what it has missed is gone for it. */
const forgetMs = 60_000;
/** Bytes that may be on their way to a follower. */
const windowBytes = 8 * 1024 ** 2;
const frameBytes = 64 * 1024;
/** In this time after a stream began, followers of a former leader make themselves known. */
const settleMs = 2_000;

/** Stands among the followers for a leader that was deposed, until it is one of them or is given up. */
const formerLeader = '';

const tags = { relation: 0x52, begin: 0x42, commit: 0x43 } as const;
/** Place of the end position in a commit: after tag, flags and the position of the commit. */
const endLsnAt = 1 + 1 + 8;

/** Starts to listen to followers. */
export function createRelay(options: RelayOptions): Relay {
  const { bus, now } = options;
  const followers = new Map<string, Follower>();
  const relations = new Map<number, Buffer>();
  const window = createWindow();
  let epoch = options.newEpoch();
  let publications: readonly string[] = [];
  let startedAt = Number.NEGATIVE_INFINITY;
  let seq = 0;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let acknowledged = 0n;
  /** End of the last transaction of the stream, and whether another one has begun. */
  let sentLsn = 0n;
  let isWithin = false;
  /** Whether something of this stream was not sent, since nobody was there. */
  let hasSkipped = false;
  let awaitsUntil = options.awaitsFormer ? now() + forgetMs : Number.NEGATIVE_INFINITY;
  const isSettling = (): boolean => now() - startedAt < settleMs;
  const newest = (): bigint => (options.processed() > sentLsn ? options.processed() : sentLsn);

  const say = (word: LeaderWord, messages?: readonly Buffer[]): void =>
    bus.publish(relaySubjects.fromLeader, encodeRelay(word, messages));
  const flush = (): void => {
    if (pending.length === 0) return;
    seq++;
    window.sent(seq, pendingBytes);
    say({ kind: 'data', epoch, seq }, pending);
    pending = [];
    pendingBytes = 0;
  };
  const greet = (from: string, lsn: bigint | null): void => {
    if (lsn !== null && !followers.has(from)) {
      awaitsUntil = Number.NEGATIVE_INFINITY;
      followers.delete(formerLeader);
    }
    const canReplay = lsn !== null && lsn >= acknowledged && (isWithin || lsn < sentLsn);
    if (canReplay) {
      followers.set(from, { lsn, seq, heardAt: now() });
      if (!isSettling()) options.onReplay();
      return;
    }
    flush();
    followers.set(from, { lsn: newest(), seq, heardAt: now() });
    const hasGap = lsn !== null && lsn < acknowledged;
    const word = { kind: 'welcome', to: from, epoch, seq, lsn: newest(), hasGap } as const;
    say({ ...word, publications: [...publications] }, [...relations.values()]);
  };
  /** A follower of the former leader, which has followed this one from the start. */
  const meet = ({ from, lsn, seq: acked }: Extract<FollowerWord, { kind: 'ack' }>): void => {
    if (hasSkipped) greet(from, lsn);
    else followers.set(from, { lsn, seq: acked, heardAt: now() });
  };
  const onWord = (word: FollowerWord): void => {
    const follower = followers.get(word.from);
    if (follower !== undefined) follower.heardAt = now();
    switch (word.kind) {
      case 'hello':
        greet(word.from, word.lsn);
        return;
      case 'ack':
        if (word.epoch !== epoch) return;
        if (follower === undefined) {
          meet(word);
          return;
        }
        if (word.lsn > follower.lsn) follower.lsn = word.lsn;
        follower.seq = word.seq;
        window.wake();
        return;
      case 'restart':
        if (!isSettling()) options.onReplay();
        return;
      case 'bye':
        followers.delete(word.from);
        window.wake();
        return;
    }
  };
  const stopListening = bus.subscribe(relaySubjects.toLeader, (bytes) => {
    const message = decodeRelay(bytes);
    if (message !== null && 'from' in message) onWord(message);
  });
  // While this instance was cut off, nobody could be heard.
  const stopHealing = bus.onHealed(() => {
    for (const follower of followers.values()) follower.heardAt = now();
  });
  const beat = setInterval(() => {
    for (const [name, { heardAt }] of followers) if (now() - heardAt > forgetMs) followers.delete(name);
    // A beat stands for all that was sent: not in the midst of a transaction.
    if (pending.length === 0) say({ kind: 'beat', epoch, seq, lsn: options.processed() });
  }, beatMs);

  return {
    start(stream) {
      epoch = options.newEpoch();
      publications = stream.publications;
      startedAt = now();
      [seq, pending, pendingBytes] = [0, [], 0];
      relations.clear();
      window.clear();
      acknowledged = stream.confirmed;
      [sentLsn, isWithin, hasSkipped] = [stream.confirmed, false, false];
      for (const follower of followers.values()) {
        follower.seq = 0;
        if (stream.isNew) follower.lsn = 0n;
      }
      if (now() < awaitsUntil && !stream.isNew) {
        const heardAt = awaitsUntil - forgetMs;
        followers.set(formerLeader, { lsn: stream.confirmed, seq: Number.POSITIVE_INFINITY, heardAt });
      }
      say({ kind: 'start', epoch, ...stream, publications: [...publications] });
    },
    add(raw) {
      if (raw[0] === tags.relation) relations.set(raw.readUInt32BE(1), raw);
      if (raw[0] === tags.commit) sentLsn = raw.readBigUInt64BE(endLsnAt);
      if (raw[0] === tags.begin || raw[0] === tags.commit) isWithin = raw[0] === tags.begin;
      if (followers.size === 0 && !isSettling()) {
        hasSkipped = true;
        return;
      }
      pending.push(raw);
      pendingBytes += raw.length;
      if (raw[0] === tags.commit || pendingBytes >= frameBytes) flush();
    },
    async room() {
      const isBehind = ({ seq: acked, heardAt }: Follower): boolean =>
        now() - heardAt < patienceMs && window.bytesAfter(acked) > windowBytes;
      while ([...followers.values()].some(isBehind)) await window.moved();
      window.forget(Math.min(...[...followers.values()].map((each) => each.seq)));
    },
    floor(own) {
      if (isSettling()) return acknowledged;
      let lowest = own;
      for (const { lsn } of followers.values()) if (lsn < lowest) lowest = lsn;
      if (lowest > acknowledged) acknowledged = lowest;
      return lowest;
    },
    close() {
      clearInterval(beat);
      stopListening();
      stopHealing();
      window.wake();
      say({ kind: 'over', epoch });
    },
  };
}

/** Bytes that were sent and that not everybody has acknowledged. */
function createWindow() {
  let sizes: { readonly seq: number; readonly bytes: number }[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const resume of waiting) resume();
    waiting.clear();
  };
  return {
    sent: (seq: number, bytes: number): void => void sizes.push({ seq, bytes }),
    bytesAfter: (acked: number): number =>
      sizes.reduce((sum, { seq, bytes }) => (seq > acked ? sum + bytes : sum), 0),
    /** Forgets what everybody has; with nobody there, everything. */
    forget(acked: number): void {
      if (sizes.length > 0 && (sizes[0]?.seq ?? 0) <= acked) sizes = sizes.filter(({ seq }) => seq > acked);
    },
    clear(): void {
      sizes = [];
      wake();
    },
    wake,
    /** Resolves at the next acknowledgement, or after a while. */
    moved: (): Promise<void> =>
      new Promise((resolve) => {
        const timer = setTimeout(done, 250);
        function done(): void {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        }
        waiting.add(done);
      }),
  };
}
