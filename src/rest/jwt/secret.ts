import { secretKey, type VerificationKey, verificationKey } from '../../identity/key-set.ts';

/** A secret that no keys can be made of. */
class InvalidSecret extends Error {
  override readonly name = 'InvalidSecret';
}

const minSecretBytes = 32;

/**
 * Keys of a configured secret: a JWK set, a single JWK, or the secret's own bytes, in this order of attempts.
 * Rejects with `InvalidSecret` for a secret that is too short.
 * Upstream: PostgREST src/PostgREST/Config.hs (parseSecret).
 */
export async function keysOfSecret(secret: Buffer): Promise<readonly VerificationKey[]> {
  const keys = await keysOfJson(secret.toString('utf8'));
  if (keys !== null) return keys;
  if (secret.length < minSecretBytes)
    throw new InvalidSecret('The JWT secret must be at least 32 characters long.');
  return [{ ...secretKey(secret), algorithms: new Set(['HS256']) }];
}

type JwkLike = { readonly kty: string; readonly use?: string };

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isJwk = (value: unknown): value is JwkLike => isObject(value) && typeof value.kty === 'string';

async function keysOfJson(text: string): Promise<readonly VerificationKey[] | null> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return null;
  }
  const isSet = isObject(document) && Array.isArray(document.keys);
  const jwks: readonly unknown[] = isSet ? (document as { keys: unknown[] }).keys : [document];
  if (!isSet && !isJwk(document)) return null;
  const keys = await Promise.all(jwks.filter(isJwk).filter(isForSignatures).map(toKey));
  return keys.filter((key) => key !== null);
}

const isForSignatures = (jwk: JwkLike): boolean => jwk.use !== 'enc';

/** A set may hold keys of types that nobody here can use; they are passed over, as upstream does. */
async function toKey(jwk: JwkLike): Promise<VerificationKey | null> {
  try {
    return await verificationKey(jwk);
  } catch {
    return null;
  }
}
