import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { JWK } from 'jose';
import { z } from 'zod';
import type { Values } from '../config/option.ts';
import type { keyOptions } from '../config/options/keys.ts';
import type { ApiKeys } from './authorization.ts';
import { dockerDemoSecret, localDemoSecret } from './demo-secrets.ts';
import { publicJwk, secretKey, type VerificationKey, verificationKeys } from './key-set.ts';
import { jwkSigningKey, type SigningKey, secretSigningKey, signToken } from './sign.ts';
import { fixedKeys, type KeySource } from './verify.ts';

/** Credentials of the S3 endpoint. */
export type S3Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
};

/** Every secret of an instance, ready for use. */
export type InstanceKeys = {
  readonly jwtSecret: string;
  readonly api: ApiKeys;
  /** Signs the tokens of users. */
  readonly signing: SigningKey;
  /** Verifies tokens: signing keys and the shared secret. */
  readonly source: KeySource;
  /** What `/.well-known/jwks.json` publishes: public keys only. */
  readonly jwks: { readonly keys: readonly JWK[] };
  readonly s3: S3Credentials;
  /** Whether any of them is one of the well-known development constants. */
  readonly isDemo: boolean;
};

/**
 * The Supabase CLI's public development constants, the default on a loopback address. Never for production.
 * Upstream: supabase/cli pkg/config.
 */
const demo = {
  jwtSecret: localDemoSecret,
  anonKey:
    'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZS1kZW1vIiwicm9sZSI6ImFub24iLCJleHAiOjE5ODM4MTI5OTZ9.CRXP1A7WOeoJeXxjNni43kdQwgnWNReilDMblYTn_I0',
  serviceRoleKey:
    'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZS1kZW1vIiwicm9sZSI6InNlcnZpY2Vfcm9sZSIsImV4cCI6MTk4MzgxMjk5Nn0.EGIM96RAZx35lJzdJsyH-qQwv8Hdp7fsn3W0YpN81IU',
  publishableKey: 'sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH',
  secretKey: 'sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz',
  s3AccessKeyId: '625729a08b95bf1b7ff351a663f3a23c',
  s3SecretAccessKey: '850181e4652dd023b7a98c58ae0d2d34bd487ee0cc3254aed6eda37307425907',
} as const;

const s3Region = 'local';
const tenYearsSeconds = 10 * 365 * 86_400;

type KeyConfig = Values<typeof keyOptions>;

const storedKeys = z.object({
  jwtSecret: z.string(),
  anonKey: z.string(),
  serviceRoleKey: z.string(),
  publishableKey: z.string(),
  secretKey: z.string(),
  s3AccessKeyId: z.string(),
  s3SecretAccessKey: z.string(),
});

/** The keys that `.ownbase/keys.json` holds. */
export type StoredKeys = z.infer<typeof storedKeys>;

/** Path of the file that keeps an instance's own keys, readable by its owner only. */
export const keysFile = (projectDir: string): string => join(projectDir, '.ownbase', 'keys.json');

/**
 * Resolves the keys: configuration first, then `.ownbase/keys.json`, then the development constants.
 * API keys that are missing beside a configured secret are signed with it. Throws `RangeError` for unusable ones.
 */
