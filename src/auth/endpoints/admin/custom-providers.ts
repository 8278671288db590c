import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../../http/exchange.ts';
import { type AdminCall, field, readJson } from '../../call.ts';
import type { AuthContext } from '../../context.ts';
import { customProviderFailure } from '../../failures/custom-provider.ts';
import { changeCustomProvider, createCustomProvider } from '../../flows/manage-custom-providers.ts';
import { identifierProblem } from '../../providers/custom-rules.ts';
import {
  type CustomProvider,
  deleteCustomProvider,
  findCustomProvider,
  listCustomProviders,
} from '../../store/custom-providers.ts';
import type { JsonObject } from '../../store/rows.ts';
import { rfc3339 } from '../../timestamp.ts';

/** Refuses unless projects may make providers. */
export function demandCustomProviders({ config }: AuthContext): void {
  if (!config.customOAuthEnabled) throw customProviderFailure.disabled();
}

/** A provider as administrators see it; its secret stays here. */
const providerJson = (provider: CustomProvider): JsonObject => ({
  id: provider.id,
  provider_type: provider.provider_type,
  identifier: provider.identifier,
  name: provider.name,
  client_id: provider.client_id,
  acceptable_client_ids: provider.acceptable_client_ids,
  scopes: provider.scopes,
  pkce_enabled: provider.pkce_enabled,
  attribute_mapping: provider.attribute_mapping,
  custom_claims_allowlist: provider.custom_claims_allowlist,
  authorization_params: provider.authorization_params,
  enabled: provider.enabled,
  email_optional: provider.email_optional,
  issuer: provider.issuer ?? undefined,
  discovery_url: provider.discovery_url ?? undefined,
  skip_nonce_check: provider.skip_nonce_check,
  discovery_document: provider.cached_discovery ?? undefined,
  authorization_url: provider.authorization_url ?? undefined,
  token_url: provider.token_url ?? undefined,
  userinfo_url: provider.userinfo_url ?? undefined,
  jwks_uri: provider.jwks_uri ?? undefined,
  created_at: rfc3339(provider.created_at),
  updated_at: rfc3339(provider.updated_at),
});

const texts = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? null);
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? null);

const providerBody = z
  .object({
    provider_type: field.text,
    identifier: field.text,
    name: field.text,
    client_id: field.text,
    client_secret: field.text,
    acceptable_client_ids: texts,
    scopes: texts,
    pkce_enabled: flag,
    attribute_mapping: field.object,
    custom_claims_allowlist: texts,
    authorization_params: field.object,
    enabled: flag,
    email_optional: flag,
    issuer: field.text,
    discovery_url: field.optionalText,
    skip_nonce_check: flag,
    authorization_url: field.text,
    token_url: field.text,
    userinfo_url: field.text,
    jwks_uri: field.optionalText,
  })
  .describe('AdminCustomOAuthProviderParams');

/** The provider of the path. */
async function demandPathProvider(context: AuthContext, call: AdminCall): Promise<CustomProvider> {
  // Upstream takes the path as it is written: an encoded colon is none.
  const identifier = call.request.path.split('/')[3] ?? '';
  const problem = identifierProblem(identifier);
  if (problem !== null) throw customProviderFailure.invalid(problem);
  const provider = await findCustomProvider(context.db, identifier);
  if (provider === null) throw customProviderFailure.notFound();
  return provider;
}

/** GET /admin/custom-providers: all, or those of one type. */
export async function getCustomProviders(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const type = call.query.get('type') || null;
  if (type !== null && type !== 'oauth2' && type !== 'oidc') {
    throw customProviderFailure.invalid("type must be either 'oauth2' or 'oidc'");
  }
  const providers = await listCustomProviders(context.db, type);
  return jsonReply(200, { providers: providers.map(providerJson) });
}

/** POST /admin/custom-providers. */
export async function postCustomProvider(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const body = await readJson(call, providerBody);
  return jsonReply(201, providerJson(await createCustomProvider(context, body)));
}

/** GET /admin/custom-providers/{identifier}. */
export async function getCustomProvider(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  return jsonReply(200, providerJson(await demandPathProvider(context, call)));
}

/** PUT /admin/custom-providers/{identifier}: members that are there replace what was. */
export async function putCustomProvider(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const body = await readJson(call, providerBody);
  const changed = await changeCustomProvider(context, () => demandPathProvider(context, call), body);
  return jsonReply(200, providerJson(changed));
}

/** DELETE /admin/custom-providers/{identifier}. */
export async function removeCustomProvider(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const provider = await demandPathProvider(context, call);
  await deleteCustomProvider(context.db, provider.id);
  if (provider.issuer !== null) context.oidc.forget(provider.issuer);
  return { status: 204, headers: {}, body: null };
}
