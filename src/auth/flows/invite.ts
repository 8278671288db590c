import type { AdminCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { accountFailure } from '../failures/account.ts';
import { insertIdentity } from '../store/identities.ts';
import type { JsonObject, User } from '../store/rows.ts';
import { findUserByEmail, type NewUser } from '../store/users.ts';
import { ownIdentityData } from './account.ts';
import { type Flow, runFlow } from './flow.ts';
import { sendTokenMail } from './send-mail.ts';
import { callAfterUserCreated, callBeforeUserCreated, createUser } from './sign-up.ts';

/** A user by mail address that is yet to be made, without a password. */
export const invitedUser = (context: AuthContext, aud: string, email: string, data: JsonObject): NewUser => ({
  id: context.random.uuid(),
  aud,
  role: context.config.jwtDefaultRole,
  email,
  phone: null,
  encrypted_password: '',
  raw_app_meta_data: { provider: 'email', providers: ['email'] },
  raw_user_meta_data: data,
  is_anonymous: false,
  is_sso_user: false,
});

/** Makes a user by mail address with its identity. */
export async function createEmailUser(context: AuthContext, flow: Flow, fresh: NewUser): Promise<User> {
  const user = await createUser(context, flow, fresh);
  const data = ownIdentityData(user.id, { email: user.email ?? '' });
  const identity = await insertIdentity(flow.tx, user, 'email', data, context.now());
  return { ...user, identities: [identity] };
}

/**
 * Invites somebody by mail; who has not accepted yet is invited again.
 * Upstream: internal/api/invite.go.
 */
export async function inviteUser(
  context: AuthContext,
  call: AdminCall,
  email: string,
  data: JsonObject,
): Promise<User> {
  const existing = await findUserByEmail(context.db, email, call.aud);
  const fresh = existing === null ? invitedUser(context, call.aud, email, data) : null;
  if (fresh !== null) await callBeforeUserCreated(context, call, fresh);
  const user = await runFlow(context, call, async (flow) => {
    if (existing !== null && existing.email_confirmed_at !== null) throw accountFailure.emailExists();
    const invited = fresh === null ? existing : await createEmailUser(context, flow, fresh);
    if (invited === null) throw new TypeError('an invitation without a user');
    const traits = { user_id: invited.id, user_email: email };
    await context.audit.record(flow.tx, call.actor, 'user_invited', traits);
    return sendTokenMail(context, flow, invited, 'invite');
  });
  await callAfterUserCreated(context, call, user);
  return user;
}
