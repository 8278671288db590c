import type {
  Condition,
  Filter,
  IsOperand,
  LogicTree,
  Operation,
  QuantifiedOperator,
  SearchOperator,
  SimpleOperator,
} from './model.ts';
import { delimiter, field, fieldName, identifier, quoted } from './names.ts';
import type { Reader, Step } from './reader.ts';

const quote = 34;
const openParenthesis = 40;
const closeParenthesis = 41;
const comma = 44;
const openBrace = 123;

const simpleOperators: readonly SimpleOperator[] = [
  ...(['neq', 'cs', 'cd', 'ov', 'sl', 'sr', 'nxr', 'nxl', 'adj'] as const),
];
const quantifiedOperators: readonly QuantifiedOperator[] = [
  ...(['eq', 'gte', 'gt', 'lte', 'lt', 'like', 'ilike', 'match', 'imatch'] as const),
];
const searchOperators: readonly SearchOperator[] = ['fts', 'plfts', 'phfts', 'wfts'];
const isOperands: readonly IsOperand[] = ['null', 'not_null', 'true', 'false', 'unknown'];

/** The rest of the text, whatever it is: the value of a filter parameter. */
export const wholeValue = (reader: Reader): string => {
  const value = reader.text.slice(reader.position);
  if (value !== '') reader.advance(reader.text.length);
  return value;
};

/**
 * A condition: `not.eq.5`, `in.(1,2)`, `like(any).{a*,b*}`.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/ApiRequest/QueryParams.hs (pOpExpr).
 */
export function condition(reader: Reader, value: Step<string>): Condition | null {
  const negated = reader.attempt(notThenDelimiter) !== null;
  const operation = reader.labelled('operator (eq, gt, ...)', (inner) => anyOperation(inner, value));
  return operation === null ? null : { negated, operation };
}

const notThenDelimiter = (reader: Reader): true | null => wordThenDelimiter(reader, 'not');

function wordThenDelimiter(reader: Reader, word: string): true | null {
  return reader.take(word) ? delimiter(reader) : null;
}

const inThenDelimiter = (reader: Reader): true | null => wordThenDelimiter(reader, 'in');
const isThenDelimiter = (reader: Reader): true | null => wordThenDelimiter(reader, 'is');
const isDistinctThenDelimiter = (reader: Reader): true | null => wordThenDelimiter(reader, 'isdistinct');

function anyOperation(reader: Reader, value: Step<string>): Operation | null {
  if (reader.attempt(inThenDelimiter) !== null) {
    const values = listValue(reader);
    return values === null ? null : { kind: 'in', values };
  }
  if (reader.attempt(isThenDelimiter) !== null) {
    const operand = reader.labelled('isVal: (null, not_null, true, false, unknown)', isOperand);
    return operand === null ? null : { kind: 'is', operand };
  }
  if (reader.attempt(isDistinctThenDelimiter) !== null) {
    const compared = value(reader);
    return compared === null ? null : { kind: 'isdistinct', value: compared };
  }
  return (
    reader.attempt((inner) => search(inner, value)) ??
    reader.attempt((inner) => simple(inner, value)) ??
    reader.attempt((inner) => quantified(inner, value))
  );
}

function oneOf<T extends string>(reader: Reader, words: readonly T[]): T | null {
  for (const word of words) if (reader.take(word)) return word;
  return null;
}

/** Only the beginning counts: what follows the word is left to whoever reads on. */
const isOperand = (reader: Reader): IsOperand | null => {
  const { text, position } = reader;
  for (const operand of isOperands) {
    const here = text.slice(position, position + operand.length).toLowerCase();
    if (here === operand) {
      reader.advance(position + operand.length);
      return operand;
    }
    let matched = 0;
    while (here[matched] === operand[matched]) matched++;
    if (reader.explaining) reader.missAt(position + matched, position + matched, []);
  }
  return null;
};

function search(reader: Reader, value: Step<string>): Operation | null {
  const operator = oneOf(reader, searchOperators);
  if (operator === null) return null;
  const language = reader.attempt(languageInParentheses);
  if (delimiter(reader) === null) return null;
  const compared = value(reader);
  return compared === null ? null : { kind: 'search', operator, language, value: compared };
}

const languageInParentheses = (reader: Reader): string | null => {
  if (reader.char(openParenthesis, '"("') === null) return null;
  const language = identifier(reader);
  return language !== null && reader.char(closeParenthesis, '")"') !== null ? language : null;
};

