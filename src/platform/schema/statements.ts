import { type Sql, sql } from '../../pg/sql/sql.ts';
import { isProjectSchema } from '../managed-schemas.ts';

/*
 * Each statement yields one row with one JSON array of objects as `SchemaObject` describes them. They run with an empty
 * search_path, so that the server qualifies every name that it prints.
 */

/** Which schemas to read; null reads those of the project. */
export type Wanted = readonly string[] | null;

const inScope = (schema: Sql, wanted: Wanted): Sql =>
  wanted === null ? isProjectSchema(schema) : sql`${schema} = any(${wanted}::text[])`;

/** Policies also stand on the platform's tables: projects put them on stored objects. The platform has none itself. */
const attachedInScope = (schema: Sql, wanted: Wanted): Sql =>
  wanted === null
    ? sql`(${isProjectSchema(schema)} or ${schema} in ('auth', 'storage', 'realtime'))`
    : sql`${schema} = any(${wanted}::text[])`;

/** Whether an object belongs to an extension, which makes and drops it. */
const isOfExtension = (catalog: string, oid: Sql): Sql => sql`exists (
  select from pg_catalog.pg_depend e
  where e.classid = ${sql.literal(`pg_catalog.${catalog}`)}::pg_catalog.regclass and e.objid = ${oid} and e.deptype = 'e')`;

const grantee = (oid: Sql): Sql =>
  sql`case ${oid} when 0 then 'PUBLIC' else pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(${oid})) end`;

const grants = (acl: Sql, owner: Sql): Sql => sql`coalesce((
  select json_agg(json_build_object('role', ${grantee(sql`a.grantee`)}, 'privilege', a.privilege_type, 'column', null,
      'grantable', a.is_grantable))
  from pg_catalog.aclexplode(${acl}) a where a.grantee <> ${owner}), '[]')`;

/** Rights of a new object: what the server gives by itself, and the default privileges of the owner. */
const born = (letter: string, owner: Sql, schema: Sql): Sql =>
  grants(
    sql`coalesce(
      (select d.defaclacl from pg_catalog.pg_default_acl d where d.defaclrole = ${owner} and d.defaclnamespace = 0
        and d.defaclobjtype = ${letter}),
      pg_catalog.acldefault(${letter === 'S' ? 's' : letter}, ${owner}))
    || coalesce((select d.defaclacl from pg_catalog.pg_default_acl d where d.defaclrole = ${owner}
        and d.defaclnamespace = ${schema} and d.defaclobjtype = ${letter}), '{}')`,
    owner,
  );

const list = (objects: Sql): Sql => sql`select coalesce(json_agg(o), '[]') as document from (${objects}) o`;

/** Schemas other than public. */
export const schemas = (wanted: Wanted): Sql =>
  list(sql`
  select 'n:' || n.oid as key, 'schema' as kind, quote_ident(n.nspname) as name, 'SCHEMA' as noun,
    format('CREATE SCHEMA IF NOT EXISTS %I', n.nspname) as create, format('DROP SCHEMA %I', n.nspname) as drop,
    obj_description(n.oid, 'pg_namespace') as comment,
    ${grants(sql`coalesce(n.nspacl, acldefault('n', n.nspowner))`, sql`n.nspowner`)} as grants,
    ${born('n', sql`n.nspowner`, sql`0`)} as born
  from pg_namespace n
  where ${inScope(sql`n.nspname`, wanted)} and n.nspname <> 'public' and not ${isOfExtension('pg_namespace', sql`n.oid`)}`);

/** Extensions, but those that the platform makes. */
export const extensions = (wanted: Wanted): Sql =>
  list(sql`
  select 'e:' || e.oid as key, 'extension' as kind, quote_ident(e.extname) as name, 'EXTENSION' as noun,
    format('CREATE EXTENSION IF NOT EXISTS %I WITH SCHEMA %I', e.extname, n.nspname) as create,
    format('DROP EXTENSION IF EXISTS %I', e.extname) as drop
  from pg_extension e join pg_namespace n on n.oid = e.extnamespace
  where ${wanted === null ? sql`true` : sql`false`} and e.extname not in ('plpgsql', 'pg_graphql', 'pg_net',
    'pg_stat_statements', 'pgcrypto', 'pgjwt', 'pgsodium', 'supabase_vault', 'uuid-ossp')`);

