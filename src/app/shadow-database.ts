import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/load.ts';
import { applyBootstrap } from '../platform/bootstrap/apply.ts';
import type { MigrationEvent } from '../platform/migrations/run.ts';

/** A database of its own that holds what the platform makes, and then what a project's migrations make. */
export type ShadowDatabase = {
  /** Login of migrations. */
  readonly url: string;
  readonly ownerUrl: string;
  /** Applies the migrations of the project, up to a version when one is named; no seeds. */
  migrate(upTo?: string): Promise<void>;
};

export type ShadowOptions = {
  readonly onEvent: (event: MigrationEvent) => void;
  readonly signal: AbortSignal;
};

const PASSWORD = 'postgres';

/**
 * Starts a Postgres in a temporary folder, bootstraps it, lets some work be done with it and removes it, whatever
 * happened; the signal ends the work early. A server of its own, since roles that migrations make are shared by all
 * databases of one.
 * @throws EmbeddedError, BootstrapFailure, and what the work throws
 */
export async function withShadowDatabase<T>(
  config: Config,
  { onEvent, signal }: ShadowOptions,
  work: (shadow: ShadowDatabase) => Promise<T>,
): Promise<T> {
  const { startEmbedded } = await import('../embedded/start.ts');
  const { removeDataDir } = await import('../embedded/placement.ts');
  const folder = await mkdtemp(join(tmpdir(), 'ownbase-shadow-'));
  const dataDir = join(folder, 'postgres');
  try {
    const server = await startEmbedded({ dataDir, pgBin: config.db.pgBin ?? undefined, durable: false });
    // Without its server the work fails wherever it is.
    const end = (): void => void server.stop();
    signal.addEventListener('abort', end);
    try {
      signal.throwIfAborted();
      const { autoExposeNewTables } = config.api;
      await applyBootstrap(server.ownerUrl, {
        passwords: { postgres: PASSWORD },
        ...(autoExposeNewTables === null ? {} : { autoExposeNewTables }),
      });
      const url = `postgresql://postgres:${PASSWORD}@127.0.0.1:${server.port}/postgres`;
      const { ownerUrl } = server;
      return await work({
        url,
        ownerUrl,
        migrate: (upTo) => applyTo(config, { url, ownerUrl }, onEvent, upTo),
      });
    } finally {
      signal.removeEventListener('abort', end);
      await server.stop();
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    await removeDataDir(dataDir);
    await rm(folder, { recursive: true, force: true });
  }
}

async function applyTo(
  config: Config,
  urls: { readonly url: string; readonly ownerUrl: string },
  onEvent: (event: MigrationEvent) => void,
  upTo: string | undefined,
): Promise<void> {
  const { migrate } = await import('../platform/migrations/run.ts');
  await migrate({
    projectDir: config.projectDir,
    ...urls,
    vault: config.db.vault,
    upTo,
    skipMissingExtensions: config.db.skipMissingExtensions,
    onEvent,
  });
}
