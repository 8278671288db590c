import type { Transaction } from '../../pg/session.ts';
import { type Sql, sql } from '../../pg/sql/sql.ts';
import type { JsonObject, User, UserColumns } from './rows.ts';

/** Anything that runs a statement: the pool, or a transaction on it. */
export type Queryable = Pick<Transaction, 'query'>;

/** The instance that every row belongs to; rows made by hand may have none. */
const instance = sql`(u.instance_id = '00000000-0000-0000-0000-000000000000' or u.instance_id is null)`;

const identitiesOf = (user: Sql): Sql => sql`coalesce((
  select json_agg(i order by i.created_at, i.provider, i.id) from auth.identities i where i.user_id = ${user}), '[]')`;

const factorsOf = (user: Sql): Sql => sql`coalesce((
  select json_agg(f order by f.created_at, f.id) from auth.mfa_factors f where f.user_id = ${user}), '[]')`;

/** Select list of a whole user from the alias `u`, with identities and factors in the same round trip. */
export const userColumns = sql`u.*, ${identitiesOf(sql`u.id`)} as identities, ${factorsOf(sql`u.id`)} as factors`;

async function findOne(db: Queryable, condition: Sql): Promise<User | null> {
  const [user] = await db.query<User>(sql`
    select ${userColumns} from auth.users u where ${instance} and ${condition} limit 1`);
  return user ?? null;
}

/** The user of an id, deleted or not. */
export const findUser = (db: Queryable, id: string): Promise<User | null> => findOne(db, sql`u.id = ${id}`);

/** The user that signs in by an address; SSO users may share addresses and are never meant. */
export const findUserByEmail = (db: Queryable, email: string, aud: string): Promise<User | null> =>
  findOne(db, sql`lower(u.email) = ${email.toLowerCase()} and u.aud = ${aud} and u.is_sso_user = false`);

/** The user of a phone number, written without its plus sign. */
export const findUserByPhone = (db: Queryable, phone: string, aud: string): Promise<User | null> =>
  findOne(db, sql`u.phone = ${phone} and u.aud = ${aud} and u.is_sso_user = false`);

/** The user who asked to change to a phone number. */
export const findUserByPhoneChange = (db: Queryable, phone: string, aud: string): Promise<User | null> =>
  findOne(db, sql`u.phone_change = ${phone} and u.aud = ${aud} and u.is_sso_user = false`);

/** Columns of a user that is to be made. */
export type NewUser = {
  readonly id: string;
  readonly aud: string;
  readonly role: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly encrypted_password: string | null;
  readonly raw_app_meta_data: JsonObject;
  readonly raw_user_meta_data: JsonObject;
  readonly is_anonymous: boolean;
  readonly is_sso_user: boolean;
};

/**
 * Inserts a user and reads the row back, since triggers of the project may have changed it.
 * Upstream: internal/api/signup.go (signupNewUser).
 */
export async function insertUser(tx: Transaction, user: NewUser, now: string): Promise<User> {
  await tx.execute(sql`
    insert into auth.users (
      instance_id, id, aud, role, email, phone, encrypted_password, raw_app_meta_data, raw_user_meta_data,
      is_anonymous, is_sso_user, confirmation_token, recovery_token, email_change_token_new,
      email_change_token_current, email_change, phone_change, phone_change_token, reauthentication_token,
      created_at, updated_at)
    values (
      '00000000-0000-0000-0000-000000000000', ${user.id}, ${user.aud}, ${user.role}, ${user.email}, ${user.phone},
      ${user.encrypted_password}, ${sql.value(user.raw_app_meta_data)}, ${sql.value(user.raw_user_meta_data)},
      ${user.is_anonymous}, ${user.is_sso_user}, '', '', '', '', '', '', '', '', ${now}, ${now})`);
  const made = await findUser(tx, user.id);
  if (made === null) throw new TypeError('a trigger removed the new user');
  return made;
}

/** Columns that may be set; an empty patch only touches `updated_at`. */
export type UserPatch = Partial<Omit<UserColumns, 'id' | 'confirmed_at' | 'created_at' | 'updated_at'>>;

/** Sets columns of a user and yields it as it is now, identities and factors included. */
export async function updateUser(tx: Queryable, user: User, patch: UserPatch, now: string): Promise<User> {
  const sets = Object.entries(patch).map(
    ([column, value]) => sql`${sql.ident(column)} = ${sql.value(value)}`,
  );
  const [row] = await tx.query<UserColumns>(sql`
    update auth.users set ${sql.join([...sets, sql`updated_at = ${now}`])} where id = ${user.id} returning *`);
  if (row === undefined) throw new TypeError('the user is gone');
  return { ...row, identities: user.identities, factors: user.factors };
}

/** Stores a user's hash in another form, unless the password has been changed meanwhile. */
export const renewPasswordHash = (
  tx: Transaction,
  id: string,
  stored: string,
  renewed: string,
): Promise<number> =>
  tx.execute(sql`
    update auth.users set encrypted_password = ${renewed} where id = ${id} and encrypted_password = ${stored}`);

/** Reads a user again: after others (triggers, identity writes) may have changed it. */
export async function reloadUser(tx: Queryable, user: User): Promise<User> {
  const found = await findUser(tx, user.id);
  if (found === null) throw new TypeError('the user is gone');
  return found;
}

/**
 * Metadata with updates laid over it: a null removes its key.
 * Upstream: internal/models/user.go (UpdateUserMetaData).
 */
export function mergeMetadata(current: JsonObject | null, updates: JsonObject): JsonObject {
  const merged: Record<string, unknown> = { ...current };
  for (const [key, value] of Object.entries(updates)) {
    if (value === null || value === undefined) delete merged[key];
    else merged[key] = value;
  }
  return merged;
}

/**
 * The user who already has an address in the default linking domain: by an identity, else by the users table.
 * Upstream: internal/models/user.go (IsDuplicatedEmail).
 */
export async function findDuplicateEmail(
  db: Queryable,
  email: string,
  aud: string,
  except: string | null,
  ownDomains: readonly string[],
): Promise<User | null> {
  const address = email.toLowerCase();
  // Addresses are unique whatever the audience. The two halves have an index each, which their union could not use.
  const [user] = await db.query<User>(sql`
    with holders as (
      select u.id, 1 as rank from auth.users u
      where ${instance} and lower(u.email) = ${address} and u.is_sso_user = false
      union all
      select u.id, 2 from auth.identities i join auth.users u on u.id = i.user_id
      where i.email = ${address} and u.aud = ${aud} and i.provider not like 'sso:%'
        and not (i.provider = any (${ownDomains}::text[]))
    )
    select ${userColumns} from holders join auth.users u using (id)
    where u.id is distinct from ${except}::uuid
    order by holders.rank limit 1`);
  return user ?? null;
}

/** Deletes a user and everything that hangs on it. */
export const deleteUser = (tx: Transaction, id: string): Promise<number> =>
  tx.execute(sql`delete from auth.users where id = ${id}`);
