import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbedded } from '../../src/embedded/start.ts';
import { applyBootstrap } from '../../src/platform/bootstrap/apply.ts';

/** Passwords of the logins in test clusters. */
export const testPasswords = {
  postgres: 'postgres',
  authenticator: 'test-authenticator',
  supabaseAuthAdmin: 'test-auth-admin',
  supabaseStorageAdmin: 'test-storage-admin',
} as const;

/** A Postgres of its own, for tests that need slots, restarts or settings; ends with `stop`. */
export type TestCluster = {
  /** Owner connection to the bootstrapped database `postgres`. */
  readonly ownerUrl: string;
  readonly pid: () => number | undefined;
  readonly stop: () => Promise<void>;
};

/** Starts a bootstrapped cluster in a temporary directory, without the cost of durability. */
export async function startTestCluster(
  settings: Readonly<Record<string, string>> = {},
): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'ownbase-test-'));
  const server = await startEmbedded({
    dataDir: join(folder, 'postgres'),
    durable: false,
    settings: { max_connections: '200', max_wal_senders: '20', max_replication_slots: '20', ...settings },
  });
  await applyBootstrap(server.ownerUrl, { passwords: testPasswords });
  return {
    ownerUrl: server.ownerUrl,
    pid: server.pid,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
