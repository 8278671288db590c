import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

const requestTimeout = '408 Request Timeout';

/** Answers what is no HTTP, or too much of it. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? requestTimeout
        : '400 Bad Request';
  socket.end(bareAnswer(status));
}

/** An answer outside of any request: a status and its name. */
function bareAnswer(status: string): string {
  const body = JSON.stringify({ message: status.slice(4) });
  return (
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json\r\naccess-control-allow-origin: *\r\n` +
    `content-length: ${body.length}\r\n\r\n${body}`
  );
}

/** Ends a connection whose client does not send the body that it announced. */
export function endLate({ socket }: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent) socket.destroy();
  else socket.end(bareAnswer(requestTimeout), () => socket.destroy());
}

/** Answers an upgrade that nobody takes. */
export function refuseUpgrade(socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
}
