import type { QualifiedName } from '../../catalog/model.ts';
import { defaultRoleClaimPath, type JsPath, parseJsPath } from '../jwt/js-path.ts';
import type { LogLevel, OpenApiMode, TransactionEnd } from './model.ts';
import type { RawValues } from './raw-values.ts';

/** Reads typed options from a source of texts and collects what is wrong with them. */
export interface OptionReader {
  text(name: string, ...aliases: readonly string[]): string | null;
  /** Like `text`, but tells an empty text from none. */
  emptyableText(name: string): string | null;
  list(name: string, fallback: readonly string[], ...aliases: readonly string[]): readonly string[];
  integer(name: string, ...aliases: readonly string[]): number | null;
  boolean(name: string, fallback: boolean, ...aliases: readonly string[]): boolean;
  qualifiedName(name: string, ...aliases: readonly string[]): QualifiedName | null;
  choice<T>(name: string, choices: ReadonlyMap<string, T>, fallback: T, complaint: string): T;
  roleClaimPath(): JsPath;
  complain(problem: string): void;
  readonly problems: readonly string[];
}

const commaSeparated = (text: string): string[] => text.split(',').map((item) => item.trim());

/** `schema.name`, split at the first dot; without one the search path decides. */
function toQualifiedName(text: string): QualifiedName {
  const dot = text.indexOf('.');
  return dot === -1 ? { schema: '', name: text } : { schema: text.slice(0, dot), name: text.slice(dot + 1) };
}

/** Words for true and false in any case, or a number; null for anything else. */
function toBoolean(text: string): boolean | null {
  const word = text.replace(/[^a-z]/gi, '').toLowerCase();
  if (word === 'true' || word === 'false') return word === 'true';
  return /^\s*-?\d+\s*$/.test(text) ? Number(text) > 0 : null;
}

/**
 * Creates a reader. A number or truth value that cannot be read counts as not given, as upstream has it; a choice that
 * does not exist is a problem.
 * Upstream: PostgREST src/PostgREST/Config.hs.
 */
export function createOptionReader(values: RawValues): OptionReader {
  const problems: string[] = [];
  const text = (...names: readonly string[]): string | null => {
    for (const name of names) {
      const value = values(name);
      if (value !== undefined && value !== '') return value;
    }
    return null;
  };
  return {
    problems,
    text,
    complain: (problem) => problems.push(problem),
    emptyableText: (name) => values(name) ?? null,
    list(name, fallback, ...aliases) {
      const value = text(name, ...aliases);
      return value === null ? fallback : commaSeparated(value);
    },
    integer(name, ...aliases) {
      const value = text(name, ...aliases);
      return value !== null && /^\s*-?\d+\s*$/.test(value) ? Number(value) : null;
    },
    boolean(name, fallback, ...aliases) {
      const value = text(name, ...aliases);
      return (value === null ? null : toBoolean(value)) ?? fallback;
    },
    qualifiedName(name, ...aliases) {
      const value = text(name, ...aliases);
      return value === null ? null : toQualifiedName(value);
    },
    choice(name, choices, fallback, complaint) {
      const value = text(name);
      if (value === null) return fallback;
      const chosen = choices.get(value);
      if (chosen === undefined) problems.push(complaint);
      return chosen ?? fallback;
    },
    roleClaimPath() {
      const value = text('jwt-role-claim-key', 'role-claim-key');
      if (value === null) return defaultRoleClaimPath;
      const path = parseJsPath(value);
      if (!path.ok) problems.push(path.error);
      return path.ok ? path.value : defaultRoleClaimPath;
    },
  };
}

/** A list that may be empty on purpose. */
export const emptyableList = (text: string | null, fallback: readonly string[]): readonly string[] =>
  text === null ? fallback : text === '' ? [] : commaSeparated(text);

/** Values of `db-tx-end`. */
export const transactionEnds: ReadonlyMap<string, TransactionEnd> = new Map([
  ['commit', { rollback: false, allowOverride: false }],
  ['commit-allow-override', { rollback: false, allowOverride: true }],
  ['rollback', { rollback: true, allowOverride: false }],
  ['rollback-allow-override', { rollback: true, allowOverride: true }],
]);

/** Values of `openapi-mode`. */
export const openApiModes: ReadonlyMap<string, OpenApiMode> = new Map(
  (['follow-privileges', 'ignore-privileges', 'disabled'] as const).map((mode) => [mode, mode]),
);

/** Values of `log-level`. */
export const logLevels: ReadonlyMap<string, LogLevel> = new Map(
  (['crit', 'error', 'warn', 'info', 'debug'] as const).map((level) => [level, level]),
);
