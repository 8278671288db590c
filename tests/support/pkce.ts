import { createHash } from 'node:crypto';

/** A verifier of the length that every client uses. */
export const pkceVerifier = 'v'.repeat(64);

/** The S256 challenge of a verifier. */
export const pkceChallenge = (verifier: string = pkceVerifier): string =>
  createHash('sha256').update(verifier).digest('base64url');
