import type { Change, RelationInfo } from '../changes/model.ts';
import type { StreamMessage, StreamRelation } from './pgoutput.ts';
import type { Relations } from './relations.ts';
import { fillUnchanged, identityOf, namedValues } from './rows.ts';

/**
 * Takes committed changes, in order; yields how many of them, from the first on, went out. Rejects only when none did.
 */
export type ChangeSink = (changes: readonly Change[]) => Promise<number>;

/** Bounds of what is held in memory and handed on at once. */
export type BatchLimits = { readonly maxRows: number; readonly maxBytes: number };

/** What a consumer works with. */
export type ConsumerOptions = {
  readonly relations: Relations;
  readonly sink: ChangeSink;
  readonly limits: BatchLimits;
  /** Called after each batch, when `processed` has moved. */
  readonly onProgress: (changes: number) => void;
  /** Called once when the sink rejects; the consumer takes nothing more. */
  readonly onFailure: (failure: unknown) => void;
};

/** Position of a change in the stream: its transaction's commit, and its place in the transaction. */
export type Mark = { readonly lsn: bigint; readonly index: number };

type Transaction = { readonly lsn: bigint; readonly committedAt: bigint; readonly xid: number; rows: number };

/**
 * Turns the stream's messages into changes and hands them to the sink in batches: at once when the sink is idle,
 * together with what gathered meanwhile when it is busy. The stream waits when a batch is full.
 */
export class Consumer {
  readonly #options: ConsumerOptions;
  readonly #streamed = new Map<number, StreamRelation>();
  #queue: Change[] = [];
  #queuedBytes = 0;
  /** End of the last transaction whose changes are all in the queue or further. */
  #committed = 0n;
  #processed = 0n;
  #transaction: Transaction | null = null;
  #working: Promise<void> = Promise.resolve();
  #isWorking = false;
  #failure: unknown = null;
  /** Last change that went out; what a new stream sends again up to it is skipped. */
  #delivered: Mark;

  constructor(options: ConsumerOptions, delivered: Mark) {
    this.#options = options;
    this.#delivered = delivered;
  }

  /** Highest position up to which everything was dealt with. */
  get processed(): bigint {
    return this.#processed;
  }

  get delivered(): Mark {
    return this.#delivered;
  }

  /** The server has nothing more up to this position. */
  idle(lsn: bigint): void {
    if (this.#transaction === null && !this.#isWorking && lsn > this.#processed) this.#processed = lsn;
  }

  async handle(message: StreamMessage): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    switch (message.kind) {
      case 'begin':
        this.#transaction = { ...message, lsn: message.finalLsn, rows: 0 };
        return;
      case 'commit':
        this.#transaction = null;
        this.#committed = message.endLsn;
        this.#work();
        return;
      case 'relation':
        this.#streamed.set(message.relation.oid, message.relation);
        this.#options.relations.invalidate(message.relation.oid, this.#transaction?.xid ?? null);
        return;
      case 'insert':
      case 'update':
      case 'delete':
        return this.#row(message);
      case 'other':
        return;
    }
  }

  /** Resolves when the sink has taken everything; for an orderly stop. */
  async settle(): Promise<void> {
    await this.#working;
  }

  async #row(message: Extract<StreamMessage, { oid: number }>): Promise<void> {
    const transaction = this.#transaction;
    const streamed = this.#streamed.get(message.oid);
    if (transaction === null || streamed === undefined)
      throw new RangeError('a row outside of a transaction');
    const index = transaction.rows++;
    const { lsn, index: done } = this.#delivered;
    if (transaction.lsn < lsn || (transaction.lsn === lsn && index <= done)) return;
    const relation = await this.#options.relations.get(message.oid);
    if (relation === null) return;
    this.#queue.push(toChange(message, relation, streamed, transaction, index));
    this.#queuedBytes += message.bytes;
    const { maxRows, maxBytes } = this.#options.limits;
    while (this.#queue.length >= maxRows || this.#queuedBytes >= maxBytes) {
      this.#work();
      await this.#working;
      if (this.#failure !== null) throw this.#failure;
    }
  }

  #work(): void {
    if (this.#isWorking) return;
    this.#isWorking = true;
    this.#working = this.#drain();
  }

  async #drain(): Promise<void> {
    try {
      while (this.#queue.length > 0 || this.#committed > this.#processed) await this.#next();
    } catch (failure) {
      this.#failure = failure;
      this.#options.onFailure(failure);
    } finally {
      this.#isWorking = false;
    }
  }

  async #next(): Promise<void> {
    const batch = this.#queue;
    const committed = this.#committed;
    this.#queue = [];
    this.#queuedBytes = 0;
    const taken = batch.length > 0 ? await this.#options.sink(batch) : 0;
    const last = batch[taken - 1];
    if (last !== undefined) this.#delivered = { lsn: last.commitLsn, index: last.index };
    if (taken < batch.length) this.#putBack(batch.slice(taken));
    else if (committed > this.#processed) this.#processed = committed;
    this.#options.onProgress(taken);
  }

  #putBack(changes: readonly Change[]): void {
    this.#queue = [...changes, ...this.#queue];
    for (const { bytes } of changes) this.#queuedBytes += bytes;
  }
}

function toChange(
  message: Extract<StreamMessage, { oid: number }>,
  relation: RelationInfo,
  streamed: StreamRelation,
  transaction: Transaction,
  index: number,
): Change {
  const common = {
    relation,
    index,
    commitLsn: transaction.lsn,
    committedAt: transaction.committedAt,
    xid: transaction.xid,
    bytes: message.bytes,
  };
  switch (message.kind) {
    case 'insert':
      return { ...common, kind: 'INSERT', row: namedValues(streamed, message.row), old: null };
    case 'update': {
      const old = message.old === null ? null : namedValues(streamed, message.old);
      const row = fillUnchanged(namedValues(streamed, message.row), old);
      return { ...common, kind: 'UPDATE', row, old: identityOf(streamed, row, old) };
    }
    case 'delete': {
      const old = namedValues(streamed, message.old);
      return { ...common, kind: 'DELETE', row: null, old: identityOf(streamed, old, old) };
    }
  }
}
