import type { Catalog, QualifiedName, Routine, Table } from '../../catalog/model.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { RestConfig } from '../config/model.ts';
import { type RestError, restErrors } from '../errors.ts';
import type { ApiRequest, CallMethod, Mutation } from '../parse/api-request.ts';
import { planCall } from './call.ts';
import { findRoutine } from './find-routine.ts';
import type { ActionPlan, ReadPlan } from './model.ts';
import { bodyKeys, planMutation } from './mutate.ts';
import { negotiate } from './negotiate.ts';
import { planRead } from './read.ts';
import { sortedSet } from './returning.ts';

type Planned = Result<ActionPlan, RestError>;

/**
 * Decides everything about a request that can be decided without the database. Total: every request ends in a plan or
 * in an error.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Plan.hs (actionPlan).
 */
export function planAction(request: ApiRequest, catalog: Catalog, config: RestConfig): Planned {
  const { action } = request;
  switch (action.kind) {
    case 'read':
      return readAction(action.relation, action.headersOnly, request, catalog, config);
    case 'mutate':
      return mutateAction(action.relation, action.mutation, request, catalog, config);
    case 'call':
      return callAction(action.routine, action.method, request, catalog, config);
    case 'inspect':
      return inspectAction(action.headersOnly, request);
    case 'relation-options': {
      const table = findTable(action.relation, request, catalog);
      return table.ok ? ok({ kind: 'relation-info', table: table.value }) : table;
    }
    case 'routine-options': {
      const call = callAction(action.routine, 'head', request, catalog, config);
      return call.ok && call.value.kind === 'call'
        ? ok({ kind: 'routine-info', routine: call.value.routine })
        : call;
    }
    case 'root-options':
      return ok({ kind: 'root-info' });
  }
}

function findTable(name: string, { schema }: ApiRequest, catalog: Catalog): Result<Table, RestError> {
  const table = catalog.table(schema, name);
  return table === undefined
    ? err(restErrors.noTable(schema, name, catalog.closestTable(schema, name)))
    : ok(table);
}

type Target = { readonly table: Table; readonly relation: QualifiedName; readonly read: ReadPlan };

/** The relation that a path names, with the plan of what is read of it. */
function planTarget(
  name: string,
  request: ApiRequest,
  catalog: Catalog,
  config: RestConfig,
): Result<Target, RestError> {
  const table = findTable(name, request, catalog);
  if (!table.ok) return table;
  const relation = { schema: table.value.schema, name: table.value.name };
  const read = planRead(table.value, relation, request, catalog, config);
  return read.ok ? ok({ table: table.value, relation, read: read.value }) : read;
}

/** `handling=strict` turns preferences that nobody knows into an error. */
const refusedPreferences = ({ preferences }: ApiRequest): RestError | null =>
  preferences.handling === 'strict' && preferences.invalid.length > 0
    ? restErrors.invalidPreferences(preferences.invalid)
    : null;

function readAction(
  name: string,
  headersOnly: boolean,
  request: ApiRequest,
  catalog: Catalog,
  config: RestConfig,
): Planned {
  const target = planTarget(name, request, catalog, config);
  if (!target.ok) return target;
  const { relation, read } = target.value;
  const negotiated = negotiate(request, relation, read, catalog, config);
  if (!negotiated.ok) return negotiated;
  const refusal = refusedPreferences(request);
  if (refusal !== null) return err(refusal);
  return ok({ kind: 'read', read, ...negotiated.value, headersOnly, relation });
}

function mutateAction(
  name: string,
  mutation: Mutation,
  request: ApiRequest,
  catalog: Catalog,
  config: RestConfig,
): Planned {
  const target = planTarget(name, request, catalog, config);
  if (!target.ok) return target;
  const { table, relation, read } = target.value;
  const mutate = planMutation(mutation, table, request, catalog, read);
  if (!mutate.ok) return mutate;
  const refusal = refusedPreferences(request);
  if (refusal !== null) return err(refusal);
  const negotiated = negotiate(request, relation, read, catalog, config);
  if (!negotiated.ok) return negotiated;
  return ok({
    kind: 'mutate',
    read,
    mutate: mutate.value,
    mutation,
    ...negotiated.value,
    relation,
  });
}

function callAction(
  name: string,
  method: CallMethod,
  request: ApiRequest,
  catalog: Catalog,
  config: RestConfig,
): Planned {
  const { schema, query, contentType, preferences } = request;
  const isPost = method === 'post';
  const keys = isPost
    ? bodyKeys(request.payload, query.columns)
    : sortedSet(query.arguments.map(([argument]) => argument));
  const found = findRoutine(catalog, { schema, name, keys, contentType, isPost });
  if (!found.ok) return found;
  const routine = found.value;
  const relation = { schema: routine.schema, name: rowTypeName(routine) };
  const read = planRead(routine, relation, request, catalog, config);
  if (!read.ok) return read;
  const call = planCall(routine, request, method, keys, read.value);
  const negotiated = negotiate(request, relation, read.value, catalog, config);
  if (!negotiated.ok) return negotiated;
  const refusal = refusedPreferences(request);
  if (refusal !== null) return err(refusal);
  const isStrict = preferences.handling === 'strict';
  if (isStrict && preferences.maxAffected !== null && !routine.returnType.isSet)
    return err(restErrors.maxAffectedOfSingle());
  const isReadOnly = !isPost || routine.volatility !== 'volatile';
  return ok({ kind: 'call', read: read.value, call, routine, method, isReadOnly, ...negotiated.value });
}

/** Rows of a relation's type can embed what the relation can. */
const rowTypeName = ({ name, returnType }: Routine): string =>
  returnType.isComposite ? returnType.type.name : name;

function inspectAction(headersOnly: boolean, { accept, schema }: ApiRequest): Planned {
  const isAccepted = accept.some(({ kind }) => kind === 'openapi' || kind === 'json' || kind === 'any');
  if (!isAccepted) return err(restErrors.notAcceptable(accept.map(({ name }) => name)));
  return ok({ kind: 'inspect', schema, headersOnly });
}
