import type { Catalog, Routine } from '../../catalog/model.ts';
import { type Sql, sql } from '../../pg/sql/sql.ts';
import type { RestConfig } from '../config/model.ts';
import { openApiDocument } from './document.ts';

/** What the database says about a schema to the role that asks. */
type SchemaAccess = {
  /** Null when privileges do not count. */
  readonly tables: readonly string[] | null;
  /** Functions by oid, with their parameters' types as the request's search path shows them. */
  readonly routines: Readonly<Record<string, readonly string[]>> | null;
  readonly description: string | null;
};

const accessible: Sql = sql`
  'tables', (
    select coalesce(json_agg(c.relname), '[]') from pg_catalog.pg_class c
     where c.relnamespace = n.oid and c.relkind in ('v', 'r', 'm', 'f', 'p') and not c.relispartition
       and (pg_catalog.pg_has_role(c.relowner, 'USAGE')
         or pg_catalog.has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
         or pg_catalog.has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))),
  'routines', (
    select coalesce(json_object_agg(p.oid, array(
             select argument.type::regtype::text
               from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes)
                    with ordinality as argument(type, mode, position)
              where argument.type is not null and coalesce(argument.mode, 'i') in ('i', 'b', 'v')
              order by argument.position)), '{}')
      from pg_catalog.pg_proc p
     where p.pronamespace = n.oid and pg_catalog.has_function_privilege(p.oid, 'execute'))`;

/**
 * Asks, as the request's role, what the role may see of a schema: one row with one JSON document.
 * Upstream: PostgREST src/PostgREST/Query/SqlFragment.hs (accessibleTables, accessibleFuncs).
 */
export function schemaAccessStatement(schema: string, mode: RestConfig['openApiMode']): Sql {
  const description = sql`'description', pg_catalog.obj_description(n.oid, 'pg_namespace')`;
  return sql`
    select pg_catalog.json_build_object(${
      mode === 'follow-privileges' ? sql`${description}, ${accessible}` : description
    }) from pg_catalog.pg_namespace n where n.nspname = ${schema}`;
}

/** The OpenAPI document of a schema, from the answer to `schemaAccessStatement`. */
export function inspectSchema(
  schema: string,
  accessText: string | null,
  catalog: Catalog,
  config: RestConfig,
): string {
  // The statement above builds this document; a schema that does not exist has none.
  const access = JSON.parse(accessText ?? '{}') as Partial<SchemaAccess>;
  const tables = access.tables ? new Set(access.tables) : null;
  const visible = {
    tables: catalog.tables(schema).filter((table) => tables?.has(table.name) ?? true),
    routines: visibleRoutines(catalog.routinesOf(schema).flat(), access.routines ?? null),
    description: access.description ?? null,
  };
  return openApiDocument(visible, catalog.relationships, config);
}

function visibleRoutines(routines: readonly Routine[], access: SchemaAccess['routines']): readonly Routine[] {
  if (access === null) return routines;
  return routines.flatMap((routine) => {
    const types = access[routine.id];
    if (types === undefined) return [];
    const parameters = routine.parameters.map((item, i) => ({ ...item, type: types[i] ?? item.type }));
    return [{ ...routine, parameters }];
  });
}
