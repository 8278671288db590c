import type { AuthContext } from '../context.ts';
import { updateIdentityData } from '../store/identities.ts';
import { clearToken, clearTokens } from '../store/one-time-tokens.ts';
import type { User } from '../store/rows.ts';
import { endSessions } from '../store/sessions.ts';
import { reloadUser, updateUser } from '../store/users.ts';
import { pkcePrefix } from '../tokens/one-time.ts';
import { confirmEmail, confirmPhone, refreshProviders, storePassword, upsertOwnIdentity } from './account.ts';
import type { Flow } from './flow.ts';
import { notify } from './notify.ts';
import type { Verified } from './verify.ts';

/** A user whose verification is complete, or null when the other address has to confirm as well. */
export type Completed = User | null;

/** Does what a verified token was sent for. */
export async function complete(
  context: AuthContext,
  flow: Flow,
  { user, as }: Verified,
  hash: string,
): Promise<Completed> {
  const done = await carryOut(context, flow, user, as, hash);
  return done === null ? null : refreshProviders(context, flow, done);
}

function carryOut(
  context: AuthContext,
  flow: Flow,
  user: User,
  as: Verified['as'],
  hash: string,
): Promise<Completed> {
  switch (as) {
    case 'signup':
    case 'invite':
      return completeSignUp(context, flow, user);
    case 'recovery':
    case 'magiclink':
      return completeRecovery(context, flow, user);
    case 'email_change':
      return completeEmailChange(context, flow, user, hash);
    case 'sms':
      return completePhone(context, flow, user);
    case 'phone_change':
      return completePhoneChange(context, flow, user);
  }
}

/** An invited user gets a password that nobody knows, until the app asks for one. */
async function completeSignUp(context: AuthContext, flow: Flow, user: User): Promise<User> {
  const needsPassword = !user.encrypted_password && user.invited_at !== null;
  const prepared = needsPassword ? await giveUnknownPassword(context, flow, user) : user;
  await context.audit.record(flow.tx, prepared, 'user_signedup', { provider: 'email' });
  const confirmed = await confirmEmail(context, flow, prepared);
  for (const identity of confirmed.identities) {
    if (!identity.email || identity.email !== confirmed.email) continue;
    await updateIdentityData(flow.tx, identity, { email_verified: true }, context.now());
  }
  return confirmed;
}

async function giveUnknownPassword(context: AuthContext, flow: Flow, user: User): Promise<User> {
  const updated = await storePassword(context, flow, user, context.passwords.unknown(user.id));
  await endSessions(flow.tx, user.id);
  return updated;
}

async function completeRecovery(context: AuthContext, flow: Flow, user: User): Promise<User> {
  await clearTokens(flow.tx, user.id);
  const cleared = await updateUser(flow.tx, user, { recovery_token: '' }, context.now());
  if (cleared.email_confirmed_at !== null) {
    await context.audit.record(flow.tx, cleared, 'login');
    return cleared;
  }
  await context.audit.record(flow.tx, cleared, 'user_signedup', { provider: 'email' });
  return confirmEmail(context, flow, cleared);
}

async function completePhone(context: AuthContext, flow: Flow, user: User): Promise<User> {
  await context.audit.record(flow.tx, user, 'user_signedup', { provider: 'phone' });
  return makePermanent(context, flow, await confirmPhone(context, flow, user));
}

const makePermanent = async (context: AuthContext, flow: Flow, user: User): Promise<User> =>
  user.is_anonymous ? updateUser(flow.tx, user, { is_anonymous: false }, context.now()) : user;

/** Takes over the phone number that a user asked to change to. */
export async function completePhoneChange(context: AuthContext, flow: Flow, user: User): Promise<User> {
  const now = context.now();
  const phone = user.phone_change ?? '';
  await context.audit.record(flow.tx, user, 'user_modified');
  const { isNew } = await upsertOwnIdentity(context, flow, user, 'phone', { phone, phone_verified: true });
  await clearTokens(flow.tx, user.id);
  const changed = await updateUser(
    flow.tx,
    user,
    { phone, phone_change: '', phone_change_token: '', phone_confirmed_at: now },
    now,
  );
  const permanent = await reloadUser(flow.tx, await makePermanent(context, flow, changed));
  if (user.phone) await notify(context, flow, permanent, 'phone_changed', { old_phone: user.phone });
  if (isNew) await notify(context, flow, permanent, 'identity_linked', { provider: 'phone' });
  return permanent;
}

/** The first of two confirmations is only noted; its token is spent. */
async function completeEmailChange(
  context: AuthContext,
  flow: Flow,
  user: User,
  hash: string,
): Promise<Completed> {
  const { emailConfirmations, doubleConfirmChanges } = context.config;
  const isFirstOfTwo = doubleConfirmChanges && !user.email_change_confirm_status && Boolean(user.email);
  // Without confirmations at sign-up a single one settles the change, as upstream has it.
  if (!emailConfirmations || !isFirstOfTwo) return takeOverEmail(context, flow, user);
  const isCurrent = [hash, pkcePrefix + hash].includes(user.email_change_token_current ?? '');
  const spent = isCurrent ? 'email_change_token_current' : 'email_change_token_new';
  await clearToken(flow.tx, user.id, spent);
  await updateUser(flow.tx, user, { email_change_confirm_status: 1, [spent]: '' }, context.now());
  return null;
}

/** Takes over the mail address that a user asked to change to. */
export async function takeOverEmail(context: AuthContext, flow: Flow, user: User): Promise<User> {
  const email = user.email_change ?? '';
  await context.audit.record(flow.tx, user, 'user_modified');
  await upsertOwnIdentity(context, flow, user, 'email', { email, email_verified: true });
  const permanent = await makePermanent(context, flow, user);
  await clearTokens(flow.tx, user.id);
  const changed = await updateUser(
    flow.tx,
    permanent,
    {
      email,
      email_change: '',
      email_change_token_current: '',
      email_change_token_new: '',
      email_change_confirm_status: 0,
    },
    context.now(),
  );
  const confirmed =
    changed.email_confirmed_at === null ? await confirmEmail(context, flow, changed) : changed;
  const current = await reloadUser(flow.tx, confirmed);
  if (user.email)
    await notify(context, flow, current, 'email_changed', { old_email: user.email }, user.email);
  return current;
}
