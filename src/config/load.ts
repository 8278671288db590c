import { join } from 'node:path';
import type { Environment, OptionTable, SomeOption, Values } from './option.ts';
import { type Sections, sections, tolerated } from './sections.ts';
import { withDotenv } from './sources/dotenv.ts';
import { atPath, readToml, type TomlTable, unknownPaths } from './sources/toml.ts';

/** The whole configuration: one frozen object per section. */
export type Config = { readonly [K in keyof Sections]: Values<Sections[K]> } & {
  /** Absolute path of the folder that holds `supabase/`. */
  readonly projectDir: string;
};

/** Where a value came from. */
export type Provenance = {
  readonly source: 'flag' | 'env' | 'config.toml' | 'default';
  readonly name: string | null;
};

/** A configuration with the origin of each value, keyed `section.option`. */
export type LoadedConfig = {
  readonly config: Config;
  readonly provenance: ReadonlyMap<string, Provenance>;
  readonly warnings: readonly string[];
};

/** What was wrong with the configuration: every problem at once, one per line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `the configuration has ${problems.length === 1 ? 'a problem' : 'problems'}:\n  ${problems.join('\n  ')}`,
    );
    this.problems = problems;
  }
}

/** Inputs of the loader. */
export type LoadOptions = {
  readonly projectDir: string;
  readonly env: Environment;
  /** Values of flags by option flag name; undefined ones were not given. */
  readonly flags: Readonly<Record<string, unknown>>;
};

type Found = { readonly raw: unknown; readonly from: Provenance };

/** Merges flags, environment, `supabase/config.toml` and defaults, in that order; throws `ConfigError`. */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const env = withDotenv(options.env, options.projectDir);
  const file = join(options.projectDir, 'supabase', 'config.toml');
  const { table, problems: tomlProblems, unset } = readToml(file, env);
  const problems = tomlProblems.map((problem) => problem.message);
  const provenance = new Map<string, Provenance>();
  const config: Record<string, unknown> = { projectDir: options.projectDir };
  for (const [name, section] of Object.entries(sections)) {
    config[name] = readSection(name, section, { env, table, flags: options.flags }, provenance, problems);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    // Every section was read by its own table, which is what the type says.
    config: Object.freeze(config) as Config,
    provenance,
    warnings: [
      ...unset.map((name) => `config.toml uses env(${name}), which is not set`),
      ...warnUnknown(table),
    ],
  };
}

type Sources = { readonly env: Environment; readonly table: TomlTable; readonly flags: LoadOptions['flags'] };

function readSection(
  name: string,
  section: OptionTable,
  sources: Sources,
  provenance: Map<string, Provenance>,
  problems: string[],
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(section)) {
    const found = find(option, sources);
    const from = found?.from ?? { source: 'default', name: null };
    try {
      const value = found === null ? option.default : option.kind.parse(found.raw);
      const extended = option.fromEnv?.(sources.env, value);
      values[key] = extended ?? value;
      provenance.set(`${name}.${key}`, extended === undefined ? from : { source: 'env', name: null });
    } catch (thrown) {
      const rule = thrown instanceof Error ? thrown.message : String(thrown);
      problems.push(`${from.name ?? key} (${from.source}): ${rule}`);
    }
  }
  return Object.freeze(values);
}

const tomlEnvName = (path: string): string => `SUPABASE_${path.replaceAll('.', '_').toUpperCase()}`;

function find(option: SomeOption, { env, table, flags }: Sources): Found | null {
  const flagged = option.flag === undefined ? undefined : flags[option.flag];
  if (flagged !== undefined) return { raw: flagged, from: { source: 'flag', name: `--${option.flag}` } };
  const names = [...(option.env ?? []), ...(option.toml === undefined ? [] : [tomlEnvName(option.toml)])];
  for (const name of names) {
    if (env[name] !== undefined && env[name] !== '') return { raw: env[name], from: { source: 'env', name } };
  }
  if (option.toml === undefined) return null;
  const raw = atPath(table, option.toml);
  return raw === undefined ? null : { raw, from: { source: 'config.toml', name: option.toml } };
}

function warnUnknown(table: TomlTable): string[] {
  const known = Object.values(sections)
    .flatMap((section: OptionTable) => Object.values(section))
    .flatMap((option) => (option.toml === undefined ? [] : [option.toml]));
  return unknownPaths(table, new Set([...known, ...tolerated])).map((path) => {
    const near = nearest(path, known);
    return `config.toml: unknown key ${path}${near === null ? '' : ` (did you mean ${near}?)`}`;
  });
}

function nearest(path: string, known: readonly string[]): string | null {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(path, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= 3 ? best.candidate : null;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
