import type { AuthContext } from '../context.ts';
import { findIdentity, insertIdentity, providersOf, updateIdentityData } from '../store/identities.ts';
import { clearTokens } from '../store/one-time-tokens.ts';
import type { Identity, JsonObject, User } from '../store/rows.ts';
import { mergeMetadata, reloadUser, type UserPatch, updateUser } from '../store/users.ts';
import { epochMs } from '../timestamp.ts';
import type { Flow } from './flow.ts';

/** Whether the user may not sign in now. */
export const isBanned = (user: Pick<User, 'banned_until'>, nowMs: number): boolean =>
  user.banned_until !== null && nowMs < epochMs(user.banned_until);

/** Data of an identity that the service itself vouches for. */
export const ownIdentityData = (
  userId: string,
  address: { readonly email?: string; readonly phone?: string } = {},
  verified: { readonly email?: boolean; readonly phone?: boolean } = {},
): JsonObject => ({
  sub: userId,
  ...(address.email ? { email: address.email } : {}),
  email_verified: verified.email ?? false,
  ...(address.phone ? { phone: address.phone } : {}),
  phone_verified: verified.phone ?? false,
});

/** Every column that holds a token or says when it was sent. */
const noTokens: UserPatch = {
  confirmation_token: '',
  confirmation_sent_at: null,
  recovery_token: '',
  recovery_sent_at: null,
  email_change_token_current: '',
  email_change_token_new: '',
  email_change_sent_at: null,
  phone_change_token: '',
  phone_change_sent_at: null,
  reauthentication_token: '',
  reauthentication_sent_at: null,
};

/** Confirms the mail address of a user; every pending token dies. */
export async function confirmEmail(context: AuthContext, flow: Flow, user: User): Promise<User> {
  const now = context.now();
  await clearTokens(flow.tx, user.id);
  return updateUser(
    flow.tx,
    user,
    {
      confirmation_token: '',
      email_confirmed_at: now,
      raw_user_meta_data: mergeMetadata(user.raw_user_meta_data, { email_verified: true }),
    },
    now,
  );
}

/** Confirms the phone number of a user; every pending token dies. */
export async function confirmPhone(context: AuthContext, flow: Flow, user: User): Promise<User> {
  const now = context.now();
  await clearTokens(flow.tx, user.id);
  return updateUser(flow.tx, user, { confirmation_token: '', phone_confirmed_at: now }, now);
}

/** Writes the hash of a new password; what was asked for under the old one is no longer trusted. */
export async function storePassword(
  context: AuthContext,
  flow: Flow,
  user: User,
  hash: string | null,
): Promise<User> {
  await clearTokens(flow.tx, user.id);
  return updateUser(flow.tx, user, { ...noTokens, encrypted_password: hash }, context.now());
}

/** Forgets every pending change and token of a user. */
export async function clearPending(context: AuthContext, flow: Flow, user: User): Promise<User> {
  await clearTokens(flow.tx, user.id);
  const patch: UserPatch = {
    ...noTokens,
    email_change: '',
    phone_change: '',
    email_change_confirm_status: 0,
  };
  return updateUser(flow.tx, user, patch, context.now());
}

/** Writes the providers of a user's identities into its app metadata, oldest first, and reads the user again. */
export async function refreshProviders(context: AuthContext, flow: Flow, user: User): Promise<User> {
  const providers = await providersOf(flow.tx, user.id);
  const [provider] = providers;
  const updates = provider === undefined ? { providers } : { providers, provider };
  const updated = await updateUser(
    flow.tx,
    user,
    { raw_app_meta_data: mergeMetadata(user.raw_app_meta_data, updates) },
    context.now(),
  );
  return reloadUser(flow.tx, updated);
}

/**
 * Gives a user who gets its first password the identity of its confirmed address, where the project wants that: without
 * one, somebody who came through a provider could not part from it.
 * Upstream: internal/api/identity.go (ensureEmailIdentityForPassword).
 */
export async function ensureEmailIdentity(context: AuthContext, flow: Flow, user: User): Promise<User> {
  const { email, email_confirmed_at: confirmedAt } = user;
  const isWanted = context.config.emailIdentityOnPassword && !user.is_sso_user && !user.is_anonymous;
  if (!isWanted || !email || confirmedAt === null) return user;
  if ((await findIdentity(flow.tx, user.id, 'email')) !== null) return user;
  await upsertOwnIdentity(context, flow, user, 'email', { email, email_verified: true });
  return refreshProviders(context, flow, user);
}

/** Gives the user an identity of an own provider, or lays the data over the one that is there. */
export async function upsertOwnIdentity(
  context: AuthContext,
  flow: Flow,
  user: User,
  provider: 'email' | 'phone',
  data: JsonObject,
): Promise<{ readonly identity: Identity; readonly isNew: boolean }> {
  const existing = await findIdentity(flow.tx, user.id, provider);
  if (existing === null) {
    const fresh = { ...ownIdentityData(user.id), ...data };
    return { identity: await insertIdentity(flow.tx, user, provider, fresh, context.now()), isNew: true };
  }
  return { identity: await updateIdentityData(flow.tx, existing, data, context.now()), isNew: false };
}

/**
 * A user after changes, as answers show it: `confirmed_at`, which the database makes of other columns, is as it was when
 * the row was read. Upstream: internal/models/user.go, whose updates read nothing back.
 */
export const asRead = (before: User, now: User): User => ({ ...now, confirmed_at: before.confirmed_at });
