import { type Sql, sql } from '../pg/sql/sql.ts';

/*
 * What the catalog asks the server. Each statement yields one JSON document in a stable order, so that equal databases
 * give equal text. They run with an empty search path: every name that the server prints is qualified then.
 */

/** Empties the search path for the rest of the transaction. */
export const qualifyNames: Sql = sql`select set_config('search_path', '', true)`;

/** Oids of the schemas that there are, of those named. */
export const schemaOids = (schemas: readonly string[]): Sql =>
  sql`array(select oid from pg_catalog.pg_namespace where nspname = any(${schemas}::text[]))`;

/** Domains with the type that lies under them, through any number of domains between. */
export const domainBases: Sql = sql`
  domain_base(oid, base) as (
    select oid, typbasetype from pg_type where typtype = 'd'
    union all
    select d.oid, t.typbasetype from domain_base d join pg_type t on t.oid = d.base where t.typtype = 'd'
  ),
  domains as (
    select d.oid, d.base from domain_base d join pg_type t on t.oid = d.base where t.typtype <> 'd'
  )`;

/** Server facts: version number and the time zones that may be named. */
export const serverStatement: Sql = sql`
  select json_build_object(
    'version', current_setting('server_version_num')::int,
    'timezones', (select coalesce(json_agg(name order by name collate "C"), '[]') from pg_timezone_names))`;

/**
 * Relations of the exposed schemas with their columns and primary keys.
 * Upstream: PostgREST src/PostgREST/SchemaCache.hs (tablesSqlQuery).
 */
export const tablesStatement = (schemas: readonly string[]): Sql => sql`
  with recursive ${domainBases},
  relations as (
    select c.oid, c.relkind, c.relname, c.relnamespace, n.nspname,
           case when c.relkind in ('r', 'p') then 28
                when c.relkind in ('v', 'f') then pg_relation_is_updatable(c.oid, true)
                else 0 end as events
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'v', 'm', 'f', 'p') and not c.relispartition
       and c.relnamespace = any(${schemaOids(schemas)})
  ),
  columns as (
    select a.attrelid,
           json_agg(json_build_object(
             'name', a.attname,
             'description', d.description,
             'nullable', not (a.attnotnull or (t.typtype = 'd' and t.typnotnull)),
             'type', case
               when t.typtype = 'd' and base.typnamespace = 'pg_catalog'::regnamespace then format_type(base.oid, null)
               when t.typtype <> 'd' and t.typnamespace = 'pg_catalog'::regnamespace then format_type(t.oid, null)
               else format_type(a.atttypid, a.atttypmod) end,
             'nominalType', format_type(a.atttypid, a.atttypmod),
             'maxLength', case
               when length.typmod = -1 then null
               when length.type in ('bpchar'::regtype, 'varchar'::regtype) then length.typmod - 4
               when length.type in ('bit'::regtype, 'varbit'::regtype) then length.typmod end,
             'defaultValue', case
               when t.typbasetype <> 0 and ad.adbin is null then pg_get_expr(t.typdefaultbin, 0)
               when a.attidentity = 'd' then format('nextval(%L)', sequence.objid::regclass)
               when a.attgenerated = 's' then null
               else pg_get_expr(ad.adbin, ad.adrelid) end,
             'enumValues', case when base.typtype = 'e' then
               (select json_agg(enumlabel order by enumsortorder) from pg_enum where enumtypid = base.oid) end,
             'identity', a.attidentity,
             'isGenerated', a.attgenerated <> ''
           ) order by a.attnum) as list
      from pg_attribute a
      join relations r on r.oid = a.attrelid
      join pg_type t on t.oid = a.atttypid
      left join domains on domains.oid = t.oid
      join pg_type base on base.oid = coalesce(domains.base, t.oid)
      left join pg_attrdef ad on ad.adrelid = a.attrelid and ad.adnum = a.attnum
      left join pg_depend sequence
        on sequence.refclassid = 'pg_class'::regclass and sequence.refobjid = a.attrelid
       and sequence.refobjsubid = a.attnum and sequence.deptype = 'i' and a.attidentity = 'd'
      left join pg_description d
        on d.objoid = a.attrelid and d.objsubid = a.attnum and d.classoid = 'pg_class'::regclass
     cross join lateral (
       select case when t.typtype = 'd' then t.typbasetype else a.atttypid end as type,
              case when t.typtype = 'd' then t.typtypmod else a.atttypmod end as typmod
     ) length
     where a.attnum > 0 and not a.attisdropped
     group by a.attrelid
  ),
  primary_keys as (
    select k.conrelid, json_agg(a.attname order by a.attname) as list
      from pg_constraint k
      join relations r on r.oid = k.conrelid
      join pg_attribute a on a.attrelid = k.conrelid and a.attnum = any(k.conkey)
     where k.contype = 'p'
     group by k.conrelid
  )
  select coalesce(json_agg(json_build_object(
    'schema', r.nspname,
    'name', r.relname,
    'description', d.description,
    'isView', r.relkind in ('v', 'm'),
    'insertable', r.events & 8 = 8,
    'updatable', r.events & 4 = 4,
    'deletable', r.events & 16 = 16,
    'primaryKeyColumns', coalesce(k.list, '[]'),
    'columns', coalesce(c.list, '[]')
  ) order by r.nspname, r.relname), '[]')
  from relations r
  left join columns c on c.attrelid = r.oid
  left join primary_keys k on k.conrelid = r.oid
  left join pg_description d on d.objoid = r.oid and d.objsubid = 0 and d.classoid = 'pg_class'::regclass`;

