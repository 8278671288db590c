import type { Introspection, Parameter, PgType, Relation, Routine } from './model.ts';
import { nullable, quote, type TypeNames } from './type-names.ts';

/** Types that a single unnamed parameter may have: json, jsonb, text. */
const UNNAMED_TYPES = new Set([114, 3802, 25]);

/** A function with the parameters that its callers give. */
export type Callable = { readonly routine: Routine; readonly inputs: readonly Parameter[] };

/** What the signatures of functions are made from. */
type Context = {
  readonly schema: string;
  readonly names: TypeNames;
  readonly types: ReadonlyMap<number, PgType>;
  readonly relations: ReadonlyMap<number, Relation>;
};

/** Indexes a database for `signatures`. */
export const functionContext = (database: Introspection, schema: string, names: TypeNames): Context => ({
  schema,
  names,
  types: new Map(database.types.map((type) => [type.id, type])),
  relations: new Map(database.relations.map((relation) => [relation.id, relation])),
});

const byName = (one: { readonly name: string }, other: { readonly name: string }): number =>
  one.name.localeCompare(other.name);

/** The functions of a schema that the REST service can call, each with its inputs in the order of their names. */
export function callables(database: Introspection, context: Context): Callable[] {
  return database.routines
    .filter(({ schema }) => schema === context.schema)
    .map((routine) => ({ ...routine, parameters: [...routine.parameters].sort(byName) }))
    .map((routine) => ({
      routine,
      inputs: routine.parameters.filter(
        ({ mode }) => mode === 'in' || mode === 'inout' || mode === 'variadic',
      ),
    }))
    .filter(({ inputs }) => isCallable(inputs, context))
    .sort((one, other) => byName(one.routine, other.routine));
}

function isCallable(inputs: readonly Parameter[], { types }: Context): boolean {
  const unnamed = inputs.filter(({ name }) => name === '');
  if (unnamed.length === 0) return true;
  if (unnamed.every(({ typeId, hasDefault }) => hasDefault === true && UNNAMED_TYPES.has(typeId)))
    return true;
  const [only] = inputs;
  if (inputs.length !== 1 || only === undefined) return false;
  return UNNAMED_TYPES.has(only.typeId) || isRowType(only.typeId, types);
}

const isRowType = (typeId: number, types: ReadonlyMap<number, PgType>): boolean =>
  (types.get(typeId)?.relationId ?? null) !== null;

/** The union of the signatures of all functions of one name. */
export function signatures(overloads: readonly Callable[], context: Context): string {
  return [...overloads]
    .sort(
      ({ routine: one }, { routine: other }) =>
        one.argumentTypes.localeCompare(other.argumentTypes) ||
        one.returnType.localeCompare(other.returnType),
    )
    .map((callable, _, all) => signature(callable, all, context))
    .join(' |\n');
}

function signature(callable: Callable, overloads: readonly Callable[], context: Context): string {
  const { routine, inputs } = callable;
  const problem = conflict(callable, overloads, context) ?? unusableRowFunction(callable, context);
  const returns = problem === null ? returnType(routine, context) : `{ error: true } & ${quote(problem)}`;
  const args = inputs.map(
    ({ name, typeId, hasDefault }) =>
      `${quote(name)}${hasDefault === true ? '?' : ''}: ${context.names.byId(typeId)}`,
  );
  const given = args.length === 0 ? 'never' : `{ ${args.join(', ')} }`;
  return `{ Args: ${given}; Returns: ${returns}${listMark(routine, context)}\n${setofOptions(routine, context)} }`;
}

/** An array, unless the estimate says one row and the client is told so by `SetofOptions`. */
function listMark(routine: Routine, context: Context): string {
  const isCollapsed = !returnsMany(routine) && returnedRelation(routine, context) !== null;
  return routine.isSet && !isCollapsed ? '[]' : '';
}

const returnsMany = ({ rows }: Routine): boolean => rows !== null && rows > 1;

