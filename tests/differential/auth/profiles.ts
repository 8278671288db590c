import { generateKeyPairSync } from 'node:crypto';

/** Settings that both servers run with, as upstream's environment variables; `{stage}` is the replay's own server. */
export type Profile = {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
};

const kinds = [
  'CONFIRMATION',
  'RECOVERY',
  'MAGIC_LINK',
  'EMAIL_CHANGE',
  'INVITE',
  'REAUTHENTICATION',
] as const;
const notices = [
  'PASSWORD_CHANGED',
  'EMAIL_CHANGED',
  'PHONE_CHANGED',
  'IDENTITY_LINKED',
  'IDENTITY_UNLINKED',
  'MFA_FACTOR_ENROLLED',
  'MFA_FACTOR_UNENROLLED',
] as const;

const base: Readonly<Record<string, string>> = {
  GOTRUE_SITE_URL: 'https://app.example.com',
  GOTRUE_URI_ALLOW_LIST:
    'https://app.example.com/**,https://*.preview.example.com/**,myapp://**,http://localhost:8000/*',
  GOTRUE_JWT_SECRET: 'super-secret-jwt-token-with-at-least-32-characters-long',
  GOTRUE_JWT_EXP: '3600',
  GOTRUE_JWT_AUD: 'authenticated',
  GOTRUE_JWT_ADMIN_ROLES: 'service_role,supabase_admin',
  GOTRUE_JWT_DEFAULT_GROUP_NAME: 'authenticated',
  GOTRUE_JWT_VALID_METHODS: 'HS256,RS256,ES256',
  GOTRUE_JWT_VALIDMETHODS: 'HS256,RS256,ES256',
  GOTRUE_DISABLE_SIGNUP: 'false',
  GOTRUE_EXTERNAL_EMAIL_ENABLED: 'true',
  GOTRUE_EXTERNAL_PHONE_ENABLED: 'true',
  GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED: 'true',
  GOTRUE_SECURITY_MANUAL_LINKING_ENABLED: 'true',
  GOTRUE_SECURITY_REFRESH_TOKEN_ROTATION_ENABLED: 'true',
  GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL: '10',
  GOTRUE_MAILER_AUTOCONFIRM: 'false',
  GOTRUE_MAILER_SECURE_EMAIL_CHANGE_ENABLED: 'true',
  GOTRUE_MAILER_OTP_EXP: '3600',
  GOTRUE_MAILER_OTP_LENGTH: '6',
  GOTRUE_SMTP_MAX_FREQUENCY: '1ns',
  GOTRUE_SMTP_ADMIN_EMAIL: 'auth@example.com',
  GOTRUE_SMTP_SENDER_NAME: 'Auth',
  GOTRUE_RATE_LIMIT_EMAIL_SENT: '100000',
  GOTRUE_RATE_LIMIT_SMS_SENT: '100000',
  GOTRUE_SMS_AUTOCONFIRM: 'false',
  GOTRUE_SMS_MAX_FREQUENCY: '1ns',
  GOTRUE_SMS_OTP_EXP: '6000',
  GOTRUE_SMS_OTP_LENGTH: '6',
  GOTRUE_SMS_TEST_OTP:
    '15550001:111111,15550002:222222,15550003:333333,15550004:444444,15550005:555555,15550006:666666',
  GOTRUE_MFA_MAX_ENROLLED_FACTORS: '10',
  GOTRUE_MFA_TOTP_ENROLL_ENABLED: 'true',
  GOTRUE_MFA_TOTP_VERIFY_ENABLED: 'true',
  GOTRUE_MFA_PHONE_ENROLL_ENABLED: 'true',
  GOTRUE_MFA_PHONE_VERIFY_ENABLED: 'true',
  GOTRUE_MFA_PHONE_MAX_FREQUENCY: '1ns',
  GOTRUE_MFA_WEB_AUTHN_ENROLL_ENABLED: 'true',
  GOTRUE_MFA_WEB_AUTHN_VERIFY_ENABLED: 'true',
  GOTRUE_PASSKEY_ENABLED: 'true',
  GOTRUE_WEBAUTHN_RP_ID: 'app.example.com',
  GOTRUE_WEBAUTHN_RP_DISPLAY_NAME: 'App',
  GOTRUE_WEBAUTHN_RP_ORIGINS: 'https://app.example.com',
  GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED: 'true',
  GOTRUE_EXTERNAL_WEB3_ETHEREUM_ENABLED: 'true',
  GOTRUE_EXTERNAL_KEYCLOAK_ENABLED: 'true',
  GOTRUE_EXTERNAL_KEYCLOAK_CLIENT_ID: 'client',
  GOTRUE_EXTERNAL_KEYCLOAK_SECRET: 'secret',
  GOTRUE_EXTERNAL_KEYCLOAK_URL: '{stage}/keycloak',
  GOTRUE_EXTERNAL_KEYCLOAK_REDIRECT_URI: 'https://auth.example.com/callback',
  GOTRUE_EXTERNAL_GITHUB_ENABLED: 'true',
  GOTRUE_EXTERNAL_GITHUB_CLIENT_ID: 'client',
  GOTRUE_EXTERNAL_GITHUB_SECRET: 'secret',
  GOTRUE_EXTERNAL_GITHUB_URL: '{stage}/github',
  GOTRUE_EXTERNAL_GITHUB_REDIRECT_URI: 'https://auth.example.com/callback',
};

