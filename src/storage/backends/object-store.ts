import type { Readable } from 'node:stream';

/*
 * Where blobs live. A blob is immutable and known by its version alone, never by an object's name: names are rows,
 * moves touch no bytes that somebody reads, and nothing that a client sends becomes a path.
 */

/** What became durable. */
export type StoredBlob = {
  readonly size: number;
  /** MD5 of the content, hex. */
  readonly md5: string;
  readonly modifiedAt: Date;
};

/** A part of a blob: first and last byte, both included. */
export type ByteRange = { readonly start: number; readonly end: number };

/** Limits of a write. */
export type PutOptions = {
  /** More bytes than these end the write with `BlobTooLarge`. */
  readonly maxBytes: number;
};

/** The bytes of a blob or of a range of it; small ones come whole. */
export type BlobContent = {
  readonly body: Buffer | Readable;
  /** Bytes of the whole blob. */
  readonly size: number;
};

/** A blob that is there. */
export type BlobFacts = { readonly version: string; readonly size: number; readonly modifiedAt: Date };

/** A store of blobs. A write that was acknowledged survives a crash of the machine. */
export interface ObjectStore {
  readonly kind: 'fs' | 's3';
  /**
   * Stores a whole blob. Rejects with `BlobTooLarge` or with the body's own error; nothing is left behind then. The body is never destroyed: its socket has to carry the answer.
   */
  put(version: string, body: Readable, options: PutOptions): Promise<StoredBlob>;
  /** Opens a blob or a range of it, which must lie within; null when there is no such blob. */
  get(version: string, range?: ByteRange): Promise<BlobContent | null>;
  head(version: string): Promise<BlobFacts | null>;
  /** Gives a blob a second version; false when there is no such blob. */
  copy(from: string, to: string): Promise<boolean>;
  /** Removes blobs; missing ones count as removed. Yields the versions that could not be. */
  remove(versions: readonly string[]): Promise<readonly string[]>;
  /** Every blob, in the order of the versions' bytes; a copy's time is not before it was made. */
  list(): AsyncIterable<BlobFacts>;
  /** Uploads that arrive in numbered parts, in any order. */
  readonly parts: PartStore;
  /** Uploads that grow at their end. */
  readonly growing: GrowingStore;
  /** Writes that have neither ended nor been taken back: they are under way, or a crash has left them. */
  readonly unfinished: UnfinishedStore;
  close(): Promise<void>;
}

/** An upload or a write, with the time of its last change. */
export type Dated = { readonly id: string; readonly modifiedAt: Date };

/** Bytes that are no blob yet. */
export interface UnfinishedStore {
  list(): AsyncIterable<Dated>;
  /** Removes one; a missing one counts as removed. */
  discard(id: string): Promise<void>;
}

/** Parts of blobs to be, by upload and part; a part is immutable, one that replaces it has an id of its own. */
export interface PartStore extends UnfinishedStore {
  /** Stores a part durably. Rejects as `ObjectStore.put` does. */
  put(upload: string, part: string, body: Readable, options: PutOptions): Promise<StoredBlob>;
  /**
   * Makes a blob of the parts in the given order and yields its size; the parts stay until `discard`, so that it may
   * be repeated.
   */
  complete(upload: string, parts: readonly string[], version: string): Promise<number>;
}

/** Blobs to be that grow piece by piece, by upload id. */
export interface GrowingStore extends UnfinishedStore {
  /**
   * Writes a body behind the first `offset` bytes, durably; what was there behind them is dropped. A body that passes
   * the limit rejects with `BlobTooLarge` and adds nothing. Rejects when the store has fewer bytes than `offset`.
   */
  append(upload: string, offset: number, body: Readable, options: PutOptions): Promise<StoredBlob>;
  /**
   * Makes the upload a blob; repeating it after a crash, wherever that came, is harmless. False when neither is there;
   * rejects when what is there is not of the size.
   */
  finish(upload: string, version: string, size: number): Promise<boolean>;
}

/** A body that passed the limit of its write. */
export class BlobTooLarge extends Error {
  override readonly name = 'BlobTooLarge';

  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes`);
  }
}

const safeName = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

/** Whether a version or upload id may become part of a path or key; ids of our own making always may. */
export const isSafeId = (id: string): boolean => safeName.test(id);

/** Throws `RangeError` for an id that may not become part of a path or key. */
export function requireSafeId(id: string): string {
  if (!isSafeId(id)) throw new RangeError('an id in the store must be letters, digits, - and _');
  return id;
}
