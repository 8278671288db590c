import type { Transaction } from '../../pg/session.ts';
import { sql } from '../../pg/sql/sql.ts';
import type { NewCredential } from '../mfa/webauthn.ts';
import type { Timestamp } from './rows.ts';
import type { Queryable } from './users.ts';

/** A row of `auth.webauthn_credentials`. */
export type Passkey = {
  readonly id: string;
  readonly user_id: string;
  readonly credential_id: Buffer;
  readonly public_key: Buffer;
  readonly sign_count: string | number;
  readonly transports: readonly string[];
  readonly friendly_name: string;
  readonly created_at: Timestamp;
  readonly last_used_at: Timestamp | null;
};

/** The passkeys of a user, oldest first. */
export const findPasskeys = (db: Queryable, userId: string): Promise<Passkey[]> =>
  db.query<Passkey>(sql`
    select * from auth.webauthn_credentials where user_id = ${userId} order by created_at, id`);

/** The passkey that an authenticator names. */
export async function findPasskeyByCredential(db: Queryable, credentialId: Buffer): Promise<Passkey | null> {
  const [row] = await db.query<Passkey>(sql`
    select * from auth.webauthn_credentials where credential_id = ${credentialId}`);
  return row ?? null;
}

/** Adds a passkey; null when the credential is registered already. */
export async function insertPasskey(
  tx: Transaction,
  id: string,
  userId: string,
  made: NewCredential,
  name: string,
  now: string,
): Promise<Passkey | null> {
  const [row] = await tx.query<Passkey>(sql`
    insert into auth.webauthn_credentials (
      id, user_id, credential_id, public_key, attestation_type, aaguid, sign_count, transports, backup_eligible,
      backed_up, friendly_name, created_at, updated_at)
    values (
      ${id}, ${userId}, ${made.id}, ${made.publicKey}, ${made.attestationType}, ${made.aaguid}, ${made.signCount},
      ${JSON.stringify(made.transports)}, ${made.isBackupEligible}, ${made.isBackedUp}, ${name}, ${now}, ${now})
    on conflict (credential_id) do nothing
    returning *`);
  return row ?? null;
}

/** Notes the use of a passkey. */
export const touchPasskey = (tx: Transaction, id: string, signCount: number, now: string): Promise<number> =>
  tx.execute(sql`
    update auth.webauthn_credentials set sign_count = ${signCount}, last_used_at = ${now}, updated_at = ${now}
    where id = ${id}`);

/** Names a passkey of a user; null when there is none. */
export async function renamePasskey(
  tx: Transaction,
  userId: string,
  id: string,
  name: string,
  now: string,
): Promise<Passkey | null> {
  const [row] = await tx.query<Passkey>(sql`
    update auth.webauthn_credentials set friendly_name = ${name}, updated_at = ${now}
    where id = ${id} and user_id = ${userId} returning *`);
  return row ?? null;
}

/** Removes a passkey of a user; yields whether there was one. */
export const deletePasskey = async (tx: Transaction, userId: string, id: string): Promise<boolean> =>
  (await tx.execute(sql`
    delete from auth.webauthn_credentials where id = ${id} and user_id = ${userId}`)) === 1;

/** Keeps a challenge until it is answered. */
export const insertPasskeyChallenge = (
  db: Queryable,
  challenge: {
    readonly id: string;
    readonly userId: string | null;
    readonly type: 'registration' | 'authentication';
    readonly data: Readonly<Record<string, unknown>>;
    readonly expiresAt: string;
  },
  now: string,
): Promise<unknown> =>
  db.query(sql`
    insert into auth.webauthn_challenges (id, user_id, challenge_type, session_data, created_at, expires_at)
    values (
      ${challenge.id}, ${challenge.userId}, ${challenge.type}, ${sql.value(challenge.data)}, ${now},
      ${challenge.expiresAt})`);

/** Takes a challenge away, so that it is answered once; null when there is none. */
export async function takePasskeyChallenge(
  db: Queryable,
  id: string,
  type: 'registration' | 'authentication',
  userId: string | null,
): Promise<{ readonly challenge: string; readonly expires_at: Timestamp } | null> {
  const [row] = await db.query<{ challenge: string; expires_at: Timestamp }>(sql`
    delete from auth.webauthn_challenges
    where id = ${id} and challenge_type = ${type} and user_id is not distinct from ${userId}::uuid
    returning session_data ->> 'challenge' as challenge, expires_at`);
  return row ?? null;
}
