import type { Routine, RoutineParameter } from '../../catalog/model.ts';
import type { ApiRequest, CallMethod } from '../parse/api-request.ts';
import type { Body, Payload } from '../parse/payload.ts';
import type { BodyColumn, CallArguments, CallPlan, ReadPlan, TextArgument } from './model.ts';
import { looksLikeObject } from './mutate.ts';
import { filterColumns, neededColumns, sortedSet } from './returning.ts';

/** A call's arguments by name, as the query string or a form gave them. */
type TextFields = readonly (readonly [name: string, value: string])[];

/**
 * Plans the call of a function whose answer is read by `read`.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Plan.hs (callPlan).
 */
export function planCall(
  routine: Routine,
  request: ApiRequest,
  method: CallMethod,
  keys: readonly string[],
  read: ReadPlan,
): CallPlan {
  return {
    routine: { schema: routine.schema, name: routine.name },
    arguments: planArguments(routine, request, method, keys),
    isScalar: !routine.returnType.isComposite,
    returning: returnedColumns(read),
  };
}

function planArguments(
  routine: Routine,
  request: ApiRequest,
  method: CallMethod,
  keys: readonly string[],
): CallArguments {
  const fields = textFields(request, method);
  const [first, ...others] = routine.parameters;
  if (first !== undefined && others.length === 0 && first.name === '')
    return { kind: 'whole', parameter: first, body: wholeBody(request.payload, fields) };
  const parameters = routine.parameters.filter(({ name }) => keys.includes(name));
  if (parameters.length === 0) return { kind: 'none' };
  if (fields !== null) return { kind: 'text', parameters, values: textArguments(routine, fields) };
  const json = payloadBody(request.payload);
  const body = {
    json,
    isObject: looksLikeObject(json),
    columns: parameters.map(parameterColumn),
    appliesDefaults: false,
  };
  return { kind: 'json', parameters, body };
}

function textFields({ query, payload }: ApiRequest, method: CallMethod): TextFields | null {
  if (method !== 'post') return query.arguments;
  return payload?.kind === 'form' ? payload.fields : null;
}

const payloadBody = (payload: Payload | null): Body | null =>
  payload === null || payload.kind === 'form' ? null : payload.body;

const wholeBody = (payload: Payload | null, fields: TextFields | null): Body | null =>
  fields === null ? payloadBody(payload) : JSON.stringify(Object.fromEntries(fields));

const parameterColumn = ({ name, unboundedType }: RoutineParameter): BodyColumn => ({
  name,
  type: unboundedType,
  transform: null,
  defaultValue: null,
});

/** Of a repeated argument the last counts, but a variadic parameter takes them all. */
function textArguments(routine: Routine, fields: TextFields): ReadonlyMap<string, TextArgument> {
  const variadic = routine.parameters.find(({ isVariadic }) => isVariadic)?.name;
  const values = new Map<string, TextArgument>();
  for (const [name, value] of fields) {
    const known = values.get(name);
    if (name === variadic) values.set(name, typeof known === 'object' ? [...known, value] : [value]);
    else values.set(name, value);
  }
  return values;
}

/** Columns that the read selects, joins or filters by; none for all. */
function returnedColumns(read: ReadPlan): string[] {
  const needed = neededColumns(read, []);
  if (needed.length === 0 || (needed.length === 1 && needed[0] === '*')) return needed;
  return sortedSet([...needed, ...filterColumns(read)]);
}
