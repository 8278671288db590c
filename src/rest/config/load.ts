import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { err, ok, type Result } from '../../core/result.ts';
import { keysOfSecret } from '../jwt/secret.ts';
import { assembleConfig } from './assemble.ts';
import { parseConfigFile } from './file.ts';
import { type InDatabaseConfig, noInDatabaseConfig } from './in-database.ts';
import { InvalidConfig } from './invalid.ts';
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
  const named = await readNamedFiles(values);
  if (!named.ok) return named;
  const { uri, secret } = named.value;
  return assembleConfig({
    values: (name) => (name === 'db-uri' ? (uri ?? values(name)) : values(name)),
    secretFile: secret,
    appSettings: appSettings(entries.value, sources.env),
    roles: inDatabase.roles,
  });
}

/**
 * Loads a configuration that a service can start with: the secret makes keys, too.
 * Rejects with `InvalidConfig`.
 */
export async function loadUsableConfig(
  sources: ConfigSources,
  inDatabase?: InDatabaseConfig,
): Promise<RestServerConfig> {
  const loaded = await loadRestConfig(sources, inDatabase);
  if (!loaded.ok) throw new InvalidConfig(loaded.error);
  const { secret } = loaded.value.rest.jwt;
  if (secret !== null)
    await keysOfSecret(secret).catch((thrown: unknown) => {
      throw new InvalidConfig([thrown instanceof Error ? thrown.message : String(thrown)]);
    });
  return loaded.value;
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
  const bytes = await readBytes(path);
  return bytes.ok ? ok(bytes.value.toString()) : bytes;
}

async function readBytes(path: string): Promise<Result<Buffer, Problems>> {
  try {
    return ok(await (path === '/dev/stdin' ? standardInput() : readFile(path)));
  } catch (thrown) {
    return err([`${path} cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`]);
  }
}

/** Standard input gives its bytes once, while a configuration is read again and again. */
const standardInput = once(() => buffer(process.stdin));

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

const newline = 0x0a;

/** The contents of the files that `db-uri` and `jwt-secret` name instead of being given themselves. */
async function readNamedFiles(
  values: RawValues,
): Promise<Result<{ readonly uri: string | null; readonly secret: Buffer | null }, Problems>> {
  const [uri, secret] = [fileOf(values('db-uri')), fileOf(values('jwt-secret'))];
  const uriText = uri === null ? ok(null) : await readText(uri);
  if (!uriText.ok) return uriText;
  const bytes = secret === null ? ok(null) : await readBytes(secret);
  if (!bytes.ok) return bytes;
  return ok({
    uri: uriText.value?.trim() ?? null,
    // A secret may be any bytes; the newline that editors end a file with is not part of it.
    secret: bytes.value?.at(-1) === newline ? bytes.value.subarray(0, -1) : bytes.value,
  });
}

const fileOf = (value: string | undefined): string | null =>
  value?.startsWith('@') === true ? value.slice(1) : null;

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
