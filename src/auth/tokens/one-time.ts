import { createHash } from 'node:crypto';
import type { Random } from '../../core/clock.ts';
import { epochMs } from '../timestamp.ts';

/** Marks the token of a flow that ends in a code for PKCE. */
export const pkcePrefix = 'pkce_';

/** A code length outside of 6 to 10 counts as 6. */
const codeLength = (digits: number): number => (digits >= 6 && digits <= 10 ? digits : 6);

/** A uniformly random code of decimal digits, leading zeros included. */
export function makeOtp(random: Random, digits: number): string {
  const length = codeLength(digits);
  const range = 10n ** BigInt(length);
  const limit = ((1n << 64n) / range) * range;
  for (;;) {
    const draw = random.bytes(8).readBigUInt64BE();
    // A draw from the incomplete last range would favour small codes.
    if (draw < limit) return (draw % range).toString().padStart(length, '0');
  }
}

/**
 * The form in which a code is stored, and which links carry: SHA-224 of address and code, in hex.
 * Upstream: internal/crypto/crypto.go (GenerateTokenHash).
 */
export const hashOtp = (address: string, otp: string): string =>
  createHash('sha224')
    .update(address + otp)
    .digest('hex');

/** Whether a stored token may still be used; one without a sending time may not. */
export function isFresh(sentAt: string | null, expirySeconds: number, nowMs: number): boolean {
  return sentAt !== null && nowMs <= epochMs(sentAt) + expirySeconds * 1000;
}

/**
 * Whether a hash is the one that was stored, with or without the mark of PKCE, and in time.
 * Upstream: internal/api/verify.go (isOtpValid).
 */
export function isOtpValid(
  hash: string,
  stored: string | null,
  sentAt: string | null,
  expirySeconds: number,
  nowMs: number,
): boolean {
  if (!stored || !isFresh(sentAt, expirySeconds, nowMs)) return false;
  return stored === hash || stored === pkcePrefix + hash;
}
