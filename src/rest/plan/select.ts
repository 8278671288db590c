import type { Catalog } from '../../catalog/model.ts';
import { type RestError, restErrors } from '../errors.ts';
import { columnField, withJsonOutput } from './field.ts';
import type { SelectPlan } from './model.ts';
import { sourceName } from './relate.ts';
import type { Draft } from './tree.ts';

/**
 * Replaces `*` by the columns of the relation where rows cannot be taken whole: under an aggregate, in a spread list,
 * or when a column's type has a JSON form of its own.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Plan.hs (expandStars).
 */
export function expandStars(catalog: Catalog, schema: string, draft: Draft, underAggregate = false): void {
  const hasAggregate =
    underAggregate || draft.spread === 'to-many' || draft.select.some(({ aggregate }) => aggregate !== null);
  if (hasAggregate || catalog.hasRepresentations) expandOne(catalog, schema, draft, hasAggregate);
  for (const child of draft.children) expandStars(catalog, schema, child, hasAggregate);
}

function expandOne(catalog: Catalog, schema: string, draft: Draft, hasAggregate: boolean): void {
  const isSpread = draft.spread !== null;
  const isExpanded = ({ field, aggregate }: SelectPlan): boolean =>
    field.name === '*' && (aggregate === null || (isSpread && aggregate === 'count'));
  if (!draft.select.some(isExpanded)) return;
  const isSource = draft.from === sourceName && draft.fromAlias !== null;
  const table = isSource
    ? catalog.table(schema, draft.fromAlias ?? '')
    : catalog.table(draft.from.schema, draft.from.name);
  const columns = [...(table?.columns.values() ?? [])];
  const isShownOtherwise = columns.some(
    ({ nominalType }) => catalog.representation(nominalType, 'json') !== undefined,
  );
  if (!hasAggregate && !isShownOtherwise) return;
  draft.select = draft.select.flatMap((item): SelectPlan[] => {
    if (!isExpanded(item) || item.field.path.length > 0) return [item];
    if (item.aggregate !== null) return [{ ...item, field: { ...item.field, isWholeRow: true } }];
    return columns.map((column) => ({ ...item, field: withJsonOutput(catalog, columnField(column)) }));
  });
}

/** Names the items whose name SQL would not give: JSON paths, transformed columns, aggregates that are spread. */
export function nameItems(draft: Draft): void {
  const isSpread = draft.spread !== null;
  const name = (item: SelectPlan): string | null => item.alias ?? automaticName(item, isSpread);
  if (draft.select.some((item) => name(item) !== item.alias))
    draft.select = draft.select.map((item) => ({ ...item, alias: name(item) }));
  for (const child of draft.children) nameItems(child);
}

function automaticName({ field, aggregate }: SelectPlan, isSpread: boolean): string | null {
  if (aggregate !== null) return isSpread ? aggregate : null;
  const last = field.path.at(-1);
  if (last === undefined) return field.transform === null ? null : field.name;
  // An index names nothing: the nearest key before it does, or the column.
  return field.path.findLast(({ kind }) => kind === 'key')?.text ?? field.name;
}

/** Refuses aggregates where the configuration does. */
export function refuseAggregates(draft: Draft): RestError | null {
  if (draft.select.some(({ aggregate }) => aggregate !== null)) return restErrors.aggregatesDisabled();
  for (const child of draft.children) {
    const failure = refuseAggregates(child);
    if (failure !== null) return failure;
  }
  return null;
}
