import { type CryptoKey, importJWK, type JWK, SignJWT } from 'jose';
import { hmacOf } from './hmac.ts';
import type { Claims } from './verify.ts';

/** The key that new tokens are signed with. */
export type SigningKey = {
  readonly algorithm: string;
  readonly kid: string | null;
  readonly key: CryptoKey | Uint8Array;
};

/** Signing key of a shared secret (HS256). */
export const secretSigningKey = (secret: string): SigningKey => ({
  algorithm: 'HS256',
  kid: null,
  key: new TextEncoder().encode(secret),
});

/** Signing key of a private JWK; rejects when the key is not private or not usable. */
export async function jwkSigningKey(jwk: JWK): Promise<SigningKey> {
  const algorithm = jwk.alg ?? (jwk.kty === 'RSA' ? 'RS256' : jwk.kty === 'EC' ? 'ES256' : 'HS256');
  if (jwk.kty !== 'oct' && jwk.d === undefined) throw new TypeError('a signing key must be private');
  // Private keys are often published for "verify" too, which would forbid the import for signing.
  const { key_ops, use, ...material } = jwk;
  return { algorithm, kid: jwk.kid ?? null, key: await importJWK(material, algorithm) };
}

/** Signs claims as they are; times are the caller's business. */
export async function signToken(claims: Claims, signing: SigningKey): Promise<string> {
  const { algorithm, kid, key } = signing;
  const header = { alg: algorithm, typ: 'JWT', ...(kid === null ? {} : { kid }) };
  if (!(key instanceof Uint8Array)) {
    return new SignJWT({ ...claims }).setProtectedHeader(header).sign(key);
  }
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${hmacOf(algorithm, key, signed).toString('base64url')}`;
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