/** Enums, domains, composite types and ranges. */
export const types = (wanted: Wanted): Sql =>
  list(sql`
  select 't:' || t.oid as key, 'type' as kind, format('%I.%I', n.nspname, t.typname) as name,
    case t.typtype when 'd' then 'DOMAIN' else 'TYPE' end as noun,
    case t.typtype
      when 'e' then format('CREATE TYPE %I.%I AS ENUM (%s)', n.nspname, t.typname, (
        select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder) from pg_enum where enumtypid = t.oid))
      when 'd' then concat_ws(' ', format('CREATE DOMAIN %I.%I AS %s', n.nspname, t.typname,
          format_type(t.typbasetype, t.typtypmod)),
        'DEFAULT ' || t.typdefault, case when t.typnotnull then 'NOT NULL' end,
        (select string_agg(format('CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)), ' ' order by conname)
          from pg_constraint where contypid = t.oid and contype = 'c'))
      when 'c' then format('CREATE TYPE %I.%I AS (%s)', n.nspname, t.typname, (
        select string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' order by attnum)
        from pg_attribute where attrelid = t.typrelid and attnum > 0 and not attisdropped))
      else format('CREATE TYPE %I.%I AS RANGE (SUBTYPE = %s)', n.nspname, t.typname, (
        select format_type(rngsubtype, null) from pg_range where rngtypid = t.oid)) end as create,
    format('DROP %s %I.%I', case t.typtype when 'd' then 'DOMAIN' else 'TYPE' end, n.nspname, t.typname) as drop,
    (select json_agg(quote_literal(enumlabel) order by enumsortorder) from pg_enum where enumtypid = t.oid) as labels,
    obj_description(t.oid, 'pg_type') as comment,
    ${grants(sql`coalesce(t.typacl, acldefault('T', t.typowner))`, sql`t.typowner`)} as grants,
    ${born('T', sql`t.typowner`, sql`t.typnamespace`)} as born
  from pg_type t
  join pg_namespace n on n.oid = t.typnamespace
  left join pg_class c on c.oid = t.typrelid
  where ${inScope(sql`n.nspname`, wanted)} and not ${isOfExtension('pg_type', sql`t.oid`)}
    and (t.typtype in ('e', 'd', 'r') or t.typtype = 'c' and c.relkind = 'c')`);

/** Sequences, but those of identity columns, which go with their table. */
export const sequences = (wanted: Wanted): Sql =>
  list(sql`
  select 'c:' || c.oid as key, 'sequence' as kind, format('%I.%I', n.nspname, c.relname) as name, 'SEQUENCE' as noun,
    format('CREATE SEQUENCE IF NOT EXISTS %I.%I AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s%s',
      n.nspname, c.relname, format_type(s.seqtypid, null), s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache,
      case when s.seqcycle then ' CYCLE' else '' end) as create,
    format('DROP SEQUENCE %I.%I CASCADE', n.nspname, c.relname) as drop, obj_description(c.oid, 'pg_class') as comment,
    ${grants(sql`coalesce(c.relacl, acldefault('s', c.relowner))`, sql`c.relowner`)} as grants,
    ${born('S', sql`c.relowner`, sql`c.relnamespace`)} as born
  from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_sequence s on s.seqrelid = c.oid
  where ${inScope(sql`n.nspname`, wanted)} and not ${isOfExtension('pg_class', sql`c.oid`)}
    and not exists (select from pg_depend d where d.objid = c.oid and d.classid = 'pg_class'::regclass
      and d.deptype = 'i')`);

