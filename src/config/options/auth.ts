import { boolean, integer, list, optional, string } from '../kind.ts';
import { option } from '../option.ts';

/** The auth service. */
export const authOptions = {
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
  enableSignup: option({
    kind: boolean,
    default: true,
    toml: 'auth.enable_signup',
    description: 'Whether new users may sign up.',
  }),
};