/** What a function returns, without the list around it. */
export function returnType(routine: Routine, { names, relations, schema }: Context): string {
  const columns = routine.parameters.filter(({ mode }) => mode === 'table');
  if (columns.length > 0) {
    return `{\n${columns.map(({ name, typeId }) => `${quote(name)}: ${names.byId(typeId)}`).join(',\n')}\n}`;
  }
  const relation = relations.get(routine.returnRelationId ?? -1);
  if (relation?.schema === schema) {
    const members = [...relation.columns]
      .sort(byName)
      .map(({ name, type, isNullable }) => `${quote(name)}: ${nullable(names.byName(type), isNullable)}`);
    return `{\n${members.join(',\n')}\n}`;
  }
  return names.byId(routine.returnTypeId);
}

/** The name of the relation, or else of the composite type, whose rows a function returns. */
function returnedRelation(routine: Routine, { relations, types }: Context): string | null {
  if (routine.returnRelationId === null) return null;
  const relation = relations.get(routine.returnRelationId);
  if (relation !== undefined) return relation.name;
  const type = types.get(routine.returnTypeId);
  return type !== undefined && type.relationId !== null ? type.name : null;
}

/** Tells the client that the result may be embedded or narrowed like a table. */
function setofOptions(routine: Routine, context: Context): string {
  const to = returnedRelation(routine, context);
  if (to === null) return '';
  const [only] = routine.parameters;
  const row =
    routine.parameters.length === 1 && only !== undefined ? context.types.get(only.typeId) : undefined;
  const from = row !== undefined && row.relationId !== null ? row.format : '*';
  const isOneToOne = from !== '*' && !routine.isSet ? true : !returnsMany(routine);
  return `SetofOptions: {
    from: ${quote(from)}
    to: ${quote(to)}
    isOneToOne: ${isOneToOne}
    isSetofReturn: ${routine.isSet}
  }`;
}

/** Why the REST service cannot tell overloads apart; null when it can. */
function conflict(callable: Callable, overloads: readonly Callable[], context: Context): string | null {
  if (overloads.length <= 1) return null;
  const { routine, inputs } = callable;
  const others = overloads.filter((other) => other.routine !== routine);
  const name = `${context.schema}.${routine.name}`;
  const typeName = (id: number | undefined): string => context.types.get(id ?? -1)?.name ?? 'unknown';
  const choose = (list: string): string =>
    `Could not choose the best candidate function between: ${list}. Try renaming the parameters or the function itself in the database so function overloading can be resolved`;
  const [input] = inputs;
  if (input === undefined) {
    const rival = others.find((other) => other.inputs.length === 1 && isUnnamedDefault(other.inputs[0]));
    if (!rival) return null;
    return choose(`${name}(), ${name}( => ${typeName(rival.routine.returnTypeId)})`);
  }
  if (inputs.length !== 1 || input.name === '') return null;
  const rivals = others.filter(({ inputs: [first, ...rest] }) => {
    return rest.length === 0 && first?.name === input.name && first.typeId !== input.typeId;
  });
  if (rivals.length === 0) return null;
  const list = [callable, ...rivals]
    .sort((one, other) => (one.inputs[0]?.typeId ?? 0) - (other.inputs[0]?.typeId ?? 0))
    .map((one) => `${name}(${one.inputs[0]?.name} => ${typeName(one.inputs[0]?.typeId)})`);
  return choose(list.join(', '));
}

const isUnnamedDefault = (parameter: Parameter | undefined): boolean =>
  parameter?.name === '' && parameter.hasDefault === true;

/** A function of a row that returns no row: it is a computed column and cannot be called. */
function unusableRowFunction({ routine, inputs }: Callable, context: Context): string | null {
  const [only] = inputs;
  const isOfRow = inputs.length === 1 && only?.name === '' && isRowType(only.typeId, context.types);
  if (!isOfRow || returnedRelation(routine, context) !== null) return null;
  return `the function ${context.schema}.${routine.name} with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache`;
}