/** The column that a sequence goes away with, as an object of its own: sequence and table need each other. */
export const sequenceOwners = (wanted: Wanted): Sql =>
  list(sql`
  select 'o:' || c.oid as key, 'sequence owner' as kind, format('%I.%I', n.nspname, c.relname) as name,
    'SEQUENCE' as noun,
    format('ALTER SEQUENCE %I.%I OWNED BY %I.%I.%I', n.nspname, c.relname, tn.nspname, t.relname, a.attname) as create,
    format('ALTER SEQUENCE %I.%I OWNED BY NONE', n.nspname, c.relname) as drop
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_depend d on d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype = 'a'
    and d.refclassid = 'pg_class'::regclass
  join pg_class t on t.oid = d.refobjid
  join pg_namespace tn on tn.oid = t.relnamespace
  join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
  where c.relkind = 'S' and ${inScope(sql`n.nspname`, wanted)} and not ${isOfExtension('pg_class', sql`c.oid`)}`);

/** Functions and procedures. */
export const functions = (wanted: Wanted): Sql =>
  list(sql`
  select 'p:' || p.oid as key, 'function' as kind, id.name,
    case p.prokind when 'p' then 'PROCEDURE' else 'FUNCTION' end as noun, rtrim(pg_get_functiondef(p.oid), E'\\n') as create,
    format('DROP %s %s', case p.prokind when 'p' then 'PROCEDURE' else 'FUNCTION' end, id.name) as drop,
    json_build_array(pg_get_function_result(p.oid), pg_get_function_arguments(p.oid)) as shape,
    obj_description(p.oid, 'pg_proc') as comment,
    ${grants(sql`coalesce(p.proacl, acldefault('f', p.proowner))`, sql`p.proowner`)} as grants,
    ${born('f', sql`p.proowner`, sql`p.pronamespace`)} as born
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  cross join lateral (
    select format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as name) id
  where ${inScope(sql`n.nspname`, wanted)} and p.prokind in ('f', 'p', 'w') and not ${isOfExtension('pg_proc', sql`p.oid`)}
    -- A range type brings its constructors.
    and not exists (select from pg_depend i where i.classid = 'pg_proc'::regclass and i.objid = p.oid and i.deptype = 'i')`);

/** Tables with their columns. */
export const tables = (wanted: Wanted): Sql =>
  list(sql`
  select 'c:' || c.oid as key, 'table' as kind, format('%I.%I', n.nspname, c.relname) as name, 'TABLE' as noun,
    null as create, format('DROP TABLE %I.%I', n.nspname, c.relname) as drop, obj_description(c.oid, 'pg_class') as comment,
    json_build_object(
      'columns', coalesce((
        select json_agg(json_build_object(
          'name', quote_ident(a.attname), 'type', format_type(a.atttypid, a.atttypmod),
          'collation', (select format('%I.%I', cn.nspname, l.collname) from pg_collation l
            join pg_namespace cn on cn.oid = l.collnamespace join pg_type t on t.oid = a.atttypid
            where l.oid = a.attcollation and a.attcollation <> t.typcollation),
          'notNull', a.attnotnull,
          'default', case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end,
          'identity', case a.attidentity when 'a' then 'always' when 'd' then 'by default' end,
          'generated', case when a.attgenerated = 's' then pg_get_expr(d.adbin, d.adrelid) end
        ) order by a.attnum)
        from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and (a.attislocal or c.relispartition)), '[]'),
      'unlogged', c.relpersistence = 'u',
      'partitionBy', case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end,
      'partitionOf', case when c.relispartition then (
        select format('%I.%I %s', pn.nspname, pc.relname, pg_get_expr(c.relpartbound, c.oid)) from pg_inherits i
        join pg_class pc on pc.oid = i.inhparent join pg_namespace pn on pn.oid = pc.relnamespace
        where i.inhrelid = c.oid) end,
      'inherits', coalesce((
        select json_agg(format('%I.%I', pn.nspname, pc.relname) order by i.inhseqno) from pg_inherits i
        join pg_class pc on pc.oid = i.inhparent join pg_namespace pn on pn.oid = pc.relnamespace
        where i.inhrelid = c.oid and not c.relispartition), '[]'),
      'rowSecurity', c.relrowsecurity, 'forceRowSecurity', c.relforcerowsecurity,
      'replicaIdentity', case c.relreplident when 'f' then 'full' when 'n' then 'nothing' when 'i' then 'index'
        else 'default' end
    ) as table,
    (${grants(sql`coalesce(c.relacl, acldefault('r', c.relowner))`, sql`c.relowner`)}::jsonb || coalesce((
      select jsonb_agg(jsonb_build_object('role', ${grantee(sql`x.grantee`)}, 'privilege', x.privilege_type,
        'column', quote_ident(a.attname), 'grantable', x.is_grantable))
      from pg_attribute a cross join lateral aclexplode(a.attacl) x
      where a.attrelid = c.oid and not a.attisdropped and x.grantee <> c.relowner), '[]')) as grants,
    ${born('r', sql`c.relowner`, sql`c.relnamespace`)} as born
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and ${inScope(sql`n.nspname`, wanted)} and not ${isOfExtension('pg_class', sql`c.oid`)}`);

