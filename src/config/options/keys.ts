import { optional, secret, string } from '../kind.ts';
import { option } from '../option.ts';

/** The project's secrets and API keys; what is not given comes from `.ownbase/keys.json` or the development defaults. */
export const keyOptions = {
  jwtSecret: option({
    kind: optional(secret),
    default: null,
    toml: 'auth.jwt_secret',
    env: ['JWT_SECRET', 'GOTRUE_JWT_SECRET', 'PGRST_JWT_SECRET'],
    description: 'Secret of HS256 tokens, at least 16 characters.',
  }),
  jwtKeyId: option({
    kind: optional(string),
    default: null,
    env: ['GOTRUE_JWT_KEY_ID'],
    description: 'Key id that tokens signed by that secret carry.',
  }),
  anonKey: option({
    kind: optional(secret),
    default: null,
    toml: 'auth.anon_key',
    env: ['ANON_KEY', 'SUPABASE_ANON_KEY'],
    description: 'JWT of role anon.',
  }),
  serviceRoleKey: option({
    kind: optional(secret),
    default: null,
    toml: 'auth.service_role_key',
    env: ['SERVICE_ROLE_KEY', 'SERVICE_KEY', 'SUPABASE_SERVICE_ROLE_KEY'],
    description: 'JWT of role service_role.',
  }),
  publishableKey: option({
    kind: optional(secret),
    default: null,
    toml: 'auth.publishable_key',
    env: ['SUPABASE_PUBLISHABLE_KEY'],
    description: 'sb_publishable_ key: the new form of the anon key.',
  }),
  secretKey: option({
    kind: optional(secret),
    default: null,
    toml: 'auth.secret_key',
    env: ['SUPABASE_SECRET_KEY'],
    description: 'sb_secret_ key: the new form of the service key.',
  }),
  signingKeysPath: option({
    kind: optional(string),
    default: null,
    toml: 'auth.signing_keys_path',
    description:
      'File with a JSON array of private JWKs (ES256, RS256); the first signs, all verify. Relative to supabase/.',
  }),
  signingKeys: option({
    kind: optional(secret),
    default: null,
    env: ['JWT_KEYS', 'GOTRUE_JWT_KEYS'],
    description: 'The same array as text; the key whose key_ops name sign signs.',
  }),
  s3AccessKeyId: option({
    kind: optional(string),
    default: null,
    env: ['S3_PROTOCOL_ACCESS_KEY_ID'],
    description: 'Access key of the S3 endpoint.',
  }),
  s3SecretAccessKey: option({
    kind: optional(secret),
    default: null,
    env: ['S3_PROTOCOL_ACCESS_KEY_SECRET'],
    description: 'Secret key of the S3 endpoint.',
  }),
};
