import { type Clock, epochSeconds } from '../core/clock.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { ApiKeys } from '../identity/authorization.ts';
import type { TokenFailure, TokenVerifier } from '../identity/verify.ts';
import type { Refusal } from './errors.ts';

/** Who a channel acts as. */
export type Session = {
  readonly token: string;
  readonly role: string;
  readonly sub: string | null;
  /** The token's claims as JSON text: what policies read. */
  readonly claimsText: string;
  /** Epoch seconds. */
  readonly expiresAt: number;
};

/** What tokens are checked with. */
export type SessionDeps = {
  readonly verifier: TokenVerifier;
  readonly keys: ApiKeys;
  readonly clock: Clock;
};

/** The token behind a new-style key; anything else is a token already. */
export function tokenOfKey(key: string, keys: ApiKeys): string {
  if (key === keys.publishableKey) return keys.anonToken;
  return key === keys.secretKey ? keys.serviceToken : key;
}

function refusalOf(failure: TokenFailure, now: number): Refusal {
  switch (failure.kind) {
    case 'expired':
      return { kind: 'expired', secondsAgo: Math.max(0, now - failure.at) };
    case 'bad-signature':
      return 'bad-signature';
    case 'unsupported-algorithm':
      return 'no-signer';
    case 'no-suitable-key':
      return failure.kid === null ? 'no-signer' : { kind: 'unknown-kid', kid: failure.kid };
    case 'malformed':
    case 'undecodable':
    case 'claims-not-object':
    case 'bad-claim-type':
    case 'not-yet-valid':
    case 'issued-in-future':
      return 'malformed-token';
  }
}

/**
 * Checks a token: signature, times without leeway, and the claims `role` and `exp`.
 * Upstream: supabase/realtime lib/realtime_web/channels/auth/channels_authorization.ex.
 */
export async function openSession(token: string, deps: SessionDeps): Promise<Result<Session, Refusal>> {
  const bare = token.replaceAll(/\s+/g, '');
  const now = epochSeconds(deps.clock);
  const verified = deps.verifier.known(bare);
  const result = verified === null ? await deps.verifier.verify(bare) : ok(verified);
  if (!result.ok) return err(refusalOf(result.error, now));
  const { claims, claimsText } = result.value;
  const { role, exp, sub } = claims;
  if (typeof role !== 'string' || typeof exp !== 'number') return err('missing-claims');
  const expiresAt = Math.round(exp);
  if (expiresAt <= now) return err({ kind: 'expired', secondsAgo: now - expiresAt });
  return ok({ token, role, sub: typeof sub === 'string' ? sub : null, claimsText, expiresAt });
}