/**
 * Foreign keys of all schemas: private ones matter through views. Those that partitions inherit are left out.
 * Upstream: PostgREST src/PostgREST/SchemaCache.hs (allM2OandO2ORels).
 */
export const foreignKeysStatement: Sql = sql`
  select coalesce(json_agg(json_build_object(
    'id', k.oid::int8,
    'name', k.conname,
    'schema', own_schema.nspname,
    'table', own.relname,
    'tableId', own.oid::int8,
    'foreignSchema', other_schema.nspname,
    'foreignTable', other.relname,
    'foreignTableId', other.oid::int8,
    'columns', pairs.columns,
    'isUnique', exists (
      select from pg_constraint u
       where u.conrelid = k.conrelid and u.contype in ('p', 'u')
         and u.conkey @> k.conkey and u.conkey <@ k.conkey),
    'isInPrimaryKey', exists (
      select from pg_constraint p where p.conrelid = k.conrelid and p.contype = 'p' and k.conkey <@ p.conkey)
  ) order by own_schema.nspname, own.relname, k.conname), '[]')
  from pg_constraint k
  join pg_class own on own.oid = k.conrelid
  join pg_namespace own_schema on own_schema.oid = own.relnamespace
  join pg_class other on other.oid = k.confrelid
  join pg_namespace other_schema on other_schema.oid = other.relnamespace
  cross join lateral (
    select json_agg(json_build_array(c.attname, f.attname) order by position) as columns
      from unnest(k.conkey, k.confkey) with ordinality as pair(own_number, foreign_number, position)
      join pg_attribute c on c.attrelid = k.conrelid and c.attnum = own_number
      join pg_attribute f on f.attrelid = k.confrelid and f.attnum = foreign_number
  ) pairs
  where k.contype = 'f' and k.conparentid = 0`;

/** Rewrite rules of the views that clients may see or that lie under those (exposed and extra schemas). */
export const viewsStatement = (schemas: readonly string[], extraSchemas: readonly string[]): Sql => sql`
  select coalesce(json_agg(json_build_object(
    'id', c.oid::int8,
    'schema', n.nspname,
    'name', c.relname,
    'columns', (select json_object_agg(attnum, attname order by attnum) from pg_attribute
                 where attrelid = c.oid and attnum > 0 and not attisdropped),
    'definition', r.ev_action::text
  ) order by n.nspname, c.relname), '[]')
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_rewrite r on r.ev_class = c.oid and r.rulename = '_RETURN'
  where c.relkind in ('v', 'm') and c.relnamespace = any(${schemaOids([...schemas, ...extraSchemas])})`;

/** Primary keys and both ends of foreign keys, by column numbers, for the tables that views select from. */
export const viewKeysStatement = (schemas: readonly string[], extraSchemas: readonly string[]): Sql => sql`
  with sources as (
    select distinct d.refobjid as id
      from pg_class c
      join pg_rewrite r on r.ev_class = c.oid
      join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
       and d.refclassid = 'pg_class'::regclass
     where c.relkind in ('v', 'm') and c.relnamespace = any(${schemaOids([...schemas, ...extraSchemas])})
  )
  select coalesce(json_agg(json_build_object(
    'constraintId', k.oid::int8,
    'kind', side.kind,
    'tableId', side.relation::int8,
    'columns', side.columns
  ) order by side.relation, k.conname), '[]')
  from pg_constraint k
  cross join lateral (
    select case k.contype when 'p' then 'primary' else 'foreign' end, k.conrelid, k.conkey
    union all
    select 'referenced', k.confrelid, k.confkey where k.contype = 'f'
  ) side(kind, relation, columns)
  where k.contype in ('p', 'f') and side.relation in (select id from sources)`;