function simple(reader: Reader, value: Step<string>): Operation | null {
  const operator = reader.labelled('unknown single value operator', (inner) => oneOf(inner, simpleOperators));
  if (operator === null || delimiter(reader) === null) return null;
  const compared = value(reader);
  return compared === null ? null : { kind: 'simple', operator, value: compared };
}

function quantified(reader: Reader, value: Step<string>): Operation | null {
  const operator = reader.labelled('unknown single value operator', (inner) =>
    oneOf(inner, quantifiedOperators),
  );
  if (operator === null) return null;
  const quantifier = reader.attempt(quantifierInParentheses);
  if (delimiter(reader) === null) return null;
  const compared = value(reader);
  return compared === null ? null : { kind: 'quantified', operator, quantifier, value: compared };
}

const quantifierInParentheses = (reader: Reader): 'any' | 'all' | null => {
  if (reader.char(openParenthesis, '"("') === null) return null;
  const quantifier = oneOf(reader, ['any', 'all'] as const);
  return quantifier !== null && reader.char(closeParenthesis, '")"') !== null ? quantifier : null;
};

/** Everything up to a comma or a closing parenthesis. */
const bareValue = (reader: Reader): string => {
  const { text, position } = reader;
  let end = position;
  while (end < text.length && text.charCodeAt(end) !== comma && text.charCodeAt(end) !== closeParenthesis)
    end++;
  if (end > position) reader.advance(end);
  if (reader.explaining) reader.miss();
  return text.slice(position, end);
};

/** A quoted value that the list goes on after; anything else is a bare value that happens to begin with a quote. */
const quotedItem = (reader: Reader): string | null => {
  const value = quoted(reader);
  if (value === null || reader.atEnd) return value;
  const { code } = reader;
  if (code === comma || code === closeParenthesis) return value;
  return reader.refuse(reader.position + 1, `'${reader.text[reader.position]}'`);
};

const listItem = (reader: Reader): string =>
  (reader.explaining || reader.code === quote ? reader.attempt(quotedItem) : null) ?? bareValue(reader);

const listComma = (reader: Reader): true | null => reader.char(comma, '","');

function listValue(reader: Reader): string[] | null {
  if (punctuation(reader, openParenthesis, '"("') === null) return null;
  const values = reader.separated(listItem, listComma);
  return values !== null && punctuation(reader, closeParenthesis, '")"') !== null ? values : null;
}

/** A character with spaces around it. */
function punctuation(reader: Reader, code: number, shown: string): true | null {
  reader.skipSpace();
  if (reader.char(code, shown) === null) return null;
  reader.skipSpace();
  return true;
}

/** `{...}` without inner braces: the commas in it do not end the value. */
const arrayLiteral = (reader: Reader): string | null => {
  if (reader.code !== openBrace) return reader.miss('"{"');
  const { text, position } = reader;
  let end = position + 1;
  while (end < text.length && text[end] !== '{' && text[end] !== '}') end++;
  reader.advance(end);
  if (reader.word('}') === null) return null;
  return text.slice(position, end + 1);
};

const logicValue = (reader: Reader): string =>
  (reader.explaining || reader.code === quote ? reader.attempt(quotedItem) : null) ??
  reader.attempt(arrayLiteral) ??
  bareValue(reader);

const logicFilter = (reader: Reader): Filter | null => {
  const reference = field(reader);
  if (reference === null || delimiter(reader) === null) return null;
  const tested = condition(reader, logicValue);
  return tested === null ? null : { kind: 'filter', field: reference, ...tested };
};

const logicComma = (reader: Reader): true | null => punctuation(reader, comma, '","');

const logicTrees = (reader: Reader): LogicTree[] | null => reader.separated(logicTree, logicComma);

/** `and(a.eq.1,not.or(b.gt.2,c.is.null))` */
export function logicTree(reader: Reader): LogicTree | null {
  const filter = reader.attempt(logicFilter);
  if (filter !== null) return filter;
  const negated =
    reader.labelled('negation operator (not)', (inner) => inner.attempt(notThenDelimiter) !== null) === true;
  const operator = reader.labelled('logic operator (and, or)', logicOperator);
  if (operator === null || punctuation(reader, openParenthesis, '"("') === null) return null;
  const trees = reader.nested(logicTrees);
  if (trees === null || punctuation(reader, closeParenthesis, '")"') === null) return null;
  return { kind: 'group', negated, operator, trees };
}

const logicOperator = (reader: Reader): 'and' | 'or' | null => {
  if (reader.take('and')) return 'and';
  return reader.word('or') === null ? null : 'or';
};

/** The key of a logic parameter: names with dots between. */
export const logicPath = (reader: Reader): string[] | null => reader.separated(fieldName, delimiter);
