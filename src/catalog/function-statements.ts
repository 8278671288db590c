import { type Sql, sql } from '../pg/sql/sql.ts';
import { domainBases, schemaOids } from './statements.ts';

/* What the catalog asks the server about functions; see statements.ts for what the statements have in common. */

/**
 * Functions from a row of one relation to rows of another.
 * Upstream: PostgREST src/PostgREST/SchemaCache.hs (allComputedRels).
 */
export const computedRelationshipsStatement: Sql = sql`
  select coalesce(json_agg(json_build_object(
    'schema', n.nspname, 'name', p.proname,
    'tableSchema', own_schema.nspname, 'table', own.relname,
    'foreignSchema', other_schema.nspname, 'foreignTable', other.relname,
    'isToOne', not p.proretset or p.prorows = 1
  ) order by n.nspname, p.proname, own_schema.nspname, own.relname), '[]')
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  join pg_class own on own.reltype = p.proargtypes[0] and own.relkind in ('v', 'r', 'm', 'f', 'p')
  join pg_namespace own_schema on own_schema.oid = own.relnamespace
  join pg_class other on other.reltype = p.prorettype and other.relkind in ('v', 'r', 'm', 'f', 'p')
  join pg_namespace other_schema on other_schema.oid = other.relnamespace
  where p.pronargs = 1 and own.reltype <> 0 and other.reltype <> 0`;

/**
 * Functions of the exposed schemas that can be called by name, or with one unnamed parameter that takes a whole body.
 * Upstream: PostgREST src/PostgREST/SchemaCache.hs (funcsSqlQuery).
 */
export const routinesStatement = (schemas: readonly string[], hoistedSettings: readonly string[]): Sql => sql`
  with recursive ${domainBases}
  select coalesce(json_agg(json_build_object(
    'schema', n.nspname,
    'name', p.proname,
    'id', p.oid::int8,
    'description', d.description,
    'parameters', parameters.list,
    'returnSchema', type_schema.nspname,
    'returnName', coalesce(relation.relname, t.typname),
    'isSet', p.proretset,
    'isComposite', t.typtype = 'c' or coalesce(p.proargmodes && array['t', 'b', 'o']::"char"[], false),
    'isCompositeAlias', p.prorettype <> t.oid,
    'volatility', p.provolatile,
    'hasVariadic', p.provariadic <> 0,
    'configuration', p.proconfig,
    'hoisted', (select json_agg(setting) from unnest(p.proconfig) setting where setting ~ any(${hoistedSettings}::text[]))
  ) order by n.nspname, p.proname, p.oid), '[]')
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  left join domains on domains.oid = p.prorettype
  join pg_type t on t.oid = coalesce(domains.base, p.prorettype)
  join pg_namespace type_schema on type_schema.oid = t.typnamespace
  left join pg_class relation on relation.oid = t.typrelid
  left join pg_description d on d.objoid = p.oid and d.classoid = 'pg_proc'::regclass
  cross join lateral (
    select coalesce(json_agg(json_build_object(
             'name', coalesce(input.name, ''),
             'type', input.type::regtype::text,
             'unboundedType', case input.type
               when 'bit'::regtype then 'bit varying'
               when 'bit[]'::regtype then 'bit varying[]'
               when 'bpchar'::regtype then 'character varying'
               when 'bpchar[]'::regtype then 'character varying[]'
               else input.type::regtype::text end,
             'isRequired', input.position <= p.pronargs - p.pronargdefaults,
             'isVariadic', coalesce(input.mode = 'v', false)
           ) order by input.position), '[]') as list,
           case count(*) - count(input.name)
             when 0 then true
             when 1 then min(input.type::text) in (
               select whole::oid::text
                 from unnest(array['bytea', 'json', 'jsonb', 'text', 'xml']::regtype[]) whole)
             else false end as callable
      from (
        select argument.name, argument.type, argument.mode,
               row_number() over (order by argument.position) as position
          from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargnames, p.proargmodes)
               with ordinality as argument(type, name, mode, position)
         where argument.type is not null and coalesce(argument.mode, 'i') in ('i', 'b', 'v')
      ) input
  ) parameters
  where t.oid <> 'trigger'::regtype and parameters.callable and p.prokind = 'f'
    and p.pronamespace = any(${schemaOids(schemas)})`;

/**
 * Implicit casts between a domain and json or text, which shape a column's values on their way out and in.
 * Upstream: PostgREST src/PostgREST/SchemaCache.hs (dataRepresentations).
 */
export const representationsStatement: Sql = sql`
  select coalesce(json_agg(json_build_object(
    'source', c.castsource::regtype::text,
    'target', c.casttarget::regtype::text,
    'schema', n.nspname,
    'name', p.proname
  ) order by c.castsource, c.casttarget), '[]')
  from pg_cast c
  join pg_type source on source.oid = c.castsource
  join pg_type target on target.oid = c.casttarget
  join pg_proc p on p.oid = c.castfunc
  join pg_namespace n on n.oid = p.pronamespace
  where c.castcontext = 'i' and c.castmethod = 'f' and has_function_privilege(c.castfunc, 'execute')
    and ((source.typtype = 'd' and target.oid in ('json'::regtype, 'text'::regtype))
      or (target.typtype = 'd' and source.oid in ('json'::regtype, 'text'::regtype)))`;

/**
 * Aggregates and functions whose result is a domain named like a media type.
 * Upstream: PostgREST src/PostgREST/SchemaCache.hs (mediaHandlers).
 */
export const mediaHandlersStatement = (schemas: readonly string[]): Sql => sql`
  with media_types as (
    select t.oid, n.nspname, t.typname, t.typbasetype::regtype::text as base
      from pg_type t join pg_namespace n on n.oid = t.typnamespace
     where t.typbasetype <> 0 and (t.typname ~* '^[A-Za-z0-9.-]+/[A-Za-z0-9.\+-]+$' or t.typname = '*/*')
  ),
  handlers as (
    select proc_schema.nspname as schema, p.proname as name,
           target_schema.nspname as target_schema, target.typname as target, m.typname as media_type,
           m.base
      from media_types m
      join pg_proc p on p.prorettype = m.oid
      join pg_namespace proc_schema on proc_schema.oid = p.pronamespace
      join pg_aggregate a on a.aggfnoid = p.oid
      join pg_type target on target.oid = p.proargtypes[0]
      join pg_namespace target_schema on target_schema.oid = target.typnamespace
     where p.pronamespace = any(${schemaOids(schemas)}) and p.pronargs = 1
       and (target.oid = 'anyelement'::regtype or exists (
         select from pg_class c where c.reltype = target.oid and c.relkind in ('v', 'r', 'm', 'f', 'p')))
    union all
    select m.nspname, m.typname, n.nspname, p.proname, m.typname, m.base
      from media_types m
      join pg_proc p on p.prorettype = m.oid
      join pg_namespace n on n.oid = p.pronamespace
     where p.pronamespace = any(${schemaOids(schemas)}) and not p.proretset and p.prokind = 'f'
  )
  select coalesce(json_agg(json_build_object(
    'schema', schema, 'name', name, 'targetSchema', target_schema, 'target', target, 'mediaType', media_type,
    'baseType', base
  ) order by schema, name, target_schema, target), '[]')
  from handlers`;