/** Primary keys, unique, check, foreign key and exclusion constraints; inherited ones come with their parent. */
export const constraints = (wanted: Wanted): Sql =>
  list(sql`
  select 'k:' || k.oid as key, 'constraint' as kind, format('%I ON %I.%I', k.conname, n.nspname, c.relname) as name,
    'CONSTRAINT' as noun, 'c:' || c.oid as parent,
    format('ALTER TABLE %s%I.%I ADD CONSTRAINT %I %s', case c.relkind when 'r' then 'ONLY ' end, n.nspname, c.relname,
      k.conname, pg_get_constraintdef(k.oid)) as create,
    format('ALTER TABLE %I.%I DROP CONSTRAINT %I', n.nspname, c.relname, k.conname) as drop,
    obj_description(k.oid, 'pg_constraint') as comment
  from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
  where k.contype in ('p', 'u', 'c', 'f', 'x') and k.conislocal and k.conparentid = 0 and c.relkind in ('r', 'p')
    and ${inScope(sql`n.nspname`, wanted)} and not ${isOfExtension('pg_class', sql`c.oid`)}`);

/** Indexes that no constraint made. */
export const indexes = (wanted: Wanted): Sql =>
  list(sql`
  select 'c:' || i.indexrelid as key, 'index' as kind, format('%I.%I', n.nspname, x.relname) as name, 'INDEX' as noun,
    'c:' || i.indrelid as parent, case x.relkind when 'I' then regexp_replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')
      else pg_get_indexdef(i.indexrelid) end as create,
    format('DROP INDEX %I.%I', n.nspname, x.relname) as drop, obj_description(x.oid, 'pg_class') as comment
  from pg_index i join pg_class x on x.oid = i.indexrelid join pg_class c on c.oid = i.indrelid
  join pg_namespace n on n.oid = x.relnamespace
  where ${inScope(sql`n.nspname`, wanted)} and c.relkind in ('r', 'p', 'm') and not x.relispartition
    and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
    and not ${isOfExtension('pg_class', sql`c.oid`)}`);

/** Views and materialized views. */
export const views = (wanted: Wanted): Sql =>
  list(sql`
  select 'c:' || c.oid as key, 'view' as kind, format('%I.%I', n.nspname, c.relname) as name, noun.text as noun,
    format('CREATE %s %I.%I%s AS%s%s', case c.relkind when 'm' then 'MATERIALIZED VIEW' else 'OR REPLACE VIEW' end,
      n.nspname, c.relname, ' WITH (' || array_to_string(c.reloptions, ', ') || ')', E'\\n',
      rtrim(pg_get_viewdef(c.oid), ';')) as create,
    format('DROP %s %I.%I', noun.text, n.nspname, c.relname) as drop,
    case when c.relkind = 'v' then (
      select json_agg(format('%I %s', attname, format_type(atttypid, atttypmod)) order by attnum) from pg_attribute
      where attrelid = c.oid and attnum > 0) end as shape,
    obj_description(c.oid, 'pg_class') as comment,
    ${grants(sql`coalesce(c.relacl, acldefault('r', c.relowner))`, sql`c.relowner`)} as grants,
    ${born('r', sql`c.relowner`, sql`c.relnamespace`)} as born
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  cross join lateral (select case c.relkind when 'm' then 'MATERIALIZED VIEW' else 'VIEW' end) noun (text)
  where c.relkind in ('v', 'm') and ${inScope(sql`n.nspname`, wanted)} and not ${isOfExtension('pg_class', sql`c.oid`)}`);

