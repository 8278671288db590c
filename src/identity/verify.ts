import { compactVerify, decodeProtectedHeader } from 'jose';
import { LRUCache } from 'lru-cache';
import { type Clock, epochSeconds } from '../core/clock.ts';
import { err, ok, type Result } from '../core/result.ts';
import { openHmacToken } from './hmac.ts';
import type { VerificationKey } from './key-set.ts';

/** The payload of a token; a JSON object of any members. */
export type Claims = Readonly<Record<string, unknown>>;

/** A token whose signature and times were right. */
export type VerifiedToken = {
  readonly claims: Claims;
  /** The algorithm that its header names. */
  readonly algorithm: string;
  /** The payload's JSON text, as `request.jwt.claims` carries it. */
  readonly claimsText: string;
  /** `exp` in epoch seconds, or Infinity without one. */
  readonly expiresAt: number;
};

/** Why a token was refused. Each service words it in its own way. */
export type TokenFailure =
  | { readonly kind: 'malformed'; readonly parts: number }
  | { readonly kind: 'undecodable' }
  | { readonly kind: 'unsupported-algorithm'; readonly algorithm: string }
  | { readonly kind: 'no-suitable-key'; readonly kid: string | null }
  | { readonly kind: 'bad-signature' }
  | { readonly kind: 'claims-not-object' }
  | { readonly kind: 'bad-claim-type'; readonly claim: 'exp' | 'nbf' | 'iat' | 'aud' }
  | { readonly kind: 'expired'; readonly at: number }
  | { readonly kind: 'not-yet-valid'; readonly at: number }
  | { readonly kind: 'issued-in-future'; readonly at: number };

/** Where the keys come from: asked at each verification, so that rotation takes effect at once. */
export type KeySource = {
  readonly keys: () => readonly VerificationKey[];
  readonly version: () => number;
  /** Looks for keys that are newer, since a token that claims an issuer names none of those there are. */
  readonly refresh?: (claimedIssuer: string | null) => Promise<boolean>;
};

/** Options of a verifier. */
export type VerifierOptions = {
  readonly source: KeySource;
  readonly clock: Clock;
  /** Seconds of disagreement between clocks that are forgiven. */
  readonly leewaySeconds: number;
  /** Whether an `iat` in the future refuses the token. */
  readonly checkIssuedAt: boolean;
  readonly cacheSize: number;
};

/** Checks tokens, remembering good ones until they expire or the keys change. */
export interface TokenVerifier {
  verify(token: string): Promise<Result<VerifiedToken, TokenFailure>>;
  /** A remembered token, without a promise; null sends the caller to `verify`. */
  known(token: string): VerifiedToken | null;
}

/** A source whose keys never change. */
export const fixedKeys = (keys: readonly VerificationKey[]): KeySource => ({
  keys: () => keys,
  version: () => 0,
});

/** Creates a verifier with a bounded cache of good tokens. */
export function createTokenVerifier(options: VerifierOptions): TokenVerifier {
  const cache = new LRUCache<string, VerifiedToken>({ max: options.cacheSize });
  let cacheVersion = options.source.version();
  const known = (token: string): VerifiedToken | null => {
    if (cacheVersion !== options.source.version()) {
      cache.clear();
      cacheVersion = options.source.version();
    }
    const hit = cache.get(token);
    if (hit === undefined) return null;
    return hit.expiresAt + options.leewaySeconds > epochSeconds(options.clock) ? hit : null;
  };
  return {
    known,
    async verify(token) {
      const hit = known(token);
      if (hit !== null) return ok(hit);
      const payload = await verifyBySource(token, options.source);
      if (!payload.ok) return payload;
      const result = readClaims(token, payload.value, options);
      if (result.ok) cache.set(token, result.value);
      return result;
    },
  };
}

/**
 * Checks a token's signature by the keys of a source, of which `select` may leave some out; a token of a key that is not
 * known yet makes the source look for it once.
 */
export async function verifyBySource(
  token: string,
  source: KeySource,
  select: (keys: readonly VerificationKey[]) => readonly VerificationKey[] = (keys) => keys,
): Promise<Result<Uint8Array, TokenFailure>> {
  const result = await verifySignature(token, select(source.keys()));
  if (result.ok || source.refresh === undefined || !isUnknownKey(result.error)) return result;
  const isNewer = await source.refresh(claimedIssuer(token));
  return isNewer ? verifySignature(token, select(source.keys())) : result;
}

const isUnknownKey = ({ kind }: TokenFailure): boolean =>
  kind === 'no-suitable-key' || kind === 'unsupported-algorithm' || kind === 'bad-signature';

