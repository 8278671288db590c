import type { Transaction } from '../../pg/session.ts';
import { sql } from '../../pg/sql/sql.ts';
import type { Factor, FactorType, JsonObject, Timestamp } from './rows.ts';
import type { Queryable } from './users.ts';

/** Methods that the use of a factor counts as. */
export const factorMethods: Readonly<Record<FactorType, string>> = {
  totp: 'totp',
  phone: 'mfa/phone',
  webauthn: 'mfa/webauthn',
};

/** A factor that is to be enrolled. */
export type NewFactor = Pick<Factor, 'id' | 'user_id' | 'factor_type'> & {
  readonly friendly_name: string;
  readonly secret: string | null;
  readonly phone: string | null;
};

/** Adds an unverified factor. */
export async function insertFactor(tx: Transaction, factor: NewFactor, now: string): Promise<Factor> {
  const [row] = await tx.query<Factor>(sql`
    insert into auth.mfa_factors (
      id, user_id, friendly_name, factor_type, status, secret, phone, created_at, updated_at)
    values (
      ${factor.id}, ${factor.user_id}, ${factor.friendly_name}, ${factor.factor_type}, 'unverified',
      ${factor.secret}, ${factor.phone}, ${now}, ${now})
    returning *`);
  if (row === undefined) throw new TypeError('the factor was not stored');
  return row;
}

/** A factor of a user. */
export async function findFactor(db: Queryable, userId: string, id: string): Promise<Factor | null> {
  const [row] = await db.query<Factor>(sql`
    select * from auth.mfa_factors where id = ${id} and user_id = ${userId}`);
  return row ?? null;
}

/** Sets columns of a factor. */
export async function updateFactor(
  tx: Queryable,
  id: string,
  patch: Partial<Omit<Factor, 'id' | 'user_id'>>,
  now: string,
): Promise<Factor> {
  const sets = Object.entries(patch).map(
    ([column, value]) => sql`${sql.ident(column)} = ${sql.value(value)}`,
  );
  const [row] = await tx.query<Factor>(sql`
    update auth.mfa_factors set ${sql.join([...sets, sql`updated_at = ${now}`])} where id = ${id} returning *`);
  if (row === undefined) throw new TypeError('the factor is gone');
  return row;
}

/** Removes factors of all users that were begun too long ago and never challenged. */
export const deleteStaleFactors = (tx: Transaction, before: Timestamp): Promise<number> =>
  tx.execute(sql`
    delete from auth.mfa_factors f
    where f.status <> 'verified' and f.created_at < ${before}
      and not exists (select from auth.mfa_challenges c where c.factor_id = f.id)`);

/** Removes factors of a user by id. */
export const deleteFactors = (tx: Transaction, ids: readonly string[]): Promise<number> =>
  tx.execute(sql`delete from auth.mfa_factors where id = any (${ids}::uuid[])`);

/** Removes the unverified factors of a type that a user has. */
export const deleteUnverified = (tx: Transaction, userId: string, type: FactorType): Promise<number> =>
  tx.execute(sql`
    delete from auth.mfa_factors where user_id = ${userId} and status = 'unverified' and factor_type = ${type}`);

/** Sessions that a removed factor had raised fall back to one factor. */
export async function lowerSessions(tx: Transaction, factor: Factor, now: string): Promise<void> {
  await tx.execute(sql`
    delete from auth.mfa_amr_claims a using auth.sessions s
    where s.id = a.session_id and s.factor_id = ${factor.id}
      and a.authentication_method = ${factorMethods[factor.factor_type]}`);
  await tx.execute(sql`
    update auth.sessions set aal = 'aal1', factor_id = null, updated_at = ${now}
    where user_id = ${factor.user_id} and factor_id = ${factor.id}`);
}

/** A row of `auth.mfa_challenges`. */
export type Challenge = {
  readonly id: string;
  readonly factor_id: string;
  readonly created_at: Timestamp;
  readonly verified_at: Timestamp | null;
  readonly ip_address: string;
  readonly otp_code: string | null;
  readonly web_authn_session_data: JsonObject | null;
};

/** Stores a challenge and notes when its factor was challenged; `at` must be unique among all factors. */
export async function insertChallenge(
  tx: Transaction,
  challenge: Omit<Challenge, 'created_at' | 'verified_at'>,
  at: string,
): Promise<void> {
  // The factor first: two challenges that each hold a share of its row would wait for each other's.
  await tx.execute(sql`
    update auth.mfa_factors set last_challenged_at = ${at}, updated_at = ${at} where id = ${challenge.factor_id}`);
  await tx.execute(sql`
    insert into auth.mfa_challenges (id, factor_id, created_at, ip_address, otp_code, web_authn_session_data)
    values (
      ${challenge.id}, ${challenge.factor_id}, ${at}, ${challenge.ip_address}, ${challenge.otp_code},
      ${challenge.web_authn_session_data === null ? null : sql.value(challenge.web_authn_session_data)})`);
}

/** A challenge of a factor, locked so that it is answered once. */
export async function lockChallenge(
  tx: Transaction,
  id: string,
  factorId: string,
): Promise<Challenge | null> {
  const [row] = await tx.query<Challenge>(sql`
    select * from auth.mfa_challenges where id = ${id} and factor_id = ${factorId} for update`);
  return row ?? null;
}

/** Notes that a challenge was answered. */
export const markVerified = (tx: Transaction, id: string, now: string): Promise<number> =>
  tx.execute(sql`update auth.mfa_challenges set verified_at = ${now} where id = ${id}`);

/** Removes a challenge. */
export const deleteChallenge = (tx: Queryable, id: string): Promise<unknown> =>
  tx.query(sql`delete from auth.mfa_challenges where id = ${id}`);
