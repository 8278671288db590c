import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long a client may take to send a request's body. */
export type Patience = {
  /** Milliseconds without a byte, while we wait for one; 0 for any time. */
  readonly idleMs: number;
  /** Milliseconds for the whole; 0 for any time. */
  readonly totalMs: number;
};

/** Ends requests whose bodies do not arrive. */
export interface BodyWatch {
  /** Watches a request until the function that it yields is called, or its body is there. */
  add(message: IncomingMessage, response: ServerResponse, patience: Patience): () => void;
}

type Watched = {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly patience: Patience;
  readonly startedAt: number;
  seenBytes: number;
  progressAt: number;
};

const sweepMs = 250;

/** Watches over the bodies of a server; one timer for all of them, which runs while there are any. */
export function createBodyWatch(
  onLate: (message: IncomingMessage, response: ServerResponse) => void,
): BodyWatch {
  const all = new Set<Watched>();
  let timer: NodeJS.Timeout | null = null;
  const sweep = (): void => {
    const now = performance.now();
    for (const entry of all) {
      if (entry.message.complete || entry.message.destroyed) {
        all.delete(entry);
      } else if (isLate(entry, now)) {
        all.delete(entry);
        onLate(entry.message, entry.response);
      }
    }
    if (all.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
  return {
    add(message, response, patience) {
      const now = performance.now();
      const entry = {
        ...{ message, response, patience, startedAt: now, progressAt: now },
        seenBytes: message.socket.bytesRead,
      };
      all.add(entry);
      timer ??= setInterval(sweep, sweepMs).unref();
      return () => all.delete(entry);
    },
  };
}

function isLate(entry: Watched, now: number): boolean {
  const { message, patience, startedAt } = entry;
  const { bytesRead } = message.socket;
  // Bytes in the buffer wait for us, not for the client.
  if (bytesRead !== entry.seenBytes || message.readableLength > 0) {
    entry.seenBytes = bytesRead;
    entry.progressAt = now;
  }
  const isPast = (since: number, limitMs: number): boolean => limitMs > 0 && now - since >= limitMs;
  return isPast(startedAt, patience.totalMs) || isPast(entry.progressAt, patience.idleMs);
}
