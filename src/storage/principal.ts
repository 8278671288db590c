import { assertNever } from '../core/result.ts';
import type { HttpRequest } from '../http/exchange.ts';
import type { Claims, TokenFailure, TokenVerifier } from '../identity/verify.ts';
import { StorageError } from './errors.ts';

/** Who asks: the database role, the claims that policies see, and the owner of what gets written. */
export type Principal = {
  readonly role: string;
  readonly claims: Claims;
  readonly claimsText: string;
  readonly token: string;
  /** `sub` of the token, null without one. */
  readonly owner: string | null;
  /** False for a request whose token was missing or bad on a route that lets such requests in. */
  readonly isAuthenticated: boolean;
};

/** The role that bypasses row security. */
export const serviceRole = 'service_role';

/** What a token failure is called by the library that upstream uses, whose words clients see. */
export function tokenFailureText(failure: TokenFailure): string {
  switch (failure.kind) {
    case 'malformed':
      return 'Invalid Compact JWS';
    case 'undecodable':
      return 'JWS Protected Header is invalid';
    case 'unsupported-algorithm':
      return '"alg" (Algorithm) Header Parameter value not allowed';
    case 'no-suitable-key':
    case 'bad-signature':
      return 'signature verification failed';
    case 'claims-not-object':
      return 'JWT Claims Set must be a top-level JSON object';
    case 'bad-claim-type':
      return `"${failure.claim}" claim must be a number`;
    case 'expired':
      return '"exp" claim timestamp check failed';
    case 'not-yet-valid':
      return '"nbf" claim timestamp check failed';
    case 'issued-in-future':
      return '"iat" claim timestamp check failed (it should be in the past)';
    default:
      return assertNever(failure);
  }
}

const anonymousClaims: Claims = { role: 'anon' };

/** The principal of a request that is served without credentials. */
export const anonymous: Principal = {
  role: 'anon',
  claims: anonymousClaims,
  claimsText: JSON.stringify(anonymousClaims),
  token: '',
  owner: null,
  isAuthenticated: false,
};

/** A signed URL's token is no session: as a bearer it would pass for a token without a role. */
const isUrlToken = (claims: Claims): boolean =>
  typeof claims.url === 'string' && (typeof claims.scope === 'string' || typeof claims.upsert === 'boolean');

/** The principal of a verified token. */
function principalOf(token: string, claims: Claims, claimsText: string): Principal {
  return {
    role: typeof claims.role === 'string' && claims.role !== '' ? claims.role : 'anon',
    claims,
    claimsText,
    token,
    owner: typeof claims.sub === 'string' ? claims.sub : null,
    isAuthenticated: true,
  };
}

/**
 * Verifies the request's bearer token; throws `AccessDenied` in the token library's words.
 * Upstream: src/http/plugins/jwt.ts.
 */
export async function authenticate(request: HttpRequest, verifier: TokenVerifier): Promise<Principal> {
  const token = (request.authorization ?? '').replace(/^Bearer\s+/i, '');
  return verifyPrincipal(token, verifier);
}

/** Verifies a user's token; throws `AccessDenied`. */
export async function verifyPrincipal(token: string, verifier: TokenVerifier): Promise<Principal> {
  const known = verifier.known(token);
  const verified = known === null ? await verifier.verify(token) : { ok: true as const, value: known };
  if (!verified.ok) throw new StorageError('AccessDenied', tokenFailureText(verified.error));
  const { claims, claimsText } = verified.value;
  if (isUrlToken(claims)) throw new StorageError('AccessDenied', 'signature verification failed');
  return principalOf(token, claims, claimsText);
}

/** As `authenticate`, for routes that serve everybody: a missing or bad token makes the request anonymous. */
export async function authenticateLeniently(
  request: HttpRequest,
  verifier: TokenVerifier,
): Promise<Principal> {
  try {
    return await authenticate(request, verifier);
  } catch (thrown) {
    if (thrown instanceof StorageError) return anonymous;
    throw thrown;
  }
}
