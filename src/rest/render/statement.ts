import { type Sql, sql } from '../../pg/sql/sql.ts';
import type { MediaType, PlanOption } from '../parse/media-type.ts';
import type { Preferences } from '../parse/preferences.ts';
import type { MutatePlan, ReadPlan, RowsPlan } from '../plan/model.ts';
import { renderCall } from './call.ts';
import { renderCount } from './count.ts';
import { qualified } from './field.ts';
import { handlerExpression } from './handler.ts';
import { renderMutation } from './mutate.ts';
import { renderRead } from './read.ts';

/**
 * Columns of a main statement: number of rows without the limit, number of rows of the answer, the answer's text, and
 * headers and status that functions set.
 */
export const rowsColumns = { total: 0, rows: 1, body: 2, headers: 3, status: 4 } as const;

/**
 * Columns of a write's statement. It has besides the key of the one row that was inserted, as a JSON array of
 * `column=value`, and how many rows an upsert inserted.
 */
export const writeColumns = {
  total: 0,
  rows: 1,
  location: 2,
  body: 3,
  headers: 4,
  status: 5,
  inserted: 6,
} as const;

const setByFunctions = sql`nullif(current_setting('response.headers', true), '') AS response_headers, nullif(current_setting('response.status', true), '') AS response_status`;
const noLocation = sql`null::text AS header`;
const countRows = sql`pg_catalog.count(*)`;

/** What a main statement depends on besides its plan. */
export type StatementOptions = {
  readonly preferences: Preferences;
  readonly maxRows: number | null;
};

/**
 * The statement of a plan: one row with everything that the answer is made of.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Query/Statements.hs.
 */
export function renderStatement(plan: RowsPlan, options: StatementOptions): Sql {
  const statement = renderRows(plan, options);
  return plan.mediaType.kind === 'plan' ? explained(plan.mediaType, statement) : statement;
}

function renderRows(plan: RowsPlan, options: StatementOptions): Sql {
  switch (plan.kind) {
    case 'read': {
      const [cte, total] = counted(plan.read, options, true);
      const body = handlerExpression(plan.handler, null);
      return sql`WITH pgrst_source AS ( ${renderRead(plan.read)} )${cte} SELECT ${total} AS total_result_set, ${countRows} AS page_total, ${body} AS body, ${setByFunctions} FROM ( SELECT * FROM pgrst_source ) _postgrest_t`;
    }
    case 'mutate': {
      const { mutate, handler } = plan;
      const body = handlerExpression(handler, null);
      const rows = handler.kind === 'none' ? sql`SELECT * FROM pgrst_source` : renderRead(plan.read);
      return sql`WITH pgrst_source AS (${renderMutation(mutate)}) SELECT null::bigint AS total_result_set, ${countRows} AS page_total, ${location(mutate, options)}, ${body} AS body, ${setByFunctions}, ${inserted(mutate)} FROM (${rows}) _postgrest_t`;
    }
    case 'call': {
      const [cte, total] = counted(plan.read, options, false);
      const rows = plan.routine.returnType.isSet ? countRows : sql`1`;
      const body = handlerExpression(plan.handler, plan.routine);
      return sql`WITH pgrst_source AS (${renderCall(plan.call)})${cte} SELECT ${total} AS total_result_set, ${rows} AS page_total, ${body} AS body, ${setByFunctions} FROM (${renderRead(plan.read)}) _postgrest_t`;
    }
  }
}

/** The common table expression that counts all rows, and what reads it; an estimate counts no further than it must. */
function counted(
  read: ReadPlan,
  { preferences, maxRows }: StatementOptions,
  mayStop: boolean,
): readonly [Sql, Sql] {
  const { count } = preferences;
  if (count !== 'exact' && count !== 'estimated') return [sql.empty, sql`null::bigint`];
  const stop =
    mayStop && count === 'estimated' && maxRows !== null ? sql` LIMIT ${String(maxRows + 1)}` : sql.empty;
  return [
    sql`, pgrst_source_count AS (${renderCount(read)}${stop})`,
    sql`(SELECT pg_catalog.count(*) FROM pgrst_source_count)`,
  ];
}

/** How many rows the planner expects the read to find: asked for by `count=planned` and `count=estimated`. */
export const renderEstimate = (read: ReadPlan): Sql => sql`EXPLAIN (FORMAT JSON) ${renderCount(read)}`;

/** Where the one inserted row is found again: its key columns, as the JSON array of `column=eq.value`. */
function location(mutate: MutatePlan, { preferences }: StatementOptions): Sql {
  if (mutate.kind !== 'insert' || preferences.representation !== 'headers-only') return noLocation;
  const { keyColumns } = mutate;
  const pairs = sql`SELECT json_agg(json_data.key || '=' || coalesce('eq.' || json_data.value, 'is.null')) FROM (SELECT row_to_json(_) AS row FROM pgrst_source AS _ LIMIT 1) data CROSS JOIN json_each_text(data.row) AS json_data WHERE json_data.key = ANY(${keyColumns}::text[])`;
  return sql`CASE WHEN ${countRows} = 1 THEN (${pairs})::text END AS header`;
}

function inserted(mutate: MutatePlan): Sql {
  const counts =
    mutate.kind === 'insert' &&
    (mutate.where.length > 0 || mutate.conflict?.resolution === 'merge-duplicates');
  return counts
    ? sql`nullif(current_setting('pgrst.inserted', true), '')::int AS response_inserted`
    : sql`1 AS response_inserted`;
}

const formats = { json: sql`FORMAT JSON`, text: sql`FORMAT TEXT` } as const;
const planOptions: Readonly<Record<PlanOption, Sql>> = {
  analyze: sql`ANALYZE`,
  verbose: sql`VERBOSE`,
  settings: sql`SETTINGS`,
  buffers: sql`BUFFERS`,
  wal: sql`WAL`,
};

function explained({ format, options }: Extract<MediaType, { readonly kind: 'plan' }>, statement: Sql): Sql {
  const chosen = [formats[format], ...options.map((option) => planOptions[option])];
  return sql`EXPLAIN (${sql.join(chosen)}) ${statement}`;
}

/** The statement that runs the configured function before the main one. */
export const renderPreRequest = (name: { readonly schema: string; readonly name: string }): Sql =>
  sql`select ${qualified(name)}()`;
