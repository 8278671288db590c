import { Readable } from 'node:stream';
import { DataStore, Upload } from '@tus/server';
import { pieceType, serviceScope, type TusCall } from './call.ts';
import { refuse } from './errors.ts';
import { finishUpload, isComplete } from './finish.ts';
import type { Grant } from './grant.ts';
import type { Turn } from './turn.ts';
import { parseUploadId } from './upload-id.ts';
import {
  declareSize,
  deleteUpload,
  findUpload,
  insertUpload,
  recordPiece,
  type UploadRecord,
} from './uploads.ts';

/**
 * The uploads of the service as one request of `@tus/server` sees them. What it learns of its upload holds until its
 * end, since it is the only writer.
 *
 * An upload is finished here, under its lock, and not by the server's hook, which runs when the lock is released: two
 * requests never finish at once, and whoever asks for an upload whose last byte came before a crash finishes it.
 */
export class UploadStore extends DataStore {
  override extensions = [
    'creation',
    'creation-with-upload',
    'creation-defer-length',
    'termination',
    'expiration',
  ];
  readonly #call: TusCall;
  readonly #turn: Turn;
  #grant: Grant | null = null;
  #upload: UploadRecord | null = null;

  constructor(call: TusCall, turn: Turn) {
    super();
    this.#call = call;
    this.#turn = turn;
  }

  /** Writes from now on are by these terms; without, by those of the upload's creation. */
  allow(grant: Grant): void {
    this.#grant = grant;
  }

  /** An upload as it is recorded; throws when there is none, or its time is over. */
  async find(id: string): Promise<UploadRecord> {
    const { serviceDb, clock } = this.#call.deps;
    const upload = await findUpload(serviceDb, parseUploadId(id));
    if (upload === null) throw refuse.notFound();
    if (!upload.isFinished && upload.expiresAtMs < clock.now()) throw refuse.gone();
    return upload;
  }

  /** Records a new upload; an empty one is an object at once. */
  override async create(made: Upload): Promise<Upload> {
    const { deps, request } = this.#call;
    const upload = await insertUpload(deps.serviceDb, {
      ...parseUploadId(made.id),
      ...(this.#grant ?? { owner: null, isUpsert: false }),
      size: made.size ?? null,
      metadata: made.metadata ?? {},
      expiresAtMs: deps.clock.now() + this.getExpiration(),
    });
    this.#upload = upload;
    made.creation_date = this.#createdAt(upload);
    if (upload.size === 0 && request.headers['content-type'] !== pieceType) {
      await this.write(Readable.from([]), made.id);
    }
    return made;
  }

  override async getUpload(id: string): Promise<Upload> {
    const upload = await this.#finished(this.#upload ?? { ...(await this.find(id)), ...this.#grant });
    return new Upload({
      id,
      offset: upload.received,
      metadata: { ...upload.metadata },
      creation_date: this.#createdAt(upload),
      ...(upload.size === null ? {} : { size: upload.size }),
    });
  }

  /** The length that was put off at creation. */
  override async declareUploadLength(id: string, size: number): Promise<void> {
    const upload = await this.#current(id);
    await declareSize(this.#call.deps.serviceDb, upload, size);
    this.#upload = { ...upload, size };
  }

  /**
   * Stores a piece and records it; yields how far the upload is. A body that ends early, since its client went away
   * or somebody else wants the upload, is kept like a whole one: that is what the client resumes from. One that fails
   * adds nothing. Nothing is recorded once the turn is lost.
   */
  override async write(body: Readable, id: string): Promise<number> {
    const { deps } = this.#call;
    const upload = await this.#current(id);
    const options = { maxBytes: Number.MAX_SAFE_INTEGER };
    const stored = await deps.store.growing.append(upload.version, upload.received, body, options);
    this.#turn.requireHeld();
    const recorded = await recordPiece(deps.serviceDb, upload, stored);
    if (recorded === null) throw refuse.offsetConflict();
    return (await this.#finished({ ...recorded, ...this.#grant })).received;
  }

  /** Gives an unfinished upload up. */
  override async remove(id: string): Promise<void> {
    const { deps } = this.#call;
    const upload = await this.#current(id);
    await deleteUpload(deps.serviceDb, upload);
    await deps.store.growing.discard(upload.version);
  }

  override getExpiration(): number {
    return this.#call.deps.config.resumableExpiryMs;
  }

  async #current(id: string): Promise<UploadRecord> {
    this.#upload ??= await this.find(id);
    return this.#upload;
  }

  /** The upload as it is known from now on, finished if it is complete. */
  async #finished(upload: UploadRecord): Promise<UploadRecord> {
    this.#upload = upload;
    if (!isComplete(upload) || upload.isFinished) return upload;
    await finishUpload(this.#call.deps, upload, serviceScope(this.#call));
    this.#upload = { ...upload, isFinished: true };
    return this.#upload;
  }

  /** The server adds the expiry to the time of creation; it is the expiry that is recorded. */
  #createdAt(upload: UploadRecord): string {
    return new Date(upload.expiresAtMs - this.getExpiration()).toISOString();
  }
}
