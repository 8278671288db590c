import { PassThrough, type Readable } from 'node:stream';
import { BlobTooLarge } from '../backends/object-store.ts';
import type { StorageDeps } from '../deps.ts';
import { recordPiece, type UploadRecord } from './uploads.ts';
import { refuse } from './wire.ts';

/** What came of a piece. */
export type Received = {
  readonly upload: UploadRecord;
  /** Whether the body ended early: its client went away, or the lock was asked for. */
  readonly isInterrupted: boolean;
};

/** Being an upload's only writer. */
export type Turn = {
  /** Aborts when the turn should end: somebody else wants it, or it is lost. */
  readonly signal: AbortSignal;
  /** Throws when the turn is lost: another service may be writing. */
  requireHeld(): void;
};

/** The turn of who made the upload: nobody else knows of it. */
export const makersTurn: Turn = { signal: new AbortController().signal, requireHeld: () => {} };

/** Most bytes that the next piece may have. Throws when its declared length is more. */
export function pieceLimit(
  upload: Pick<UploadRecord, 'size' | 'received'>,
  maxBytes: number,
  declared: string | undefined,
): number {
  const room = (upload.size ?? maxBytes) - upload.received;
  const length = declared === undefined ? null : Number(declared);
  if (length !== null && length > room) throw refuse.sizeExceeded();
  return length ?? room;
}

/**
 * Stores a piece and records it. What arrived before the body broke off, or before the signal, is kept and recorded
 * like a whole piece: that is what the client resumes from. Nothing is recorded once the turn is lost.
 */
export async function receivePiece(
  deps: StorageDeps,
  upload: UploadRecord,
  body: Readable,
  maxBytes: number,
  turn: Turn,
): Promise<Received> {
  const { piece, wasInterrupted } = untilInterrupted(body, turn.signal);
  try {
    const stored = await deps.store.growing.append(upload.version, upload.received, piece, { maxBytes });
    turn.requireHeld();
    const recorded = await recordPiece(deps.serviceDb, upload, stored);
    if (recorded === null) throw refuse.offsetConflict();
    return { upload: recorded, isInterrupted: wasInterrupted() };
  } catch (thrown) {
    if (thrown instanceof BlobTooLarge) throw refuse.sizeExceeded();
    throw thrown;
  } finally {
    body.unpipe(piece);
  }
}

/** The body as a stream that ends, rather than fails, when the body breaks off. */
function untilInterrupted(
  body: Readable,
  signal: AbortSignal,
): { readonly piece: PassThrough; readonly wasInterrupted: () => boolean } {
  const piece = new PassThrough();
  let interrupted = false;
  const interrupt = (): void => {
    if (body.readableEnded || piece.writableEnded) return;
    interrupted = true;
    body.unpipe(piece);
    piece.end();
  };
  body.once('close', interrupt);
  body.once('error', interrupt);
  signal.addEventListener('abort', interrupt, { once: true });
  piece.once('close', () => {
    body.removeListener('close', interrupt);
    body.removeListener('error', interrupt);
    signal.removeEventListener('abort', interrupt);
  });
  if (signal.aborted || body.destroyed) interrupt();
  else body.pipe(piece);
  return { piece, wasInterrupted: () => interrupted };
}
