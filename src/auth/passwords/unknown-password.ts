import type { Random } from '../../core/clock.ts';

const standard = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** The digits of bcrypt's own base64, in their order. */
const digits = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

const encode = (bytes: Buffer): string =>
  bytes
    .toString('base64')
    .replaceAll('=', '')
    .replace(/./g, (digit) => digits[standard.indexOf(digit)] ?? '');

/**
 * The hash of a password that nobody knows, in the form of every other one. Upstream hashes a random password; salt and
 * digest drawn at random are the same to whoever guesses, and cost none of the time that would tell a new user from a
 * known one.
 */
export const unknownPasswordHash = (random: Random, cost: number): string =>
  `$2a$${String(cost).padStart(2, '0')}$${encode(random.bytes(16))}${encode(random.bytes(23))}`;
