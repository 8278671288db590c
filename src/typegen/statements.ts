import { type Sql, sql } from '../pg/sql/sql.ts';

/*
 * Each statement yields one row with one JSON document. What is listed, and what is left out for want of privileges,
 * follows upstream. Upstream: postgres-meta src/lib/sql.
 */

/** The existing ones of the wanted schemas that the login may use. */
export const schemasStatement = (wanted: readonly string[]): Sql => sql`
  select coalesce(json_agg(nspname), '[]') as document from pg_namespace
  where nspname = any(${wanted}::text[]) and nspname !~ '^pg_' and nspname <> 'information_schema'
    and (pg_has_role(nspowner, 'USAGE') or has_schema_privilege(oid, 'CREATE, USAGE'))`;

/** Tables and views with their columns. */
export const relationsStatement = (schemas: readonly string[]): Sql => sql`
  select coalesce(json_agg(json_build_object(
    'id', c.oid::int8,
    'schema', n.nspname,
    'name', c.relname,
    'kind', case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table' end,
    'isUpdatable', c.relkind = 'v' and (pg_relation_is_updatable(c.oid, false) & 20) = 20,
    'columns', coalesce(columns.list, '[]')
  ) order by c.oid), '[]') as document
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  left join lateral (
    select json_agg(json_build_object(
      'name', a.attname,
      'type', coalesce(base.typname, t.typname),
      'isNullable', not (a.attnotnull or t.typtype = 'd' and t.typnotnull),
      'isIdentity', a.attidentity in ('a', 'd'),
      'isAlwaysIdentity', a.attidentity = 'a',
      'hasDefault', a.atthasdef,
      'isUpdatable', c.relkind in ('r', 'p') or c.relkind in ('v', 'f') and pg_column_is_updatable(c.oid, a.attnum, false)
    ) order by a.attnum) as list
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    left join pg_type base on t.typtype = 'd' and base.oid = t.typbasetype
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      and (pg_has_role(c.relowner, 'USAGE')
        or has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'))
  ) columns on true
  where n.nspname = any(${schemas}::text[])
    and not pg_is_other_temp_schema(n.oid)
    and (c.relkind in ('v', 'm', 'f')
      or c.relkind in ('r', 'p') and (
        pg_has_role(c.relowner, 'USAGE')
        or has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
        or has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')))`;

/** Foreign keys; one to one when the key's columns, in its order, are a primary or unique key in the table's order. */
export const foreignKeysStatement: Sql = sql`
  select coalesce(json_agg(json_build_object(
    'id', k.oid::int8,
    'name', k.conname,
    'schema', n.nspname,
    'relation', c.relname,
    'columns', ends.columns,
    'referencedSchema', fn.nspname,
    'referencedRelation', f.relname,
    'referencedColumns', ends.referenced,
    'isOneToOne', exists (
      select from pg_constraint u
      where u.conrelid = k.conrelid and u.contype in ('p', 'u')
        and k.conkey = array(select col from unnest(u.conkey) col order by col))
  ) order by k.oid), '[]') as document
  from pg_constraint k
  join pg_namespace n on n.oid = k.connamespace
  join pg_class c on c.oid = k.conrelid
  join pg_class f on f.oid = k.confrelid
  join pg_namespace fn on fn.oid = f.relnamespace
  cross join lateral (
    select json_agg(a.attname order by place) as columns, json_agg(r.attname order by place) as referenced
    from unnest(k.conkey, k.confkey) with ordinality as pair (col, ref, place)
    join pg_attribute a on a.attrelid = k.conrelid and a.attnum = pair.col
    join pg_attribute r on r.attrelid = k.confrelid and r.attnum = pair.ref
  ) ends
  where k.contype = 'f' and k.conparentid = 0`;

/** Functions, without those of triggers. */
export const routinesStatement = (schemas: readonly string[]): Sql => sql`
  select coalesce(json_agg(json_build_object(
    'schema', n.nspname,
    'name', p.proname,
    'parameters', coalesce(parameters.list, '[]'),
    'argumentTypes', pg_get_function_arguments(p.oid),
    'returnType', pg_get_function_result(p.oid),
    'returnTypeId', p.prorettype::int8,
    'returnRelationId', nullif(t.typrelid::int8, 0),
    'isSet', p.proretset,
    'rows', case when p.proretset then nullif(p.prorows, 0) end
  ) order by p.oid), '[]') as document
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  join pg_type t on t.oid = p.prorettype
  left join lateral (
    select json_agg(json_build_object(
      'name', coalesce(p.proargnames[place], ''),
      'mode', case coalesce(p.proargmodes[place], 'i')
        when 'i' then 'in' when 'o' then 'out' when 'b' then 'inout' when 'v' then 'variadic' else 'table' end,
      'typeId', argument.type::int8,
      'hasDefault', case when place <= p.pronargs then place > p.pronargs - p.pronargdefaults end
    ) order by place) as list
    from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality as argument (type, place)
  ) parameters on true
  where n.nspname = any(${schemas}::text[]) and p.prokind = 'f'
    and pg_get_function_result(p.oid) not in ('trigger', 'event_trigger')`;

/** Types of every schema, those of rows and arrays included. */
export const typesStatement: Sql = sql`
  select coalesce(json_agg(json_build_object(
    'id', t.oid::int8,
    'schema', n.nspname,
    'name', t.typname,
    'format', format_type(t.oid, null),
    'labels', coalesce(
      (select json_agg(enumlabel order by enumsortorder) from pg_enum where enumtypid = t.oid), '[]'),
    'attributes', coalesce(
      (select json_agg(json_build_object('name', a.attname, 'typeId', a.atttypid::int8) order by a.attnum)
        from pg_attribute a where c.relkind = 'c' and a.attrelid = c.oid and not a.attisdropped), '[]'),
    'relationId', nullif(t.typrelid::int8, 0)
  ) order by t.oid), '[]') as document
  from pg_type t
  join pg_namespace n on n.oid = t.typnamespace
  left join pg_class c on c.oid = t.typrelid
  where t.typrelid = 0 or c.relkind in ('c', 'r', 'v', 'm', 'p')`;

/** Names of all schemas that are not the server's own. */
export const allSchemasStatement: Sql = sql`
  select coalesce(json_agg(nspname), '[]') as document from pg_namespace
  where nspname !~ '^pg_' and nspname <> 'information_schema'`;
