import { createHash } from 'node:crypto';
import {
  createLocalJWKSet,
  decodeJwt,
  errors,
  type JSONWebKeySet,
  type JWTVerifyResult,
  jwtVerify,
} from 'jose';
import { z } from 'zod';
import type { AuthDeps } from '../deps.ts';
import type { JsonObject } from '../store/rows.ts';
import { appleIssuers } from './id-token-user.ts';

const discovery = z.looseObject({
  issuer: z.string(),
  jwks_uri: z.string(),
  authorization_endpoint: z.string().optional(),
  token_endpoint: z.string().optional(),
  userinfo_endpoint: z.string().optional(),
});
const keySet = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })) });

/** What an issuer says of itself. */
export type OidcDiscovery = z.infer<typeof discovery>;

/** How long keys are used before they are fetched again. */
const keepKeysMs = 3_600_000;
/** How soon after a fetch a token of an unknown key may cause the next one. */
const cooldownMs = 30_000;
const maxIssuers = 100;
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/** Verifies the ID tokens of other issuers by the keys that they publish. */
export interface OidcVerifier {
  /** The claims of a good token. Rejects with an `Error` for any other, or when the keys cannot be had. */
  verify(
    issuer: string,
    idToken: string,
    accessToken: string | null,
    discoveryUrl?: string,
  ): Promise<JsonObject>;
  /** What an issuer says of itself, from the usual place or another one. Rejects with an `Error`. */
  discover(issuer: string, discoveryUrl?: string): Promise<OidcDiscovery>;
  /** Forgets what an issuer said. */
  forget(issuer: string): void;
}

type Kept<T> = { readonly value: T; readonly atMs: number };

/**
 * Creates a verifier that keeps keys for an hour, and looks for newer ones when a token names an unknown key. What was
 * known goes on being used while an issuer cannot be asked.
 *
 * Upstream: internal/api/provider/oidc_cache.go.
 */
export function createOidcVerifier(deps: Pick<AuthDeps, 'config' | 'fetch' | 'clock'>): OidcVerifier {
  const documents = new Map<string, Kept<OidcDiscovery>>();
  const keys = new Map<string, Kept<JSONWebKeySet>>();
  const load = async (url: string): Promise<unknown> => {
    const reply = await deps.fetch(url, { signal: AbortSignal.timeout(deps.config.outgoingTimeoutMs) });
    if (!reply.ok) throw new Error(`${url} answered ${reply.status}`);
    return reply.json();
  };
  const kept = async <T>(
    store: Map<string, Kept<T>>,
    key: string,
    maxAgeMs: number,
    get: () => Promise<T>,
  ): Promise<T> => {
    const known = store.get(key);
    const nowMs = deps.clock.now();
    if (known !== undefined && nowMs - known.atMs < maxAgeMs) return known.value;
    try {
      const value = await get();
      if (store.size >= maxIssuers) store.clear();
      store.set(key, { value, atMs: nowMs });
      return value;
    } catch (thrown) {
      if (known === undefined) throw thrown;
      return known.value;
    }
  };
  const discover: OidcVerifier['discover'] = (issuer, url) =>
    kept(documents, issuer, deps.config.oidcCacheTtlMs, async () =>
      discovery.parse(await load(url ?? `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)),
    );
  const keysOf = async (
    issuer: string,
    url: string | undefined,
    maxAgeMs: number,
  ): Promise<JSONWebKeySet> => {
    const { jwks_uri } = await discover(issuer, url);
    return kept(keys, issuer, maxAgeMs, async () => keySet.parse(await load(jwks_uri)) as JSONWebKeySet);
  };
  const checked = async (issuer: string, idToken: string, set: JSONWebKeySet): Promise<JWTVerifyResult> =>
    jwtVerify(idToken, createLocalJWKSet(set), {
      issuer: appleIssuers.includes(issuer) ? [...appleIssuers] : issuer,
      algorithms,
      currentDate: new Date(deps.clock.now()),
    });
  return {
    discover,
    forget(issuer) {
      documents.delete(issuer);
      keys.delete(issuer);
    },
    async verify(issuer, idToken, accessToken, url) {
      const known = await keysOf(issuer, url, keepKeysMs);
      const { payload, protectedHeader } = await checked(issuer, idToken, known).catch(async (thrown) => {
        if (!(thrown instanceof errors.JWKSNoMatchingKey)) throw thrown;
        const newer = await keysOf(issuer, url, cooldownMs);
        if (newer === known) throw thrown;
        return checked(issuer, idToken, newer);
      });
      if (accessToken !== null && typeof payload.at_hash === 'string') {
        if (payload.at_hash !== accessTokenHash(protectedHeader.alg, accessToken)) {
          throw new Error('the access token does not belong to the ID token');
        }
      }
      return payload;
    },
  };
}

/** The left half of a token's hash, as OpenID Connect Core 3.1.3.6 defines it. */
function accessTokenHash(algorithm: string, accessToken: string): string {
  const size =
    algorithm.endsWith('512') || algorithm === 'EdDSA' ? 512 : algorithm.endsWith('384') ? 384 : 256;
  const hash = createHash(`sha${size}`).update(accessToken).digest();
  return hash.subarray(0, hash.length / 2).toString('base64url');
}

/** The issuer that a token names, unverified; null when it is no token. */
export function issuerOf(idToken: string): string | null {
  try {
    return decodeJwt(idToken).iss ?? '';
  } catch {
    // Anything but a JWT.
    return null;
  }
}
