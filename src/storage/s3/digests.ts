import { createHash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { crc32 } from 'node:zlib';
import type { HttpRequest } from '../../http/exchange.ts';
import { StorageError } from '../errors.ts';

/*
 * What a client says that its bytes add up to: `Content-MD5`, and AWS's checksums in headers or behind the body. A body
 * that adds up to something else was damaged on its way, and is not stored.
 */

type Sum = { readonly add: (chunk: Buffer) => void; readonly base64: () => string };

function hashed(algorithm: 'md5' | 'sha1' | 'sha256'): Sum {
  const hash = createHash(algorithm);
  return { add: (chunk) => void hash.update(chunk), base64: () => hash.digest('base64') };
}

function crc(): Sum {
  let sum = 0;
  return {
    add: (chunk) => {
      sum = crc32(chunk, sum);
    },
    base64: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(sum);
      return bytes.toString('base64');
    },
  };
}

/** The sums that are checked, by their headers; AWS knows two more, which only its own libraries in C compute. */
const sums: Readonly<Record<string, () => Sum>> = {
  'content-md5': () => hashed('md5'),
  'x-amz-checksum-sha1': () => hashed('sha1'),
  'x-amz-checksum-sha256': () => hashed('sha256'),
  'x-amz-checksum-crc32': crc,
};

type Expected = { readonly name: string; readonly sum: Sum };

/** Passes a body on and fails at its end with `BadDigest` unless its bytes add up. */
class DigestCheck extends Transform {
  readonly #expected: readonly Expected[];
  readonly #claimed: (name: string) => string | undefined;

  constructor(expected: readonly Expected[], claimed: (name: string) => string | undefined) {
    super();
    this.#expected = expected;
    this.#claimed = claimed;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    for (const { sum } of this.#expected) sum.add(chunk);
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    const wrong = this.#expected.find(({ name, sum }) => sum.base64() !== this.#claimed(name));
    done(
      wrong === undefined
        ? null
        : new StorageError('BadDigest', `The ${wrong.name} you specified did not match what we received.`),
    );
  }
}

/**
 * A check of the sums that the headers of a PUT name or announce; null where they name none. `trailer` yields a header
 * that came behind the body, once that has ended. A POST that completes an upload names the sums of the whole object.
 */
export function checkDigests(
  { method, headers }: Pick<HttpRequest, 'method' | 'headers'>,
  trailer: (name: string) => string | undefined,
): Transform | null {
  if (method !== 'PUT') return null;
  const announced = String(headers['x-amz-trailer'] ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase());
  const named = Object.keys(sums).filter((name) => headers[name] !== undefined || announced.includes(name));
  if (named.length === 0) return null;
  const expected = named.map((name) => ({ name, sum: (sums[name] ?? crc)() }));
  return new DigestCheck(expected, (name) => {
    const value = headers[name];
    return typeof value === 'string' ? value : trailer(name);
  });
}
