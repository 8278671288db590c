import { type CryptoKey, importJWK, type JWK, SignJWT } from 'jose';
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
export function signToken(claims: Claims, signing: SigningKey): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({
      alg: signing.algorithm,
      typ: 'JWT',
      ...(signing.kid === null ? {} : { kid: signing.kid }),
    })
    .sign(signing.key);
}
