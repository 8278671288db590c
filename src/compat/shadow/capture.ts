import type { IncomingMessage } from 'node:http';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';

/** Keeps a copy of what flows by, up to a size; the flow itself is not touched. */
export function capture(message: IncomingMessage, maxBytes: number): () => Buffer | null {
  const parts: Buffer[] = [];
  let size = 0;
  message.on('data', (part: Buffer) => {
    size += part.length;
    if (size <= maxBytes) parts.push(part);
    else parts.length = 0;
  });
  return () => (size > maxBytes ? null : Buffer.concat(parts));
}

/** A body without its content encoding; null when it is in one that is not known. */
export function decoded(body: Buffer | null, encoding: string): Buffer | null {
  if (body === null) return null;
  try {
    switch (encoding.trim().toLowerCase()) {
      case '':
      case 'identity':
        return body;
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(body);
      case 'deflate':
        return inflateSync(body);
      case 'br':
        return brotliDecompressSync(body);
      default:
        return null;
    }
  } catch {
    // Cut off by the client that went away.
    return null;
  }
}
