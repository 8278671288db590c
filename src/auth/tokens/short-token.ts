import type { Random } from '../../core/clock.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const length = 12;

/** Whether a refresh token has the short form. */
export const isShortToken = (token: string): boolean => /^[a-z0-9]{12}$/.test(token);

/**
 * A refresh token of the short form: 60 random bits in lower-case base32.
 * Upstream: internal/crypto/crypto.go (SecureAlphanumeric).
 */
export function makeShortToken(random: Random): string {
  // Every character takes five bits of its own byte, which leaves the draw uniform.
  return Array.from(random.bytes(length), (byte) => alphabet[byte & 31]).join('');
}
