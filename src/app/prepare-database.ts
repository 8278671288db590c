import { join } from 'node:path';
import type { Config } from '../config/load.ts';
import type { EmbeddedEvent, EmbeddedPostgres } from '../embedded/start.ts';
import type { InstanceKeys } from '../identity/instance-keys.ts';
import { applyBootstrap, type BootstrapReport } from '../platform/bootstrap/apply.ts';
import { type DatabaseUrls, databaseUrls, loginPasswords } from '../platform/logins.ts';
import type { MigrateReport, MigrationEvent } from '../platform/migrations/run.ts';
import { stateDir } from './directories.ts';

/** What is reported while a database is made ready. */
export type PrepareEvent =
  | { readonly kind: 'postgres'; readonly event: EmbeddedEvent }
  | { readonly kind: 'bootstrap'; readonly report: BootstrapReport }
  | { readonly kind: 'migrations'; readonly event: MigrationEvent };

/** A database that is ready for the services. */
export type PreparedDatabase = {
  readonly urls: DatabaseUrls;
  /** Connection string for people: psql, ORMs. */
  readonly publicUrl: string;
  /** The supervised server, or null when the database is somebody else's. */
  readonly embedded: EmbeddedPostgres | null;
  readonly migrated: MigrateReport | null;
  /** Whether this start made the database, so that what belongs to a first start is still to be done. */
  readonly isNew: boolean;
};

/** Password of `postgres` on the embedded server, as on every local Supabase. */
const localPassword = 'postgres';

/**
 * Starts or reaches Postgres, bootstraps it, and applies what is pending of the project. Rejects with the first
 * problem (`EmbeddedError`, `BootstrapFailure`, `MigrationError`, `PgFailure`); an embedded server is stopped then.
 */
export async function prepareDatabase(
  config: Config,
  keys: InstanceKeys,
  report: (event: PrepareEvent) => void,
): Promise<PreparedDatabase> {
  const embedded = config.db.url === null ? await startServer(config, report) : null;
  try {
    return await prepare(config, keys, embedded, report);
  } catch (thrown) {
    await embedded?.stop();
    if (embedded?.created && isMissingExtensions(thrown)) await removeUnusedCluster(config.projectDir);
    throw thrown;
  }
}

const isMissingExtensions = (thrown: unknown): boolean =>
  thrown instanceof Error && 'code' in thrown && thrown.code === 'missing_extensions';

/** The way out that most take is another Postgres, whose programs could not open a data directory of this one. */
async function removeUnusedCluster(projectDir: string): Promise<void> {
  const { removeDataDir } = await import('../embedded/placement.ts');
  await removeDataDir(join(stateDir(projectDir), 'postgres'));
}

async function startServer(config: Config, report: (event: PrepareEvent) => void): Promise<EmbeddedPostgres> {
  const { startEmbedded } = await import('../embedded/start.ts');
  return startEmbedded({
    dataDir: join(stateDir(config.projectDir), 'postgres'),
    port: config.db.port,
    pgBin: config.db.pgBin ?? undefined,
    settings: Object.fromEntries(
      Object.entries(config.db.settings).map(([name, value]) => [name, String(value)]),
    ),
    onEvent: (event) => report({ kind: 'postgres', event }),
  });
}

async function prepare(
  config: Config,
  keys: InstanceKeys,
  embedded: EmbeddedPostgres | null,
  report: (event: PrepareEvent) => void,
): Promise<PreparedDatabase> {
  const ownerUrl = embedded?.ownerUrl ?? config.db.url ?? '';
  const passwords = loginPasswords(stateDir(config.projectDir));
  const { autoExposeNewTables } = config.api;
  const { authenticator, supabaseAuthAdmin, supabaseStorageAdmin } = passwords;
  const bootstrap = await applyBootstrap(ownerUrl, {
    passwords: {
      ...(config.db.appUrl === null ? { authenticator } : {}),
      supabaseAuthAdmin,
      supabaseStorageAdmin,
      ...(embedded === null ? {} : { postgres: localPassword }),
    },
    // Every role can read these settings, so that only a database of one's own machine gets the secret.
    app: {
      jwtExpirySeconds: config.auth.jwtExpiry,
      ...(embedded === null ? {} : { jwtSecret: keys.jwtSecret }),
    },
    ...(autoExposeNewTables === null ? {} : { autoExposeNewTables }),
  });
  report({ kind: 'bootstrap', report: bootstrap });
  const isFresh = embedded === null && bootstrap.wasEmpty;
  const publicUrl =
    embedded === null
      ? ownerUrl
      : `postgresql://postgres:${localPassword}@127.0.0.1:${embedded.port}/postgres`;
  const migrated = await migrateProject(
    config,
    { ownerUrl, url: publicUrl },
    embedded !== null || isFresh,
    report,
  );
  const urls = databaseUrls(ownerUrl, passwords, config.db.appUrl);
  return { urls, publicUrl, embedded, migrated, isNew: embedded?.created ?? isFresh };
}

async function migrateProject(
  config: Config,
  urls: { readonly ownerUrl: string; readonly url: string },
  isOurs: boolean,
  report: (event: PrepareEvent) => void,
): Promise<MigrateReport | null> {
  const byDefault = isOurs && process.env.NODE_ENV !== 'production';
  const migrations = config.db.migrationsEnabled && (config.db.migrate ?? byDefault);
  const seed = config.db.seedEnabled && (config.db.seed ?? byDefault);
  if (!migrations && !seed) return null;
  const { migrate } = await import('../platform/migrations/run.ts');
  return migrate({
    projectDir: config.projectDir,
    url: urls.url,
    ownerUrl: urls.ownerUrl,
    vault: config.db.vault,
    migrations,
    seed: seed ? 'when-fresh' : 'never',
    seedPaths: config.db.seedPaths,
    skipMissingExtensions: config.db.skipMissingExtensions,
    onMismatch: 'report',
    onEvent: (event) => report({ kind: 'migrations', event }),
  });
}
