import { isDeepStrictEqual } from 'node:util';
import { PgFailure } from '../../pg/failure.ts';
import type { Call } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { ssoFailure } from '../failures/sso.ts';
import type { AttributeMapping } from '../sso/assertion.ts';
import { fetchMetadata } from '../sso/fetch-metadata.ts';
import { MetadataError, readIdentityProvider } from '../sso/identity-provider.ts';
import {
  deleteSsoDomains,
  findSsoProvider,
  findSsoProviderByDomain,
  findSsoProviderByEntity,
  insertSsoDomain,
  insertSsoProvider,
  type SamlConnection,
  type SsoProvider,
  updateSamlConnection,
  updateSsoProvider,
} from '../store/sso-providers.ts';
import { runFlow } from './flow.ts';

/** What an administrator says of a provider; empty and null members were left out. */
export type SsoProviderChange = {
  readonly type: string;
  readonly metadataUrl: string;
  readonly metadataXml: string;
  readonly domains: readonly string[] | null;
  readonly attributeMapping: AttributeMapping;
  readonly nameIdFormat: string;
  readonly resourceId: string | null;
  readonly disabled: boolean | null;
};

const nameIdFormats = [
  'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
  'urn:oasis:names:tc:SAML:2.0:nameid-format:transient',
  'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified',
];

/** What is wrong with a change; null when nothing is. Upstream: internal/api/ssoadmin.go (validate). */
function changeProblem(change: SsoProviderChange, isNew: boolean): string | null {
  const { metadataUrl, metadataXml, nameIdFormat } = change;
  if (isNew && change.type !== 'saml') return "Only 'saml' supported for SSO provider type";
  if (metadataUrl !== '' && metadataXml !== '') {
    return 'Only one of metadata_xml or metadata_url needs to be set';
  }
  if (isNew && metadataUrl === '' && metadataXml === '') {
    return 'Either metadata_xml or metadata_url must be set';
  }
  if (metadataUrl !== '') {
    if (!metadataUrl.startsWith('/') && !URL.canParse(metadataUrl)) return 'metadata_url is not a valid URL';
    if (!metadataUrl.startsWith('https:')) return 'metadata_url is not a HTTPS URL';
  }
  return nameIdFormat === '' || nameIdFormats.includes(nameIdFormat)
    ? null
    : `name_id_format must be unspecified or one of ${nameIdFormats.join(', ')}`;
}

function demandValid(change: SsoProviderChange, isNew: boolean): void {
  const problem = changeProblem(change, isNew);
  if (problem !== null) throw ssoFailure.invalid(problem);
}

async function loadMetadata(
  context: AuthContext,
  change: SsoProviderChange,
): Promise<{ readonly xml: string; readonly entityId: string }> {
  const xml =
    change.metadataXml === '' ? await fetchMetadata(context, change.metadataUrl) : change.metadataXml;
  if (xml.includes('\uFFFD')) {
    throw ssoFailure.invalid(
      'SAML Metadata XML contains invalid UTF-8 characters, which are not supported at this time',
    );
  }
  try {
    return { xml, entityId: (await readIdentityProvider(xml)).entityId };
  } catch (thrown) {
    if (thrown instanceof MetadataError) throw ssoFailure.invalid(thrown.message);
    throw thrown;
  }
}

async function reload(context: AuthContext, id: string): Promise<SsoProvider> {
  const provider = await findSsoProvider(context.db, id);
  if (provider === null) throw ssoFailure.providerNotFound();
  return provider;
}

