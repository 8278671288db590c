import type { Readable } from 'node:stream';
import type { HttpReply, HttpRequest } from '../../http/exchange.ts';

/** A request of the Fetch standard, which `@tus/server` reads. */
export type WebRequest = {
  readonly request: Request;
  /** Leaves what has not been read of the body to whoever reads it next. */
  readonly release: () => void;
};

/** What ends a body, whole or broken off. */
const ends = ['end', 'close', 'error'];

/** Origin of the URL, which nothing is read from but its path. */
const origin = 'http://localhost';

/** A request as one of the Fetch standard; its body ends where the client's breaks off. */
export function toWebRequest({ method, fullPath, headers, body }: HttpRequest): WebRequest {
  const { stream, release } = webBody(body);
  const pairs = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]);
  const hasBody = method !== 'HEAD';
  const request = new Request(`${origin}${fullPath}`, {
    method,
    headers: pairs,
    ...(hasBody ? { body: stream, duplex: 'half' } : {}),
  });
  return { request, release };
}

/** An answer of the Fetch standard; those of the protocol are short texts. */
export async function fromWebResponse(response: Response): Promise<HttpReply> {
  const { status, headers, body } = response;
  return {
    status,
    headers: Object.fromEntries(headers),
    body: body === null ? null : await response.text(),
  };
}

/** The body chunk by chunk, one at a time as they are asked for. It is never destroyed: its socket has to carry the answer. */
function webBody(body: Readable): {
  readonly stream: ReadableStream<Uint8Array>;
  readonly release: () => void;
} {
  let release = (): void => {};
  const attach = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    const take = (chunk: Buffer): void => {
      body.pause();
      controller.enqueue(chunk);
    };
    const end = (): void => {
      release();
      controller.close();
    };
    release = () => {
      body.removeListener('data', take);
      for (const event of ends) body.removeListener(event, end);
      release = () => {};
    };
    // It may still break off when nobody reads it any more.
    body.on('error', () => {});
    body.on('data', take);
    for (const event of ends) body.once(event, end);
    if (body.readableEnded || body.destroyed) end();
  };
  let isAttached = false;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (isAttached) body.resume();
        else attach(controller);
        isAttached = true;
      },
      cancel: () => release(),
    },
    { highWaterMark: 0 },
  );
  return { stream, release: () => release() };
}
