import type { QualifiedName } from '../../catalog/model.ts';
import { type Sql, sql } from '../../pg/sql/sql.ts';
import type { LogicPlan, MutatePlan } from '../plan/model.ts';
import { bodyRows } from './body.ts';
import { condition, joinedEmbedTest, where } from './condition.ts';
import { column, ident, qualified } from './field.ts';

const body: QualifiedName = { schema: '', name: 'pgrst_body' };

/*
 * How many rows an upsert inserted: each row of the body counts one, and one that turns out to be an update takes it
 * back. Both calls are true, so that they can stand as conditions.
 */
const inserted = sql`nullif(current_setting('pgrst.inserted', true), '')`;
const countsRow = sql`set_config('pgrst.inserted', (coalesce(${inserted}::int, 0) + 1)::text, true) <> '0'`;
const uncountsRow = sql`set_config('pgrst.inserted', (coalesce(${inserted}::int, 0) - 1)::text, true) <> '-1'`;

/**
 * The statement of a write.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Query/QueryBuilder.hs (mutatePlanToQuery).
 */
export function renderMutation(plan: MutatePlan): Sql {
  switch (plan.kind) {
    case 'insert':
      return renderInsert(plan);
    case 'update':
      return renderUpdate(plan);
    case 'delete':
      return sql`DELETE FROM ${qualified(plan.table)}${whereOf(plan.table, plan.where)}${returning(plan.table, plan.returning)}`;
  }
}

type InsertPlan = Extract<MutatePlan, { readonly kind: 'insert' }>;
type UpdatePlan = Extract<MutatePlan, { readonly kind: 'update' }>;

function renderInsert(plan: InsertPlan): Sql {
  const { columns } = plan.body;
  const names = sql.join(columns.map(({ name }) => ident(name)));
  const target = columns.length === 0 ? sql.empty : sql`(${names})`;
  const selected = sql.join(columns.map(({ name }) => column(body, name)));
  const rows = sql`SELECT ${selected} FROM ${bodyRows(plan.body, false)}`;
  return sql`INSERT INTO ${qualified(plan.table)}${target} ${rows}${insertConditions(plan)}${onConflict(plan)}${returning(plan.table, plan.returning)}`;
}

const merges = ({ conflict }: InsertPlan): boolean => conflict?.resolution === 'merge-duplicates';

function insertConditions(plan: InsertPlan): Sql {
  if (plan.where.length > 0) {
    const conditions = plan.where.map((tree) => condition(body, tree, joinedEmbedTest));
    return sql` WHERE ${countsRow} AND ${sql.join(conditions, ' and ')}`;
  }
  return merges(plan) ? sql` WHERE ${countsRow}` : sql.empty;
}

function onConflict(plan: InsertPlan): Sql {
  const { conflict } = plan;
  if (conflict === null || conflict.columns.length === 0) return sql.empty;
  const target = sql.join(conflict.columns.map(ident));
  if (conflict.resolution === 'ignore-duplicates' || plan.body.columns.length === 0)
    return sql` ON CONFLICT(${target}) DO NOTHING`;
  const changes = plan.body.columns.map(({ name }) => sql`${ident(name)} = EXCLUDED.${ident(name)}`);
  return sql` ON CONFLICT(${target}) DO UPDATE SET ${sql.join(changes)} WHERE ${uncountsRow}`;
}

function renderUpdate(plan: UpdatePlan): Sql {
  const { table } = plan;
  if (plan.body.columns.length === 0) return emptyUpdate(plan);
  const changes = plan.body.columns.map(({ name }) => sql`${ident(name)} = ${column(body, name)}`);
  const rows = bodyRows(plan.body, false);
  return sql`UPDATE ${qualified(table)} SET ${sql.join(changes)} FROM ${rows}${whereOf(table, plan.where)}${returning(table, plan.returning)}`;
}

/** An update of no column is no SQL: a query without rows gives the answer its columns. */
function emptyUpdate({ table, returning: columns }: UpdatePlan): Sql {
  const unqualified = { schema: '', name: table.name };
  const selected = columns.map((name) => column(unqualified, name));
  const items = selected.length === 0 ? sql`NULL` : sql.join(selected);
  return sql`SELECT ${items} FROM ${qualified(table)} WHERE false`;
}

const whereOf = (table: QualifiedName, trees: readonly LogicPlan[]): Sql =>
  where(
    trees.map((tree) => condition(table, tree, joinedEmbedTest)),
    [],
  );

/** Without anything to return, a constant for each row tells how many there were. */
function returning(table: QualifiedName, columns: readonly string[]): Sql {
  return columns.length === 0
    ? sql` RETURNING 1`
    : sql` RETURNING ${sql.join(columns.map((name) => column(table, name)))}`;
}
