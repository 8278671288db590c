import { type CryptoKey, importJWK, type JWK } from 'jose';

/** Signature algorithms that tokens may carry; `none` is not among them. */
export type SigningAlgorithm =
  | 'HS256'
  | 'HS384'
  | 'HS512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA';

/** A key that signatures are checked with. */
export type VerificationKey = {
  readonly kid: string | null;
  readonly algorithms: ReadonlySet<string>;
  readonly key: CryptoKey | Uint8Array;
  /** Issuer that the tokens of a foreign key must name; our own keys leave it out. */
  readonly issuer?: string;
};

const algorithmsByType: Readonly<Record<string, readonly SigningAlgorithm[]>> = {
  oct: ['HS256', 'HS384', 'HS512'],
  RSA: ['RS256', 'RS384', 'RS512', 'PS256'],
  'EC/P-256': ['ES256'],
  'EC/P-384': ['ES384'],
  'EC/P-521': ['ES512'],
  'OKP/Ed25519': ['EdDSA'],
};

/** Algorithms that a JWK may be used with: its own `alg` when it names one, else all of its type. */
function algorithmsOf(jwk: JWK): readonly SigningAlgorithm[] {
  const type = jwk.crv === undefined ? (jwk.kty ?? '') : `${jwk.kty}/${jwk.crv}`;
  const possible = algorithmsByType[type] ?? [];
  return jwk.alg === undefined ? possible : possible.filter((algorithm) => algorithm === jwk.alg);
}

/** The key of a shared secret: the UTF-8 bytes as they are, never decoded from hex or base64. */
export function secretKey(secret: string | Uint8Array, kid: string | null = null): VerificationKey {
  const key = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret;
  return { kid, algorithms: new Set(algorithmsByType.oct), key };
}

/** Public half of a JWK; an `oct` key has none. */
export function publicJwk(jwk: JWK): JWK | null {
  if (jwk.kty === 'oct') return null;
  const { d, p, q, dp, dq, qi, oth, ...rest } = jwk;
  return rest;
}

/** Imports one JWK for verification; rejects when it is not a usable key. */
export async function verificationKey(jwk: JWK): Promise<VerificationKey> {
  const algorithms = algorithmsOf(jwk);
  const [algorithm] = algorithms;
  if (algorithm === undefined)
    throw new TypeError(`unsupported key type ${jwk.kty ?? ''} ${jwk.alg ?? ''}`.trim());
  const material = jwk.kty === 'oct' ? jwk : (publicJwk(jwk) ?? jwk);
  // Operations of a private key (sign) would forbid the import as a public one.
  const { key_ops, use, alg, ...bare } = material;
  return {
    kid: jwk.kid ?? null,
    algorithms: new Set(algorithms),
    key: await importJWK(bare, algorithm),
  };
}

/** Imports every key of a JWKS document or of a single JWK. */
export function verificationKeys(document: { readonly keys: readonly JWK[] }): Promise<VerificationKey[]> {
  return Promise.all(document.keys.map(verificationKey));
}