/** Triggers, also those on the platform's tables that call a function of the project. */
export const triggers = (wanted: Wanted): Sql =>
  list(sql`
  select 'g:' || g.oid as key, 'trigger' as kind, format('%I ON %I.%I', g.tgname, n.nspname, c.relname) as name,
    'TRIGGER' as noun, 'c:' || c.oid as parent, pg_get_triggerdef(g.oid) as create,
    format('DROP TRIGGER %I ON %I.%I', g.tgname, n.nspname, c.relname) as drop,
    obj_description(g.oid, 'pg_trigger') as comment
  from pg_trigger g join pg_class c on c.oid = g.tgrelid join pg_namespace n on n.oid = c.relnamespace
  join pg_proc p on p.oid = g.tgfoid join pg_namespace pn on pn.oid = p.pronamespace
  where not g.tgisinternal and g.tgparentid = 0 and ${attachedInScope(sql`n.nspname`, wanted)}
    and (${inScope(sql`n.nspname`, wanted)} or ${inScope(sql`pn.nspname`, wanted)})
    and not ${isOfExtension('pg_class', sql`c.oid`)}`);

/** Policies of row level security, also those on the platform's tables. */
export const policies = (wanted: Wanted): Sql =>
  list(sql`
  select 'y:' || y.oid as key, 'policy' as kind, format('%I ON %I.%I', y.polname, n.nspname, c.relname) as name,
    'POLICY' as noun, 'c:' || c.oid as parent,
    concat_ws(' ', format('CREATE POLICY %I ON %I.%I AS %s FOR %s TO %s', y.polname, n.nspname, c.relname,
        case when y.polpermissive then 'PERMISSIVE' else 'RESTRICTIVE' end,
        case y.polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE' when 'd' then 'DELETE'
          else 'ALL' end,
        (select string_agg(${grantee(sql`r.oid`)}, ', ' order by 1) from unnest(y.polroles) r (oid))),
      'USING (' || pg_get_expr(y.polqual, y.polrelid) || ')',
      'WITH CHECK (' || pg_get_expr(y.polwithcheck, y.polrelid) || ')') as create,
    format('DROP POLICY %I ON %I.%I', y.polname, n.nspname, c.relname) as drop,
    obj_description(y.oid, 'pg_policy') as comment
  from pg_policy y join pg_class c on c.oid = y.polrelid join pg_namespace n on n.oid = c.relnamespace
  where ${attachedInScope(sql`n.nspname`, wanted)}`);

/** Tables of publications. */
export const publicationTables = (wanted: Wanted): Sql =>
  list(sql`
  select 'r:' || r.oid as key, 'publication table' as kind, format('%I TABLE %I.%I', b.pubname, n.nspname, c.relname) as name,
    'PUBLICATION' as noun, 'c:' || c.oid as parent,
    format('ALTER PUBLICATION %I ADD TABLE %I.%I', b.pubname, n.nspname, c.relname) as create,
    format('ALTER PUBLICATION %I DROP TABLE %I.%I', b.pubname, n.nspname, c.relname) as drop
  from pg_publication_rel r join pg_publication b on b.oid = r.prpubid join pg_class c on c.oid = r.prrelid
  join pg_namespace n on n.oid = c.relnamespace
  where ${inScope(sql`n.nspname`, wanted)}`);

const letter = (
  catalog: Sql,
): Sql => sql`(case ${catalog} when 'pg_class'::regclass then 'c' when 'pg_proc'::regclass
  then 'p' when 'pg_type'::regclass then 't' when 'pg_namespace'::regclass then 'n' when 'pg_constraint'::regclass
  then 'k' when 'pg_trigger'::regclass then 'g' when 'pg_policy'::regclass then 'y' when 'pg_extension'::regclass
  then 'e' when 'pg_attrdef'::regclass then 'd' when 'pg_rewrite'::regclass then 'w' when 'pg_publication_rel'::regclass
  then 'r' else '?' end)`;

