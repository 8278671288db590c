/** Kinds of lexical elements of SQL, as far as finding the end of a statement needs them. */
type TokenKind = 'space' | 'comment' | 'word' | 'quoted' | 'string' | 'number' | 'meta' | 'symbol';

/** One element of a text: `text.slice(start, end)`. */
export type Token = { readonly kind: TokenKind; readonly start: number; readonly end: number };

/**
 * Patterns by first match, anchored at the current position. Strings, comments and quotes that are not closed
 * reach to the end of the text. Dollar quotes and nested comments cannot be patterns; see `lex`.
 */
const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ['space', /\s+/y],
  ['comment', /--[^\n]*\n?/y],
  ['string', /[eE]'[^'\\]*(?:(?:\\[\s\S]|'')[^'\\]*)*(?:'|$)/y],
  ['string', /'[^']*(?:''[^']*)*(?:'|$)/y],
  ['quoted', /"[^"]*(?:""[^"]*)*(?:"|$)/y],
  ['word', /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y],
  ['number', /[0-9][A-Za-z0-9_.]*/y],
  ['meta', /\\[\s\S]?/y],
];

const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;

/** Cuts SQL into its elements, from `from` on; together they are the whole text, whatever it holds. */
export function* lex(text: string, from = 0): Generator<Token> {
  let start = from;
  while (start < text.length) {
    const token = blockComment(text, start) ?? dollarQuote(text, start) ?? byPattern(text, start);
    yield token;
    start = token.end;
  }
}

function byPattern(text: string, start: number): Token {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = start;
    if (pattern.test(text)) return { kind, start, end: pattern.lastIndex };
  }
  return { kind: 'symbol', start, end: start + 1 };
}

function blockComment(text: string, start: number): Token | undefined {
  if (!text.startsWith('/*', start)) return undefined;
  let depth = 0;
  for (let at = start; at < text.length; ) {
    if (text.startsWith('/*', at)) depth += 1;
    else if (text.startsWith('*/', at)) depth -= 1;
    else {
      at += 1;
      continue;
    }
    at += 2;
    if (depth === 0) return { kind: 'comment', start, end: at };
  }
  return { kind: 'comment', start, end: text.length };
}

function dollarQuote(text: string, start: number): Token | undefined {
  DOLLAR_TAG.lastIndex = start;
  const tag = DOLLAR_TAG.exec(text)?.[0];
  if (tag === undefined) return undefined;
  const close = text.indexOf(tag, start + tag.length);
  return { kind: 'string', start, end: close === -1 ? text.length : close + tag.length };
}

/** A word, quoted name or sign of a statement, without spaces and comments between. */
export type Lexeme = {
  /** Words in lower case; names in quotes without them, as written. */
  readonly text: string;
  readonly kind: 'word' | 'quoted' | 'other';
  /** Place in the statement's text. */
  readonly start: number;
  readonly end: number;
};

/** The first `limit` meaningful elements of a statement. */
export function lexemes(statement: string, limit = Number.POSITIVE_INFINITY): Lexeme[] {
  const found: Lexeme[] = [];
  for (const { kind, start, end } of lex(statement)) {
    if (found.length >= limit) break;
    if (kind === 'space' || kind === 'comment') continue;
    const raw = statement.slice(start, end);
    if (kind === 'word') found.push({ text: raw.toLowerCase(), kind: 'word', start, end });
    else if (kind === 'quoted') found.push({ text: unquote(raw), kind: 'quoted', start, end });
    else found.push({ text: raw, kind: 'other', start, end });
  }
  return found;
}

const unquote = (raw: string): string => raw.slice(1, -1).replaceAll('""', '"');
