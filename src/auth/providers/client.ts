import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ExternalProvider } from '../../config/options/auth-providers.ts';
import type { AuthDeps } from '../deps.ts';
import { type ClaimRules, withRules } from './custom-claims.ts';
import { profileProviders } from './definitions.ts';
import { idTokenUser, isAzureCiamIssuer, isAzureIssuer } from './id-token-user.ts';
import { moreProviders } from './more-definitions.ts';
import { issuerOf, type OidcVerifier } from './oidc.ts';
import type { ProfileContext, ProviderDefinition, ProviderTokens, ProviderUser } from './provider.ts';

const definitions: Readonly<Record<string, ProviderDefinition>> = { ...profileProviders, ...moreProviders };

/** A provider that the configuration turns on. */
export type ConfiguredProvider = {
  readonly name: string;
  readonly definition: ProviderDefinition;
  readonly clientId: string;
  /** Whom ID tokens may be made for. */
  readonly audiences: readonly string[];
  readonly secret: string;
  readonly redirectUri: string;
  readonly url: string;
  readonly isEmailOptional: boolean;
  /** Set for providers that the project made itself. */
  readonly custom?: { readonly rules: ClaimRules; readonly discoveryUrl: string };
};

/** Why a provider cannot be used, in upstream's words. */
export type ProviderProblem = { readonly problem: string };

/** The client ids of a provider; the first is used to sign in, all are audiences of its ID tokens. */
export function clientIds(setting: ExternalProvider | undefined): readonly string[] {
  const ids = setting?.client_id ?? '';
  return (typeof ids === 'string' ? ids.split(',') : ids).map((id) => id.trim()).filter((id) => id !== '');
}

/** The provider of a name, or why there is none. */
export function configuredProvider(
  deps: Pick<AuthDeps, 'config' | 'externalUrl'>,
  givenName: string,
): ConfiguredProvider | ProviderProblem {
  const name = givenName.toLowerCase();
  const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
  if (definition === undefined) return { problem: `Provider ${name} could not be found` };
  const setting = deps.config.externalProviders[name];
  if (setting?.enabled !== true) return { problem: 'provider is not enabled' };
  const [clientId] = clientIds(setting);
  if (clientId === undefined) return { problem: 'missing OAuth client ID' };
  if (setting.secret === '') return { problem: 'missing OAuth secret' };
  if (definition.needsUrl && setting.url === '') {
    return { problem: `unable to find URL for the ${name[0]?.toUpperCase()}${name.slice(1)} provider` };
  }
  return {
    name,
    definition,
    clientId,
    audiences: [clientId],
    secret: setting.secret,
    redirectUri: setting.redirect_uri || `${deps.externalUrl}/callback`,
    url: setting.url.replace(/\/+$/, ''),
    isEmailOptional: setting.email_optional,
  };
}

/** A URL of a definition with the configured host in it. */
export const urlAt = (template: string, url: string): string =>
  template.replace(/^\{([^|}]*)(?:\|([^}]*))?\}/, (_, host: string, suffix = '') =>
    url === '' ? `https://${host}` : url + suffix,
  );

/** Where a browser goes to sign in; `extra` are members that the app passes on. */
export function authorizeUrl(
  provider: ConfiguredProvider,
  state: string,
  scopes: readonly string[],
  extra: Readonly<Record<string, string>>,
  verifier: string | null,
): string {
  const { definition } = provider;
  const url = new URL(urlAt(definition.authorize, provider.url));
  const isApple = definition.params?.response_mode === 'form_post';
  const all = [...definition.scopes, ...(definition.hasFixedScopes ? [] : scopes)];
  const challenge =
    verifier === null
      ? {}
      : {
          code_challenge: createHash('sha256').update(verifier).digest('base64url'),
          code_challenge_method: 'S256',
        };
  const params = {
    // Apple refuses members that it does not know.
    ...(isApple ? {} : extra),
    ...definition.params,
    client_id: provider.clientId,
    redirect_uri: provider.redirectUri,
    response_type: 'code',
    ...(all.length === 0 ? {} : { scope: all.join(' ') }),
    state,
    ...challenge,
  };
  for (const [name, value] of Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))) {
    url.searchParams.set(name, value);
  }
  return isApple ? url.href.replaceAll('+', '%20') : url.href;
}

const tokenReply = z.looseObject({
  access_token: z.string(),
  refresh_token: z.string().nullish(),
  id_token: z.string().nullish(),
});

