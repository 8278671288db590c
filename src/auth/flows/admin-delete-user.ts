import { createHash } from 'node:crypto';
import { sql } from '../../pg/sql/sql.ts';
import type { AdminCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { clearTokens } from '../store/one-time-tokens.ts';
import type { User } from '../store/rows.ts';
import { endSessions } from '../store/sessions.ts';
import { deleteUser, updateUser } from '../store/users.ts';
import { worded } from './admin-create-user.ts';
import { type Flow, runFlow } from './flow.ts';

/** What remains of a value: enough to tell that it was the same, not what it was. */
const obscured = (id: string, value: string): string =>
  createHash('sha256')
    .update(id + value)
    .digest('base64url');

const obscuredPhoneLength = 15;

/**
 * Deletes a user. Softly: the row stays for what refers to it, and nothing personal is in it; the addresses and
 * accounts at providers are free again.
 *
 * Upstream: internal/api/admin.go (adminUserDelete), internal/models/user.go (SoftDeleteUser).
 */
export async function deleteUserAsAdmin(
  context: AuthContext,
  call: AdminCall,
  user: User,
  isSoft: boolean,
): Promise<void> {
  await worded('Database error deleting user', () =>
    runFlow(context, call, async (flow) => {
      await context.audit.record(flow.tx, call.actor, 'user_deleted', {
        user_id: user.id,
        user_email: user.email ?? '',
        user_phone: user.phone ?? '',
      });
      if (!isSoft) await deleteUser(flow.tx, user.id);
      else if (user.deleted_at === null) await empty(context, flow, user);
    }),
  );
}

async function empty(context: AuthContext, flow: Flow, user: User): Promise<void> {
  const now = context.now();
  const phone = (value: string | null): string =>
    obscured(user.id, value ?? '').slice(0, obscuredPhoneLength);
  await updateUser(
    flow.tx,
    user,
    {
      email: obscured(user.id, user.email ?? ''),
      phone: phone(user.phone),
      email_change: obscured(user.id, user.email_change ?? ''),
      phone_change: phone(user.phone_change),
      encrypted_password: null,
      confirmation_token: '',
      recovery_token: '',
      email_change_token_current: '',
      email_change_token_new: '',
      phone_change_token: '',
      reauthentication_token: '',
      raw_user_meta_data: {},
      raw_app_meta_data: {},
      deleted_at: now,
    },
    now,
  );
  await clearTokens(flow.tx, user.id);
  for (const identity of user.identities) {
    const providerId = obscured(user.id, `${identity.provider}:${identity.provider_id}`);
    await flow.tx.execute(sql`
      update auth.identities set identity_data = '{}', provider_id = ${providerId}, updated_at = ${now}
      where id = ${identity.id}`);
  }
  await flow.tx.execute(sql`delete from auth.mfa_factors where user_id = ${user.id}`);
  await flow.tx.execute(sql`delete from auth.webauthn_credentials where user_id = ${user.id}`);
  await endSessions(flow.tx, user.id);
}
