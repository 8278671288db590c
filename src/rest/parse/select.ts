import type { AggregateFunction, JoinType, SelectField, SelectItem, SelectRelation } from './model.ts';
import { alias, field, fieldName, identifier, plainName } from './names.ts';
import type { Reader } from './reader.ts';

const openParenthesis = 40;
const closeParenthesis = 41;
const comma = 44;
const exclamation = 33;
const asterisk = 42;
const dot = 46;

const everything: SelectField = {
  kind: 'field',
  field: { name: '*', path: [] },
  aggregate: null,
  aggregateCast: null,
  cast: null,
  alias: null,
};

/** The select list of a request without one. */
export const selectEverything: readonly SelectItem[] = [everything];

/**
 * A select list. Text that no item can go on with ends it without an error.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/ApiRequest/QueryParams.hs (pFieldForest).
 */
export function selectList(reader: Reader): readonly SelectItem[] | null {
  const start = reader.position;
  const items = reader.separated(selectItem, separatingComma);
  return items ?? (reader.position === start ? [] : null);
}

const separatingComma = (reader: Reader): true | null => {
  reader.skipSpace();
  if (reader.char(comma, '","') === null) return null;
  reader.skipSpace();
  return true;
};

function selectItem(reader: Reader): SelectItem | null {
  if (!reader.explaining) {
    const name = plainName(reader);
    if (name !== null) return { ...everything, field: { name, path: [] } };
  }
  const relation = reader.attempt(spreadHead) ?? reader.attempt(relationHead);
  if (relation === null) return selectField(reader);
  if (reader.char(openParenthesis, '"("') === null) return null;
  const items = reader.nested(selectList);
  if (items === null || reader.char(closeParenthesis, '")"') === null) return null;
  return { ...relation, items };
}

type RelationHead = Omit<SelectRelation, 'items'>;

const spreadHead = (reader: Reader): RelationHead | null => {
  reader.skipSpace();
  if (reader.word('...') === null) return null;
  const name = fieldName(reader);
  return name === null ? null : headRest(reader, true, name, null);
};

const relationHead = (reader: Reader): RelationHead | null => {
  reader.skipSpace();
  const renamed = alias(reader);
  const name = fieldName(reader);
  return name === null || name === 'count' ? null : headRest(reader, false, name, renamed);
};

type EmbedParameter = { readonly hint: string | null; readonly join: JoinType };

function headRest(
  reader: Reader,
  isSpread: boolean,
  name: string,
  renamed: string | null,
): RelationHead | null {
  const parameters: EmbedParameter[] = [];
  for (let i = 0; i < 2; i++) {
    const start = reader.position;
    const parameter = embedParameter(reader);
    if (parameter !== null) parameters.push(parameter);
    else if (reader.position !== start) return null;
  }
  if (!reader.sees('(')) return null;
  reader.skipSpace();
  const [first, second] = parameters;
  return {
    kind: 'relation',
    isSpread,
    name,
    alias: renamed,
    hint: first?.hint ?? second?.hint ?? null,
    join: first?.join ?? second?.join ?? null,
  };
}

const embedParameter = (reader: Reader): EmbedParameter | null => {
  if (reader.char(exclamation, '"!"') === null) return null;
  if (reader.take('left')) return { hint: null, join: 'left' };
  if (reader.take('inner')) return { hint: null, join: 'inner' };
  const hint = reader.attempt(fieldName);
  return hint === null ? null : { hint, join: null };
};

function selectField(reader: Reader): SelectField | null {
  reader.skipSpace();
  const start = reader.position;
  const item =
    reader.attempt(star) ??
    reader.attempt(countOfRows) ??
    (reader.position === start ? columnOrPath(reader) : null);
  if (item !== null) reader.skipSpace();
  return item;
}

const itemEnd = (reader: Reader): true | null => (reader.sees(')') || reader.sees(',') ? true : reader.end());

const star = (reader: Reader): SelectField | null =>
  reader.char(asterisk, '"*"') !== null && itemEnd(reader) !== null ? everything : null;

const countOfRows = (reader: Reader): SelectField | null => {
  const renamed = alias(reader);
  if (reader.word('count()') === null) return null;
  const cast = optionalCast(reader);
  if (cast === undefined || itemEnd(reader) === null) return null;
  return { ...everything, aggregate: 'count', aggregateCast: cast, alias: renamed };
};

const columnOrPath = (reader: Reader): SelectField | null => {
  const renamed = alias(reader);
  const reference = field(reader);
  if (reference === null) return null;
  const cast = optionalCast(reader);
  if (cast === undefined) return null;
  const aggregate = reader.attempt(aggregateCall);
  const aggregateCast = optionalCast(reader);
  if (aggregateCast === undefined || itemEnd(reader) === null) return null;
  return { kind: 'field', field: reference, aggregate, aggregateCast, cast, alias: renamed };
};

/** `::type`; null for none, undefined for a broken one. */
function optionalCast(reader: Reader): string | null | undefined {
  const start = reader.position;
  if (reader.word('::') === null) return reader.position === start ? null : undefined;
  return identifier(reader) ?? undefined;
}

const aggregates: readonly AggregateFunction[] = ['sum', 'avg', 'count', 'max', 'min'];

const aggregateCall = (reader: Reader): AggregateFunction | null => {
  if (reader.char(dot, '"."') === null) return null;
  for (const name of aggregates) {
    if (reader.take(name)) return reader.word('()') === null ? null : name;
  }
  return null;
};
