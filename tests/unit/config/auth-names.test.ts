import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { writeProject } from '../../support/project.ts';

/*
 * A setting has a name in config.toml and one among upstream's variables, and means the same by either. The values are
 * those of no default.
 */
const pairs: readonly (readonly [table: string, line: string, env: Readonly<Record<string, string>>])[] = [
  ['auth', 'site_url = "https://a.test"', { GOTRUE_SITE_URL: 'https://a.test' }],
  ['auth', 'external_url = "https://b.test"', { GOTRUE_API_EXTERNAL_URL: 'https://b.test' }],
  ['auth', 'additional_redirect_urls = ["a", "b"]', { GOTRUE_URI_ALLOW_LIST: 'a,b' }],
  ['auth', 'jwt_expiry = 77', { GOTRUE_JWT_EXP: '77' }],
  ['auth', 'jwt_issuer = "https://i.test"', { GOTRUE_JWT_ISSUER: 'https://i.test' }],
  ['auth', 'jwt_secret = "0123456789abcdef"', { GOTRUE_JWT_SECRET: '0123456789abcdef' }],
  ['auth', 'enable_signup = false', { GOTRUE_DISABLE_SIGNUP: 'true' }],
  ['auth', 'enable_anonymous_sign_ins = true', { GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED: 'true' }],
  ['auth', 'enable_manual_linking = true', { GOTRUE_SECURITY_MANUAL_LINKING_ENABLED: 'true' }],
  [
    'auth',
    'enable_refresh_token_rotation = false',
    { GOTRUE_SECURITY_REFRESH_TOKEN_ROTATION_ENABLED: 'false' },
  ],
  ['auth', 'refresh_token_reuse_interval = 3', { GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL: '3' }],
  ['auth', 'minimum_password_length = 9', { GOTRUE_PASSWORD_MIN_LENGTH: '9' }],
  [
    'auth',
    'password_requirements = "letters_digits"',
    {
      GOTRUE_PASSWORD_REQUIRED_CHARACTERS: 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:0123456789',
    },
  ],
  ['auth.rate_limit', 'email_sent = 7', { GOTRUE_RATE_LIMIT_EMAIL_SENT: '7' }],
  ['auth.rate_limit', 'sms_sent = 7', { GOTRUE_RATE_LIMIT_SMS_SENT: '7' }],
  ['auth.rate_limit', 'anonymous_users = 7', { GOTRUE_RATE_LIMIT_ANONYMOUS_USERS: '7' }],
  ['auth.rate_limit', 'token_refresh = 7', { GOTRUE_RATE_LIMIT_TOKEN_REFRESH: '7' }],
  ['auth.rate_limit', 'sign_in_sign_ups = 7', { GOTRUE_RATE_LIMIT_OTP: '7' }],
  ['auth.rate_limit', 'token_verifications = 7', { GOTRUE_RATE_LIMIT_VERIFY: '7' }],
  ['auth.rate_limit', 'web3 = 7', { GOTRUE_RATE_LIMIT_WEB3: '7' }],
  ['auth.captcha', 'enabled = true', { GOTRUE_SECURITY_CAPTCHA_ENABLED: 'true' }],
  ['auth.captcha', 'provider = "turnstile"', { GOTRUE_SECURITY_CAPTCHA_PROVIDER: 'turnstile' }],
  ['auth.captcha', 'secret = "s"', { GOTRUE_SECURITY_CAPTCHA_SECRET: 's' }],
  ['auth.email', 'enable_signup = false', { GOTRUE_EXTERNAL_EMAIL_ENABLED: 'false' }],
  ['auth.email', 'double_confirm_changes = false', { GOTRUE_MAILER_SECURE_EMAIL_CHANGE_ENABLED: 'false' }],
  ['auth.email', 'enable_confirmations = true', { GOTRUE_MAILER_AUTOCONFIRM: 'false' }],
  [
    'auth.email',
    'secure_password_change = true',
    { GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION: 'true' },
  ],
  ['auth.email', 'max_frequency = "7s"', { GOTRUE_SMTP_MAX_FREQUENCY: '7s' }],
  ['auth.email', 'otp_length = 8', { GOTRUE_MAILER_OTP_LENGTH: '8' }],
  ['auth.email', 'otp_expiry = 77', { GOTRUE_MAILER_OTP_EXP: '77' }],
  ['auth.email.smtp', 'host = "h"', { GOTRUE_SMTP_HOST: 'h' }],
  ['auth.email.smtp', 'port = 77', { GOTRUE_SMTP_PORT: '77' }],
  ['auth.email.smtp', 'user = "u"', { GOTRUE_SMTP_USER: 'u' }],
  ['auth.email.smtp', 'pass = "p"', { GOTRUE_SMTP_PASS: 'p' }],
  ['auth.email.smtp', 'admin_email = "a@b.test"', { GOTRUE_SMTP_ADMIN_EMAIL: 'a@b.test' }],
  ['auth.email.smtp', 'sender_name = "S"', { GOTRUE_SMTP_SENDER_NAME: 'S' }],
  ...['invite', 'confirmation', 'recovery', 'magic_link', 'email_change', 'reauthentication'].map(
    (name) =>
      [
        `auth.email.template.${name}`,
        'subject = "S"',
        { [`GOTRUE_MAILER_SUBJECTS_${name.toUpperCase()}`]: 'S' },
      ] as const,
  ),
  [
    'auth.email.notification.password_changed',
    'enabled = true',
    { GOTRUE_MAILER_NOTIFICATIONS_PASSWORD_CHANGED_ENABLED: 'true' },
  ],
  ['auth.sms', 'enable_signup = true', { GOTRUE_EXTERNAL_PHONE_ENABLED: 'true' }],
  ['auth.sms', 'enable_confirmations = true', { GOTRUE_SMS_AUTOCONFIRM: 'false' }],
  ['auth.sms', 'template = "T"', { GOTRUE_SMS_TEMPLATE: 'T' }],
  ['auth.sms', 'max_frequency = "7s"', { GOTRUE_SMS_MAX_FREQUENCY: '7s' }],
  ['auth.sms.test_otp', '15550001111 = "123456"', { GOTRUE_SMS_TEST_OTP: '15550001111:123456' }],
  ['auth.sms.test_otp', '"+1 555 0001111" = "123456"', { GOTRUE_SMS_TEST_OTP: '+15550001111:123456' }],
  ['auth.sms.vonage', 'from = "F"', { GOTRUE_SMS_VONAGE_FROM: 'F' }],
  ['auth.sms.twilio_verify', 'auth_token = "A"', { GOTRUE_SMS_TWILIO_VERIFY_AUTH_TOKEN: 'A' }],
  ['auth.sessions', 'timebox = "1h"', { GOTRUE_SESSIONS_TIMEBOX: '1h' }],
  ['auth.sessions', 'inactivity_timeout = "1h"', { GOTRUE_SESSIONS_INACTIVITY_TIMEOUT: '1h' }],
  ['auth.mfa', 'max_enrolled_factors = 3', { GOTRUE_MFA_MAX_ENROLLED_FACTORS: '3' }],
  ...['totp', 'phone', 'web_authn'].flatMap((kind) =>
    ['enroll', 'verify'].map(
      (what) =>
        [
          `auth.mfa.${kind}`,
          `${what}_enabled = true`,
          { [`GOTRUE_MFA_${kind}_${what}_ENABLED`.toUpperCase()]: 'true' },
        ] as const,
    ),
  ),
  ['auth.mfa.phone', 'otp_length = 8', { GOTRUE_MFA_PHONE_OTP_LENGTH: '8' }],
  ['auth.mfa.phone', 'template = "T"', { GOTRUE_MFA_PHONE_TEMPLATE: 'T' }],
  ['auth.mfa.phone', 'max_frequency = "7s"', { GOTRUE_MFA_PHONE_MAX_FREQUENCY: '7s' }],
  ['auth.passkey', 'enabled = true', { GOTRUE_PASSKEY_ENABLED: 'true' }],
  ['auth.webauthn', 'rp_id = "a.test"', { GOTRUE_WEBAUTHN_RP_ID: 'a.test' }],
  ['auth.webauthn', 'rp_display_name = "A"', { GOTRUE_WEBAUTHN_RP_DISPLAY_NAME: 'A' }],
  ['auth.webauthn', 'rp_origins = ["https://a.test"]', { GOTRUE_WEBAUTHN_RP_ORIGINS: 'https://a.test' }],
  ['auth.external.google', 'enabled = true', { GOTRUE_EXTERNAL_GOOGLE_ENABLED: 'true' }],
  ['auth.external.linkedin_oidc', 'client_id = "c"', { GOTRUE_EXTERNAL_LINKEDIN_OIDC_CLIENT_ID: 'c' }],
  ['auth.external.google', 'secret = "s"', { GOTRUE_EXTERNAL_GOOGLE_SECRET: 's' }],
  ['auth.external.google', 'redirect_uri = "r"', { GOTRUE_EXTERNAL_GOOGLE_REDIRECT_URI: 'r' }],
  ['auth.external.keycloak', 'url = "u"', { GOTRUE_EXTERNAL_KEYCLOAK_URL: 'u' }],
  ['auth.external.google', 'skip_nonce_check = true', { GOTRUE_EXTERNAL_GOOGLE_SKIP_NONCE_CHECK: 'true' }],
  ['auth.external.google', 'email_optional = true', { GOTRUE_EXTERNAL_GOOGLE_EMAIL_OPTIONAL: 'true' }],
  ['auth.web3.solana', 'enabled = true', { GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED: 'true' }],
  ['auth.web3.ethereum', 'enabled = true', { GOTRUE_EXTERNAL_WEB3_ETHEREUM_ENABLED: 'true' }],
  ['auth.hook.send_email', 'uri = "https://h.test"', { GOTRUE_HOOK_SEND_EMAIL_URI: 'https://h.test' }],
  ['auth.hook.send_sms', 'enabled = true', { GOTRUE_HOOK_SEND_SMS_ENABLED: 'true' }],
  ['auth.hook.send_sms', 'secrets = "s"', { GOTRUE_HOOK_SEND_SMS_SECRETS: 's' }],
  ['auth.oauth_server', 'enabled = true', { GOTRUE_OAUTH_SERVER_ENABLED: 'true' }],
  ['auth.oauth_server', 'authorization_url_path = "/p"', { GOTRUE_OAUTH_SERVER_AUTHORIZATION_PATH: '/p' }],
  [
    'auth.oauth_server',
    'allow_dynamic_registration = true',
    { GOTRUE_OAUTH_SERVER_ALLOW_DYNAMIC_REGISTRATION: 'true' },
  ],
];

const defaults = loadConfig({ projectDir: '/nonexistent', env: {}, flags: {} }).config;

describe('a setting of the auth service', () => {
  it.each(pairs)('in [%s], %s, is the one of its variable %j', async (table, line, env) => {
    const projectDir = await mkdtemp(join(tmpdir(), 'ownbase-project-'));
    try {
      await writeProject(projectDir, { 'supabase/config.toml': `[${table}]\n${line}\n` });
      const written = loadConfig({ projectDir, env: {}, flags: {} });
      const { config } = loadConfig({ projectDir: '/nonexistent', env, flags: {} });
      expect(written.warnings).toEqual([]);
      expect([written.config.auth, written.config.keys]).toEqual([config.auth, config.keys]);
      expect([config.auth, config.keys]).not.toEqual([defaults.auth, defaults.keys]);
    } finally {
      await rm(projectDir, { recursive: true, force: true });
    }
  });
});
