import type { Catalog, Table } from '../../catalog/model.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { type RestError, restErrors } from '../errors.ts';
import type { ApiRequest, Mutation } from '../parse/api-request.ts';
import type { Body, Payload } from '../parse/payload.ts';
import { resolveFilter, resolveLogic } from './field.ts';
import type { BodyColumn, BodyPlan, LogicPlan, MutatePlan, ReadPlan } from './model.ts';
import { neededColumns, sortedSet } from './returning.ts';

/**
 * Plans the write of a request whose answer is read by `read`.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Plan.hs (mutatePlan).
 */
export function planMutation(
  mutation: Mutation,
  table: Table,
  request: ApiRequest,
  catalog: Catalog,
  read: ReadPlan,
): Result<MutatePlan, RestError> {
  const target = { schema: table.schema, name: table.name };
  const returning = returnedColumns(request, table, read);
  const where = (): LogicPlan[] => topConditions(request, table, catalog);
  switch (mutation) {
    case 'delete':
      return ok({ kind: 'delete', table: target, where: where(), returning });
    case 'update': {
      const body = planBody(request, table, catalog);
      if (!body.ok) return body;
      return ok({ kind: 'update', table: target, body: body.value, where: where(), returning });
    }
    case 'insert': {
      const body = planBody(request, table, catalog);
      if (!body.ok) return body;
      return ok({
        kind: 'insert',
        table: target,
        body: body.value,
        conflict: planConflict(request, table),
        where: [],
        returning,
        keyColumns: table.primaryKeyColumns,
      });
    }
    case 'upsert':
      return planUpsert(request, table, catalog, where(), returning);
  }
}

function returnedColumns({ preferences }: ApiRequest, table: Table, read: ReadPlan): string[] {
  const { representation } = preferences;
  return representation === null || representation === 'minimal'
    ? []
    : neededColumns(read, table.primaryKeyColumns);
}

/** Conditions of the request that choose the rows to write: those on the relation itself, and every logic tree. */
function topConditions({ query }: ApiRequest, table: Table, catalog: Catalog): LogicPlan[] {
  const filters = query.filters.filter(({ path }) => path.length === 0);
  return [
    ...filters.map(({ value }) => resolveFilter(catalog, table, value)),
    ...query.logic.map(({ value }) => resolveLogic(catalog, table, value)),
  ];
}

function planConflict({ preferences, query }: ApiRequest, table: Table) {
  const { resolution } = preferences;
  if (resolution === null) return null;
  return { resolution, columns: query.onConflict ?? table.primaryKeyColumns };
}

function planUpsert(
  request: ApiRequest,
  table: Table,
  catalog: Catalog,
  where: readonly LogicPlan[],
  returning: readonly string[],
): Result<MutatePlan, RestError> {
  if (!namesOneRow(request, table)) return err(restErrors.putWithoutKey());
  const body = planBody(request, table, catalog);
  if (!body.ok) return body;
  return ok({
    kind: 'insert',
    table: { schema: table.schema, name: table.name },
    body: { ...body.value, appliesDefaults: false },
    conflict: { resolution: 'merge-duplicates', columns: table.primaryKeyColumns },
    where,
    returning,
    keyColumns: [],
  });
}

/** A PUT must name one row: all key columns, each by `eq`, and nothing else. */
function namesOneRow({ query }: ApiRequest, table: Table): boolean {
  const keys = new Set(query.filterKeys);
  return (
    query.logic.length === 0 &&
    table.primaryKeyColumns.length > 0 &&
    keys.size === table.primaryKeyColumns.length &&
    table.primaryKeyColumns.every((column) => keys.has(column)) &&
    query.filters.every(
      ({ path, value: { negated, operation } }) =>
        path.length > 0 ||
        (!negated &&
          operation.kind === 'quantified' &&
          operation.operator === 'eq' &&
          operation.quantifier === null),
    )
  );
}

/** The columns that a body names, or the ones that `columns` names for it. */
export function bodyKeys(payload: Payload | null, columns: readonly string[] | null): string[] {
  switch (payload?.kind) {
    case 'json':
      return sortedSet(payload.keys ?? columns ?? []);
    case 'form':
      return sortedSet(payload.fields.map(([name]) => name));
    default:
      return [];
  }
}

function planBody(request: ApiRequest, table: Table, catalog: Catalog): Result<BodyPlan, RestError> {
  const columns: BodyColumn[] = [];
  for (const name of bodyKeys(request.payload, request.query.columns)) {
    const column = table.columns.get(name);
    if (column === undefined) return err(restErrors.noColumn(table.name, name));
    const transform = catalog.representation('json', column.nominalType) ?? null;
    // A function that reads JSON is given the member as it is.
    const type = transform === null ? column.nominalType : 'json';
    columns.push({ name, type, transform, defaultValue: column.defaultValue });
  }
  const json = request.payload?.kind === 'json' ? request.payload.body : null;
  return ok({
    json,
    isObject: looksLikeObject(json),
    columns,
    appliesDefaults: request.preferences.missing === 'default',
  });
}

/** Whether the JSON begins as an object; that it is valid, the database finds out. */
export function looksLikeObject(json: Body | null): boolean {
  if (json === null) return false;
  for (let i = 0; i < json.length; i++) {
    const code = typeof json === 'string' ? json.charCodeAt(i) : (json[i] ?? 0);
    if (code !== 32 && code !== 9 && code !== 10 && code !== 13) return code === 123;
  }
  return false;
}
