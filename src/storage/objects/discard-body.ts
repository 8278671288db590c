import type { Readable } from 'node:stream';

const maxBytes = 8 * 1024 * 1024;
const maxMs = 500;

/**
 * Reads on what is left of a refused upload, for a moment: a client that is still sending would otherwise meet a
 * closed connection before it looks for the answer. What is longer than that ends with the connection.
 */
export function discardBody(body: Readable): Promise<void> {
  if (body.readableEnded || body.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    let seen = 0;
    const done = (): void => {
      clearTimeout(timer);
      body.removeListener('data', count);
      body.removeListener('end', done);
      body.removeListener('close', done);
      body.removeListener('error', done);
      resolve();
    };
    const count = (chunk: Buffer): void => {
      seen += chunk.length;
      if (seen > maxBytes) done();
    };
    const timer = setTimeout(done, maxMs);
    body.on('data', count);
    body.once('end', done);
    body.once('close', done);
    body.once('error', done);
    body.unpipe();
    body.resume();
  });
}