/** Exchanges a code for tokens. Rejects with an `Error` when the provider does not give any. */
export async function exchangeProviderCode(
  deps: Pick<AuthDeps, 'config' | 'fetch'>,
  provider: ConfiguredProvider,
  code: string,
  verifier: string | null,
): Promise<ProviderTokens> {
  const { definition, clientId, secret } = provider;
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code,
    redirect_uri: provider.redirectUri,
    ...(verifier === null ? {} : { code_verifier: verifier }),
  });
  const isBasic = (definition.secretIn ?? 'basic') === 'basic';
  const send = async (inHeader: boolean): Promise<Response> => {
    const body = new URLSearchParams(form);
    if (!inHeader) {
      body.set('client_id', clientId);
      body.set('client_secret', secret);
    }
    const credentials = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`);
    return deps.fetch(urlAt(definition.token, provider.url), {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(deps.config.outgoingTimeoutMs),
      headers: {
        accept: 'application/json',
        ...(inHeader ? { authorization: `Basic ${credentials.toString('base64')}` } : {}),
      },
    });
  };
  let reply = await send(isBasic);
  // Some servers of a kind take the secret only in the body; the code is not spent by a refused client.
  if (!reply.ok && isBasic) reply = await send(false);
  const text = await reply.text();
  if (!reply.ok) throw new Error(`the token endpoint answered ${reply.status}`);
  const isForm = reply.headers.get('content-type')?.includes('urlencoded') === true;
  const raw = tokenReply.parse(isForm ? Object.fromEntries(new URLSearchParams(text)) : JSON.parse(text));
  return {
    accessToken: raw.access_token,
    refreshToken: raw.refresh_token ?? '',
    idToken: raw.id_token ?? null,
    raw,
  };
}

/** Asks a provider who the user is. Rejects with an `Error` when it does not say. */
export async function loadProviderUser(
  deps: Pick<AuthDeps, 'config' | 'fetch'> & { readonly oidc: OidcVerifier },
  provider: ConfiguredProvider,
  tokens: ProviderTokens,
): Promise<ProviderUser> {
  const { definition } = provider;
  const isByToken = tokens.idToken !== null || definition.profile === undefined;
  if (definition.issuer !== undefined && isByToken) return userOfIdToken(deps, provider, tokens);
  const at = (template: string): string => urlAt(template, provider.url);
  const context: ProfileContext = { tokens, clientId: provider.clientId, clientSecret: provider.secret, at };
  const answers: unknown[] = [];
  for (const template of definition.profile ?? []) {
    const reply = await deps.fetch(at(template) + (definition.profileQuery?.(context) ?? ''), {
      signal: AbortSignal.timeout(deps.config.outgoingTimeoutMs),
      headers: {
        accept: 'application/json',
        'user-agent': 'ownbase',
        authorization: `Bearer ${tokens.accessToken}`,
        ...definition.profileHeaders?.(context),
      },
    });
    if (!reply.ok) throw new Error(`the profile endpoint answered ${reply.status}`);
    answers.push(await reply.json());
  }
  const user = definition.read?.(answers, context);
  if (user === undefined || user.claims.sub === '') throw new Error('the profile has no id');
  return user;
}

async function userOfIdToken(
  deps: { readonly oidc: OidcVerifier },
  provider: ConfiguredProvider,
  { idToken, accessToken }: ProviderTokens,
): Promise<ProviderUser> {
  if (idToken === null) throw new Error('the provider gave no ID token');
  const issuer =
    provider.definition.issuer === 'tenant' ? tenantIssuer(provider, idToken) : provider.definition.issuer;
  const { custom } = provider;
  const claims =
    custom === undefined
      ? await deps.oidc.verify(issuer ?? '', idToken, accessToken)
      : await deps.oidc.verify(issuer ?? '', idToken, null, custom.discoveryUrl);
  const audiences = [claims.aud].flat();
  if (!provider.audiences.some((audience) => audiences.includes(audience))) {
    throw new Error('the ID token is for somebody else');
  }
  const user = idTokenUser(claims);
  return custom === undefined ? user : withRules(user, claims, custom.rules);
}

/** The tenant that a token comes from; a tenant of the configuration excludes all others. */
function tenantIssuer(provider: ConfiguredProvider, idToken: string): string {
  const issuer = issuerOf(idToken) ?? '';
  const expected = provider.url === '' ? '' : `${provider.url}/v2.0`;
  const isTenant =
    (isAzureIssuer(expected) || isAzureCiamIssuer(expected)) &&
    !/\/(common|organizations)\/v2/.test(expected);
  const isKnown = isAzureIssuer(issuer) || issuer.startsWith('https://sts.windows.net/');
  if (isTenant ? issuer !== expected : !isKnown) throw new Error('the issuer is not the tenant');
  return issuer;
}
