import { PgFailure } from '../../pg/failure.ts';
import type { AuthContext } from '../context.ts';
import { AuthError } from '../errors.ts';
import { customProviderFailure } from '../failures/custom-provider.ts';
import { fault } from '../failures/table.ts';
import { discoveryUrlOf, withOpenId } from '../providers/custom.ts';
import { type CustomProviderParams, newProviderProblem, settingsProblem } from '../providers/custom-rules.ts';
import { demandPublicUrl } from '../providers/public-url.ts';
import {
  type CustomProvider,
  type CustomProviderColumns,
  countCustomProviders,
  findCustomProvider,
  insertCustomProvider,
  updateCustomProvider,
} from '../store/custom-providers.ts';
import type { JsonObject } from '../store/rows.ts';

/** The whole body of a request; null and empty members were left out. */
export type CustomProviderBody = CustomProviderParams & {
  readonly acceptable_client_ids: readonly string[] | null;
  readonly scopes: readonly string[] | null;
  readonly pkce_enabled: boolean | null;
  readonly enabled: boolean | null;
  readonly email_optional: boolean | null;
  readonly discovery_url: string | null;
  readonly skip_nonce_check: boolean | null;
  readonly jwks_uri: string | null;
};

const documentMembers = [
  'issuer',
  'authorization_endpoint',
  'token_endpoint',
  'userinfo_endpoint',
  'jwks_uri',
  'scopes_supported',
  'response_types_supported',
  'grant_types_supported',
  'subject_types_supported',
] as const;

/** What a provider says of itself, checked before anything is stored, so that mistakes show at once. */
async function fetchDiscovery(
  context: AuthContext,
  provider: Pick<CustomProvider, 'issuer' | 'discovery_url'>,
): Promise<JsonObject> {
  const url = discoveryUrlOf(provider);
  const issuer = provider.issuer ?? '';
  let document: JsonObject;
  try {
    await demandPublicUrl(url);
    context.oidc.forget(issuer);
    document = await context.oidc.discover(issuer, url);
  } catch (cause) {
    const reason =
      cause instanceof AuthError ? `400: ${cause.message}` : 'the document cannot be had or read';
    const failure = customProviderFailure.discovery(url, reason);
    failure.cause = cause;
    throw failure;
  }
  if (document.issuer !== issuer) {
    context.oidc.forget(issuer);
    const mismatch = `oidc: issuer mismatch, expected ${JSON.stringify(issuer)} got ${JSON.stringify(document.issuer)}`;
    throw customProviderFailure.discovery(url, mismatch);
  }
  const missing = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'].filter((name) => !document[name]);
  if (missing.length > 0) {
    throw customProviderFailure.invalid(
      `OIDC discovery document is missing required fields: ${missing.join(', ')}`,
    );
  }
  return Object.fromEntries(
    documentMembers.filter((name) => document[name] !== undefined).map((name) => [name, document[name]]),
  );
}

async function demandPublicUrls(urls: readonly (string | null)[]): Promise<void> {
  for (const url of urls) if (url !== null && url !== '') await demandPublicUrl(url);
}

/** Makes a provider. Upstream: internal/api/custom_oauth_admin.go (adminCustomOAuthProviderCreate). */
export async function createCustomProvider(
  context: AuthContext,
  body: CustomProviderBody,
): Promise<CustomProvider> {
  const problem = newProviderProblem(body);
  if (problem !== null) throw customProviderFailure.invalid(problem);
  const max = context.config.customOAuthMaxProviders;
  if (max > 0 && (await countCustomProviders(context.db)) >= max) throw customProviderFailure.quota();
  const isOidc = body.provider_type === 'oidc';
  await demandPublicUrls(
    isOidc
      ? [body.issuer, body.discovery_url]
      : [body.authorization_url, body.token_url, body.userinfo_url, body.jwks_uri],
  );
  if ((await findCustomProvider(context.db, body.identifier)) !== null) throw customProviderFailure.exists();
  const id = context.random.uuid();
  const columns = await newColumns(context, id, body, isOidc);
  try {
    return await insertCustomProvider(context.db, id, columns, context.now());
  } catch (cause) {
    // What the table's constraints refuse, upstream answers with this.
    if (!(cause instanceof PgFailure)) throw cause;
    throw fault('Error creating custom OAuth provider', { cause });
  }
}

