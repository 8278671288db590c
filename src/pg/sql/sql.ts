import { quoteIdent } from './ident.ts';
import { boundValue, type TextNode, TextTree } from './text-tree.ts';

const brand: unique symbol = Symbol('sql');

/**
 * A piece of SQL: literal text from source code, with bound values and nested pieces between.
 * The brand is private to this module, so that a string from outside cannot pass for one.
 */
export type Sql = {
  readonly [brand]: true;
  readonly texts: readonly string[];
  readonly parts: readonly (Sql | Bind)[];
};

/** A value that travels as `$n`. */
type Bind = { readonly [brand]: false; readonly value: unknown };

/** Statement text with numbered placeholders and the values for them, in order. */
export type Statement = {
  readonly text: string;
  readonly values: unknown[];
  /** Index of the column that may be so large in the first row that it comes as `StepResult.large`. */
  readonly largeColumn?: number;
};

/** What may stand in a template hole: a piece of SQL, or a value to bind. */
type Hole = Sql | string | number | boolean | bigint | null | Buffer | Date | readonly unknown[];

const make = (texts: readonly string[], parts: readonly (Sql | Bind)[]): Sql => ({
  [brand]: true,
  texts,
  parts,
});
const bind = (value: unknown): Bind => ({ [brand]: false, value });

/** Tells a piece of SQL from a value. */
export function isSql(value: unknown): value is Sql {
  return typeof value === 'object' && value !== null && (value as { [brand]?: unknown })[brand] === true;
}

/**
 * Builds SQL from a template. Holes that are `Sql` are spliced in; everything else becomes a bound value,
 * so text from a request cannot become SQL text.
 */
export function sql(texts: TemplateStringsArray, ...holes: readonly Hole[]): Sql {
  const parts = new Array<Sql | Bind>(holes.length);
  for (let i = 0; i < holes.length; i++) {
    const hole = holes[i];
    parts[i] = isSql(hole) ? hole : bind(hole);
  }
  return make(texts, parts);
}

const empty = make([''], []);
const identCache = new Map<string, Sql>();

/** Words of SQL that a plan may choose between; a closed set, each a literal of the source code. */
const keywords = {
  asc: 'asc',
  desc: 'desc',
  'nulls first': 'nulls first',
  'nulls last': 'nulls last',
  and: 'and',
  or: 'or',
  not: 'not',
} as const;

/** A word of the closed keyword list. */
export type Keyword = keyof typeof keywords;

const keywordSql = Object.fromEntries(
  Object.entries(keywords).map(([word, text]) => [word, make([text], [])]),
) as Readonly<Record<Keyword, Sql>>;

/** Quoted identifier, or a dotted path of them: `sql.ident('public', 'films')`. */
sql.ident = (...path: readonly string[]): Sql => {
  const [only] = path;
  if (path.length === 1 && only !== undefined) {
    const known = identCache.get(only);
    if (known !== undefined) return known;
    const node = make([quoteIdent(only)], []);
    if (identCache.size >= 20_000) identCache.clear();
    identCache.set(only, node);
    return node;
  }
  return make([path.map(quoteIdent).join('.')], []);
};

/** Binds a value explicitly; needed for values that are objects (sent as JSON text by the driver). */
sql.value = (value: unknown): Sql => make(aroundOne, [bind(value)]);

const aroundOne = ['', ''];
const aroundThree = ['', '', '', ''];

type Separator = ', ' | ' and ' | ' or ' | ' ' | '';

/** For each separator the texts around so many pieces: always the same ones, by which a text is found again. */
const aroundPieces: Readonly<Record<Separator, (readonly string[])[]>> = {
  ', ': [],
  ' and ': [],
  ' or ': [],
  ' ': [],
  '': [],
};
const mostTogether = 100;

function textsAround(count: number, separator: Separator): readonly string[] {
  const known = aroundPieces[separator][count];
  if (known !== undefined) return known;
  const texts = ['', ...new Array<string>(count - 1).fill(separator), ''];
  aroundPieces[separator][count] = texts;
  return texts;
}

/** Joins pieces with a separator that comes from source code. */
sql.join = (pieces: readonly Sql[], separator: Sql | Separator = ', '): Sql => {
  const [first] = pieces;
  if (first === undefined) return empty;
  if (pieces.length === 1) return first;
  if (typeof separator !== 'string')
    return pieces.reduce((left, right) => make(aroundThree, [left, separator, right]));
  if (pieces.length <= mostTogether) return make(textsAround(pieces.length, separator), pieces);
  const groups: Sql[] = [];
  for (let i = 0; i < pieces.length; i += mostTogether)
    groups.push(sql.join(pieces.slice(i, i + mostTogether), separator));
  return sql.join(groups, separator);
};

/** A word from the closed keyword list. */
sql.keyword = (word: Keyword): Sql => keywordSql[word];

/** A name of the database as a string constant, where the server cannot tell the type of a bind. */
sql.literal = (name: string): Sql => {
  if (name.includes('\0')) throw new RangeError('a string constant cannot contain NUL');
  const quoted = `'${name.replaceAll("'", "''")}'`;
  return make([name.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted], []);
};

/**
 * SQL text that the server itself printed: a type by `format_type`, a default by `pg_get_expr`.
 * Never anything that a request carried.
 */
sql.fromServer = (text: string): Sql => make([text], []);

const typeNameShape = /^[\p{L}0-9_$ ]+$/u;

/**
 * Name of a type that a request asks to cast to, unquoted, since quoting would change what `int` means.
 * Only letters, digits, `_`, `$` and spaces can be part of it; anything else throws.
 */
sql.typeName = (name: string): Sql => {
  if (!typeNameShape.test(name)) throw new RangeError('a type name has letters, digits, _, $ and spaces');
  return make([name], []);
};

/** The same piece in one level: worth its cost for a piece that is used again and again. */
sql.flat = (piece: Sql): Sql => {
  const texts: string[] = [''];
  const parts: Bind[] = [];
  flatten(piece, texts, parts);
  return make(texts, parts);
};

function flatten(piece: Sql, texts: string[], parts: Bind[]): void {
  texts[parts.length] += piece.texts[0] ?? '';
  piece.parts.forEach((part, i) => {
    const next = piece.texts[i + 1] ?? '';
    if (part[brand]) {
      flatten(part, texts, parts);
      texts[parts.length] += next;
    } else texts[parts.push(part)] = next;
  });
}

/** Nothing. */
sql.empty = empty;

const sentBefore = new TextTree();

/**
 * Numbers the binds and yields the statement.
 * The same piece compiled twice gives the same text, so that prepared statements are found again.
 */
export function compile(piece: Sql): Statement {
  const values: unknown[] = [];
  const place = follow(piece, sentBefore.root, values);
  if (place.text === null) sentBefore.keep(place, append(piece, '', { bound: 0 }));
  return { text: place.text ?? '', values };
}

/** Collects the values of a piece and finds the place of its text. */
function follow({ texts, parts }: Sql, from: TextNode, values: unknown[]): TextNode {
  if (parts.length === 0) return sentBefore.step(from, texts[0] ?? '');
  let place = sentBefore.step(from, texts);
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as Sql | Bind;
    if (part[brand]) place = follow(part, place, values);
    else {
      values.push(part.value);
      place = sentBefore.step(place, boundValue);
    }
  }
  return place;
}

function append({ texts, parts }: Sql, before: string, numbers: { bound: number }): string {
  let text = before + (texts[0] ?? '');
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as Sql | Bind;
    if (part[brand]) text = append(part, text, numbers);
    else text += `$${++numbers.bound}`;
    text += texts[i + 1] ?? '';
  }
  return text;
}
