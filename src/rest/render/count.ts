import { type Sql, sql } from '../../pg/sql/sql.ts';
import type { ReadPlan } from '../plan/model.ts';
import { condition, type EmbedTest, where } from './condition.ts';
import { fromClause } from './read.ts';

const existing: EmbedTest = ({ isNull, child }) =>
  isNull ? sql`NOT EXISTS (${renderCount(child)})` : sql`EXISTS (${renderCount(child)})`;

/**
 * A query with one row for each row that the read would find without its limit. Nothing is selected, and inner joins
 * are tests of existence, so that they do not multiply rows.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Query/QueryBuilder.hs (readPlanToCountQuery).
 */
export function renderCount(plan: ReadPlan): Sql {
  const conditions = plan.where.map((tree) => condition(plan.qualifier, tree, existing));
  const inner = plan.children
    .filter(({ join }) => join === 'inner')
    .map((child) => sql`EXISTS (${renderCount(child)} )`);
  return sql`SELECT 1${fromClause(plan)}${where([...conditions, ...inner], plan.joinConditions)}`;
}
