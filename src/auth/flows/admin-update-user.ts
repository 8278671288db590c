import type { AdminCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import type { User } from '../store/rows.ts';
import { endSessions } from '../store/sessions.ts';
import { mergeMetadata, reloadUser, type UserPatch, updateUser } from '../store/users.ts';
import {
  confirmEmail,
  confirmPhone,
  ensureEmailIdentity,
  storePassword,
  upsertOwnIdentity,
} from './account.ts';
import { demandEmail, demandPhone } from './addresses.ts';
import { banEnd, worded } from './admin-create-user.ts';
import type { AdminUserBody } from './admin-user-body.ts';
import { type Flow, runFlow } from './flow.ts';

/** Changes in stored form; null ones were not asked for. */
type Changes = {
  readonly email: string | null;
  readonly phone: string | null;
  /** Undefined leaves the password, null takes it away. */
  readonly hash: string | null | undefined;
  readonly bannedUntil: string | null | undefined;
  readonly body: AdminUserBody;
};

/**
 * Changes a user on behalf of an admin, at once.
 * Upstream: internal/api/admin.go (adminUserUpdate).
 */
export async function updateUserAsAdmin(
  context: AuthContext,
  call: AdminCall,
  user: User,
  body: AdminUserBody,
): Promise<User> {
  const email = body.email === '' ? null : demandEmail(body.email);
  const phone = body.phone === '' ? null : demandPhone(body.phone);
  const bannedUntil = banEnd(context, body.ban_duration);
  if (body.password !== null) await context.passwords.demandStrong(body.password);
  const hash = body.password === null ? undefined : await context.passwords.hash(body.password, user.id);
  const changes = { email, phone, hash, bannedUntil, body };
  return worded('Error updating user', () =>
    runFlow(context, call, async (flow) => {
      const changed = await apply(context, flow, user, changes);
      await context.audit.record(flow.tx, call.actor, 'user_modified', {
        user_id: changed.id,
        user_email: changed.email ?? '',
        user_phone: changed.phone ?? '',
      });
      const fresh = await reloadUser(flow.tx, changed);
      return { ...fresh, identities: shown(user, fresh) };
    }),
  );
}

/** The answer tells of identities as they were before, and of those that are new. */
const shown = (before: User, { identities }: User): User['identities'] => [
  ...before.identities,
  ...identities.filter(({ id }) => !before.identities.some((known) => known.id === id)),
];

async function apply(context: AuthContext, flow: Flow, before: User, changes: Changes): Promise<User> {
  const { body, email, phone, hash } = changes;
  let user = before;
  if (body.email_confirm) user = await confirmEmail(context, flow, user);
  if (body.phone_confirm) user = await confirmPhone(context, flow, user);
  if (hash !== undefined) {
    user = await storePassword(context, flow, user, hash);
    await endSessions(flow.tx, user.id);
  }
  if (email !== null) {
    const data = { email, email_verified: body.email_confirm };
    await upsertOwnIdentity(context, flow, user, 'email', data);
  }
  if (phone !== null) {
    const data = { phone, phone_verified: body.phone_confirm };
    await upsertOwnIdentity(context, flow, user, 'phone', data);
  }
  if (hash && !before.encrypted_password) user = await ensureEmailIdentity(context, flow, user);
  return updateUser(flow.tx, user, patchOf(user, changes), context.now());
}

function patchOf(user: User, { body, email, phone, bannedUntil }: Changes): UserPatch {
  const isConfirmed = (email !== null && body.email_confirm) || (phone !== null && body.phone_confirm);
  return {
    ...(body.role === '' ? {} : { role: body.role.trim() }),
    ...(email === null ? {} : { email }),
    ...(phone === null ? {} : { phone }),
    ...(user.is_anonymous && isConfirmed ? { is_anonymous: false } : {}),
    ...(bannedUntil === undefined ? {} : { banned_until: bannedUntil }),
    ...(body.app_metadata === null
      ? {}
      : { raw_app_meta_data: mergeMetadata(user.raw_app_meta_data, body.app_metadata) }),
    ...(body.user_metadata === null
      ? {}
      : { raw_user_meta_data: mergeMetadata(user.raw_user_meta_data, body.user_metadata) }),
  };
}
