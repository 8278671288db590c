import { createFuzzySet, defaultMinScore } from '../../catalog/fuzzy-set.ts';
import type { Catalog, Routine } from '../../catalog/model.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { type RestError, restErrors } from '../errors.ts';
import type { MediaType } from '../parse/media-type.ts';

/** What a call asks for: a name and the names of its arguments. */
export type RoutineSearch = {
  readonly schema: string;
  readonly name: string;
  /** Sorted, each once. */
  readonly keys: readonly string[];
  readonly contentType: MediaType;
  readonly isPost: boolean;
};

/**
 * The function that a call means, among overloads by the names of the arguments. A function whose only parameter has
 * no name takes any body of its type, when no other fits.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Plan.hs (findProc).
 */
export function findRoutine(catalog: Catalog, search: RoutineSearch): Result<Routine, RestError> {
  const overloads = catalog.routines(search.schema, search.name);
  const named = overloads.filter((routine) => takesArguments(routine, search));
  const fitting = named.length > 0 ? named : overloads.filter((routine) => takesWholeBody(routine, search));
  const [only, ...others] = fitting;
  if (only === undefined) return err(noRoutine(catalog, search, overloads));
  return others.length === 0 ? ok(only) : err(restErrors.ambiguousRoutine(fitting.map(signature)));
}

const signature = ({ schema, name, parameters }: Routine): string =>
  `${schema}.${name}(${parameters.map((parameter) => `${parameter.name} => ${parameter.type}`).join(', ')})`;

/** Whether the body goes to the function as a whole and names no arguments. */
const isWholeBody = ({ isPost, contentType }: RoutineSearch): boolean =>
  isPost &&
  (contentType.kind === 'text' || contentType.kind === 'xml' || contentType.kind === 'octet-stream');

function takesArguments({ parameters }: Routine, search: RoutineSearch): boolean {
  const { keys } = search;
  if (parameters.length === 0) return keys.length === 0 && !isWholeBody(search);
  const names = new Set(parameters.map(({ name }) => name));
  return (
    keys.every((key) => names.has(key)) &&
    parameters.every(({ name, isRequired }) => !isRequired || keys.includes(name))
  );
}

const wholeBodyTypes: Readonly<Partial<Record<MediaType['kind'], readonly string[]>>> = {
  json: ['json', 'jsonb'],
  text: ['text'],
  xml: ['xml'],
  'octet-stream': ['bytea'],
};

function takesWholeBody({ parameters }: Routine, { isPost, contentType }: RoutineSearch): boolean {
  const [only, ...others] = parameters;
  if (!isPost || only === undefined || others.length > 0 || only.name !== '') return false;
  return wholeBodyTypes[contentType.kind]?.includes(only.type) ?? false;
}

function noRoutine(catalog: Catalog, search: RoutineSearch, overloads: readonly Routine[]): RestError {
  const { schema, name, keys, contentType, isPost } = search;
  const called = `${schema}.${name}`;
  const wholeBody = isWholeBody(search);
  const listed = keys.join(', ');
  const without = ' without parameters';
  const searched = keys.length === 0 ? without : ` with parameter${keys.length > 1 ? 's' : ''} ${listed}`;
  const orWhole =
    isPost && contentType.kind === 'json' ? ' or with a single unnamed json/jsonb parameter' : '';
  const by = wholeBody
    ? ` with a single unnamed ${wholeBodyTypes[contentType.kind]?.[0]} parameter`
    : `${searched}${orWhole}`;
  return restErrors.noRoutine({
    called: `${called}${wholeBody ? '' : keys.length === 0 ? without : `(${listed})`}`,
    details: `Searched for the function ${called}${by}, but no matches were found in the schema cache.`,
    hint: wholeBody ? null : suggestion(catalog, search, overloads),
  });
}

const parameterList = (names: readonly string[]): string => `(${[...names].sort().join(', ')})`;

function suggestion(
  catalog: Catalog,
  { schema, name, keys }: RoutineSearch,
  overloads: readonly Routine[],
): string | null {
  const closest =
    overloads.length === 0
      ? catalog.closestRoutine(schema, name)
      : closestParameters(overloads, parameterList(keys));
  if (closest === null) return null;
  const meant = overloads.length === 0 ? closest : name + closest;
  return `Perhaps you meant to call the function ${schema}.${meant}`;
}

function closestParameters(overloads: readonly Routine[], keys: string): string | null {
  const lists = overloads.map(({ parameters }) => parameterList(parameters.map(({ name }) => name)));
  return createFuzzySet(lists).closest(keys, defaultMinScore);
}
