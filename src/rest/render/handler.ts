import type { Routine } from '../../catalog/model.ts';
import { assertNever } from '../../core/result.ts';
import { type Sql, sql } from '../../pg/sql/sql.ts';
import type { HandlerPlan } from '../plan/model.ts';
import { qualified } from './field.ts';

/** What the rows of a call are: the values or the one row that its function returns. */
type Shape = 'rows' | 'one-row' | 'one-value' | 'values';

function shapeOf(routine: Routine | null): Shape {
  if (routine === null) return 'rows';
  const { isSet, isComposite } = routine.returnType;
  if (isComposite) return isSet ? 'rows' : 'one-row';
  return isSet ? 'values' : 'one-value';
}

const csvHeader = sql`(SELECT coalesce(string_agg(a.k, ','), '') FROM (SELECT json_object_keys(r)::text as k FROM (SELECT row_to_json(hh) as r from pgrst_source as hh limit 1) s) a)`;
const csvBody = sql`coalesce(string_agg(substring(_postgrest_t::text, 2, length(_postgrest_t::text) - 2), '\n'), '')`;
const csv = sql`${csvHeader} || '\n' || ${csvBody}`;

const geojson = sql`json_build_object('type', 'FeatureCollection', 'features', coalesce(json_agg(ST_AsGeoJSON(_postgrest_t)::json), '[]'))`;

const stripped = (json: Sql, stripsNulls: boolean): Sql =>
  stripsNulls ? sql`json_strip_nulls(${json})` : json;

const first = (rows: Sql, stripsNulls: boolean): Sql =>
  sql`coalesce(${stripped(sql`json_agg(${rows})->0`, stripsNulls)}, 'null')`;

const all = (rows: Sql, stripsNulls: boolean): Sql =>
  sql`coalesce(${stripped(sql`json_agg(${rows})`, stripsNulls)}, '[]')`;

const row = sql`_postgrest_t`;
const value = sql`_postgrest_t.pgrst_scalar`;

function jsonArray(shape: Shape, stripsNulls: boolean): Sql {
  switch (shape) {
    case 'one-row':
      return first(row, stripsNulls);
    case 'one-value':
      return first(value, stripsNulls);
    case 'values':
      return all(value, stripsNulls);
    case 'rows':
      return all(row, stripsNulls);
  }
}

type CustomHandler = Extract<HandlerPlan, { readonly kind: 'custom' }>;

function customCall(handler: CustomHandler, shape: Shape): Sql {
  const name = qualified(handler.function);
  if (shape === 'one-value') return sql`${name}(${value})`;
  return handler.target === null ? sql`${name}(${row})` : sql`${name}(${row}::${qualified(handler.target)})`;
}

/**
 * The expression that makes the answer's text of the rows `_postgrest_t`.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Query/SqlFragment.hs (handlerF).
 */
export function handlerExpression(handler: HandlerPlan, routine: Routine | null): Sql {
  const shape = shapeOf(routine);
  switch (handler.kind) {
    case 'none':
      return sql`''::text`;
    case 'array':
      return jsonArray(shape, handler.stripsNulls);
    case 'single':
      return first(shape === 'one-value' ? value : row, handler.stripsNulls);
    case 'csv':
      return csv;
    case 'geojson':
      return geojson;
    case 'custom':
      return customCall(handler, shape);
    default:
      return assertNever(handler);
  }
}
