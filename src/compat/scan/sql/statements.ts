import { loadModule, parseSync } from 'libpg-query';

/** A node of a statement's tree: Postgres' own parser, as JSON. */
export type SqlNode = Readonly<Record<string, unknown>>;

/** A statement and the line that it begins on. */
export type ParsedStatement = { readonly tree: SqlNode; readonly at: number };

/** Text that is no SQL, with the place. */
export type SqlProblem = { readonly message: string; readonly line: number };

/** Loads Postgres' parser, once. */
export const loadSqlParser = (): Promise<void> => loadModule();

/** Parses a script; `loadSqlParser` must have been waited for. A script with a mistake yields the problem alone. */
export function parseScript(text: string): {
  readonly statements: readonly ParsedStatement[];
  readonly problem: SqlProblem | null;
} {
  // The parser takes no script without a statement.
  if (/^(\s|--[^\n]*|\/\*[\s\S]*?\*\/)*$/.test(text)) return { statements: [], problem: null };
  try {
    const result = parseSync(withoutMetaCommands(text)) as {
      stmts?: { stmt?: SqlNode; stmt_location?: number }[];
    };
    const statements = (result.stmts ?? []).flatMap(({ stmt, stmt_location: at = 0 }) =>
      stmt === undefined ? [] : [{ tree: stmt, at }],
    );
    return { statements, problem: null };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const position = (error as { sqlDetails?: { cursorPosition?: number } }).sqlDetails?.cursorPosition ?? 0;
    return { statements: [], problem: { message, line: text.slice(0, position).split('\n').length } };
  }
}

/** psql's own commands (`\connect`, `\restrict` of dumps) become blanks of the same length. */
const withoutMetaCommands = (text: string): string =>
  text.replaceAll(/^\\[a-z][^\n]*/gm, (command) => ' '.repeat(command.length));

/** Tells the line of a byte offset: the parser counts in UTF-8. */
export function lineCounter(text: string): (offset: number) => number {
  const bytes = Buffer.from(text);
  const starts = [0];
  bytes.forEach((byte, index) => {
    if (byte === 10) starts.push(index + 1);
  });
  return (offset) => {
    const next = starts.findIndex((start) => start > offset);
    return next < 0 ? starts.length : next;
  };
}
