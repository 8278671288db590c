import { createHash, type Hash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { StorageError } from '../errors.ts';
import { equals } from './signature.ts';

/*
 * Bodies in chunks that the client frames itself:
 *
 *   <size in hex>[;chunk-signature=<hex>]\r\n <bytes> \r\n ... 0[;chunk-signature=<hex>]\r\n [<trailer>: <value>\r\n]* \r\n
 *
 * Bytes are passed on as they come; a chunk's signature is known to be wrong before the body's end, and a body that
 * fails is never stored.
 */

/** How a framed body is checked. */
export type ChunkOptions = {
  /** Decoded bytes that the client announced; null when it did not. */
  readonly decodedLength: number | null;
  /** Yields the right signature of a chunk from the one before and its SHA-256; null for unsigned chunks. */
  readonly sign: ((previous: string, hash: string) => string) | null;
  /** Whether the client announced trailing headers. */
  readonly hasTrailer: boolean;
  /** Signature of the request, which the first chunk's builds on. */
  readonly seed: string;
};

type State = 'header' | 'data' | 'data-end' | 'trailer' | 'done';

const maxLineBytes = 4096;
const maxTrailers = 16;
const incomplete = () => new StorageError('IncompleteBody', 'The request body ended before it was complete.');

/** Decodes a framed body; fails with `IncompleteBody`, `InvalidArgument` or `SignatureDoesNotMatch`. */
export class ChunkedBody extends Transform {
  readonly #options: ChunkOptions;
  #state: State = 'header';
  #line = Buffer.alloc(0);
  #remaining = 0;
  #isLast = false;
  #decoded = 0;
  #claimed = '';
  readonly #trailers = new Map<string, string>();
  #previous: string;
  #hash: Hash = createHash('sha256');

  constructor(options: ChunkOptions) {
    super();
    this.#options = options;
    this.#previous = options.seed;
  }

  /** Headers behind the body, by names in lower case; all of them are known when the body has ended. */
  get trailers(): ReadonlyMap<string, string> {
    return this.#trailers;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      let rest = chunk;
      while (rest.length > 0 && this.#state !== 'done') rest = this.#consume(rest);
      done();
    } catch (thrown) {
      done(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  }

  override _flush(done: TransformCallback): void {
    const { decodedLength, hasTrailer } = this.#options;
    const isWhole = this.#isLast && this.#remaining === 0 && (!hasTrailer || this.#trailers.size > 0);
    done(isWhole && (decodedLength === null || decodedLength === this.#decoded) ? null : incomplete());
  }

  #consume(bytes: Buffer): Buffer {
    if (this.#state === 'data') return this.#takeData(bytes);
    const end = bytes.indexOf(0x0a);
    this.#line = Buffer.concat([this.#line, end === -1 ? bytes : bytes.subarray(0, end)]);
    if (this.#line.length > maxLineBytes)
      throw new StorageError('InvalidArgument', 'A chunk header is too long');
    if (end === -1) return bytes.subarray(bytes.length);
    const line = this.#line.toString('latin1').replace(/\r$/, '');
    this.#line = Buffer.alloc(0);
    this.#takeLine(line);
    return bytes.subarray(end + 1);
  }

  #takeLine(line: string): void {
    if (this.#state === 'data-end') {
      if (line !== '') throw new StorageError('InvalidArgument', 'A chunk is longer than its header says');
      this.#state = 'header';
    } else if (this.#state === 'trailer') {
      if (line === '') this.#state = 'done';
      else this.#takeTrailer(line);
    } else {
      this.#startChunk(line);
    }
  }

  #takeTrailer(line: string): void {
    if (this.#trailers.size >= maxTrailers) throw new StorageError('InvalidArgument', 'Too many trailers');
    const [name = '', ...value] = line.split(':');
    this.#trailers.set(name.trim().toLowerCase(), value.join(':').trim());
  }

  #startChunk(line: string): void {
    const match = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?(?:;.*)?$/.exec(line);
    if (match === null) throw new StorageError('InvalidArgument', 'A chunk header is malformed');
    this.#remaining = Number.parseInt(match[1] ?? '', 16);
    this.#claimed = match[2] ?? '';
    this.#isLast = this.#remaining === 0;
    this.#hash = createHash('sha256');
    if (this.#isLast) {
      this.#checkSignature();
      this.#state = 'trailer';
    } else {
      this.#state = 'data';
    }
  }

  #takeData(bytes: Buffer): Buffer {
    const data = bytes.subarray(0, this.#remaining);
    if (this.#options.sign !== null) this.#hash.update(data);
    this.#remaining -= data.length;
    this.#decoded += data.length;
    this.push(data);
    if (this.#remaining === 0) {
      this.#checkSignature();
      this.#state = 'data-end';
    }
    return bytes.subarray(data.length);
  }

  #checkSignature(): void {
    const { sign } = this.#options;
    if (sign === null) return;
    const expected = sign(this.#previous, this.#hash.digest('hex'));
    if (!equals(expected, this.#claimed)) {
      throw new StorageError('SignatureDoesNotMatch', 'The signature of a chunk does not match.');
    }
    this.#previous = expected;
  }
}

/** Passes a body on and fails at its end unless its SHA-256 is what the client signed. */
export class HashedBody extends Transform {
  readonly #hash = createHash('sha256');
  readonly #expected: string;

  constructor(expected: string) {
    super();
    this.#expected = expected.toLowerCase();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk);
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    const isRight = equals(this.#hash.digest('hex'), this.#expected);
    done(
      isRight
        ? null
        : new StorageError(
            'XAmzContentSHA256Mismatch',
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
          ),
    );
  }
}
