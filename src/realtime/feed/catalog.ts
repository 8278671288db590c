import { z } from 'zod';
import { PgFailure } from '../../pg/failure.ts';
import { sql } from '../../pg/sql/sql.ts';
import type { ColumnInfo, RelationInfo, RoleAccess } from '../changes/model.ts';
import type { OwnerDb } from './owner-db.ts';
import { createSharedTurns } from './shared-turns.ts';
import { loadTypes, resolveTypes } from './types.ts';

const relationRow = z.object({
  oid: z.number(),
  schema: z.string(),
  name: z.string(),
  columns: z.array(z.object({ name: z.string(), type: z.number() })),
  primary_key: z.array(z.string()),
  row_security: z.boolean(),
  published: z.boolean(),
  messages: z.boolean(),
});

/** Tables of the publication, and the position of the log at which this was true. */
type Published = {
  readonly oids: readonly number[];
  readonly lsn: string;
  /** Whether the role that asks exists. */
  readonly hasRole: boolean;
};

/** What the database says about relations, roles and publications. */
export interface Catalog {
  /** Relations by id; those that do not exist any more are absent. */
  relations(oids: readonly number[]): Promise<ReadonlyMap<number, RelationInfo>>;
  /** What a role may do with a relation; nothing when role or relation do not exist. */
  access(relation: RelationInfo, role: string): Promise<RoleAccess>;
  /** Published tables of a schema and name, `*` standing for all. */
  published(schema: string, table: string, role: string): Promise<Published>;
}

const undefinedObject = '42704';

/**
 * Reads the catalog through the owner's connection; `readsPolicies` whether rights tell of policies. A crowd that asks for the
 * same is answered at once.
 */
export function createCatalog(db: OwnerDb, publication: string, readsPolicies: boolean): Catalog {
  const turns = createSharedTurns();
  return {
    relations: (oids) => turns.ask(`relations ${oids.join(' ')}`, () => loadRelations(db, publication, oids)),
    access: (relation, role) =>
      turns.ask(`access ${relation.oid} ${role}`, () => loadAccess(db, relation, role, readsPolicies)),
    published: (schema, table, role) =>
      turns.ask(`published ${JSON.stringify([schema, table, role])}`, () =>
        loadPublished(db, publication, [schema, table], role),
      ),
  };
}

async function loadPublished(
  db: OwnerDb,
  publication: string,
  [schema, table]: readonly [schema: string, table: string],
  role: string,
): Promise<Published> {
  const [row] = await db.query<{ oids: number[]; lsn: string; has_role: boolean }>(sql`
    select pg_current_wal_insert_lsn()::text as lsn,
      exists (select from pg_roles where rolname = ${role}) as has_role, coalesce((
      select json_agg(c.oid::int8)
      from pg_publication_tables p
      join pg_namespace n on n.nspname = p.schemaname
      join pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
      where p.pubname = ${publication}
        and (${schema} = '*' or p.schemaname = ${schema}) and (${table} = '*' or p.tablename = ${table})
    ), '[]') as oids`);
  if (row === undefined) return { oids: [], lsn: '0/0', hasRole: false };
  return { oids: row.oids, lsn: row.lsn, hasRole: row.has_role };
}

