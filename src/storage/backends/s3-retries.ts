import type http from 'node:http';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { Observer } from '../../core/observe.ts';

/** Statuses of a server that may do next what it could not do now. */
const passing: ReadonlySet<number> = new Set([408, 429, 499, 500, 502, 503, 504, 520]);

/** How often a request is sent when it is answered with such a status. */
const attempts = 3;

/** Who is told of requests that are sent again, and how long the first one waits at least; the next one twice that. */
export type RetryOptions = { readonly observer: Observer; readonly firstDelayMs: number };

type Transport = Pick<typeof http, 'request'>;

/**
 * Requests to an S3 server that are sent again when the server says that it cannot answer now; each time is told to the
 * observer. The client library can do so as well, but tells the console. A body is kept until its request is answered:
 * the store sends none that is longer than one part.
 */
export function withRetries(transport: Transport, retries: RetryOptions): Transport {
  const request = (options: RequestOptions, onAnswer: (answer: IncomingMessage) => void): Writable => {
    const chunks: Buffer[] = [];
    return new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk);
        done();
      },
      final(done) {
        send(transport, options, joined(chunks), retries).then((answer) => {
          done();
          onAnswer(answer);
        }, done);
      },
    });
  };
  // The client library ends what it gets with a body and listens to its failure, which any stream is enough for.
  return { request: request as unknown as typeof http.request };
}

/** The library sends most bodies in one piece, which need no copy. */
function joined(chunks: readonly Buffer[]): Buffer {
  const [only, ...others] = chunks;
  return only !== undefined && others.length === 0 ? only : Buffer.concat(chunks);
}

async function send(
  transport: Transport,
  options: RequestOptions,
  body: Buffer,
  { observer, firstDelayMs }: RetryOptions,
): Promise<IncomingMessage> {
  for (let attempt = 1; ; attempt++) {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing: ClientRequest = transport.request(options, resolve);
      outgoing.on('error', reject);
      outgoing.end(body);
    });
    const status = answer.statusCode ?? 0;
    if (!passing.has(status)) return answer;
    // Nobody reads an answer of such a status, the library neither: it must not keep its connection.
    answer.resume();
    if (attempt === attempts) return answer;
    const delayMs = Math.round(firstDelayMs * 2 ** (attempt - 1) * (1 + Math.random()));
    observer({
      kind: 'notice',
      service: 'storage',
      level: 'warn',
      message: 'a request to the S3 server is sent again',
      fields: { method: options.method ?? null, status, attempt, delay_ms: delayMs },
    });
    await wait(delayMs);
  }
}
