import type { PgFailure } from '../../pg/failure.ts';
import { type Lexeme, lexemes } from './lexer.ts';

/** Codes for a type, operator class, access method, function or schema that is not there. */
const UNDEFINED_THINGS: ReadonlySet<string> = new Set(['42704', '42883', '3F000']);

/** Codes for a table or column that is not there. */
const UNDEFINED_RELATIONS: ReadonlySet<string> = new Set(['42P01', '42703', ...UNDEFINED_THINGS]);

/**
 * When extensions were skipped: tells whether a statement failed for want of them. That is so when it uses an
 * unknown type or function, or when it names something in `lost`; what it would have made is lost in turn.
 */
export function dependentsOf(statement: string, lost: Set<string>): (failure: PgFailure) => boolean {
  return (failure) => {
    if (!UNDEFINED_RELATIONS.has(failure.sqlstate)) return false;
    const words = lexemes(statement);
    const depends = UNDEFINED_THINGS.has(failure.sqlstate) || words.some(({ text }) => lost.has(text));
    const made = depends ? madeBy(words) : undefined;
    if (made !== undefined) lost.add(made);
    return depends;
  };
}

const MADE = new Set(['table', 'view', 'function', 'procedure', 'type', 'domain', 'index', 'schema']);
const BETWEEN = new Set(['if', 'not', 'exists', 'concurrently', 'only']);

/** Last part of the name of what a CREATE statement makes. */
function madeBy(words: readonly Lexeme[]): string | undefined {
  if (words[0]?.text !== 'create') return undefined;
  let at = words.findIndex(({ kind, text }) => kind === 'word' && MADE.has(text)) + 1;
  while (BETWEEN.has(words[at]?.text ?? '')) at += 1;
  while (words[at + 1]?.text === '.') at += 2;
  return words[at]?.text;
}
