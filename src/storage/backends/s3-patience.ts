import type http from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type https from 'node:https';
import type { Socket } from 'node:net';

/**
 * Requests to an S3 server that fail when nothing moves for a while: while it is connected to, while it takes the
 * request, until it answers, and while it answers. Bytes that are here and not yet read are a slow client's, not the
 * server's, and it is not to blame for them. A patience of 0 waits for any time.
 */
export function withPatience(
  transport: typeof http | typeof https,
  patienceMs: number,
): Pick<typeof http, 'request'> {
  const request = (...all: Parameters<typeof http.request>): ClientRequest => {
    const outgoing = transport.request(...all);
    let answer: IncomingMessage | null = null;
    outgoing.once('response', (incoming: IncomingMessage) => {
      answer = incoming;
      // Whoever reads the answer hears of its failure; an answer that nobody reads must not end the process.
      incoming.on('error', () => {});
    });
    outgoing.once('socket', (socket) =>
      watch(outgoing, socket, patienceMs, () => {
        if (answer !== null && answer.readableLength > 0) return;
        const failure = new Error('the S3 server does not answer');
        answer?.destroy(failure);
        outgoing.destroy(failure);
      }),
    );
    return outgoing;
  };
  // The type of a function with several forms cannot be written as one function.
  return { request: request as typeof http.request };
}

/** Calls a function each time that nothing moved on the socket for the time, as long as it is the request's. */
function watch(outgoing: ClientRequest, socket: Socket, patienceMs: number, onStill: () => void): void {
  const onTimeout = (): void => {
    socket.setTimeout(patienceMs);
    onStill();
  };
  socket.setTimeout(patienceMs);
  socket.on('timeout', onTimeout);
  outgoing.once('close', () => {
    socket.removeListener('timeout', onTimeout);
    socket.setTimeout(0);
  });
}
