import { scryptSync } from 'node:crypto';
import type { Random } from '../../core/clock.ts';
import { scramVerifier } from './scram.ts';

/** Passwords of the logins that the services use; an absent one stays what it is. */
type BootstrapPasswords = {
  readonly postgres?: string;
  readonly authenticator?: string;
  readonly supabaseAuthAdmin?: string;
  readonly supabaseStorageAdmin?: string;
};

const roleOf: Readonly<Record<keyof BootstrapPasswords, string>> = {
  postgres: 'postgres',
  authenticator: 'authenticator',
  supabaseAuthAdmin: 'supabase_auth_admin',
  supabaseStorageAdmin: 'supabase_storage_admin',
};

/** What a bootstrap is told besides its scripts. Absent fields leave what the database has. */
export type BootstrapOptions = {
  readonly passwords?: BootstrapPasswords;
  /** Kept as `app.settings.*` of the database, for SQL of old apps. */
  readonly app?: { readonly jwtSecret?: string; readonly jwtExpirySeconds?: number };
  /** `auto_expose_new_tables` of config.toml. */
  readonly autoExposeNewTables?: boolean;
};

const passwordsByRole = (passwords: BootstrapPasswords = {}): [role: string, password: string][] =>
  (Object.keys(roleOf) as (keyof BootstrapPasswords)[]).flatMap((login) => {
    const password = passwords[login];
    return password === undefined ? [] : [[roleOf[login], password]];
  });

/** The options as settings of the transaction, under the names that the scripts read. */
export function toSettings(options: BootstrapOptions, random: Random): Map<string, string> {
  const settings = new Map<string, string>();
  for (const [role, password] of passwordsByRole(options.passwords)) {
    settings.set(`ownbase.verifier_${role}`, scramVerifier(password, random.bytes(16)));
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
  const { passwords, app = {}, autoExposeNewTables = null } = options;
  const told = JSON.stringify([
    passwordsByRole(passwords),
    app.jwtSecret ?? null,
    app.jwtExpirySeconds ?? null,
    autoExposeNewTables,
  ]);
  return scryptSync(told, `${scriptsHash}:${cluster}`, 32, { N: 4096 }).toString('hex');
}
