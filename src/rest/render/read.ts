import { type Sql, sql } from '../../pg/sql/sql.ts';
import { limitOf, type RowRange } from '../parse/row-range.ts';
import type { EmbedPlan, ReadPlan, SelectPlan, SpreadColumn } from '../plan/model.ts';
import { condition, joinedEmbedTest, where } from './condition.ts';
import { as, embedColumn, fieldValue, ident, orderBy, qualified, selectItem, spreadItem } from './field.ts';

/**
 * The query of a read, with its embeds as lateral joins.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Query/QueryBuilder.hs (readPlanToQuery).
 */
export function renderRead(plan: ReadPlan): Sql {
  const { selectFrom, groups } = shapeOf(plan);
  const conditions = plan.where.map((tree) => condition(plan.qualifier, tree, joinedEmbedTest));
  return sql`${selectFrom}${where(conditions, plan.joinConditions)}${groups}${orderBy(plan.qualifier, plan.order)}${limitOffset(plan.range)}`;
}

/** The parts of a read that its parameters change nothing of. */
type RenderedShape = { readonly selectFrom: Sql; readonly groups: Sql };

const rendered = new WeakMap<ReadPlan['embeds'], RenderedShape>();

function shapeOf(plan: ReadPlan): RenderedShape {
  const known = plan.isShape ? rendered.get(plan.embeds) : undefined;
  if (known !== undefined) return known;
  const shape = renderShape(plan);
  if (!plan.isShape) return shape;
  const flat = { selectFrom: sql.flat(shape.selectFrom), groups: sql.flat(shape.groups) };
  rendered.set(plan.embeds, flat);
  return flat;
}

function renderShape(plan: ReadPlan): RenderedShape {
  const items = selectItems(plan);
  for (const embed of plan.embeds) addEmbedItems(items, embed);
  const joins = sql.join(plan.embeds.map(lateralJoin), '');
  return { selectFrom: sql`SELECT ${sql.join(items)}${fromClause(plan)}${joins}`, groups: groupBy(plan) };
}

/** ` FROM ...`: the relation, or the function of the parent's row, and a junction beside it. */
export function fromClause({ source, fromAlias }: ReadPlan): Sql {
  if (source.kind === 'computed')
    return sql` FROM ${qualified(source.function)}(${ident(source.argument)}::${qualified(source.argumentType)})${as(fromAlias)}`;
  const junction = source.junction === null ? sql.empty : sql`, ${qualified(source.junction)}`;
  return sql` FROM ${qualified(source.name)}${as(fromAlias)}${junction}`;
}

function selectItems({ select, children, qualifier, spreadOrder }: ReadPlan): Sql[] {
  // With nothing selected and nothing embedded the columns are taken here and left out of the answer above.
  if (select.length === 0 && children.length === 0) return [sql`${qualified(qualifier)}.*`];
  const own = select.map((item) => selectItem(qualifier, item));
  if (spreadOrder.select.length === 0) return own;
  const ordering = spreadOrder.select.map(({ qualifier: embed, item }) =>
    selectItem(embed === null ? qualifier : { schema: '', name: embed }, item),
  );
  return [...own, ...ordering];
}

function addEmbedItems(items: Sql[], embed: EmbedPlan): void {
  const { embedAlias } = embed.child;
  if (embed.kind === 'spread') {
    for (const spread of embed.columns) items.push(spreadItem(embedAlias, spread));
    return;
  }
  if (embed.isEmpty) return;
  items.push(
    embed.kind === 'object'
      ? sql`to_jsonb(${ident(embedAlias)}.*) AS ${ident(embed.name)}`
      : sql`COALESCE( ${embedColumn(embedAlias, embedAlias)}, '[]') AS ${ident(embed.name)}`,
  );
}

function lateralJoin(embed: EmbedPlan): Sql {
  const { child } = embed;
  const isList = embed.kind === 'array' || (embed.kind === 'spread' && child.spread === 'to-many');
  const alias = ident(child.embedAlias);
  const query = isList ? listQuery(embed, child) : renderRead(child);
  const on = isList && child.join === 'inner' ? sql`${alias} IS NOT NULL` : sql`TRUE`;
  return child.join === 'inner'
    ? sql` INNER JOIN LATERAL ( ${query} ) AS ${alias} ON ${on}`
    : sql` LEFT JOIN LATERAL ( ${query} ) AS ${alias} ON ${on}`;
}

