import type { FieldReference, OrderTerm } from './model.ts';
import { delimiter, field, fieldName } from './names.ts';
import type { Reader } from './reader.ts';

const openParenthesis = 40;
const closeParenthesis = 41;
const comma = 44;

const listComma = (reader: Reader): true | null => reader.char(comma, '","');

/**
 * An order list: `name.desc.nullslast,client(name)`.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/ApiRequest/QueryParams.hs (pOrder).
 */
export const orderList = (reader: Reader): OrderTerm[] | null => reader.separated(orderTerm, listComma);

const orderTerm = (reader: Reader): OrderTerm | null => {
  reader.skipSpace();
  const term = reader.attempt(relatedTerm) ?? ownTerm(reader);
  if (term !== null) reader.skipSpace();
  return term;
};

const ownTerm = (reader: Reader): OrderTerm | null => {
  const reference = field(reader);
  return reference === null ? null : termRest(reader, null, reference);
};

const relatedTerm = (reader: Reader): OrderTerm | null => {
  const relation = fieldName(reader);
  if (relation === null || reader.char(openParenthesis, '"("') === null) return null;
  const reference = field(reader);
  if (reference === null || reader.char(closeParenthesis, '")"') === null) return null;
  return termRest(reader, relation, reference);
};

function termRest(reader: Reader, relation: string | null, reference: FieldReference): OrderTerm | null {
  const direction = reader.attempt(ascending) ?? reader.attempt(descending);
  const nulls = reader.attempt(nullsFirst) ?? reader.attempt(nullsLast);
  return termEnd(reader) === null ? null : { relation, field: reference, direction, nulls };
}

const suffix =
  <T>(word: string, meaning: T) =>
  (reader: Reader): T | null =>
    delimiter(reader) !== null && reader.word(word) !== null ? meaning : null;

const ascending = suffix('asc', 'asc' as const);
const descending = suffix('desc', 'desc' as const);
const nullsFirst = suffix('nullsfirst', 'first' as const);
const nullsLast = suffix('nullslast', 'last' as const);

const termEnd = (reader: Reader): true | null => (reader.sees(',') ? true : reader.end());
