import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeDataDir } from '../../src/embedded/placement.ts';
import { startEmbedded } from '../../src/embedded/start.ts';
import { applyBootstrap } from '../../src/platform/bootstrap/apply.ts';
import { freePorts } from './ports.ts';

/** Passwords of the logins in test clusters. */
export const testPasswords = {
  postgres: 'postgres',
  authenticator: 'test-authenticator',
  supabaseAuthAdmin: 'test-auth-admin',
  supabaseStorageAdmin: 'test-storage-admin',
} as const;

/** Logins of a test database. */
export type Login =
  | 'supabase_admin'
  | 'postgres'
  | 'authenticator'
  | 'supabase_auth_admin'
  | 'supabase_storage_admin';

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
  const [port] = await freePorts(1);
  const server = await startEmbedded({
    dataDir: join(folder, 'postgres'),
    port,
    durable: false,
    settings: { max_connections: '200', max_wal_senders: '20', max_replication_slots: '20', ...settings },
  });
  await applyBootstrap(server.ownerUrl, { passwords: testPasswords });
  return {
    ownerUrl: server.ownerUrl,
    pid: server.pid,
    async stop() {
      await server.stop();
      await removeDataDir(join(folder, 'postgres'));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The connection string of a login to a database of the cluster. */
export function loginUrl(owner: URL, database: string, login: Login): string {
  const url = new URL(owner);
  url.pathname = `/${database}`;
  if (login === 'supabase_admin') return url.href;
  url.username = login;
  url.password = {
    postgres: testPasswords.postgres,
    authenticator: testPasswords.authenticator,
    supabase_auth_admin: testPasswords.supabaseAuthAdmin,
    supabase_storage_admin: testPasswords.supabaseStorageAdmin,
  }[login];
  return url.href;
}
