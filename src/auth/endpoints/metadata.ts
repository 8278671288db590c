import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import type { Call } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { supportedScopes } from '../oauth-server/scopes.ts';
import { smsProviderName } from '../sms/channel.ts';

/** GET /health: answers without the database. */
export async function getHealth(context: AuthContext): Promise<HttpReply> {
  return jsonReply(200, {
    version: context.version,
    name: 'GoTrue',
    description: 'GoTrue is a user registration and authentication API',
  });
}

/** GET /.well-known/jwks.json: the public keys that tokens are verified with; shared secrets are not among them. */
export async function getJwks(context: AuthContext): Promise<HttpReply> {
  const keys = context.keys.jwks.keys.map((jwk) => ({ ...jwk, use: 'sig', key_ops: ['verify'] }));
  return jsonReply(200, { keys }, { 'cache-control': 'public, max-age=600' });
}

/** Providers that /settings lists; newer ones are not. */
const listed = [
  'apple',
  'azure',
  'bitbucket',
  'discord',
  'facebook',
  'snapchat',
  'figma',
  'fly',
  'github',
  'gitlab',
  'google',
  'keycloak',
  'kakao',
  'linkedin',
  'linkedin_oidc',
  'notion',
  'spotify',
  'slack',
  'slack_oidc',
  'workos',
  'twitch',
  'twitter',
  'zoom',
] as const;

/**
 * GET /settings: what sign-in pages need to know.
 * Upstream: internal/api/settings.go.
 */
export async function getSettings({ config, serviceProvider }: AuthContext): Promise<HttpReply> {
  const external = Object.fromEntries(
    listed.map((name) => [name, config.externalProviders[name]?.enabled === true]),
  );
  return jsonReply(200, {
    external: {
      anonymous_users: config.enableAnonymousSignIns,
      ...external,
      email: config.emailEnabled,
      phone: config.phoneEnabled,
    },
    disable_signup: !config.enableSignup,
    mailer_autoconfirm: !config.emailConfirmations,
    phone_autoconfirm: !config.phoneConfirmations,
    sms_provider: smsProviderName(config) ?? '',
    saml_enabled: config.samlEnabled,
    // Upstream's configuration library fills the field in, and only an enabled SAML empties it.
    saml_private_key_next_configured: serviceProvider === null || serviceProvider.nextKey !== null,
    passkeys_enabled: config.passkeyEnabled,
  });
}

/** GET /.well-known/openid-configuration and /.well-known/oauth-authorization-server. */
export async function getOpenIdConfiguration(context: AuthContext, _call: Call): Promise<HttpReply> {
  const { config } = context;
  const issuer = context.issuer.replace(/\/+$/, '');
  return jsonReply(
    200,
    {
      issuer: context.issuer,
      authorization_endpoint: `${issuer}/oauth/authorize`,
      token_endpoint: `${issuer}/oauth/token`,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      userinfo_endpoint: `${issuer}/oauth/userinfo`,
      ...(config.oauthServerEnabled && config.oauthServerDynamicRegistration
        ? { registration_endpoint: `${issuer}/oauth/clients/register` }
        : {}),
      scopes_supported: supportedScopes,
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'HS256', 'ES256'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
      code_challenge_methods_supported: ['S256', 'plain'],
      claims_supported: [
        'sub',
        'aud',
        'iss',
        'exp',
        'iat',
        'auth_time',
        'nonce',
        'email',
        'email_verified',
        'phone_number',
        'phone_number_verified',
        'name',
        'picture',
        'preferred_username',
        'updated_at',
      ],
    },
    { 'cache-control': 'public, max-age=600' },
  );
}