const FIRST_USER_OID = 16_384;

/** What needs what. That a sequence goes with its column is an object of its own, not a need. */
export const dependencies: Sql = sql`
  select coalesce(json_agg(json_build_array(${letter(sql`d.classid`)} || ':' || d.objid,
    ${letter(sql`d.refclassid`)} || ':' || d.refobjid)), '[]') as document
  from pg_depend d
  where d.objid >= ${FIRST_USER_OID} and d.refobjid >= ${FIRST_USER_OID} and d.deptype in ('n', 'a', 'i', 'e')
    and not (d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i')
      and exists (select from pg_class s where s.oid = d.objid and s.relkind = 'S'))`;

/** An owned sequence as the object that says so: it needs the sequence and the table. */
export const sequenceOwnerNeeds: Sql = sql`
  select coalesce(json_agg(json_build_array('o:' || d.objid, 'c:' || needed)), '[]') as document
  from pg_depend d join pg_class s on s.oid = d.objid cross join unnest(array[d.objid, d.refobjid]) needed
  where d.classid = 'pg_class'::regclass and d.deptype = 'a' and s.relkind = 'S'`;

/** What is part of what: defaults, rules, row types, array types, indexes of constraints, identity sequences. */
export const parts: Sql = sql`
  select coalesce(json_agg(json_build_array(part, whole)), '[]') as document from (
    select 'd:' || oid, 'c:' || adrelid from pg_attrdef
    union all select 'w:' || oid, 'c:' || ev_class from pg_rewrite
    union all select 't:' || t.oid, 'c:' || t.typrelid from pg_type t join pg_class c on c.oid = t.typrelid
      where c.relkind in ('r', 'p', 'v', 'm', 'f')
    union all select 'c:' || c.oid, 't:' || c.reltype from pg_class c where c.relkind = 'c'
    union all select 't:' || t.typarray, 't:' || t.oid from pg_type t where t.typarray <> 0
    union all select 'c:' || conindid, 'k:' || oid from pg_constraint where contype in ('p', 'u', 'x')
    union all select 'c:' || d.objid, 'c:' || d.refobjid from pg_depend d join pg_class s on s.oid = d.objid
      where d.classid = 'pg_class'::regclass and d.deptype = 'i' and s.relkind = 'S'
  ) p (part, whole)`;

/** How many objects there are of kinds that are not compared. */
export const uncovered = (wanted: Wanted): Sql => sql`
  select json_object_agg(kind, n) as document from (
    select 'aggregate' as kind, count(*) as n from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where p.prokind = 'a' and ${inScope(sql`n.nspname`, wanted)} and not ${isOfExtension('pg_proc', sql`p.oid`)}
    union all select 'foreign table', count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'f' and ${inScope(sql`n.nspname`, wanted)}
    union all select 'operator', count(*) from pg_operator o join pg_namespace n on n.oid = o.oprnamespace
      where ${inScope(sql`n.nspname`, wanted)} and not ${isOfExtension('pg_operator', sql`o.oid`)}
    union all select 'rule', count(*) from pg_rewrite r join pg_class c on c.oid = r.ev_class
      join pg_namespace n on n.oid = c.relnamespace
      where r.rulename <> '_RETURN' and ${inScope(sql`n.nspname`, wanted)} and not ${isOfExtension('pg_class', sql`c.oid`)}
    union all select 'collation', count(*) from pg_collation l join pg_namespace n on n.oid = l.collnamespace
      where ${inScope(sql`n.nspname`, wanted)} and not ${isOfExtension('pg_collation', sql`l.oid`)}
    union all select 'text search configuration', count(*) from pg_ts_config t join pg_namespace n on n.oid = t.cfgnamespace
      where ${inScope(sql`n.nspname`, wanted)} and not ${isOfExtension('pg_ts_config', sql`t.oid`)}
    union all select 'statistics object', count(*) from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace
      where ${inScope(sql`n.nspname`, wanted)}
  ) counted`;
