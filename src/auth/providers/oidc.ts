import { createHash } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose';
import { z } from 'zod';
import type { AuthDeps } from '../deps.ts';
import type { JsonObject } from '../store/rows.ts';
import { appleIssuers } from './id-token-user.ts';

const discovery = z.looseObject({ issuer: z.string(), jwks_uri: z.string() });
const keySet = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })) });

const keepMs = 3_600_000;
const timeoutMs = 10_000;
const maxIssuers = 100;
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/** Verifies the ID tokens of other issuers by the keys that they publish. */
export interface OidcVerifier {
  /** The claims of a good token. Rejects with an `Error` for any other, or when the keys cannot be had. */
  verify(issuer: string, idToken: string, accessToken: string | null): Promise<JsonObject>;
}

/** Creates a verifier that keeps keys for an hour. */
export function createOidcVerifier(deps: Pick<AuthDeps, 'fetch' | 'clock'>): OidcVerifier {
  const kept = new Map<string, { readonly keys: JSONWebKeySet; readonly until: number }>();
  const load = async (url: string): Promise<unknown> => {
    const reply = await deps.fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    if (!reply.ok) throw new Error(`${url} answered ${reply.status}`);
    return reply.json();
  };
  const keysOf = async (issuer: string): Promise<JSONWebKeySet> => {
    const known = kept.get(issuer);
    if (known !== undefined && known.until > deps.clock.now()) return known.keys;
    const base = issuer.replace(/\/$/, '');
    const document = discovery.parse(await load(`${base}/.well-known/openid-configuration`));
    const keys = keySet.parse(await load(document.jwks_uri)) as JSONWebKeySet;
    if (kept.size >= maxIssuers) kept.clear();
    kept.set(issuer, { keys, until: deps.clock.now() + keepMs });
    return keys;
  };
  return {
    async verify(issuer, idToken, accessToken) {
      const { payload, protectedHeader } = await jwtVerify(idToken, createLocalJWKSet(await keysOf(issuer)), {
        issuer: appleIssuers.includes(issuer) ? [...appleIssuers] : issuer,
        algorithms,
        currentDate: new Date(deps.clock.now()),
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
