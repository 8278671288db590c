import { scryptSync } from 'node:crypto';
import type { Random } from '../../core/clock.ts';
import type { AdminClient } from '../../pg/connect.ts';
import { scramVerifier } from './scram.ts';

/** Logins whose password the bootstrap may set. */
export type BootstrapLogin =
  | 'postgres'
  | 'authenticator'
  | 'supabase_auth_admin'
  | 'supabase_storage_admin'
  | 'supabase_functions_admin'
  | 'supabase_read_only_user'
  | 'pgbouncer';

/** What a bootstrap is told besides its scripts. Absent fields leave what the database has. */
export type BootstrapOptions = {
  readonly passwords?: Readonly<Partial<Record<BootstrapLogin, string>>>;
  /** Kept as `app.settings.*` of the database, for SQL of old apps. */
  readonly app?: { readonly jwtSecret?: string; readonly jwtExpirySeconds?: number };
  /** `auto_expose_new_tables` of config.toml. */
  readonly autoExposeNewTables?: boolean;
  /**
   * Opens a connection to the cluster's maintenance database, where bootstraps of all databases wait for each
   * other. Without it they wait per database, and roles are protected by trying again.
   */
  readonly openMaintenance?: () => Promise<AdminClient>;
};

/** The options as settings of the transaction, under the names that the scripts read. */
export function toSettings(options: BootstrapOptions, random: Random): Map<string, string> {
  const settings = new Map<string, string>();
  for (const [login, password] of Object.entries(options.passwords ?? {})) {
    settings.set(`ownbase.verifier_${login}`, scramVerifier(password, random.bytes(16)));
  }
  const { jwtSecret, jwtExpirySeconds } = options.app ?? {};
  if (jwtSecret !== undefined) settings.set('ownbase.app_jwt_secret', jwtSecret);
  if (jwtExpirySeconds !== undefined) settings.set('ownbase.app_jwt_exp', String(jwtExpirySeconds));
  if (options.autoExposeNewTables !== undefined) {
    settings.set('ownbase.auto_expose', options.autoExposeNewTables ? 'on' : 'off');
  }
  return settings;
}

/**
 * Digest of all that decides the outcome of a bootstrap. It is kept where a database administrator can read it and
 * it covers passwords, so it is made by a function that is slow to guess through (about 10 ms).
 */
export function fingerprint(options: BootstrapOptions, scriptsHash: string, cluster: string): string {
  const { passwords = {}, app = {}, autoExposeNewTables = null } = options;
  const sorted = Object.entries(passwords).sort(([left], [right]) => (left < right ? -1 : 1));
  const told = JSON.stringify([
    sorted,
    app.jwtSecret ?? null,
    app.jwtExpirySeconds ?? null,
    autoExposeNewTables,
  ]);
  return scryptSync(told, `${scriptsHash}:${cluster}`, 32, { N: 4096 }).toString('hex');
}
