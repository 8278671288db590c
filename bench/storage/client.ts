import { Agent, type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { serviceToken } from '../setup.ts';

/** A storage server under test. */
export type Side = { readonly name: string; readonly url: string; readonly pid: number | null };

type Sent = {
  readonly method: string;
  readonly path: string;
  readonly body?: Buffer | Readable;
  readonly type?: string;
  /** Length of a streamed body. */
  readonly bytes?: number;
};

const token = serviceToken();
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

/** Closes the connections that are kept. */
export const hangUp = (): void => agent.destroy();

/** Sends one request as the service role and reads the answer to its end; yields how many bytes that were. */
export async function send(base: string, { method, path, body, type, bytes }: Sent): Promise<number> {
  const length = bytes ?? (Buffer.isBuffer(body) ? body.length : 0);
  const entity =
    body === undefined
      ? {}
      : { 'content-type': type ?? 'application/octet-stream', 'content-length': length };
  const outgoing = request(base + path, {
    method,
    agent,
    headers: { authorization: `Bearer ${token}`, ...entity },
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
  });
  if (body === undefined || Buffer.isBuffer(body)) outgoing.end(body);
  else await pipeline(body, outgoing);
  const incoming = await answered;
  let read = 0;
  for await (const chunk of incoming) read += (chunk as Buffer).length;
  if (incoming.statusCode !== 200) throw new Error(`${method} ${path} answered ${incoming.statusCode}`);
  return read;
}

/** Makes a bucket. */
export async function makeBucket({ url }: Side, name: string): Promise<void> {
  const body = Buffer.from(JSON.stringify({ name }));
  await send(url, { method: 'POST', path: '/bucket', body, type: 'application/json' });
}

/** A body of one chunk over and over. */
export function repeated(chunk: Buffer, bytes: number): Readable {
  let left = bytes;
  return new Readable({
    highWaterMark: chunk.length,
    read() {
      const size = Math.min(left, chunk.length);
      left -= size;
      this.push(size === 0 ? null : chunk.subarray(0, size));
    },
  });
}
