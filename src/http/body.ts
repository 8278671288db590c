import type { HttpRequest } from './exchange.ts';

/** A body that passed its limit; the reader stopped there. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
  readonly limitBytes: number;

  constructor(limitBytes: number) {
    super(`request body is larger than ${limitBytes} bytes`);
    this.limitBytes = limitBytes;
  }
}

/** A client that went away before its body was complete. */
export class BodyAborted extends Error {
  override readonly name = 'BodyAborted';
}

/** Reads a whole body; rejects with `BodyTooLarge` as soon as the limit is passed, with `BodyAborted` on a cut-off. */
export function readBody(request: HttpRequest, limitBytes: number): Promise<Buffer> {
  const { body, headers } = request;
  if (Number(headers['content-length'] ?? 0) > limitBytes)
    return Promise.reject(new BodyTooLarge(limitBytes));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    // The stream is paused, not destroyed, when it grows too long: its socket still has to carry the answer.
    const stop = (failure: Error): void => {
      body.removeAllListeners('data');
      body.pause();
      reject(failure);
    };
    body.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limitBytes) stop(new BodyTooLarge(limitBytes));
      else chunks.push(chunk);
    });
    body.once('end', () => {
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size));
    });
    const cutOff = (cause?: unknown): void => stop(new BodyAborted('the client went away', { cause }));
    body.once('error', cutOff);
    body.once('close', () => {
      if (!body.readableEnded) cutOff();
    });
  });
}
