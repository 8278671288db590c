import { existsSync, readFileSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import type { Environment } from '../option.ts';

/** A parsed configuration file: nested tables of scalars and arrays. */
export type TomlTable = { readonly [key: string]: unknown };

/** A file that is not TOML, or names a variable that is not set. */
export type TomlProblem = { readonly message: string };

const isTable = (value: unknown): value is TomlTable =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** Reads the file; an absent one is an empty table. `env(NAME)` references are replaced from the environment. */
export function readToml(
  file: string,
  env: Environment,
): { readonly table: TomlTable; readonly problems: TomlProblem[]; readonly unset: string[] } {
  if (!existsSync(file)) return { table: {}, problems: [], unset: [] };
  const unset: string[] = [];
  try {
    const table = parse(readFileSync(file, 'utf8'));
    return { table: substitute(table, env, unset) as TomlTable, problems: [], unset };
  } catch (thrown) {
    if (!(thrown instanceof TomlError)) throw thrown;
    return {
      table: {},
      problems: [{ message: `${file}:${thrown.line}:${thrown.column}: ${thrown.message}` }],
      unset,
    };
  }
}

/** `env(NAME)` without a value stays as written, as the CLI leaves it; the caller warns about the names. */
function substitute(value: unknown, env: Environment, unset: string[]): unknown {
  if (typeof value === 'string') {
    const name = /^env\((\w+)\)$/.exec(value)?.[1];
    if (name === undefined) return value;
    const found = env[name];
    if (found === undefined) unset.push(name);
    return found ?? value;
  }
  if (Array.isArray(value)) return value.map((item) => substitute(item, env, unset));
  if (!isTable(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substitute(item, env, unset)]));
}

/** The value at a dotted path, or undefined. */
export function atPath(table: TomlTable, path: string): unknown {
  let here: unknown = table;
  for (const key of path.split('.')) {
    if (!isTable(here)) return undefined;
    here = here[key];
  }
  return here;
}

/** Every path of the file that no option knows; `known` holds the options' paths, whose tables count as known. */
export function unknownPaths(table: TomlTable, known: ReadonlySet<string>, prefix = ''): string[] {
  return Object.entries(table).flatMap(([key, value]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (known.has(path)) return [];
    return isTable(value) ? unknownPaths(value, known, path) : [path];
  });
}
