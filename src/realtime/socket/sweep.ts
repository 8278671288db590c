import type { Clock } from '../../core/clock.ts';

/** What is swept: a socket. */
export interface Swept {
  /** Cuts the socket when its client was silent for too long. */
  checkAlive(): void;
  /** Lets the client's patience start anew. */
  forgive(): void;
}

/**
 * Creates what is to be called every `intervalMs`: it looks at all sockets. When the clock has jumped meanwhile, or the
 * process stood still, nobody could be heard, and nobody is cut for it.
 */
export function createSweep(sockets: Iterable<Swept>, clock: Clock, intervalMs: number): () => void {
  let sweptAt = clock.now();
  return () => {
    const passed = clock.now() - sweptAt;
    sweptAt += passed;
    const hasJumped = passed < 0 || passed > 2 * intervalMs;
    for (const socket of sockets) {
      if (hasJumped) socket.forgive();
      else socket.checkAlive();
    }
  };
}
