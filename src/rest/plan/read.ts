import type { Catalog, QualifiedName } from '../../catalog/model.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { RestConfig } from '../config/model.ts';
import type { RestError } from '../errors.ts';
import type { ApiRequest } from '../parse/api-request.ts';
import type { At, OrderTerm } from '../parse/model.ts';
import { readRangePath } from '../parse/query-params.ts';
import { isLimitZero, noRows, type RowRange, restrictRange } from '../parse/row-range.ts';
import { liftAggregates, orderSpreadLists, placeEmbeds, relateNullFilters, relateOrders } from './embed.ts';
import { orderField, resolveFilter, resolveLogic } from './field.ts';
import { type OrderPlan, type ReadPlan, unknownField } from './model.ts';
import { readFromSource, relateChildren } from './relate.ts';
import { expandStars, nameItems, refuseAggregates } from './select.ts';
import { applyAt, type Draft, draftTree, type PassOutcome } from './tree.ts';

/**
 * Plans what is read: of a relation, or of the rows that the statement's own write or call gave.
 * The passes stand in upstream's order, since the first that fails decides the error.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Plan.hs (readPlan).
 */
export function planRead(
  relation: QualifiedName,
  request: ApiRequest,
  catalog: Catalog,
  config: RestConfig,
): Result<ReadPlan, RestError> {
  const root = draftTree(catalog, relation, request.query.select);
  const isMutation = request.action.kind === 'mutate';
  const failure =
    addFilters(root, request, catalog) ??
    addOrders(root, request, catalog, relation) ??
    (isMutation ? null : addRanges(root, request)) ??
    addLogic(root, request, catalog) ??
    addRelationships(root, request, catalog, relation) ??
    shape(root, catalog, relation, config);
  if (failure !== null) return err(failure);
  if (!isMutation && config.maxRows !== null) restrictRows(root, BigInt(config.maxRows));
  return ok(root);
}

/** Filters on the top of a write choose the rows to write; what it answers with is filtered below the top alone. */
function below<T>(request: ApiRequest, parameters: readonly At<T>[]): readonly At<T>[] {
  return request.action.kind === 'mutate' ? parameters.filter(({ path }) => path.length > 0) : parameters;
}

function addFilters(root: Draft, request: ApiRequest, catalog: Catalog): PassOutcome {
  return applyAt(root, below(request, request.query.filters), (draft, filter) => {
    draft.where = [resolveFilter(catalog, draft.from, filter), ...draft.where];
  });
}

function addLogic(root: Draft, request: ApiRequest, catalog: Catalog): PassOutcome {
  return applyAt(root, below(request, request.query.logic), (draft, tree) => {
    draft.where = [resolveLogic(catalog, draft.from, tree), ...draft.where];
  });
}

function addOrders(root: Draft, request: ApiRequest, catalog: Catalog, relation: QualifiedName): PassOutcome {
  return applyAt(root, request.query.order, (draft, terms) => {
    draft.order = terms.map((term) => planOrder(catalog, relation, term));
  });
}

const planOrder = (catalog: Catalog, relation: QualifiedName, term: OrderTerm): OrderPlan => ({
  qualifier: term.relation,
  field: term.relation === null ? orderField(catalog, relation, term.field) : unknownField(term.field),
  direction: term.direction,
  nulls: term.nulls,
});

function addRanges(root: Draft, request: ApiRequest): PassOutcome {
  const ranges: At<RowRange>[] = [];
  for (const [key, value] of request.ranges) {
    const path = readRangePath(key);
    if (!path.ok) return path.error;
    ranges.push({ path: path.value, value });
  }
  return applyAt(root, ranges, (draft, range) => {
    draft.range = range;
  });
}

function addRelationships(
  root: Draft,
  request: ApiRequest,
  catalog: Catalog,
  relation: QualifiedName,
): PassOutcome {
  if (request.action.kind === 'mutate' || request.action.kind === 'call') readFromSource(root);
  return relateChildren(catalog, relation.schema, root, 1);
}

function shape(root: Draft, catalog: Catalog, relation: QualifiedName, config: RestConfig): PassOutcome {
  expandStars(catalog, relation.schema, root);
  nameItems(root);
  const failure = relateOrders(root);
  if (failure !== null) return failure;
  relateNullFilters(root);
  placeEmbeds(root);
  const refusal = config.aggregatesEnabled ? null : refuseAggregates(root);
  if (refusal !== null) return refusal;
  liftAggregates(root);
  return orderSpreadLists(root);
}

/** Whether the key that an embed joins by lets one row through at most: a limit would only keep it from being joined. */
const isSingleRow = ({ relationship }: Draft): boolean =>
  (relationship?.kind === 'many-to-one' || relationship?.kind === 'one-to-one') &&
  !relationship.foreignTableIsView;

function restrictRows(draft: Draft, maxRows: bigint): void {
  if (isLimitZero(draft.range)) draft.range = noRows;
  else if (!isSingleRow(draft)) draft.range = restrictRange(draft.range, maxRows);
  for (const child of draft.children) restrictRows(child, maxRows);
}
