import type { AdminCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { accountFailure } from '../failures/account.ts';
import { adminFailure } from '../failures/admin.ts';
import { verificationLink } from '../mail/link.ts';
import type { JsonObject, User } from '../store/rows.ts';
import {
  findDuplicateEmail,
  findUserByEmail,
  mergeMetadata,
  type NewUser,
  updateUser,
} from '../store/users.ts';
import { hashOtp, makeOtp } from '../tokens/one-time.ts';
import { demandEmail } from './addresses.ts';
import { type Flow, runFlow } from './flow.ts';
import { createEmailUser, invitedUser } from './invite.ts';
import { keepToken } from './keep-token.ts';
import { callAfterUserCreated, callBeforeUserCreated, separateProviders } from './sign-up.ts';

/** Kinds of links that an admin may ask for. */
export type LinkType =
  | 'signup'
  | 'invite'
  | 'magiclink'
  | 'recovery'
  | 'email_change_current'
  | 'email_change_new';

const linkTypes: readonly string[] = [
  'signup',
  'invite',
  'magiclink',
  'recovery',
  'email_change_current',
  'email_change_new',
];

/** A link that is to be made; nothing is mailed. */
export type LinkOrder = {
  readonly type: string;
  readonly email: string;
  readonly newEmail: string;
  readonly password: string;
  readonly data: JsonObject | null;
  readonly redirectTo: string;
};

/** A link and what it is made of. */
export type GeneratedLink = {
  readonly user: User;
  readonly type: string;
  readonly url: string;
  readonly otp: string;
  readonly hash: string;
};

/**
 * Makes a link that an app sends in its own way.
 * Upstream: internal/api/mail.go (adminGenerateLink).
 */
export async function generateLink(
  context: AuthContext,
  call: AdminCall,
  order: LinkOrder,
): Promise<GeneratedLink> {
  const existing = await findUserByEmail(context.db, order.email, call.aud);
  const type = existing === null ? typeForStranger(order.type) : order.type;
  const fresh = existing === null ? await prepareUser(context, call, type, order) : null;
  const otp = makeOtp(context.random, context.config.emailOtpLength);
  const made = await runFlow(context, call, async (flow) => {
    const user = fresh === null ? existing : await createEmailUser(context, flow, fresh);
    if (user === null || !linkTypes.includes(type)) throw adminFailure.linkType(type);
    return storeToken(context, flow, call, user, type as LinkType, order, otp, fresh !== null);
  });
  if (fresh !== null) await callAfterUserCreated(context, call, made.user);
  const isChange = type.startsWith('email_change');
  const path = isChange
    ? 'email_change'
    : type === 'signup'
      ? 'confirmation'
      : type === 'invite'
        ? 'invite'
        : 'recovery';
  const url = verificationLink(call.externalUrl, context.config.mailerPaths[path], {
    token: made.hash,
    type: isChange ? 'email_change' : type,
    redirectTo: order.redirectTo,
  });
  return { ...made, type, url, otp };
}

/** Links for users that there are not: some make one, some cannot. */
function typeForStranger(type: string): string {
  if (type === 'magiclink') return 'signup';
  if (['recovery', 'email_change_current', 'email_change_new'].includes(type)) {
    throw adminFailure.linkUserNotFound();
  }
  return type;
}

async function prepareUser(
  context: AuthContext,
  call: AdminCall,
  type: string,
  order: LinkOrder,
): Promise<NewUser | null> {
  if (type !== 'signup' && type !== 'invite') return null;
  const data = order.data ?? {};
  if (type === 'invite') {
    const fresh = invitedUser(context, call.aud, order.email, data);
    await callBeforeUserCreated(context, call, fresh);
    return fresh;
  }
  const invited = invitedUser(context, call.aud, order.email, data);
  const fresh = { ...invited, encrypted_password: await firstHash(context, invited.id, order) };
  await callBeforeUserCreated(context, call, fresh);
  return fresh;
}

/** The hash of the password that the link's user begins with; a magic link's begins with none that anybody knows. */
async function firstHash(context: AuthContext, id: string, { type, password }: LinkOrder): Promise<string> {
  if (type === 'magiclink') return context.passwords.unknown(id);
  if (password === '') throw accountFailure.signupPasswordRequired();
  await context.passwords.demandStrong(password);
  return context.passwords.hash(password, id);
}

type Stored = { readonly user: User; readonly hash: string };

function storeToken(
  context: AuthContext,
  flow: Flow,
  call: AdminCall,
  user: User,
  type: LinkType,
  order: LinkOrder,
  otp: string,
  isNew: boolean,
): Promise<Stored> {
  switch (type) {
    case 'magiclink':
    case 'recovery':
      return storeRecovery(context, flow, user, otp);
    case 'invite':
    case 'signup':
      return storeConfirmation(context, flow, call, user, type, order, otp, isNew);
    case 'email_change_current':
    case 'email_change_new':
      return storeChange(context, flow, user, type, order, otp);
  }
}

async function storeRecovery(context: AuthContext, flow: Flow, user: User, otp: string): Promise<Stored> {
  const now = context.now();
  const email = user.email ?? '';
  const hash = hashOtp(email, otp);
  await context.audit.record(flow.tx, user, 'user_recovery_requested');
  const updated = await updateUser(flow.tx, user, { recovery_token: hash, recovery_sent_at: now }, now);
  await keepToken(context, flow, user.id, 'recovery_token', { address: email, hash }, now);
  return { user: updated, hash };
}

async function storeConfirmation(
  context: AuthContext,
  flow: Flow,
  call: AdminCall,
  user: User,
  type: 'invite' | 'signup',
  order: LinkOrder,
  otp: string,
  isNew: boolean,
): Promise<Stored> {
  if (!isNew && user.email_confirmed_at !== null) throw accountFailure.emailExists();
  const now = context.now();
  const email = user.email ?? '';
  const hash = hashOtp(email, otp);
  if (type === 'invite') {
    await context.audit.record(flow.tx, call.actor, 'user_invited', { user_id: user.id, user_email: email });
  }
  const updated = await updateUser(
    flow.tx,
    user,
    {
      confirmation_token: hash,
      confirmation_sent_at: now,
      ...(type === 'invite' ? { invited_at: now } : {}),
      ...(type === 'signup' && !isNew
        ? { raw_user_meta_data: mergeMetadata(user.raw_user_meta_data, order.data ?? {}) }
        : {}),
    },
    now,
  );
  await keepToken(context, flow, user.id, 'confirmation_token', { address: email, hash }, now);
  return { user: updated, hash };
}

/** The hash belongs to the address that the link is for; upstream returns the one of the other for the new address. */
async function storeChange(
  context: AuthContext,
  flow: Flow,
  user: User,
  type: 'email_change_current' | 'email_change_new',
  order: LinkOrder,
  otp: string,
): Promise<Stored> {
  const isCurrent = type === 'email_change_current';
  if (isCurrent && !context.config.doubleConfirmChanges) throw adminFailure.linkNeedsSecureChange();
  const newEmail = demandEmail(order.newEmail);
  const domains = separateProviders(context);
  const taken = await findDuplicateEmail(flow.tx, newEmail, user.aud ?? '', user.id, domains);
  if (taken !== null) throw accountFailure.emailExists();
  const now = context.now();
  const address = isCurrent ? (user.email ?? '') : newEmail;
  const hash = hashOtp(address, otp);
  const column = isCurrent ? 'email_change_token_current' : 'email_change_token_new';
  const updated = await updateUser(
    flow.tx,
    user,
    {
      email_change: newEmail,
      email_change_sent_at: now,
      email_change_confirm_status: 0,
      [column]: hash,
    },
    now,
  );
  await keepToken(context, flow, user.id, column, { address, hash }, now);
  return { user: updated, hash };
}
