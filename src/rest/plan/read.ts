import type { Catalog, QualifiedName } from '../../catalog/model.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { RestConfig } from '../config/model.ts';
import type { RestError } from '../errors.ts';
import type { ApiRequest } from '../parse/api-request.ts';
import type { At, OrderTerm } from '../parse/model.ts';
import { readRangePath } from '../parse/query-params.ts';
import { allRows, isLimitZero, noRows, type RowRange, restrictRange } from '../parse/row-range.ts';
import { liftAggregates, orderSpreadLists, placeEmbeds } from './embed.ts';
import { orderField, resolveFilter, resolveLogic } from './field.ts';
import { type OrderPlan, type ReadPlan, unknownField } from './model.ts';
import { relateAllNullFilters, relateAllOrders, relateNullFilters, relateOrder } from './refer-to-embeds.ts';
import { readFromSource, relateChildren } from './relate.ts';
import { expandStars, nameItems, refuseAggregates } from './select.ts';
import { knownShape } from './shape.ts';
import { applyAt, type Draft, draftTree, type PassOutcome } from './tree.ts';

/**
 * Plans what is read: of a relation, or of the rows that the statement's own write or call gave. `owner` is the table
 * or function of the catalog that the request is about: what its select list makes of it is planned once.
 */
export function planRead(
  owner: object,
  relation: QualifiedName,
  request: ApiRequest,
  catalog: Catalog,
  config: RestConfig,
): Result<ReadPlan, RestError> {
  const shape = isAboutTopAlone(request)
    ? knownShape({ owner, select: request.query.select, action: request.action.kind, config }, () => {
        const bare = { ...request, ranges: noRanges, query: { ...request.query, ...noParameters } };
        return planWholeRead(relation, bare, catalog, config);
      })
    : null;
  // A list that cannot be planned may not be the first thing that is wrong with the request.
  if (shape === null) return planWholeRead(relation, request, catalog, config);
  return planTop(shape, relation, request, catalog, config);
}

const noRanges: ApiRequest['ranges'] = new Map();
const noParameters = { filters: [], logic: [], order: [] };

const isOfTop = ({ path }: At<unknown>): boolean => path.length === 0;

/** Whether filters, orders and limits are for the rows of the answer, none for what is embedded in them. */
function isAboutTopAlone({ query, ranges }: ApiRequest): boolean {
  if (!query.filters.every(isOfTop) || !query.logic.every(isOfTop) || !query.order.every(isOfTop))
    return false;
  return ranges.size === 0 || (ranges.size === 1 && ranges.has('limit'));
}

/** Adds to a shape what the parameters of the request say of its rows. */
function planTop(
  shape: ReadPlan,
  relation: QualifiedName,
  request: ApiRequest,
  catalog: Catalog,
  config: RestConfig,
): Result<ReadPlan, RestError> {
  const { query } = request;
  const isMutation = request.action.kind === 'mutate';
  const where = isMutation
    ? []
    : [
        ...query.logic.map(({ value }) => resolveLogic(catalog, relation, value)),
        ...query.filters.map(({ value }) => resolveFilter(catalog, relation, value)),
      ];
  const terms = query.order[0]?.value.map((term) => planOrder(catalog, relation, term)) ?? [];
  const order = relateOrder(shape, terms);
  if (!order.ok) return order;
  const asked = request.ranges.get('limit') ?? allRows;
  const range = isMutation ? shape.range : restrictTop(asked, config.maxRows);
  return ok({ ...shape, where: relateNullFilters(shape, where), order: order.value, range });
}

/**
 * Plans a read from its select list to its limits, nothing of it known before.
 * The passes stand in upstream's order, since the first that fails decides the error.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Plan.hs (readPlan).
 */
export function planWholeRead(
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
  const failure = relateAllOrders(root);
  if (failure !== null) return failure;
  relateAllNullFilters(root);
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

const restricted = (range: RowRange, maxRows: bigint): RowRange =>
  isLimitZero(range) ? noRows : restrictRange(range, maxRows);

const restrictTop = (range: RowRange, maxRows: number | null): RowRange =>
  maxRows === null ? range : restricted(range, BigInt(maxRows));

function restrictRows(draft: Draft, maxRows: bigint): void {
  if (isLimitZero(draft.range) || !isSingleRow(draft)) draft.range = restricted(draft.range, maxRows);
  for (const child of draft.children) restrictRows(child, maxRows);
}