async function newColumns(
  context: AuthContext,
  id: string,
  body: CustomProviderBody,
  isOidc: boolean,
): Promise<CustomProviderColumns> {
  const scopes = body.scopes ?? [];
  const common = {
    identifier: body.identifier,
    name: body.name,
    client_id: body.client_id,
    client_secret: context.encryption.seal(id, body.client_secret),
    acceptable_client_ids: body.acceptable_client_ids ?? [],
    pkce_enabled: body.pkce_enabled ?? true,
    attribute_mapping: body.attribute_mapping ?? {},
    custom_claims_allowlist: body.custom_claims_allowlist ?? [],
    authorization_params: body.authorization_params ?? {},
    enabled: body.enabled ?? true,
    email_optional: body.email_optional ?? false,
  };
  const none = { authorization_url: null, token_url: null, userinfo_url: null, jwks_uri: null };
  if (isOidc) {
    const { issuer, discovery_url } = body;
    return {
      ...common,
      ...none,
      provider_type: 'oidc',
      scopes: withOpenId(scopes),
      issuer,
      discovery_url,
      skip_nonce_check: body.skip_nonce_check ?? false,
      cached_discovery: await fetchDiscovery(context, { issuer, discovery_url }),
    };
  }
  return {
    ...common,
    provider_type: 'oauth2',
    scopes,
    issuer: null,
    discovery_url: null,
    skip_nonce_check: false,
    cached_discovery: null,
    authorization_url: body.authorization_url,
    token_url: body.token_url,
    userinfo_url: body.userinfo_url,
    jwks_uri: body.jwks_uri,
  };
}

/** Members that were given, as columns. */
const given = <T extends JsonObject>(members: T): Partial<T> =>
  Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== null && value !== ''),
  ) as Partial<T>;

/** Changes a provider. Upstream: internal/api/custom_oauth_admin.go (adminCustomOAuthProviderUpdate). */
export async function changeCustomProvider(
  context: AuthContext,
  find: () => Promise<CustomProvider>,
  body: CustomProviderBody,
): Promise<CustomProvider> {
  const problem = settingsProblem(body);
  if (problem !== null) throw customProviderFailure.invalid(problem);
  const provider = await find();
  const isOidc = provider.provider_type === 'oidc';
  const urls = isOidc
    ? given({ issuer: body.issuer, discovery_url: body.discovery_url })
    : given({
        authorization_url: body.authorization_url,
        token_url: body.token_url,
        userinfo_url: body.userinfo_url,
        jwks_uri: body.jwks_uri,
      });
  await demandPublicUrls(Object.values(urls));
  const columns: Partial<CustomProviderColumns> = {
    ...given({
      name: body.name,
      client_id: body.client_id,
      acceptable_client_ids: body.acceptable_client_ids,
      scopes: body.scopes === null || !isOidc ? body.scopes : withOpenId(body.scopes),
      pkce_enabled: body.pkce_enabled,
      attribute_mapping: body.attribute_mapping,
      custom_claims_allowlist: body.custom_claims_allowlist,
      authorization_params: body.authorization_params,
      enabled: body.enabled,
      email_optional: body.email_optional,
      skip_nonce_check: isOidc ? body.skip_nonce_check : null,
    }),
    ...urls,
    ...(body.client_secret === ''
      ? {}
      : { client_secret: context.encryption.seal(provider.id, body.client_secret) }),
  } as Partial<CustomProviderColumns>;
  const isMoved = isOidc && (body.issuer !== '' || body.discovery_url !== null);
  if (isMoved && provider.issuer !== null) context.oidc.forget(provider.issuer);
  const cached = isMoved
    ? { cached_discovery: await fetchDiscovery(context, { ...provider, ...columns }) }
    : {};
  try {
    return await updateCustomProvider(context.db, provider.id, { ...columns, ...cached }, context.now());
  } catch (cause) {
    if (!(cause instanceof PgFailure)) throw cause;
    throw fault('Error updating custom OAuth provider', { cause });
  }
}
