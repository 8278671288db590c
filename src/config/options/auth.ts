import { inverted } from '../inverted.ts';
import { boolean, duration, integer, list, optional, string } from '../kind.ts';
import { option } from '../option.ts';
import { authEmailOptions } from './auth-email.ts';
import { authLimitOptions } from './auth-limits.ts';
import { authMfaOptions } from './auth-mfa.ts';
import { authPasswordOptions } from './auth-passwords.ts';
import { authProviderOptions } from './auth-providers.ts';
import { authSessionOptions } from './auth-sessions.ts';
import { authSmsOptions } from './auth-sms.ts';

/** What the auth service is to its clients: addresses, tokens and who may sign up. */
const authCoreOptions = {
  enabled: option({ kind: boolean, default: true, toml: 'auth.enabled', description: 'Serve /auth/v1.' }),
  siteUrl: option({
    kind: string,
    default: 'http://127.0.0.1:3000',
    toml: 'auth.site_url',
    env: ['SITE_URL', 'GOTRUE_SITE_URL'],
    description: 'Where links of mails lead when no redirect is asked for.',
  }),
  redirectUrls: option({
    kind: list,
    default: [],
    toml: 'auth.additional_redirect_urls',
    env: ['ADDITIONAL_REDIRECT_URLS', 'GOTRUE_URI_ALLOW_LIST'],
    description: 'Globs of URLs that a redirect may lead to, besides the site URL.',
  }),
  externalUrl: option({
    kind: optional(string),
    default: null,
    toml: 'auth.external_url',
    env: ['GOTRUE_API_EXTERNAL_URL'],
    description: 'Public URL of the auth service; unset derives it from the gateway.',
  }),
  jwtExpiry: option({
    kind: integer(1, 604_800),
    default: 3600,
    toml: 'auth.jwt_expiry',
    env: ['JWT_EXPIRY', 'GOTRUE_JWT_EXP'],
    description: 'Lifetime of access tokens in seconds.',
  }),
  jwtIssuer: option({
    kind: optional(string),
    default: null,
    toml: 'auth.jwt_issuer',
    env: ['GOTRUE_JWT_ISSUER'],
    description: 'Issuer of access tokens; unset is the public URL of the auth service.',
  }),
  jwtAudience: option({
    kind: string,
    default: 'authenticated',
    env: ['GOTRUE_JWT_AUD'],
    description: 'Audience of users that sign up.',
  }),
  jwtDefaultRole: option({
    kind: string,
    default: 'authenticated',
    env: ['GOTRUE_JWT_DEFAULT_GROUP_NAME'],
    description: 'Database role of users that sign up.',
  }),
  jwtAdminRoles: option({
    kind: list,
    default: ['service_role', 'supabase_admin'],
    env: ['GOTRUE_JWT_ADMIN_ROLES'],
    description: 'Roles whose tokens may use the admin endpoints.',
  }),
  jwtValidMethods: option({
    kind: list,
    default: ['HS256', 'RS256', 'ES256'],
    env: ['GOTRUE_JWT_VALID_METHODS', 'GOTRUE_JWT_VALIDMETHODS'],
    description:
      'Algorithms that bearer tokens of the auth service may be signed by; those of its own keys always may.',
  }),
  enableSignup: option({
    kind: boolean,
    default: true,
    toml: 'auth.enable_signup',
    fromEnv: inverted('GOTRUE_DISABLE_SIGNUP', 'DISABLE_SIGNUP'),
    description: 'Whether new users may sign up.',
  }),
  enableAnonymousSignIns: option({
    kind: boolean,
    default: false,
    toml: 'auth.enable_anonymous_sign_ins',
    env: ['GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED', 'ENABLE_ANONYMOUS_USERS'],
    description: 'Whether a client may sign in without any credentials.',
  }),
  enableManualLinking: option({
    kind: boolean,
    default: false,
    toml: 'auth.enable_manual_linking',
    env: ['GOTRUE_SECURITY_MANUAL_LINKING_ENABLED'],
    description: 'Whether a signed-in user may link and unlink identities.',
  }),
  auditLogDisabled: option({
    kind: boolean,
    default: false,
    env: ['GOTRUE_AUDIT_LOG_DISABLE_POSTGRES'],
    description: 'Keep no audit log rows.',
  }),
  cleanupEnabled: option({
    kind: boolean,
    default: false,
    env: ['GOTRUE_DB_CLEANUP_ENABLED'],
    description:
      'Delete, a few at a time, rows that are over: old tokens, challenges and states, ended sessions, and anonymous users after 30 days.',
  }),
  cursorPagination: option({
    kind: boolean,
    default: false,
    env: ['GOTRUE_EXPERIMENTAL_CURSOR_PAGINATION_ENABLED'],
    description: 'List users by cursor where no page is asked for.',
  }),
  emailIdentityOnPassword: option({
    kind: boolean,
    default: false,
    env: ['GOTRUE_EXPERIMENTAL_CREATE_EMAIL_IDENTITY_ON_PASSWORD_SET_ENABLED'],
    description: 'Give a user without an identity of its mail address one when it gets its first password.',
  }),
  maxRequestDurationMs: option({
    kind: duration,
    default: 10_000,
    env: ['GOTRUE_API_MAX_REQUEST_DURATION'],
    description: 'Time in which the auth service answers, or says that it could not; 0 waits on.',
  }),
  requestIdHeader: option({
    kind: optional(string),
    default: null,
    env: ['REQUEST_ID_HEADER', 'GOTRUE_API_REQUEST_ID_HEADER'],
    description: 'Header whose value names a request in error answers of the auth service and in its log.',
  }),
  sbForwardedFor: option({
    kind: boolean,
    default: false,
    env: ['GOTRUE_SECURITY_SB_FORWARDED_FOR_ENABLED'],
    description:
      'Take the first address of Sb-Forwarded-For for that of the client, in sessions and for limits; only behind a proxy that sets it.',
  }),
  flowStateExpiryMs: option({
    kind: duration,
    default: 300_000,
    env: ['GOTRUE_EXTERNAL_FLOW_STATE_EXPIRY_DURATION'],
    description: 'How long a sign-in that was begun may be completed; never less than five minutes.',
  }),
};

/** The auth service. */
export const authOptions = {
  ...authCoreOptions,
  ...authSessionOptions,
  ...authPasswordOptions,
  ...authEmailOptions,
  ...authSmsOptions,
  ...authMfaOptions,
  ...authProviderOptions,
  ...authLimitOptions,
};
