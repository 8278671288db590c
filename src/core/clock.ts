import { randomBytes, randomUUID } from 'node:crypto';

/** Source of the present moment; tests pass one that they move by hand. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Source of unpredictable values (tokens, ids); tests may pass a fixed one. */
export interface Random {
  bytes(size: number): Buffer;
  uuid(): string;
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() };

/** The platform's cryptographic generator. */
export const systemRandom: Random = { bytes: (size) => randomBytes(size), uuid: () => randomUUID() };

/** Whole seconds since the epoch, as JWT claims count them. */
export const epochSeconds = (clock: Clock): number => Math.floor(clock.now() / 1000);
