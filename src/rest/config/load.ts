import { readFile } from 'node:fs/promises';
import { err, ok, type Result } from '../../core/result.ts';
import { assembleConfig } from './assemble.ts';
import { parseConfigFile } from './file.ts';
import { type InDatabaseConfig, noInDatabaseConfig } from './in-database.ts';
import type { RestServerConfig } from './model.ts';
import { environmentValues, fileValues, firstOf, type RawValues, settingValues } from './raw-values.ts';

/** Where the configuration of the REST service alone comes from. */
export type ConfigSources = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path of a configuration file; null for none. */
  readonly file: string | null;
};

type Problems = readonly string[];

/**
 * Loads the configuration: settings in the database win over the environment, which wins over the file.
 * Values that start with `@` name a file to read instead (`db-uri`, `jwt-secret`).
 */
export async function loadRestConfig(
  sources: ConfigSources,
  inDatabase: InDatabaseConfig = noInDatabaseConfig,
): Promise<Result<RestServerConfig, Problems>> {
  const entries = await readEntries(sources.file);
  if (!entries.ok) return entries;
  const values = firstOf(
    settingValues(inDatabase.settings),
    environmentValues(sources.env),
    fileValues(entries.value),
    hostValues(sources.env),
  );
  const resolved = await resolveFiles(values);
  if (!resolved.ok) return resolved;
  return assembleConfig({
    values: resolved.value,
    appSettings: appSettings(entries.value, sources.env),
    roles: inDatabase.roles,
  });
}

/** Hosting platforms name the port in a variable of their own. */
const hostValues =
  (env: ConfigSources['env']): RawValues =>
  (name) =>
    name === 'server-port' ? env.PORT : undefined;

async function readEntries(file: string | null): Promise<Result<ReadonlyMap<string, string>, Problems>> {
  if (file === null) return ok(new Map());
  const text = await readText(file);
  if (!text.ok) return text;
  const entries = parseConfigFile(text.value);
  return entries.ok ? entries : err([`${file}: ${entries.error}`]);
}

async function readText(path: string): Promise<Result<string, Problems>> {
  try {
    return ok(await readFile(path, 'utf8'));
  } catch (thrown) {
    return err([`${path} cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`]);
  }
}

async function resolveFiles(values: RawValues): Promise<Result<RawValues, Problems>> {
  const replaced = new Map<string, string>();
  for (const name of ['db-uri', 'jwt-secret']) {
    const value = values(name);
    if (value?.startsWith('@') !== true) continue;
    const text = await readText(value.slice(1));
    if (!text.ok) return text;
    replaced.set(name, name === 'db-uri' ? text.value.trim() : text.value.replace(/\n$/, ''));
  }
  return ok((name) => replaced.get(name) ?? values(name));
}

const settingPrefix = 'app.settings.';
const envPrefix = 'PGRST_APP_SETTINGS_';

/** `app.settings.*`; an environment variable keeps the case of its name's end. */
function appSettings(
  entries: ReadonlyMap<string, string>,
  env: ConfigSources['env'],
): ReadonlyMap<string, string> {
  const settings = new Map([...entries].filter(([name]) => name.startsWith(settingPrefix)));
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith(envPrefix) && value !== undefined)
      settings.set(settingPrefix + name.slice(envPrefix.length), value);
  }
  return settings;
}
