import { type Lexeme, lexemes } from './lexer.ts';

/** A statement about extensions. */
export type ExtensionStatement = {
  readonly kind: 'extension';
  readonly action: 'create' | 'alter' | 'drop' | 'comment';
  readonly names: readonly string[];
  /** IF NOT EXISTS or IF EXISTS. */
  readonly tolerant: boolean;
  readonly cascade: boolean;
  readonly schema: string | null;
  readonly version: string | null;
};

/** What the runner has to know about a statement; `plain` for all that it sends as it is. */
export type StatementKind =
  | { readonly kind: 'plain' }
  | ExtensionStatement
  /** COMMIT, ROLLBACK and their synonyms: the file's transaction is over. */
  | { readonly kind: 'ends-transaction' }
  /** Postgres refuses it inside a transaction; `inTransaction` is the same without CONCURRENTLY, if that helps. */
  | { readonly kind: 'no-transaction'; readonly inTransaction: string | null };

const PLAIN: StatementKind = { kind: 'plain' };

/** Enough words to tell what a statement is: names of several parts and long option lists included. */
const HEAD_LENGTH = 40;

/** Tells what a statement is from its first words. */
export function kindOf(statement: string): StatementKind {
  const head = lexemes(statement, HEAD_LENGTH);
  const words = head.map((lexeme) => (lexeme.kind === 'word' ? lexeme.text : ''));
  switch (words[0]) {
    case 'commit':
    case 'end':
      return { kind: 'ends-transaction' };
    case 'rollback':
    case 'abort':
      return words.includes('to') ? PLAIN : { kind: 'ends-transaction' };
    case 'create':
    case 'alter':
    case 'drop':
    case 'comment':
      return extensionStatement(words, head) ?? outsideTransaction(statement, words, head);
    case 'reindex':
    case 'vacuum':
    case 'cluster':
      return outsideTransaction(statement, words, head);
    default:
      return PLAIN;
  }
}

function extensionStatement(
  words: readonly string[],
  head: readonly Lexeme[],
): ExtensionStatement | undefined {
  const [first] = words;
  const isComment = first === 'comment';
  const at = isComment ? 2 : 1;
  if (words[at] !== 'extension') return undefined;
  const action = isComment ? 'comment' : first;
  if (action !== 'create' && action !== 'alter' && action !== 'drop' && action !== 'comment')
    return undefined;
  const tolerant = words[at + 1] === 'if';
  const namesFrom = tolerant ? words.indexOf('exists') + 1 : at + 1;
  const after = (word: string): string | null => head[words.indexOf(word, namesFrom + 1) + 1]?.text ?? null;
  const has = (word: string): boolean => words.includes(word, namesFrom + 1);
  return {
    kind: 'extension',
    action,
    names: action === 'drop' ? listFrom(head, namesFrom) : [head[namesFrom]?.text ?? ''],
    tolerant,
    cascade: has('cascade'),
    schema: has('schema') ? after('schema') : null,
    version: versionOf(action, has, after),
  };
}

function versionOf(
  action: ExtensionStatement['action'],
  has: (word: string) => boolean,
  after: (word: string) => string | null,
): string | null {
  const word = action === 'create' ? 'version' : 'to';
  return has(word) ? (after(word)?.replace(/^'(.*)'$/, '$1') ?? null) : null;
}

/** A list of names separated by commas. */
function listFrom(head: readonly Lexeme[], from: number): string[] {
  const names: string[] = [];
  for (let at = from; head[at] !== undefined; at += 2) {
    names.push(head[at]?.text ?? '');
    if (head[at + 1]?.text !== ',') break;
  }
  return names;
}

/** First words of statements that cannot run in a transaction and have no form that can. */
const OUTSIDE = [
  ['vacuum'],
  ['alter', 'system'],
  ['create', 'database'],
  ['drop', 'database'],
  ['create', 'tablespace'],
  ['drop', 'tablespace'],
  ['create', 'subscription'],
  ['drop', 'subscription'],
  ['reindex', 'database'],
  ['reindex', 'system'],
  ['reindex', 'schema'],
];

/** First words of statements that CONCURRENTLY bars from a transaction (a materialized view's refresh it does not). */
const CONCURRENT = [
  ['create', 'index'],
  ['create', 'unique', 'index'],
  ['drop', 'index'],
  ['reindex'],
  ['alter', 'table'],
];

function outsideTransaction(
  statement: string,
  words: readonly string[],
  head: readonly Lexeme[],
): StatementKind {
  const starts = (phrase: readonly string[]): boolean => phrase.every((word, index) => words[index] === word);
  if (OUTSIDE.some(starts) || (words[0] === 'cluster' && words.length === 1)) {
    return { kind: 'no-transaction', inTransaction: null };
  }
  const word = head[words.indexOf('concurrently')];
  if (!word || !CONCURRENT.some(starts) || (words[0] === 'alter' && !words.includes('detach'))) return PLAIN;
  const inTransaction =
    statement.slice(0, word.start) + ' '.repeat(word.end - word.start) + statement.slice(word.end);
  return { kind: 'no-transaction', inTransaction };
}
