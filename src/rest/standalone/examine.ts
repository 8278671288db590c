import { introspect } from '../../catalog/introspect.ts';
import { PgFailure } from '../../pg/failure.ts';
import type { ConnectionPool } from '../../pg/pool.ts';
import { dumpConfig } from '../config/dump.ts';
import { readInDatabaseConfig } from '../config/in-database.ts';
import { type ConfigSources, loadUsableConfig } from '../config/load.ts';
import type { RestServerConfig } from '../config/model.ts';
import { openPool, withLease } from './database.ts';
import { schemaDocument } from './schema-document.ts';

type Configured = { readonly config: RestServerConfig; readonly pool: ConnectionPool };

/** Calls back with the configuration that counts, settings in the database included where it can be asked. */
async function withConfig<T>(
  sources: ConfigSources,
  onUnread: (failure: PgFailure) => void,
  use: (configured: Configured) => Promise<T>,
): Promise<T> {
  const config = await loadUsableConfig(sources);
  const pool = openPool({ ...config.database, poolSize: 1 }, () => false);
  try {
    return await use({ config: await withSettings(config, pool, sources, onUnread), pool });
  } finally {
    await pool.end();
  }
}

async function withSettings(
  config: RestServerConfig,
  pool: ConnectionPool,
  sources: ConfigSources,
  onUnread: (failure: PgFailure) => void,
): Promise<RestServerConfig> {
  const { inDatabaseConfig, preConfig } = config.database;
  if (!inDatabaseConfig) return config;
  try {
    const settings = await withLease(pool, (lease) => readInDatabaseConfig(lease, preConfig));
    return await loadUsableConfig(sources, settings);
  } catch (thrown) {
    if (!(thrown instanceof PgFailure)) throw thrown;
    onUnread(thrown);
    return config;
  }
}

/** The configuration as a file; `onUnread` is told when the database's part is missing. Rejects with `InvalidConfig`. */
export const describeConfig = (
  sources: ConfigSources,
  onUnread: (failure: PgFailure) => void,
): Promise<string> => withConfig(sources, onUnread, async ({ config }) => dumpConfig(config));

/** The schema cache as JSON, for people. Rejects with `InvalidConfig` or `PgFailure`. */
export const describeSchema = (
  sources: ConfigSources,
  onUnread: (failure: PgFailure) => void,
): Promise<string> =>
  withConfig(sources, onUnread, ({ config, pool }) =>
    withLease(pool, async (lease) => {
      const { schemas, extraSearchPath, hoistedSettings } = config.rest;
      const catalog = await introspect(lease, { schemas, extraSchemas: extraSearchPath, hoistedSettings });
      return schemaDocument(catalog, schemas);
    }),
  );

/** What a running server says of itself on its admin listener. */
export type Readiness = { readonly isReady: boolean; readonly text: string };

const anyAddress: ReadonlySet<string> = new Set(['*', '*4', '!4', '*6', '!6']);

/**
 * Asks the running server that has this configuration whether it is ready. Rejects with `InvalidConfig`.
 * Upstream: PostgREST src/PostgREST/Client.hs.
 */
export async function askReadiness(sources: ConfigSources): Promise<Readiness> {
  const { host, port } = (await loadUsableConfig(sources)).admin;
  const notReady = (reason: string): Readiness => ({ isReady: false, text: `ERROR: ${reason}` });
  if (port === null) return notReady('Admin server is not running. Please check admin-server-port config.');
  if (anyAddress.has(host))
    return notReady(
      `The \`--ready\` flag cannot be used when server-host is configured as "${host}". Please update your server-host config to "localhost".`,
    );
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/ready`;
  if (!URL.canParse(url)) return notReady(`invalid url - ${url}`);
  try {
    const { ok } = await fetch(url);
    return ok ? { isReady: true, text: `OK: ${url}` } : notReady(url);
  } catch {
    return notReady(`connection refused to ${url}`);
  }
}