export async function loadInstanceKeys(config: KeyConfig, projectDir: string): Promise<InstanceKeys> {
  const stored = readStoredKeys(projectDir);
  const base = stored ?? demo;
  const jwtSecret = config.jwtSecret ?? base.jwtSecret;
  if (jwtSecret.length < 16) throw new RangeError('the JWT secret must have at least 16 characters');
  const own = jwtSecret !== base.jwtSecret;
  const api: ApiKeys = {
    anonToken: config.anonKey ?? (own ? await apiToken('anon', jwtSecret) : base.anonKey),
    serviceToken:
      config.serviceRoleKey ?? (own ? await apiToken('service_role', jwtSecret) : base.serviceRoleKey),
    publishableKey: config.publishableKey ?? base.publishableKey,
    secretKey: config.secretKey ?? base.secretKey,
  };
  const jwks = readSigningKeys(config, projectDir);
  const signer = signerOf(jwks);
  const shared = secretKey(jwtSecret);
  return {
    jwtSecret,
    api,
    signing:
      signer === undefined
        ? { ...secretSigningKey(jwtSecret), kid: config.jwtKeyId }
        : await jwkSigningKey(signer),
    source: fixedKeys([...(await asymmetric(jwks)), shared]),
    jwks: { keys: jwks.map(publicJwk).filter((jwk) => jwk !== null) },
    s3: {
      accessKeyId: config.s3AccessKeyId ?? base.s3AccessKeyId,
      secretAccessKey: config.s3SecretAccessKey ?? base.s3SecretAccessKey,
      region: s3Region,
    },
    isDemo: [demo.jwtSecret, dockerDemoSecret].includes(jwtSecret) || api.secretKey === demo.secretKey,
  };
}

const mayBeSignedWith = ({ key_ops: operations }: JWK): boolean => operations?.includes('sign') === true;

/** The key that signs: the first that is said to, else the first; the others verify (standby, or used before). */
const signerOf = (jwks: readonly JWK[]): JWK | undefined => jwks.find(mayBeSignedWith) ?? jwks[0];

const asymmetric = (jwks: readonly JWK[]): Promise<VerificationKey[]> => verificationKeys({ keys: jwks });

function readStoredKeys(projectDir: string): StoredKeys | null {
  const file = keysFile(projectDir);
  return existsSync(file) ? storedKeys.parse(JSON.parse(readFileSync(file, 'utf8'))) : null;
}

const jwkList = z.array(z.looseObject({ kty: z.string() }));

function readSigningKeys(config: KeyConfig, projectDir: string): readonly JWK[] {
  const text =
    config.signingKeys ??
    (config.signingKeysPath === null
      ? null
      : readFileSync(resolve(projectDir, 'supabase', config.signingKeysPath), 'utf8'));
  if (text === null) return [];
  const parsed = jwkList.safeParse(JSON.parse(text));
  if (!parsed.success) throw new RangeError('the signing keys must be a JSON array of JWKs');
  if (config.signingKeys !== null && parsed.data.filter(mayBeSignedWith).length > 1) {
    throw new RangeError('only one of the signing keys may have the operation sign');
  }
  return parsed.data.filter((jwk) => jwk.kty !== 'oct' || text === config.signingKeys);
}

/** Makes fresh random keys for one instance and keeps them in `.ownbase/keys.json` (mode 0600). */
export async function generateKeys(projectDir: string): Promise<StoredKeys> {
  const jwtSecret = randomBytes(48).toString('base64url');
  const keys: StoredKeys = {
    jwtSecret,
    anonKey: await apiToken('anon', jwtSecret),
    serviceRoleKey: await apiToken('service_role', jwtSecret),
    publishableKey: newStyleKey('sb_publishable_'),
    secretKey: newStyleKey('sb_secret_'),
    s3AccessKeyId: randomBytes(16).toString('hex'),
    s3SecretAccessKey: randomBytes(32).toString('hex'),
  };
  const file = keysFile(projectDir);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  return keys;
}

function apiToken(role: 'anon' | 'service_role', secret: string): Promise<string> {
  const issuedAt = Math.floor(Date.now() / 1000);
  const claims = { role, iss: 'supabase', iat: issuedAt, exp: issuedAt + tenYearsSeconds };
  return signToken(claims, secretSigningKey(secret));
}

/** `<prefix><22 random characters>_<8 characters of checksum>`, as self-hosted Supabase makes them. */
function newStyleKey(prefix: 'sb_publishable_' | 'sb_secret_'): string {
  const body = prefix + randomBytes(17).toString('base64url').slice(0, 22);
  const checksum = createHash('sha256')
    .update(`supabase-self-hosted|${body}`)
    .digest('base64url')
    .slice(0, 8);
  return `${body}_${checksum}`;
}
