import { type Sql, sql } from '../../pg/sql/sql.ts';
import type { BodyColumn, BodyPlan } from '../plan/model.ts';
import { ident, unaryCall } from './field.ts';

/**
 * The rows of a JSON body with the columns' types, as `pgrst_body`: what stands after FROM. A call takes one row only.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Query/SqlFragment.hs (fromJsonBodyF).
 */
export function bodyRows(body: BodyPlan, isOneRow: boolean): Sql {
  const parsed = sql.join(body.columns.map(parsedColumn));
  const defaults = body.appliesDefaults ? defaultsOf(body) : sql.empty;
  return sql`(SELECT ${payload(body)} AS json_data) pgrst_payload, ${defaults}LATERAL (SELECT ${parsed} FROM ${rowsOf(body, isOneRow)}) pgrst_body`;
}

/** Defaults are merged as jsonb; otherwise json keeps the text of numbers and the order of duplicates. */
const payload = ({ json, appliesDefaults }: BodyPlan): Sql => {
  const value = json === null ? null : json.toString();
  return appliesDefaults ? sql`${value}::jsonb` : sql`${value}::json`;
};

const parsedColumn = ({ name, transform }: BodyColumn): Sql =>
  transform === null ? ident(name) : sql`${unaryCall(transform, ident(name))} AS ${ident(name)}`;

function defaultsOf({ columns, isObject }: BodyPlan): Sql {
  const pairs = columns.flatMap(({ name, defaultValue }) =>
    defaultValue === null ? [] : [sql`${sql.literal(name)}, ${sql.fromServer(defaultValue)}`],
  );
  const defaults = sql`jsonb_build_object(${sql.join(pairs)})`;
  return isObject
    ? sql`LATERAL (SELECT ${defaults} || pgrst_payload.json_data AS val) pgrst_json_defs, `
    : sql`LATERAL (SELECT jsonb_agg(${defaults} || elem) AS val from jsonb_array_elements(pgrst_payload.json_data) elem) pgrst_json_defs, `;
}

function rowsOf({ columns, isObject, appliesDefaults }: BodyPlan, isOneRow: boolean): Sql {
  const json = appliesDefaults ? sql`pgrst_json_defs.val` : sql`pgrst_payload.json_data`;
  if (columns.length === 0) {
    if (isObject) return sql`(values(1)) _ `;
    return appliesDefaults ? sql`jsonb_array_elements(${json}) _ ` : sql`json_array_elements(${json}) _ `;
  }
  const typed = sql.join(columns.map(({ name, type }) => sql`${ident(name)} ${sql.fromServer(type)}`));
  const limit = isOneRow ? sql` LIMIT 1` : sql.empty;
  return sql`${recordFunction(isObject, appliesDefaults)}(${json}) AS _(${typed})${limit}`;
}

function recordFunction(isObject: boolean, isBinary: boolean): Sql {
  if (isBinary) return isObject ? sql`jsonb_to_record` : sql`jsonb_to_recordset`;
  return isObject ? sql`json_to_record` : sql`json_to_recordset`;
}
