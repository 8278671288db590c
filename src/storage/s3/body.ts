import type { Readable, Transform } from 'node:stream';
import type { HttpRequest } from '../../http/exchange.ts';
import { StorageError } from '../errors.ts';
import type { Authorized } from './authorize.ts';
import { ChunkedBody, HashedBody } from './chunked-body.ts';
import { checkDigests } from './digests.ts';
import { signChunk } from './signature.ts';

/** The bytes of a request, decoded and checked against its signature as they pass. */
export type SignedBody = {
  readonly body: Readable;
  /** Decoded length that the client announced; undefined when it did not. */
  readonly length: number | undefined;
};

const count = (value: string | string[] | undefined): number | undefined =>
  typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : undefined;

/** Opens the body of an authorized request. */
export function openBody(request: HttpRequest, { signature, key }: Authorized): SignedBody {
  const { payloadHash } = signature;
  const { headers } = request;
  if (payloadHash.startsWith('STREAMING-')) {
    const decodedLength = count(headers['x-amz-decoded-content-length']) ?? null;
    const isSigned = payloadHash.startsWith('STREAMING-AWS4-HMAC-SHA256-PAYLOAD');
    const decoder = new ChunkedBody({
      decodedLength,
      seed: signature.signature,
      hasTrailer: payloadHash.endsWith('-TRAILER'),
      sign: isSigned ? (previous, hash) => signChunk(key, signature, previous, hash) : null,
    });
    const digests = checkDigests(request, (name) => decoder.trailers.get(name));
    return { body: chain(request.body, [decoder, digests]), length: decodedLength ?? undefined };
  }
  const isHashed = /^[0-9a-fA-F]{64}$/.test(payloadHash);
  const checks = [isHashed ? new HashedBody(payloadHash) : null, checkDigests(request, () => undefined)];
  return { body: chain(request.body, checks), length: count(headers['content-length']) };
}

const chain = (body: Readable, transforms: readonly (Transform | null)[]): Readable =>
  transforms.reduce<Readable>((source, next) => (next === null ? source : through(source, next)), body);

/** A pipe that carries the end of a broken connection too, and leaves the request's socket alone. */
function through(source: Readable, transform: Transform): Readable {
  const cutOff = (): void => {
    if (!source.readableEnded)
      transform.destroy(new Error('Request stream closed before upload could complete'));
  };
  source.once('close', cutOff);
  source.once('error', cutOff);
  // Met by the reader; an error that comes before anybody reads is kept by the stream.
  transform.on('error', () => source.unpipe(transform));
  return source.pipe(transform);
}

const maxDocumentBytes = 2 * 1024 * 1024;

/** Reads an XML body whole. */
export async function readDocument(signed: SignedBody): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of signed.body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxDocumentBytes) throw new StorageError('MalformedXML', 'The document is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
