import type { PgFailure } from '../../pg/failure.ts';
import type { FileStatement } from './split.ts';

/** What kept migrations from being applied, for programs; the message is for people. */
export type MigrationErrorCode =
  | 'statement_failed'
  | 'missing_extensions'
  | 'missing_locally'
  | 'out_of_order'
  | 'unreadable';

/** Migrations could not be applied. The message names file, line and statement where there is one. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
  readonly code: MigrationErrorCode;
  /** Path of the file, relative to the project. */
  readonly file: string | null;
  /** 1-based line of the file. */
  readonly line: number | null;
  readonly sqlstate: string | null;

  constructor(
    code: MigrationErrorCode,
    message: string,
    place: { readonly file?: string; readonly line?: number; readonly sqlstate?: string } = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.file = place.file ?? null;
    this.line = place.line ?? null;
    this.sqlstate = place.sqlstate ?? null;
  }
}

/** Where a statement failed. */
export type FailurePlace = {
  readonly file: string;
  /** Text of the whole file. */
  readonly script: string;
  readonly statements: readonly FileStatement[];
  /** 0-based, as upstream counts; beyond the last one it is the entry in the history that failed. */
  readonly index: number;
  readonly failure: PgFailure;
  /** Further lines that help. */
  readonly notes: readonly string[];
};

/** Composes the error of a failed statement: the server's words, `At statement: n`, and a caret under the place. */
export function statementFailed(place: FailurePlace): MigrationError {
  const { failure, file, script, index } = place;
  const statement = place.statements[index];
  const within = statement && failure.position !== null ? utf16Offset(statement.text, failure.position) : 0;
  const line = statement ? lineAt(script, statement.offset + within) : lineAt(script, script.length);
  const lines = [
    `${file}:${line}`,
    `ERROR: ${failure.message} (SQLSTATE ${failure.sqlstate})`,
    ...(failure.detail ? [failure.detail] : []),
    ...(failure.hint ? [`Hint: ${failure.hint}`] : []),
    ...(failure.where ? [`Context: ${failure.where}`] : []),
    ...place.notes,
    `At statement: ${index}`,
    statement ? markError(statement.text, failure.position) : '(the entry in the migration history)',
  ];
  const where = { file, line, sqlstate: failure.sqlstate };
  return new MigrationError('statement_failed', lines.join('\n'), where, { cause: failure });
}

const MAX_LINES = 20;

/**
 * A statement up to the line of an error, with a caret under the place; long ones lose lines far from it.
 * `position` counts characters from 1, as Postgres does.
 * Upstream: supabase/cli apps/cli-go/pkg/migration/file.go (markError)
 */
export function markError(statement: string, position: number | null): string {
  const lines = statement.split('\n');
  if (position === null) return shorten(lines, 'end').join('\n');
  const before = statement.slice(0, utf16Offset(statement, position));
  const lineIndex = before.split('\n').length - 1;
  const column = before.slice(before.lastIndexOf('\n') + 1);
  const caret = `${column.replaceAll(/[^\t]/gu, ' ')}^`;
  return [...shorten(lines.slice(0, lineIndex + 1), 'start'), caret].join('\n');
}

function shorten(lines: readonly string[], cut: 'start' | 'end'): string[] {
  if (lines.length <= MAX_LINES) return [...lines];
  return cut === 'start' ? ['...', ...lines.slice(-MAX_LINES)] : [...lines.slice(0, MAX_LINES), '...'];
}

/** Index into the string of the character that Postgres counts as `position`. */
function utf16Offset(text: string, position: number): number {
  let offset = 0;
  for (let left = position - 1; left > 0 && offset < text.length; left -= 1) {
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  }
  return offset;
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;