async function loadRelations(
  db: OwnerDb,
  publication: string,
  oids: readonly number[],
): Promise<ReadonlyMap<number, RelationInfo>> {
  const rows = await db.query(sql`
    select c.oid::int8::text::float8 as oid, n.nspname as schema, c.relname as name,
      c.relrowsecurity as row_security,
      coalesce((
        select json_agg(json_build_object('name', a.attname, 'type', a.atttypid::int8) order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      ), '[]') as columns,
      coalesce((
        select json_agg(a.attname order by k.place)
        from pg_index i
        cross join lateral unnest(i.indkey) with ordinality as k (attnum, place)
        join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
        where i.indrelid = c.oid and i.indisprimary
      ), '[]') as primary_key,
      exists (
        select from pg_publication p cross join lateral pg_get_publication_tables(p.pubname::text) t
        where p.pubname = ${publication} and t.relid = c.oid
      ) as published,
      c.oid = to_regclass('realtime.messages') or exists (
        select from pg_inherits i where i.inhrelid = c.oid and i.inhparent = to_regclass('realtime.messages')
      ) as messages
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid = any(${[...oids]}::oid[])`);
  const parsed = z.array(relationRow).parse(rows);
  const wanted = new Set(parsed.flatMap(({ columns }) => columns.map(({ type }) => type)));
  const types = resolveTypes(await loadTypes(db, [...wanted]));
  return new Map(
    parsed.map((row) => {
      const columns = row.columns.map(
        ({ name, type }): ColumnInfo => ({
          name,
          type: types(type),
          isPrimaryKey: row.primary_key.includes(name),
        }),
      );
      const columnByName = new Map(columns.map((column) => [column.name, column]));
      const relation: RelationInfo = {
        oid: row.oid,
        schema: row.schema,
        name: row.name,
        columns,
        columnByName,
        primaryKey: row.primary_key.flatMap((name) => columnByName.get(name) ?? []),
        hasRowSecurity: row.row_security,
        isPublished: row.published,
        isMessages: row.messages,
      };
      return [row.oid, relation];
    }),
  );
}

/** The policy of nobody: nothing is seen. */
const nothing = 'false';
const noAccess: RoleAccess = { columns: new Set(), bypassesRowSecurity: false, policy: nothing };

async function loadAccess(
  db: OwnerDb,
  relation: RelationInfo,
  role: string,
  readsPolicies: boolean,
): Promise<RoleAccess> {
  try {
    const [row] = await db.query<{ columns: string[]; bypasses: boolean }>(sql`
      select coalesce((
          select json_agg(a.attname)
          from pg_attribute a
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            and has_schema_privilege(${role}::text, c.relnamespace, 'usage')
            and has_column_privilege(${role}::text, c.oid, a.attnum, 'select')
        ), '[]') as columns,
        coalesce((
          select r.rolsuper or r.rolbypassrls
            or (not c.relforcerowsecurity and pg_has_role(r.oid, c.relowner, 'usage'))
          from pg_roles r where r.rolname = ${role}
        ), false) as bypasses
      from pg_class c where c.oid = ${relation.oid}::int8::oid`);
    if (row === undefined) return noAccess;
    const { columns, bypasses } = row;
    const isAsked = readsPolicies && relation.hasRowSecurity && columns.length > 0;
    const policy = isAsked ? await loadPolicy(db, relation, role) : nothing;
    return { columns: new Set(columns), bypassesRowSecurity: bypasses, policy };
  } catch (failure) {
    if (failure instanceof PgFailure && failure.sqlstate === undefinedObject) return noAccess;
    throw failure;
  }
}

/**
 * What the policies for reading ask, as the server joins them for a role: one of the permissive ones, and all restrictive
 * ones. Names stand with their schemas, whatever the search path is where it is asked.
 */
async function loadPolicy(db: OwnerDb, { oid }: RelationInfo, role: string): Promise<string> {
  const [row] = await db.query<{ permissive: string | null; restrictive: string | null }>(sql`
    with path as materialized (select set_config('search_path', '', true)), policy as (
      select p.polpermissive as is_permissive, '(' || pg_get_expr(p.polqual, p.polrelid) || ')' as condition
      from path cross join pg_catalog.pg_policy p
      where p.polrelid = ${oid}::int8::oid and p.polcmd in ('*', 'r') and p.polqual is not null
        and (0 = any(p.polroles) or exists (
          select from unnest(p.polroles) as member where pg_catalog.pg_has_role(${role}::text, member, 'usage')))
    )
    select string_agg(condition, ' or ') filter (where is_permissive) as permissive,
      string_agg(condition, ' and ') filter (where not is_permissive) as restrictive
    from policy`);
  if (row === undefined || row.permissive === null) return nothing;
  return row.restrictive === null ? row.permissive : `(${row.permissive}) and ${row.restrictive}`;
}
