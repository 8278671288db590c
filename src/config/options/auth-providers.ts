import { z } from 'zod';
import { boolean, duration, integer, list, optional, secret, string, table } from '../kind.ts';
import { type Environment, option } from '../option.ts';

const external = z.looseObject({
  enabled: z.boolean().default(false),
  client_id: z.union([z.string(), z.array(z.string())]).default(''),
  secret: z.string().default(''),
  redirect_uri: z.string().default(''),
  url: z.string().default(''),
  api_url: z.string().default(''),
  skip_nonce_check: z.boolean().default(false),
  email_optional: z.boolean().default(false),
});

/** One OAuth provider as config.toml writes it. */
export type ExternalProvider = z.infer<typeof external>;

const hook = z.looseObject({
  enabled: z.boolean().default(false),
  uri: z.string().default(''),
  secrets: z.union([z.string(), z.array(z.string())]).default(''),
});

const providerSettings = [
  'ENABLED',
  'CLIENT_ID',
  'SECRET',
  'REDIRECT_URI',
  'URL',
  'API_URL',
  'SKIP_NONCE_CHECK',
  'EMAIL_OPTIONAL',
];
const switches: ReadonlySet<string> = new Set(['ENABLED', 'SKIP_NONCE_CHECK', 'EMAIL_OPTIONAL']);
const notProviders = /^(EMAIL|PHONE|ANONYMOUS_USERS|WEB3_(SOLANA|ETHEREUM)|SAML|CUSTOM_OAUTH)$/;

/** Groups `<PREFIX><NAME>_<SETTING>` variables by name. */
function grouped(
  env: Environment,
  prefix: string,
  settings: readonly string[],
): Record<string, Record<string, string | boolean>> {
  const groups: Record<string, Record<string, string | boolean>> = {};
  const pattern = new RegExp(`^${prefix}(\\w+?)_(${settings.join('|')})$`);
  for (const [key, value] of Object.entries(env)) {
    const match = pattern.exec(key);
    const [, name = '', setting = ''] = match ?? [];
    if (match === null || value === undefined || value === '' || notProviders.test(name)) continue;
    const group = groups[name.toLowerCase()] ?? {};
    group[setting.toLowerCase()] = switches.has(setting) ? boolean.parse(value) : value;
    groups[name.toLowerCase()] = group;
  }
  return groups;
}

/** Lays environment groups over the tables of config.toml. */
function overlay<T>(
  schema: z.ZodType<T>,
  toml: Readonly<Record<string, T>>,
  groups: Readonly<Record<string, Record<string, string | boolean>>>,
): Record<string, T> | undefined {
  if (Object.keys(groups).length === 0) return undefined;
  const merged: Record<string, T> = { ...toml };
  for (const [name, group] of Object.entries(groups))
    merged[name] = schema.parse({ ...toml[name], ...group });
  return merged;
}

/** `provider=domain`; names of providers may hold colons. */
function linkingDomain(pair: string): readonly [provider: string, domain: string] {
  const [provider = '', domain = ''] = pair.split(/=(.*)/s, 2).map((part) => part.trim());
  if (provider === '' || domain === '') throw new RangeError(`must be provider=domain, not ${pair}`);
  return [provider, domain];
}

