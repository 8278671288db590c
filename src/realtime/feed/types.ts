import { z } from 'zod';
import { sql } from '../../pg/sql/sql.ts';
import type { TypeInfo, TypeShape } from '../changes/model.ts';
import type { OwnerDb } from './owner-db.ts';

const typeRow = z.object({
  oid: z.number(),
  schema: z.string(),
  name: z.string(),
  element: z.number().nullable(),
  delimiter: z.string(),
  base: z.number().nullable(),
  has_json_cast: z.boolean(),
  attributes: z.array(z.object({ name: z.string(), type: z.number() })).nullable(),
});

/** A type whose parts are named by id. */
export type TypeRow = z.infer<typeof typeRow>;

/** Reads types and the types that they are made of. */
export async function loadTypes(db: OwnerDb, oids: readonly number[]): Promise<readonly TypeRow[]> {
  const rows = await db.query(sql`
    with recursive part (oid) as (
      select unnest(${[...oids]}::oid[])
      union
      select inner_type.oid
      from part
      join pg_type t on t.oid = part.oid
      cross join lateral (
        select t.typelem as oid where t.typcategory = 'A' and t.typlen = -1
        union all
        select t.typbasetype where t.typtype = 'd'
        union all
        select a.atttypid from pg_attribute a
        where t.typtype = 'c' and a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
      ) inner_type
    )
    select t.oid::int8::text::float8 as oid, n.nspname as schema, t.typname as name,
      case when t.typcategory = 'A' and t.typlen = -1 and t.typtype = 'b' then t.typelem::int8::text::float8 end as element,
      case when t.typtype = 'd' then t.typbasetype::int8::text::float8 end as base,
      t.typdelim::text as delimiter,
      -- As to_jsonb looks for it: not for the types that the server comes with.
      t.oid >= 16384 and exists (
        select from pg_cast c where c.castsource = t.oid and c.casttarget = 'json'::regtype and c.castfunc <> 0
      ) as has_json_cast,
      (
        select json_agg(json_build_object('name', a.attname, 'type', a.atttypid::int8) order by a.attnum)
        from pg_attribute a
        where t.typtype = 'c' and a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
      ) as attributes
    from pg_type t
    join pg_namespace n on n.oid = t.typnamespace
    where t.oid in (select oid from part)`);
  return z.array(typeRow).parse(rows);
}

/** A type that the catalog no longer knows prints as text. */
const lost = (oid: number): TypeInfo => ({
  oid,
  schema: 'pg_catalog',
  name: 'text',
  shape: { kind: 'scalar' },
});

/** Looks types up by id, with their parts in place. */
export function resolveTypes(rows: readonly TypeRow[]): (oid: number) => TypeInfo {
  const byOid = new Map(rows.map((row) => [row.oid, row]));
  const resolved = new Map<number, TypeInfo>();
  const resolve = (oid: number): TypeInfo => {
    const known = resolved.get(oid);
    if (known !== undefined) return known;
    const row = byOid.get(oid);
    const type =
      row === undefined
        ? lost(oid)
        : { oid, schema: row.schema, name: row.name, shape: shapeOf(row, byOid, resolve) };
    resolved.set(oid, type);
    return type;
  };
  return resolve;
}

function shapeOf(
  row: TypeRow,
  byOid: ReadonlyMap<number, TypeRow>,
  resolve: (oid: number) => TypeInfo,
): TypeShape {
  if (row.base !== null) return { kind: 'domain', base: resolve(row.base) };
  if (row.element !== null) {
    const delimiter = byOid.get(row.element)?.delimiter ?? ',';
    return { kind: 'array', element: resolve(row.element), delimiter };
  }
  if (row.attributes !== null) {
    return {
      kind: 'composite',
      attributes: row.attributes.map(({ name, type }) => ({ name, type: resolve(type) })),
    };
  }
  return { kind: row.has_json_cast ? 'cast' : 'scalar' };
}
