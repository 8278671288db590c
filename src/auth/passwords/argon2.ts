const shape = /^\$argon2(i|id)\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const maxMemoryKiB = 1_048_576;
const maxTime = 20;
const maxParallelism = 16;

/**
 * Whether a stored hash is Argon2i or Argon2id within bounds; dearer ones would let a row of the database take the
 * machine's memory. Upstream: internal/crypto/password.go (ParseArgon2Hash).
 */
export function isArgon2(stored: string): boolean {
  const match = shape.exec(stored);
  if (match === null) return false;
  const [, , memory, time, parallelism] = match;
  return Number(memory) <= maxMemoryKiB && Number(time) <= maxTime && Number(parallelism) <= maxParallelism;
}

/** Compares on a thread of the pool. */
export async function argon2Verify(password: string, stored: string): Promise<boolean> {
  // Only accounts that moved in from elsewhere have such hashes.
  const { verify } = await import('@node-rs/argon2');
  return verify(stored, password);
}
