import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { type Random, systemRandom } from '../core/clock.ts';

const storedLogins = z.object({
  authenticator: z.string(),
  supabaseAuthAdmin: z.string(),
  supabaseStorageAdmin: z.string(),
});

/** Passwords of the database logins that the services use. */
export type LoginPasswords = z.infer<typeof storedLogins>;

/** Connection strings of the logins, to one database. */
export type DatabaseUrls = {
  readonly owner: string;
  readonly authenticator: string;
  readonly authAdmin: string;
  readonly storageAdmin: string;
};

const loginsFile = (stateDir: string): string => join(stateDir, 'logins.json');

/** The instance's login passwords: made once, then read from `logins.json` (mode 0600) in its state folder. */
export function loginPasswords(stateDir: string, random: Random = systemRandom): LoginPasswords {
  const file = loginsFile(stateDir);
  if (existsSync(file)) return storedLogins.parse(JSON.parse(readFileSync(file, 'utf8')));
  const password = (): string => random.bytes(24).toString('base64url');
  const logins = {
    authenticator: password(),
    supabaseAuthAdmin: password(),
    supabaseStorageAdmin: password(),
  };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(logins, null, 2)}\n`, { mode: 0o600 });
  return logins;
}

/** The services' connection strings, derived from the owner's; `appUrl` overrides the one of `authenticator`. */
export function databaseUrls(
  ownerUrl: string,
  passwords: LoginPasswords,
  appUrl: string | null = null,
): DatabaseUrls {
  const as = (user: string, password: string): string => {
    const url = new URL(ownerUrl);
    url.username = user;
    url.password = encodeURIComponent(password);
    return url.href;
  };
  return {
    owner: ownerUrl,
    authenticator: appUrl ?? as('authenticator', passwords.authenticator),
    authAdmin: as('supabase_auth_admin', passwords.supabaseAuthAdmin),
    storageAdmin: as('supabase_storage_admin', passwords.supabaseStorageAdmin),
  };
}
