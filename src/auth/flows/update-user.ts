import type { UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { accountFailure } from '../failures/account.ts';
import { demandChannel, type SmsChannel } from '../sms/channel.ts';
import type { JsonObject, User } from '../store/rows.ts';
import { endOtherSessions, endSessions } from '../store/sessions.ts';
import { findDuplicateEmail, findUserByPhone, mergeMetadata, updateUser } from '../store/users.ts';
import { epochMs } from '../timestamp.ts';
import { highestLevel, isRecoverySession } from '../tokens/assurance.ts';
import { asRead, ensureEmailIdentity, storePassword } from './account.ts';
import { demandEmail, demandPhone } from './addresses.ts';
import { completePhoneChange, takeOverEmail } from './complete.ts';
import { sendEmailChange } from './email-change.ts';
import { type Flow, runFlow } from './flow.ts';
import { notify } from './notify.ts';
import { beginMailFlow, type Challenge } from './pkce.ts';
import { demandReauthentication } from './reauthenticate.ts';
import { sendPhoneCode } from './send-sms.ts';
import { separateProviders } from './sign-up.ts';

/** What a user asks to change about itself; empty texts change nothing. */
export type UserChanges = {
  readonly email: string;
  readonly phone: string;
  /** Null leaves the password; the empty text takes it away. */
  readonly password: string | null;
  readonly currentPassword: string;
  readonly nonce: string;
  readonly data: JsonObject | null;
  readonly hasAppMetadata: boolean;
  readonly channel: string;
  readonly challenge: () => Challenge | null;
};

/** Changes in stored form, with what was not changed left out. */
type Checked = {
  readonly email: string | null;
  readonly phone: string | null;
  readonly channel: SmsChannel;
  readonly password: string | null;
  readonly nonce: string;
  readonly data: JsonObject | null;
  readonly challenge: Challenge | null;
};

/**
 * Changes a user by its own wish.
 * Upstream: internal/api/user.go (UserUpdate).
 */
export async function updateOwnUser(
  context: AuthContext,
  call: UserCall,
  changes: UserChanges,
): Promise<User> {
  const checked = await check(context, call, changes);
  const hash = await newHash(context, call, changes, checked);
  return runFlow(context, call, async (flow) => {
    let user = call.user;
    if (checked.password !== null) user = await changePassword(context, flow, call, user, hash);
    if (checked.data !== null) {
      const merged = mergeMetadata(user.raw_user_meta_data, checked.data);
      user = await updateUser(flow.tx, user, { raw_user_meta_data: merged }, context.now());
    }
    if (checked.email !== null)
      user = await changeEmail(context, flow, user, checked.email, checked.challenge);
    if (checked.phone !== null) user = await changePhone(context, flow, user, checked.phone, checked.channel);
    await context.audit.record(flow.tx, user, 'user_modified');
    return user;
  });
}

async function check(context: AuthContext, call: UserCall, changes: UserChanges): Promise<Checked> {
  const { user } = call;
  const email = changes.email === '' ? null : demandEmail(changes.email);
  const phone = changes.phone === '' ? null : demandPhone(changes.phone);
  const channel = phone === null ? 'sms' : demandChannel(context.config, changes.channel);
  if (changes.password !== null) await context.passwords.demandStrong(changes.password);
  if (changes.hasAppMetadata) throw accountFailure.appMetadataNotAdmin();
  const checked: Checked = {
    email: email === user.email ? null : email,
    phone: phone === user.phone ? null : phone,
    channel,
    password: changes.password,
    nonce: changes.nonce,
    data: changes.data,
    challenge: changes.challenge(),
  };
  demandRights(call, changes, checked);
  await demandFree(context, call, checked);
  return checked;
}

function demandRights({ user, session }: UserCall, changes: UserChanges, checked: Checked): void {
  const touchesCredentials = Boolean(checked.password) || checked.email !== null || checked.phone !== null;
  if (touchesCredentials && highestLevel(user) === 'aal2' && session?.aal !== 'aal2') {
    throw accountFailure.aal2Required();
  }
  if (user.is_anonymous && checked.password && changes.email === '' && changes.phone === '') {
    throw accountFailure.anonymousPassword();
  }
  if (user.is_sso_user && (touchesCredentials || checked.nonce !== '')) throw accountFailure.ssoManaged();
}

async function demandFree(context: AuthContext, call: UserCall, { email, phone }: Checked): Promise<void> {
  if (email !== null) {
    const domains = separateProviders(context);
    const taken = await findDuplicateEmail(context.db, email, call.aud, call.user.id, domains);
    if (taken !== null) throw accountFailure.emailExists();
  }
  if (phone !== null && (await findUserByPhone(context.db, phone, call.aud)) !== null) {
    throw accountFailure.phoneExists();
  }
}

const dayMs = 86_400_000;

/** Checks what a new password depends on and hashes it, before the transaction; null takes the password away. */
async function newHash(
  context: AuthContext,
  call: UserCall,
  changes: UserChanges,
  { password, nonce }: Checked,
): Promise<string | null> {
  if (password === null) return null;
  const { user, session } = call;
  const { config } = context;
  const isOld = session === null || context.clock.now() > epochMs(session.created_at) + dayMs;
  if (config.securePasswordChange && isOld) {
    if (nonce === '') throw accountFailure.reauthenticationNeeded();
    await demandReauthentication(context, call, nonce);
  }
  if (password === '') return null;
  if (user.encrypted_password) await compareWithCurrent(context, call, changes, password);
  return context.passwords.hash(password, user.id);
}

async function compareWithCurrent(
  context: AuthContext,
  { user, session }: UserCall,
  { currentPassword }: UserChanges,
  password: string,
): Promise<void> {
  const isRecovery = session !== null && isRecoverySession(session);
  if (context.config.requireCurrentPassword && !isRecovery) {
    if (currentPassword === '') throw accountFailure.currentPasswordRequired();
    const isRight = await context.passwords.verify(currentPassword, user.encrypted_password, user.id);
    if (!isRight) throw accountFailure.currentPasswordInvalid();
  }
  if (await context.passwords.verify(password, user.encrypted_password, user.id)) {
    throw accountFailure.samePassword();
  }
}

/** Every other session ends with the old password. */
async function changePassword(
  context: AuthContext,
  flow: Flow,
  call: UserCall,
  user: User,
  hash: string | null,
): Promise<User> {
  const changed = await storePassword(context, flow, user, hash);
  if (call.session === null) await endSessions(flow.tx, user.id);
  else await endOtherSessions(flow.tx, user.id, call.session.id);
  await context.audit.record(flow.tx, changed, 'user_updated_password');
  const isFirst = !user.encrypted_password && hash !== null;
  const settled = isFirst ? await ensureEmailIdentity(context, flow, changed) : changed;
  await notify(context, flow, settled, 'password_changed');
  return settled;
}

async function changeEmail(
  context: AuthContext,
  flow: Flow,
  user: User,
  email: string,
  challenge: Challenge | null,
): Promise<User> {
  if (user.is_anonymous && !context.config.emailConfirmations) {
    return asRead(user, await takeOverEmail(context, flow, { ...user, email_change: email }));
  }
  await beginMailFlow(context, flow, user.id, 'email_change', 'email_change', challenge);
  return sendEmailChange(context, flow, user, email, challenge !== null);
}

async function changePhone(
  context: AuthContext,
  flow: Flow,
  user: User,
  phone: string,
  channel: SmsChannel,
): Promise<User> {
  if (!context.config.phoneConfirmations) {
    return asRead(user, await completePhoneChange(context, flow, { ...user, phone_change: phone }));
  }
  return (await sendPhoneCode(context, flow, user, phone, 'phone_change', channel)).user;
}