/** Providers that users sign in through, and what is called on the way. */
export const authProviderOptions = {
  externalProviders: option({
    kind: table(z.record(z.string(), external)),
    default: {},
    toml: 'auth.external',
    fromEnv: (env, toml) => overlay(external, toml, grouped(env, 'GOTRUE_EXTERNAL_', providerSettings)),
    description: 'OAuth providers, by name.',
  }),
  externalIosBundleId: option({
    kind: optional(string),
    default: null,
    env: ['GOTRUE_EXTERNAL_IOS_BUNDLE_ID'],
    description: 'Bundle id that Apple ID tokens may be made for.',
  }),
  externalAllowedIdTokenIssuers: option({
    kind: list,
    default: ['https://appleid.apple.com', 'https://accounts.google.com'],
    env: ['GOTRUE_EXTERNAL_ALLOWED_ID_TOKEN_ISSUERS'],
    description: 'Issuers whose ID tokens are accepted without a provider of their own.',
  }),
  externalRedirectUrl: option({
    kind: optional(string),
    default: null,
    env: ['GOTRUE_EXTERNAL_REDIRECT_URL', 'GOTRUE_EXTERNAL_REDIRECTURL'],
    description: 'Where sign-ins through providers end when none was asked for; unset is the site URL.',
  }),
  customOAuthEnabled: option({
    kind: boolean,
    default: true,
    env: ['GOTRUE_CUSTOM_OAUTH_ENABLED'],
    description: 'Whether administrators may add OAuth and OpenID Connect providers at runtime.',
  }),
  customOAuthMaxProviders: option({
    kind: integer(),
    default: 0,
    env: ['GOTRUE_CUSTOM_OAUTH_MAX_PROVIDERS'],
    description: 'How many of them there may be; 0 has no limit.',
  }),
  customOAuthExternalUrl: option({
    kind: optional(string),
    default: null,
    env: ['GOTRUE_CUSTOM_OAUTH_EXTERNAL_URL'],
    description: 'Public URL of the auth service for them; unset is that for everybody.',
  }),
  linkingDomains: option({
    kind: table(z.record(z.string(), z.string())),
    default: {},
    fromEnv: (env) => {
      const own = list.parse(env.GOTRUE_EXPERIMENTAL_PROVIDERS_WITH_OWN_LINKING_DOMAIN ?? '');
      const shared = list.parse(env.GOTRUE_EXPERIMENTAL_PROVIDER_LINKING_DOMAINS ?? '').map(linkingDomain);
      const all = [...own.map((provider) => [provider, provider]), ...shared];
      return all.length === 0 ? undefined : Object.fromEntries(all);
    },
    description: 'Providers whose accounts are linked only among those of one domain, as provider=domain.',
  }),
  web3Solana: option({
    kind: boolean,
    default: false,
    toml: 'auth.web3.solana.enabled',
    env: ['GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED'],
    description: 'Sign in with a Solana wallet.',
  }),
  web3Ethereum: option({
    kind: boolean,
    default: false,
    toml: 'auth.web3.ethereum.enabled',
    env: ['GOTRUE_EXTERNAL_WEB3_ETHEREUM_ENABLED'],
    description: 'Sign in with an Ethereum wallet.',
  }),
  web3SolanaMaxAgeMs: option({
    kind: duration,
    default: 600_000,
    env: ['GOTRUE_EXTERNAL_WEB3_SOLANA_MAXIMUM_VALIDITY_DURATION'],
    description: 'How old a message signed by a Solana wallet may be.',
  }),
  web3EthereumMaxAgeMs: option({
    kind: duration,
    default: 600_000,
    env: ['GOTRUE_EXTERNAL_WEB3_ETHEREUM_MAXIMUM_VALIDITY_DURATION'],
    description: 'How old a message signed by an Ethereum wallet may be.',
  }),
  outgoingTimeoutMs: option({
    kind: duration,
    default: 10_000,
    env: ['GOTRUE_INTERNAL_HTTP_TIMEOUT'],
    description: 'Time that identity providers and senders of messages get to answer.',
  }),
  oidcCacheTtlMs: option({
    kind: duration,
    default: 3_600_000,
    env: ['GOTRUE_EXTERNAL_OIDC_PROVIDER_CACHE_TTL'],
    description: 'How long what an OpenID Connect issuer says of itself is kept.',
  }),
  hooks: option({
    kind: table(z.record(z.string(), hook)),
    default: {},
    toml: 'auth.hook',
    fromEnv: (env, toml) => overlay(hook, toml, grouped(env, 'GOTRUE_HOOK_', ['ENABLED', 'URI', 'SECRETS'])),
    description: 'Functions and URLs that take part in sign-ups, tokens, mails and messages, by name.',
  }),
  oauthServerEnabled: option({
    kind: boolean,
    default: false,
    toml: 'auth.oauth_server.enabled',
    env: ['GOTRUE_OAUTH_SERVER_ENABLED'],
    description: 'Be an OAuth 2.1 server to other apps.',
  }),
  oauthServerDynamicRegistration: option({
    kind: boolean,
    default: false,
    toml: 'auth.oauth_server.allow_dynamic_registration',
    env: ['GOTRUE_OAUTH_SERVER_ALLOW_DYNAMIC_REGISTRATION'],
    description: 'Whether OAuth clients may register themselves.',
  }),
  oauthServerAuthorizationPath: option({
    kind: string,
    default: '/oauth/consent',
    toml: 'auth.oauth_server.authorization_url_path',
    env: ['GOTRUE_OAUTH_SERVER_AUTHORIZATION_PATH'],
    description: 'Path on the site URL of the page where users let OAuth clients in.',
  }),
  oauthServerAuthorizationTtlMs: option({
    kind: duration,
    default: 600_000,
    env: ['GOTRUE_OAUTH_SERVER_AUTHORIZATION_TTL'],
    description: 'How long a request of an OAuth client may be answered and its code exchanged.',
  }),
  oauthServerDefaultScope: option({
    kind: string,
    default: 'email',
    env: ['GOTRUE_OAUTH_SERVER_DEFAULT_SCOPE'],
    description: 'Scopes of OAuth clients that ask for none.',
  }),
  samlEnabled: option({
    kind: boolean,
    default: false,
    env: ['GOTRUE_SAML_ENABLED'],
    description: 'Single sign-on by SAML 2.0.',
  }),
  samlPrivateKey: option({
    kind: optional(secret),
    default: null,
    env: ['GOTRUE_SAML_PRIVATE_KEY'],
    description: 'RSA key for SAML, as Base64 of PKCS#1 DER; at least 2048 bits.',
  }),
  samlPrivateKeyNext: option({
    kind: optional(secret),
    default: null,
    env: ['GOTRUE_SAML_PRIVATE_KEY_NEXT'],
    description: 'The key that is to follow it: published before it is used, and used to decrypt.',
  }),
  samlAllowEncryptedAssertions: option({
    kind: boolean,
    default: false,
    env: ['GOTRUE_SAML_ALLOW_ENCRYPTED_ASSERTIONS'],
    description: 'Tell identity providers that they may encrypt assertions.',
  }),
  samlRelayStateValidityMs: option({
    kind: duration,
    default: 120_000,
    env: ['GOTRUE_SAML_RELAY_STATE_VALIDITY_PERIOD'],
    description: 'How long a sign-in at an identity provider may take.',
  }),
  samlExternalUrl: option({
    kind: optional(string),
    default: null,
    env: ['GOTRUE_SAML_EXTERNAL_URL'],
    description: 'Public URL of the auth service for identity providers; unset is that for everybody.',
  }),
  thirdParty: option({
    kind: table(z.record(z.string(), z.looseObject({ enabled: z.boolean().default(false) }))),
    default: {},
    toml: 'auth.third_party',
    description:
      'Issuers outside of this instance whose tokens the data services accept, by name (firebase, auth0, aws_cognito, clerk, workos); one at a time.',
  }),
};
