import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../../http/exchange.ts';
import { type AdminCall, field, readJson } from '../../call.ts';
import type { AuthContext } from '../../context.ts';
import { ssoFailure } from '../../failures/sso.ts';
import { createSsoProvider, type SsoProviderChange, updateProvider } from '../../flows/manage-sso.ts';
import { isUuid } from '../../guard.ts';
import type { JsonObject } from '../../store/rows.ts';
import {
  deleteSsoProvider,
  findSsoProvider,
  findSsoProviderByResource,
  listSsoProviders,
  type SsoProvider,
  type SsoProviderFilter,
} from '../../store/sso-providers.ts';
import { rfc3339 } from '../../timestamp.ts';

const providerJson = (provider: SsoProvider, withMetadata = true): JsonObject => ({
  id: provider.id,
  resource_id: provider.resource_id ?? undefined,
  disabled: provider.disabled,
  saml: {
    entity_id: provider.saml.entity_id,
    metadata_xml: withMetadata ? provider.saml.metadata_xml : undefined,
    metadata_url: provider.saml.metadata_url ?? undefined,
    attribute_mapping: provider.saml.attribute_mapping ?? {},
    name_id_format: provider.saml.name_id_format ?? undefined,
  },
  domains: provider.domains.map((domain) => ({ domain })),
  created_at: rfc3339(provider.created_at),
  updated_at: rfc3339(provider.updated_at),
});

const attributeRule = z.object({
  name: z.string().optional(),
  names: z.array(z.string()).optional(),
  default: z.unknown().optional(),
  array: z.boolean().optional(),
});

const providerBody = z
  .object({
    type: field.text,
    metadata_url: field.text,
    metadata_xml: field.text,
    domains: z.array(z.string()).nullish(),
    attribute_mapping: z
      .object({ keys: z.record(z.string(), attributeRule).optional() })
      .nullish()
      .describe('models.SAMLAttributeMapping'),
    name_id_format: field.text,
    resource_id: field.optionalText,
    disabled: z.boolean().nullish(),
  })
  .describe('CreateSSOProviderParams');

async function readChange(call: AdminCall): Promise<SsoProviderChange> {
  const body = await readJson(call, providerBody);
  return {
    type: body.type,
    metadataUrl: body.metadata_url,
    metadataXml: body.metadata_xml,
    domains: body.domains ?? null,
    attributeMapping: body.attribute_mapping ?? {},
    nameIdFormat: body.name_id_format,
    resourceId: body.resource_id,
    disabled: body.disabled ?? null,
  };
}

const resourcePrefix = 'resource_';

/** The provider of the path, by its id or, with a prefix, by the name that the administrator gave it. */
export async function demandPathProvider(
  context: AuthContext,
  call: Pick<AdminCall, 'params'>,
): Promise<SsoProvider> {
  const id = call.params.idp_id ?? '';
  const provider = id.startsWith(resourcePrefix)
    ? await findSsoProviderByResource(context.db, id.slice(resourcePrefix.length))
    : isUuid(id)
      ? await findSsoProvider(context.db, id)
      : null;
  if (provider === null) throw ssoFailure.providerNotFound();
  return provider;
}

function filterOf(query: URLSearchParams): SsoProviderFilter {
  const resourceId = query.get('resource_id') ?? '';
  if (resourceId !== '') return { resourceId };
  const prefix = query.get('resource_id_prefix') ?? '';
  return prefix === '' ? null : { resourcePrefix: prefix };
}

/** GET /admin/sso/providers: all of them, without their metadata. */
export async function getSsoProviders(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const providers = await listSsoProviders(context.db, filterOf(call.query));
  return jsonReply(200, { items: providers.map((provider) => providerJson(provider, false)) });
}

/** POST /admin/sso/providers. */
export async function postSsoProvider(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  return jsonReply(201, providerJson(await createSsoProvider(context, call, await readChange(call))));
}

/** GET /admin/sso/providers/{idp_id}. */
export async function getSsoProvider(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  return jsonReply(200, providerJson(await demandPathProvider(context, call)));
}

/** PUT /admin/sso/providers/{idp_id}: members that are there replace what was. */
export async function putSsoProvider(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const provider = await demandPathProvider(context, call);
  return jsonReply(200, providerJson(await updateProvider(context, call, provider, await readChange(call))));
}

/** DELETE /admin/sso/providers/{idp_id}: its users stay. */
export async function removeSsoProvider(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const provider = await demandPathProvider(context, call);
  await context.db.transaction((tx) => deleteSsoProvider(tx, provider.id));
  return jsonReply(200, providerJson(provider));
}