/** Connects an identity provider. Upstream: internal/api/ssoadmin.go (adminSSOProvidersCreate). */
export async function createSsoProvider(
  context: AuthContext,
  call: Call,
  change: SsoProviderChange,
): Promise<SsoProvider> {
  demandValid(change, true);
  const { xml, entityId } = await loadMetadata(context, change);
  if ((await findSsoProviderByEntity(context.db, entityId)) !== null) throw ssoFailure.entityExists(entityId);
  const domains = change.domains ?? [];
  for (const domain of domains) {
    const holder = await findSsoProviderByDomain(context.db, domain);
    if (holder !== null) throw ssoFailure.domainAssigned(domain, holder.id);
  }
  const ids = { provider: context.random.uuid(), connection: context.random.uuid() };
  await runFlow(context, call, async ({ tx }) => {
    const now = context.now();
    const made = {
      resourceId: change.resourceId,
      disabled: change.disabled,
      entityId,
      metadataXml: xml,
      metadataUrl: change.metadataUrl || null,
      attributeMapping: change.attributeMapping,
      nameIdFormat: change.nameIdFormat || null,
    };
    await insertSsoProvider(tx, ids, made, now);
    for (const domain of domains) await insertSsoDomain(tx, context.random.uuid(), ids.provider, domain, now);
  });
  return reload(context, ids.provider);
}

/** The connection with what changes about it; the same object when nothing does. */
async function changedConnection(
  context: AuthContext,
  { saml }: SsoProvider,
  change: SsoProviderChange,
): Promise<SamlConnection> {
  const hasMetadata = change.metadataXml !== '' || change.metadataUrl !== '';
  const metadata = hasMetadata ? await loadMetadata(context, change) : null;
  if (metadata !== null && metadata.entityId !== saml.entity_id) {
    throw ssoFailure.entityMismatch(saml.entity_id, metadata.entityId);
  }
  const { keys } = change.attributeMapping;
  const hasMapping = keys !== undefined && !isDeepStrictEqual(keys, saml.attribute_mapping?.keys);
  const hasFormat = change.nameIdFormat !== '' && change.nameIdFormat !== saml.name_id_format;
  if (metadata === null && !hasMapping && !hasFormat) return saml;
  return {
    ...saml,
    metadata_xml: metadata?.xml ?? saml.metadata_xml,
    metadata_url: change.metadataUrl || saml.metadata_url,
    attribute_mapping: hasMapping ? change.attributeMapping : saml.attribute_mapping,
    // As upstream: whoever replaces the connection without a format goes back to the default one.
    name_id_format: change.nameIdFormat || null,
  };
}

/** Domains that come and go; refuses one that another provider has. */
async function changedDomains(context: AuthContext, provider: SsoProvider, wanted: readonly string[] | null) {
  if (wanted === null) return { added: [], removed: [] };
  const added: string[] = [];
  for (const domain of new Set(wanted)) {
    const holder = await findSsoProviderByDomain(context.db, domain);
    if (holder === null) added.push(domain);
    else if (holder.id !== provider.id) throw ssoFailure.domainElsewhere(domain, holder.id);
  }
  return { added, removed: provider.domains.filter((domain) => !wanted.includes(domain)) };
}

/** Changes a provider. Upstream: internal/api/ssoadmin.go (adminSSOProvidersUpdate). */
export async function updateProvider(
  context: AuthContext,
  call: Call,
  provider: SsoProvider,
  change: SsoProviderChange,
): Promise<SsoProvider> {
  demandValid(change, false);
  const connection = await changedConnection(context, provider, change);
  const { added, removed } = await changedDomains(context, provider, change.domains);
  const changed = {
    id: provider.id,
    resource_id: change.resourceId === null ? provider.resource_id : change.resourceId || null,
    disabled: change.disabled ?? provider.disabled,
  };
  const isSame = changed.resource_id === provider.resource_id && changed.disabled === provider.disabled;
  if (isSame && connection === provider.saml && added.length === 0 && removed.length === 0) return provider;
  try {
    await runFlow(context, call, async ({ tx }) => {
      const now = context.now();
      await updateSsoProvider(tx, changed, now);
      if (removed.length > 0) await deleteSsoDomains(tx, provider.id, removed);
      for (const domain of added) await insertSsoDomain(tx, context.random.uuid(), provider.id, domain, now);
      if (connection !== provider.saml) await updateSamlConnection(tx, connection, now);
    });
  } catch (thrown) {
    // Another administrator was quicker with the name or a domain.
    if (thrown instanceof PgFailure && thrown.sqlstate === '23505') throw ssoFailure.updateConflict();
    throw thrown;
  }
  return reload(context, provider.id);
}