/** The embed's rows as one JSON array; of a spread list, each column as an array as well. */
function listQuery(embed: EmbedPlan, child: ReadPlan): Sql {
  const alias = ident(child.embedAlias);
  const columns = embed.kind === 'spread' ? embed.columns.map((spread) => listColumn(child, spread)) : [];
  // Upstream makes json and casts it; made as jsonb at once it is the same value without being parsed.
  const items = [sql`jsonb_agg(${alias}) AS ${alias}`, ...columns];
  return sql`SELECT ${sql.join(items)} FROM (${renderRead(child)} ) AS ${alias}`;
}

function listColumn({ embedAlias, spreadOrder }: ReadPlan, { name, alias }: SpreadColumn): Sql {
  const order = orderBy({ schema: '', name: embedAlias }, spreadOrder.order);
  return sql`COALESCE(json_agg(${embedColumn(embedAlias, name)}${order}),'[]')::jsonb AS ${ident(alias ?? name)}`;
}

/** ` GROUP BY` everything that is not aggregated, where something is. */
function groupBy(plan: ReadPlan): Sql {
  const isAggregated =
    plan.select.some(({ aggregate }) => aggregate !== null) ||
    plan.embeds.some(
      (embed) => embed.kind === 'spread' && embed.columns.some(({ aggregate }) => aggregate !== null),
    );
  if (!isAggregated) return sql.empty;
  const terms = [
    ...plan.select.filter(({ aggregate }) => aggregate === null).map((item) => groupTerm(plan, item)),
    ...plan.embeds.flatMap(embedGroupTerms),
  ];
  return terms.length === 0 ? sql.empty : sql` GROUP BY ${sql.join(terms)}`;
}

const groupTerm = ({ qualifier }: ReadPlan, { alias, field }: SelectPlan): Sql =>
  alias === null ? fieldValue(qualifier, field) : ident(alias);

function embedGroupTerms(embed: EmbedPlan): Sql[] {
  if (embed.kind !== 'spread') return [ident(embed.name)];
  return embed.columns
    .filter(({ aggregate }) => aggregate === null)
    .map(({ name, alias }) => embedColumn(embed.child.embedAlias, alias ?? name));
}

/*
 * Sizes that pages usually have, and that `max-rows` usually is. The server cannot tell what a bound limit will be and
 * plans such a statement anew each time it runs, since its guess of a tenth of all rows looks worse than any plan for
 * the real number. These sizes stand in the text: that is a handful of texts, each of them planned once.
 */
const usualLimits: ReadonlyMap<bigint, Sql> = new Map([
  [1n, sql` LIMIT 1`],
  [2n, sql` LIMIT 2`],
  [3n, sql` LIMIT 3`],
  [5n, sql` LIMIT 5`],
  [10n, sql` LIMIT 10`],
  [12n, sql` LIMIT 12`],
  [15n, sql` LIMIT 15`],
  [20n, sql` LIMIT 20`],
  [24n, sql` LIMIT 24`],
  [25n, sql` LIMIT 25`],
  [30n, sql` LIMIT 30`],
  [50n, sql` LIMIT 50`],
  [100n, sql` LIMIT 100`],
  [200n, sql` LIMIT 200`],
  [250n, sql` LIMIT 250`],
  [500n, sql` LIMIT 500`],
  [1000n, sql` LIMIT 1000`],
  [5000n, sql` LIMIT 5000`],
  [10000n, sql` LIMIT 10000`],
]);

/** ` LIMIT ... OFFSET ...`: an offset, and a limit of an unusual size, are binds. */
function limitOffset(range: RowRange): Sql {
  const limit = limitOf(range);
  const limited = limit === null ? sql.empty : (usualLimits.get(limit) ?? sql` LIMIT ${String(limit)}`);
  return range.first === 0n ? limited : sql`${limited} OFFSET ${String(range.first)}`;
}
