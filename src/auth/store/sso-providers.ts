import type { Transaction } from '../../pg/session.ts';
import { sql } from '../../pg/sql/sql.ts';
import type { AttributeMapping } from '../sso/assertion.ts';
import type { Timestamp } from './rows.ts';
import type { Queryable } from './users.ts';

/** A row of `auth.saml_providers`. */
export type SamlConnection = {
  readonly id: string;
  readonly entity_id: string;
  readonly metadata_xml: string;
  readonly metadata_url: string | null;
  readonly attribute_mapping: AttributeMapping | null;
  readonly name_id_format: string | null;
  readonly updated_at: Timestamp | null;
};

/** A row of `auth.sso_providers` with what belongs to it. */
export type SsoProvider = {
  readonly id: string;
  readonly resource_id: string | null;
  readonly disabled: boolean | null;
  readonly created_at: Timestamp;
  readonly updated_at: Timestamp;
  readonly saml: SamlConnection;
  readonly domains: readonly string[];
};

const providers = sql`
  select p.id, p.resource_id, p.disabled, p.created_at, p.updated_at,
    (select to_json(c) from (
      select s.id, s.entity_id, s.metadata_xml, s.metadata_url, s.attribute_mapping, s.name_id_format, s.updated_at
      from auth.saml_providers s where s.sso_provider_id = p.id limit 1) c) as saml,
    coalesce((select json_agg(d.domain order by d.created_at, d.domain) from auth.sso_domains d
      where d.sso_provider_id = p.id), '[]') as domains
  from auth.sso_providers p`;

const first = async (db: Queryable, where: ReturnType<typeof sql>): Promise<SsoProvider | null> => {
  const [row] = await db.query<SsoProvider>(sql`${providers} where ${where}`);
  return row ?? null;
};

/** The provider of an id. */
export const findSsoProvider = (db: Queryable, id: string): Promise<SsoProvider | null> =>
  first(db, sql`p.id = ${id}`);

/** The provider that an administrator named so. */
export const findSsoProviderByResource = (db: Queryable, resourceId: string): Promise<SsoProvider | null> =>
  first(db, sql`p.resource_id = ${resourceId}`);

/** The provider for mail addresses of a domain. */
export const findSsoProviderByDomain = (db: Queryable, domain: string): Promise<SsoProvider | null> =>
  first(db, sql`p.id = (select d.sso_provider_id from auth.sso_domains d where d.domain = ${domain})`);

/** The provider that calls itself so. */
export const findSsoProviderByEntity = (db: Queryable, entityId: string): Promise<SsoProvider | null> =>
  first(
    db,
    sql`p.id = (select s.sso_provider_id from auth.saml_providers s where s.entity_id = ${entityId})`,
  );

/** What a list of providers is restricted to. */
export type SsoProviderFilter = { readonly resourceId: string } | { readonly resourcePrefix: string } | null;

/** Providers, oldest first. */
export function listSsoProviders(db: Queryable, filter: SsoProviderFilter): Promise<SsoProvider[]> {
  const where =
    filter === null
      ? sql.empty
      : 'resourceId' in filter
        ? sql` where p.resource_id = ${filter.resourceId}`
        : sql` where p.resource_id like ${`${filter.resourcePrefix}%`}`;
  return db.query<SsoProvider>(sql`${providers}${where} order by p.created_at, p.id`);
}

/** Columns of a provider that is to be made. */
export type NewSsoProvider = {
  readonly resourceId: string | null;
  readonly disabled: boolean | null;
  readonly entityId: string;
  readonly metadataXml: string;
  readonly metadataUrl: string | null;
  readonly attributeMapping: AttributeMapping;
  readonly nameIdFormat: string | null;
};

/** Makes a provider with its connection. */
export async function insertSsoProvider(
  tx: Transaction,
  ids: { readonly provider: string; readonly connection: string },
  made: NewSsoProvider,
  now: string,
): Promise<void> {
  await tx.execute(sql`
    insert into auth.sso_providers (id, resource_id, disabled, created_at, updated_at)
    values (${ids.provider}, ${made.resourceId}, ${made.disabled}, ${now}, ${now})`);
  await tx.execute(sql`
    insert into auth.saml_providers (
      id, sso_provider_id, entity_id, metadata_xml, metadata_url, attribute_mapping, name_id_format, created_at,
      updated_at)
    values (
      ${ids.connection}, ${ids.provider}, ${made.entityId}, ${made.metadataXml}, ${made.metadataUrl},
      ${sql.value(made.attributeMapping)}, ${made.nameIdFormat}, ${now}, ${now})`);
}

/** Gives a provider one more domain. */
export const insertSsoDomain = (
  tx: Transaction,
  id: string,
  providerId: string,
  domain: string,
  now: string,
): Promise<number> =>
  tx.execute(sql`
    insert into auth.sso_domains (id, sso_provider_id, domain, created_at, updated_at)
    values (${id}, ${providerId}, ${domain}, ${now}, ${now})`);

/** Takes domains from a provider. */
export const deleteSsoDomains = (
  tx: Transaction,
  providerId: string,
  domains: readonly string[],
): Promise<number> =>
  tx.execute(sql`
    delete from auth.sso_domains where sso_provider_id = ${providerId} and domain = any (${domains}::text[])`);

/** Sets what the provider itself is. */
export const updateSsoProvider = (
  tx: Transaction,
  provider: Pick<SsoProvider, 'id' | 'resource_id' | 'disabled'>,
  now: string,
): Promise<number> =>
  tx.execute(sql`
    update auth.sso_providers
    set resource_id = ${provider.resource_id}, disabled = ${provider.disabled}, updated_at = ${now}
    where id = ${provider.id}`);

/** Sets what is known of the identity provider. */
export const updateSamlConnection = (
  db: Pick<Transaction, 'query'>,
  connection: SamlConnection,
  now: string,
): Promise<unknown> =>
  db.query(sql`
    update auth.saml_providers
    set metadata_xml = ${connection.metadata_xml}, metadata_url = ${connection.metadata_url},
      attribute_mapping = ${sql.value(connection.attribute_mapping)},
      name_id_format = ${connection.name_id_format}, updated_at = ${now}
    where id = ${connection.id}`);

/** Removes a provider; connection, domains and relay states go with it. */
export const deleteSsoProvider = (tx: Transaction, id: string): Promise<number> =>
  tx.execute(sql`delete from auth.sso_providers where id = ${id}`);
