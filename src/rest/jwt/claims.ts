import type { Claims } from '../../identity/verify.ts';
import { type RestError, restErrors } from '../errors.ts';

// Clocks that differ by up to this much are forgiven.
const allowedSkewSeconds = 30;

/** Whole seconds of a time claim; a fraction or an overlong number counts as 0, which upstream's number type does. */
const seconds = (value: number): number => (Number.isInteger(value) && Math.abs(value) < 2 ** 63 ? value : 0);

type TimeClaim = 'exp' | 'nbf' | 'iat';

const timeFailures: readonly {
  readonly claim: TimeClaim;
  readonly message: string;
  readonly fails: (at: number, now: number) => boolean;
}[] = [
  { claim: 'exp', message: 'JWT expired', fails: (at, now) => now - allowedSkewSeconds > at },
  { claim: 'nbf', message: 'JWT not yet valid', fails: (at, now) => now + allowedSkewSeconds < at },
  { claim: 'iat', message: 'JWT issued at future', fails: (at, now) => now + allowedSkewSeconds < at },
];

/**
 * Checks a token's times and audience; null when all is well. Absent and null claims pass.
 * Upstream: PostgREST src/PostgREST/Auth/Jwt.hs (checkForErrors).
 */
export function checkClaims(claims: Claims, audience: string | null, nowSeconds: number): RestError | null {
  for (const { claim, message, fails } of timeFailures) {
    const value = claims[claim];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'number')
      return restErrors.invalidClaims(`The JWT '${claim}' claim must be a number`);
    if (fails(seconds(value), nowSeconds)) return restErrors.invalidClaims(message);
  }
  return checkAudience(claims.aud, audience);
}

function checkAudience(aud: unknown, audience: string | null): RestError | null {
  if (aud === undefined || aud === null) return null;
  const named = Array.isArray(aud) ? aud : [aud];
  if (!named.every((item) => typeof item === 'string'))
    return restErrors.invalidClaims("The JWT 'aud' claim must be a string or an array of strings");
  if (audience === null || (Array.isArray(aud) && aud.length === 0) || named.includes(audience)) return null;
  return restErrors.invalidClaims('JWT not in audience');
}