const mailTemplates = Object.fromEntries([
  ...kinds.map((kind) => [`GOTRUE_MAILER_TEMPLATES_${kind}`, `{stage}/templates/${kind}`]),
  ...notices.flatMap((kind) => [
    [`GOTRUE_MAILER_NOTIFICATIONS_${kind}_ENABLED`, 'true'],
    [`GOTRUE_MAILER_TEMPLATES_${kind}_NOTIFICATION`, `{stage}/templates/${kind}`],
  ]),
  ...kinds.map((kind) => [`GOTRUE_MAILER_SUBJECTS_${kind}`, `${kind} for {{ .Email }} & co`]),
]);

const webhooks = (...names: readonly string[]) =>
  Object.fromEntries(
    names.flatMap((name) => [
      [`GOTRUE_HOOK_${name}_ENABLED`, 'true'],
      [`GOTRUE_HOOK_${name}_URI`, `{stage}/hooks/${name}`],
      [`GOTRUE_HOOK_${name}_SECRETS`, 'v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    ]),
  );

/** A key that signs tokens, and one that verifies only; both servers get the same. */
const signingKeys = JSON.stringify(
  ['signing', 'standby'].map((kid, i) => ({
    ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
    ...{ kid, alg: 'ES256', use: 'sig', key_ops: i === 0 ? ['sign', 'verify'] : ['verify'] },
  })),
);
const samlKey = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs1', format: 'der' })
  .toString('base64');

/** Every set of settings that scenarios are replayed under. */
export const profiles: readonly Profile[] = [
  { name: 'confirmations', env: { ...base, ...mailTemplates } },
  {
    name: 'autoconfirm',
    env: {
      ...base,
      GOTRUE_MAILER_AUTOCONFIRM: 'true',
      GOTRUE_SMS_AUTOCONFIRM: 'true',
      GOTRUE_MAILER_SECURE_EMAIL_CHANGE_ENABLED: 'false',
    },
  },
  {
    name: 'closed',
    env: {
      ...base,
      GOTRUE_DISABLE_SIGNUP: 'true',
      GOTRUE_EXTERNAL_EMAIL_ENABLED: 'false',
      GOTRUE_EXTERNAL_PHONE_ENABLED: 'false',
      GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED: 'false',
      GOTRUE_SECURITY_MANUAL_LINKING_ENABLED: 'false',
      GOTRUE_MFA_TOTP_ENROLL_ENABLED: 'false',
      GOTRUE_MFA_TOTP_VERIFY_ENABLED: 'false',
      GOTRUE_MFA_PHONE_ENROLL_ENABLED: 'false',
      GOTRUE_MFA_PHONE_VERIFY_ENABLED: 'false',
      GOTRUE_MFA_WEB_AUTHN_ENROLL_ENABLED: 'false',
      GOTRUE_MFA_WEB_AUTHN_VERIFY_ENABLED: 'false',
      GOTRUE_PASSKEY_ENABLED: 'false',
      GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED: 'false',
      GOTRUE_EXTERNAL_WEB3_ETHEREUM_ENABLED: 'false',
      GOTRUE_EXTERNAL_KEYCLOAK_ENABLED: 'false',
    },
  },
  {
    name: 'strict',
    env: {
      ...base,
      GOTRUE_PASSWORD_MIN_LENGTH: '10',
      GOTRUE_PASSWORD_REQUIRED_CHARACTERS: 'abcdefghijklmnopqrstuvwxyz:ABCDEFGHIJKLMNOPQRSTUVWXYZ:0123456789',
      GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_CURRENT_PASSWORD: 'true',
      GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL: '0',
      GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION: '2',
      GOTRUE_SMTP_MAX_FREQUENCY: '60s',
      GOTRUE_SMS_MAX_FREQUENCY: '60s',
      GOTRUE_MFA_PHONE_MAX_FREQUENCY: '60s',
      GOTRUE_MAILER_OTP_LENGTH: '8',
      GOTRUE_MFA_MAX_ENROLLED_FACTORS: '2',
      GOTRUE_MFA_MAX_VERIFIED_FACTORS: '1',
      GOTRUE_SESSIONS_SINGLE_PER_USER: 'true',
      GOTRUE_EXTERNAL_EMAIL_MAGIC_LINK_ENABLED: 'false',
      GOTRUE_RATE_LIMIT_HEADER: 'x-test-address',
      GOTRUE_RATE_LIMIT_TOKEN_REFRESH: '1',
      GOTRUE_RATE_LIMIT_OTP: '1',
      GOTRUE_RATE_LIMIT_VERIFY: '1',
      GOTRUE_RATE_LIMIT_ANONYMOUS_USERS: '2',
    },
  },
  {
    name: 'federation',
    env: {
      ...base,
      GOTRUE_MAILER_AUTOCONFIRM: 'true',
      GOTRUE_JWT_KEYS: signingKeys,
      GOTRUE_OAUTH_SERVER_ENABLED: 'true',
      GOTRUE_OAUTH_SERVER_ALLOW_DYNAMIC_REGISTRATION: 'true',
      GOTRUE_OAUTH_SERVER_AUTHORIZATION_PATH: '/consent',
      GOTRUE_SAML_ENABLED: 'true',
      GOTRUE_SAML_PRIVATE_KEY: samlKey,
      GOTRUE_EXPERIMENTAL_CURSOR_PAGINATION_ENABLED: 'true',
    },
  },
  {
    name: 'hooks',
    env: {
      ...base,
      ...webhooks(
        'CUSTOM_ACCESS_TOKEN',
        'MFA_VERIFICATION_ATTEMPT',
        'PASSWORD_VERIFICATION_ATTEMPT',
        'SEND_SMS',
        'SEND_EMAIL',
        'BEFORE_USER_CREATED',
        'AFTER_USER_CREATED',
      ),
    },
  },
];