/** The issuer that a token claims, unverified; null when it claims none. */
function claimedIssuer(token: string): string | null {
  try {
    return issuerOf(Buffer.from(token.split('.')[1] ?? '', 'base64url'));
  } catch {
    // A payload that is no JSON claims nothing.
    return null;
  }
}

function issuerOf(payload: Uint8Array): string | null {
  const claims: unknown = JSON.parse(new TextDecoder().decode(payload));
  const isObject = typeof claims === 'object' && claims !== null && 'iss' in claims;
  return isObject && typeof claims.iss === 'string' ? claims.iss : null;
}

/** A foreign key vouches for its own issuer only; a slash at the end makes no other issuer. */
function isVouchedFor(payload: Uint8Array, { issuer }: VerificationKey): boolean {
  if (issuer === undefined) return true;
  try {
    return issuerOf(payload)?.replace(/\/+$/, '') === issuer;
  } catch {
    // A payload that is no JSON names no issuer.
    return false;
  }
}

/** Checks a compact token's signature against the keys that may have made it, and yields its payload. */
async function verifySignature(
  token: string,
  keys: readonly VerificationKey[],
): Promise<Result<Uint8Array, TokenFailure>> {
  const parts = token.split('.').length;
  if (parts !== 3) return err({ kind: 'malformed', parts });
  let header: ReturnType<typeof decodeProtectedHeader>;
  try {
    header = decodeProtectedHeader(token);
  } catch {
    // The library tells bad base64 from bad JSON only by its message; both mean the same to a client.
    return err({ kind: 'undecodable' });
  }
  const algorithm = header.alg ?? '';
  const kid = header.kid ?? null;
  const candidates = keys.filter((key) => key.algorithms.has(algorithm));
  if (candidates.length === 0) {
    return err(
      algorithm === 'none' || algorithm === '' || keys.length === 0
        ? { kind: 'unsupported-algorithm', algorithm }
        : { kind: 'no-suitable-key', kid },
    );
  }
  const named = kid === null ? [] : candidates.filter((key) => key.kid === kid);
  // A kid names its key; keys without one (the shared secret) are tried for any kid.
  const usable = named.length > 0 ? named : candidates.filter((key) => kid === null || key.kid === null);
  if (usable.length === 0) return err({ kind: 'no-suitable-key', kid });
  for (const candidate of usable) {
    const payload = await openToken(token, algorithm, header.crit !== undefined, candidate);
    // Without one the next key may fit; after the last one the signature is wrong.
    if (payload !== null && isVouchedFor(payload, candidate)) return ok(payload);
  }
  return err({ kind: 'bad-signature' });
}

/** The payload of a token that a key signed, null when it did not. Headers that must be understood are the library's. */
async function openToken(
  token: string,
  algorithm: string,
  isCritical: boolean,
  { key }: VerificationKey,
): Promise<Uint8Array | null> {
  if (key instanceof Uint8Array && !isCritical) return openHmacToken(algorithm, key, token);
  try {
    return (await compactVerify(token, key)).payload;
  } catch {
    // The library throws for a wrong signature, as for a header that it does not understand.
    return null;
  }
}

type TimeClaim = 'exp' | 'nbf' | 'iat';

function readClaims(
  token: string,
  payload: Uint8Array,
  options: VerifierOptions,
): Result<VerifiedToken, TokenFailure> {
  const claimsText = new TextDecoder().decode(payload);
  let parsed: unknown;
  try {
    parsed = JSON.parse(claimsText);
  } catch {
    return err({ kind: 'claims-not-object' });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    return err({ kind: 'claims-not-object' });
  const claims = parsed as Claims;
  for (const claim of ['exp', 'nbf', 'iat'] satisfies TimeClaim[]) {
    if (claims[claim] !== undefined && claims[claim] !== null && typeof claims[claim] !== 'number') {
      return err({ kind: 'bad-claim-type', claim });
    }
  }
  const failure = checkTimes(claims, options);
  if (failure !== null) return err(failure);
  const expiresAt = typeof claims.exp === 'number' ? claims.exp : Number.POSITIVE_INFINITY;
  const algorithm = decodeProtectedHeader(token).alg ?? '';
  return ok({ claims, algorithm, claimsText, expiresAt });
}

function checkTimes(claims: Claims, options: VerifierOptions): TokenFailure | null {
  const now = epochSeconds(options.clock);
  const { exp, nbf, iat } = claims;
  if (typeof exp === 'number' && now - options.leewaySeconds >= exp) return { kind: 'expired', at: exp };
  if (typeof nbf === 'number' && now + options.leewaySeconds < nbf) return { kind: 'not-yet-valid', at: nbf };
  if (options.checkIssuedAt && typeof iat === 'number' && now + options.leewaySeconds < iat) {
    return { kind: 'issued-in-future', at: iat };
  }
  return null;
}
