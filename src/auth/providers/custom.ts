import type { CustomProvider } from '../store/custom-providers.ts';
import type { JsonObject } from '../store/rows.ts';
import type { ConfiguredProvider } from './client.ts';
import { userOfUserinfo } from './custom-claims.ts';
import type { OidcDiscovery } from './oidc.ts';
import type { ProviderDefinition } from './provider.ts';

/** Where an OpenID Connect provider describes itself. */
export const discoveryUrlOf = (provider: Pick<CustomProvider, 'issuer' | 'discovery_url'>): string =>
  provider.discovery_url || `${(provider.issuer ?? '').replace(/\/+$/, '')}/.well-known/openid-configuration`;

/** Scopes with `openid` first, which OpenID Connect cannot do without. */
export const withOpenId = (scopes: readonly string[]): readonly string[] =>
  scopes.includes('openid') ? scopes : ['openid', ...scopes];

/** Everything that the row does not say. */
export type CustomCase = {
  readonly secret: string;
  readonly redirectUri: string;
  /** Scopes that the app asked for instead of the provider's own; empty for those. */
  readonly scopes: readonly string[];
  /** Null for providers that are plain OAuth. */
  readonly discovery: OidcDiscovery | null;
};

/**
 * A provider of the project's own in the form of those that are built in.
 * Upstream: internal/api/external.go (loadCustomProvider), internal/api/provider/custom_oauth.go.
 */
export function customProvider(row: CustomProvider, about: CustomCase): ConfiguredProvider {
  const { discovery } = about;
  const isOidc = row.provider_type === 'oidc';
  const wanted = about.scopes.length > 0 ? about.scopes : row.scopes;
  const params = Object.entries(row.authorization_params).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  const userinfo = isOidc ? discovery?.userinfo_endpoint : row.userinfo_url;
  const rules = { mapping: row.attribute_mapping, allowlist: row.custom_claims_allowlist };
  const definition: ProviderDefinition = {
    scopes: isOidc ? withOpenId(wanted) : wanted,
    authorize: (isOidc ? discovery?.authorization_endpoint : row.authorization_url) ?? '',
    token: (isOidc ? discovery?.token_endpoint : row.token_url) ?? '',
    params: Object.fromEntries(params),
    ...(row.pkce_enabled ? { needsPkce: true as const } : {}),
    ...(isOidc && row.issuer !== null ? { issuer: row.issuer } : {}),
    ...(userinfo
      ? {
          profile: [userinfo],
          read: ([profile]) => userOfUserinfo({ ...(profile as JsonObject | null) }, rules),
        }
      : {}),
  };
  return {
    name: row.identifier,
    definition,
    clientId: row.client_id,
    audiences: [row.client_id, ...row.acceptable_client_ids],
    secret: about.secret,
    redirectUri: about.redirectUri,
    url: '',
    isEmailOptional: row.email_optional,
    custom: { rules, discoveryUrl: discoveryUrlOf(row) },
  };
}
