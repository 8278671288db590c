import { isToOne } from '../../catalog/model.ts';
import { restErrors } from '../errors.ts';
import {
  type EmbedPlan,
  type SelectPlan,
  type SpreadColumn,
  type SpreadOrder,
  unknownField,
} from './model.ts';
import { type Draft, firstFailure, type PassOutcome, shownName } from './tree.ts';

/** Decides how each embed appears in its parent, from the leaves up. */
export function placeEmbeds(draft: Draft): void {
  for (const child of draft.children) placeEmbeds(child);
  draft.embeds = draft.children.map(placeEmbed);
}

function placeEmbed(child: Draft): EmbedPlan {
  if (child.spread !== null) return { kind: 'spread', columns: spreadColumns(child), child };
  return {
    kind: child.relationship !== null && isToOne(child.relationship) ? 'object' : 'array',
    name: shownName(child),
    isEmpty: selectsNothing(child),
    child,
  };
}

const selectsNothing = ({ select, children }: Draft): boolean =>
  select.length === 0 && children.every(selectsNothing);

const plainColumn = (name: string): SpreadColumn => ({
  name,
  aggregate: null,
  aggregateCast: null,
  alias: null,
});

const spreadColumns = ({ select, embeds }: Draft): SpreadColumn[] => [
  ...select.map(({ field, alias }) => plainColumn(alias ?? field.name)),
  ...embeds.flatMap((embed) => (embed.kind === 'spread' ? embed.columns : [plainColumn(embed.name)])),
];

/** An aggregate on its way up: the embed and the column that it is computed from, and how. */
type Lifted = {
  readonly embedAlias: string;
  readonly name: string;
  readonly item: SelectPlan;
};

/**
 * Lifts the aggregates of to-one spreads to the first relation above that is not spread itself: computed below, over
 * the one row that the join finds, they would mean nothing.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Plan.hs (hoistSpreadAggFunctions).
 */
export function liftAggregates(draft: Draft): void {
  lift(draft, true);
}

function lift(draft: Draft, isRoot: boolean): Lifted[] {
  const below = draft.children.flatMap((child) => lift(child, false));
  const isToOneSpread = draft.spread === 'to-one';
  if (!isToOneSpread) {
    if (below.length > 0) draft.embeds = draft.embeds.map((embed) => applyLifted(embed, below));
    return [];
  }
  const own = isRoot ? [] : takeAggregates(draft);
  return [...own, ...below.map((lifted) => ({ ...lifted, embedAlias: draft.embedAlias }))];
}

function takeAggregates(draft: Draft): Lifted[] {
  const taken = draft.select.filter(({ aggregate }) => aggregate !== null);
  if (taken.length === 0) return [];
  draft.select = draft.select.map((item) => ({ ...item, aggregate: null, aggregateCast: null }));
  return taken.map((item) => ({ embedAlias: draft.embedAlias, name: item.alias ?? item.field.name, item }));
}

function applyLifted(embed: EmbedPlan, lifted: readonly Lifted[]): EmbedPlan {
  if (embed.kind !== 'spread') return embed;
  const columns = embed.columns.map((column) => {
    const found = lifted.find(
      ({ embedAlias, name }) => embedAlias === embed.child.embedAlias && name === column.name,
    );
    if (found === undefined) return column;
    const { aggregate, aggregateCast, alias } = found.item;
    return { ...column, aggregate, aggregateCast, alias };
  });
  return { ...embed, columns };
}

/**
 * Moves the order of a spread list into its aggregation: the columns ordered by are selected under names of their own,
 * since the list is only made from what the inner query selects.
 */
export function orderSpreadLists(draft: Draft): PassOutcome {
  if (draft.spread === 'to-many') {
    const aggregates =
      draft.select.some(({ aggregate }) => aggregate !== null) ||
      draft.embeds.some(
        (embed) => embed.kind === 'spread' && embed.columns.some(({ aggregate }) => aggregate !== null),
      );
    if (aggregates)
      return restErrors.notImplemented(
        'Aggregates are not implemented for one-to-many or many-to-many spreads.',
      );
    draft.spreadOrder = spreadOrder(draft);
    draft.order = [];
  }
  return firstFailure(draft, orderSpreadLists);
}

function spreadOrder({ order, embedAlias }: Draft): SpreadOrder {
  const terms = order.map((term, i) => {
    const alias = `${embedAlias}_${term.field.name}_${i + 1}`;
    const item: SelectPlan = {
      field: term.field,
      aggregate: null,
      aggregateCast: null,
      cast: null,
      alias,
    };
    const field = unknownField({ name: alias, path: [] });
    return { select: { qualifier: term.qualifier, item }, order: { ...term, qualifier: null, field } };
  });
  return { select: terms.map(({ select }) => select), order: terms.map(({ order: each }) => each) };
}
