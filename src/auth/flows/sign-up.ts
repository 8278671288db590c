import { PgFailure } from '../../pg/failure.ts';
import type { Call } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { fault } from '../failures/table.ts';
import type { SmsChannel } from '../sms/channel.ts';
import { deleteOtherIdentities, findIdentity, insertIdentity } from '../store/identities.ts';
import type { JsonObject, User } from '../store/rows.ts';
import {
  findDuplicateEmail,
  findUserByPhone,
  insertUser,
  mergeMetadata,
  type NewUser,
  updateUser,
} from '../store/users.ts';
import { userJson } from '../wire/user.ts';
import { asRead, confirmEmail, confirmPhone, ownIdentityData, refreshProviders } from './account.ts';
import { type Flow, runFlow } from './flow.ts';
import { beginMailFlow, type Challenge } from './pkce.ts';
import { sendTokenMail } from './send-mail.ts';
import { sendPhoneCode } from './send-sms.ts';

/** Who wants an account, checked and in stored form. */
export type SignUp = {
  readonly address:
    | { readonly kind: 'email'; readonly email: string }
    | { readonly kind: 'phone'; readonly phone: string; readonly channel: SmsChannel };
  /** Null for a password that nobody is told. */
  readonly password: string | null;
  readonly data: JsonObject;
  readonly challenge: Challenge | null;
};

/** What a sign-up comes to. */
export type SignUpOutcome =
  | { readonly kind: 'user'; readonly user: User; readonly isConfirmed: boolean }
  /** The address has an account already. */
  | { readonly kind: 'exists'; readonly user: User };

/** Accounts of providers in domains of their own do not make an address taken. */
export const separateProviders = (context: AuthContext): readonly string[] =>
  Object.keys(context.config.linkingDomains);

/**
 * Makes an account, or goes on with one that was never confirmed. The password is hashed before the transaction, and
 * for taken addresses too, so that their answer takes as long.
 *
 * Upstream: internal/api/signup.go.
 */
export async function signUp(
  context: AuthContext,
  call: Call,
  request: SignUp,
  isRetry = false,
): Promise<SignUpOutcome> {
  const existing = await findExisting(context, call, request);
  const id = context.random.uuid();
  const { password } = request;
  const hash = password === null ? context.passwords.unknown(id) : await context.passwords.hash(password, id);
  const fresh = existing === null ? newUserOf(context, call, request, { id, hash }) : null;
  if (fresh !== null) await callBeforeUserCreated(context, call, fresh);
  try {
    return await runFlow(context, call, (flow) => carryOut(context, flow, request, existing, fresh));
  } catch (thrown) {
    // Somebody else took the address in between: the second look finds the account.
    if (existing === null && !isRetry && isTakenAddress(thrown)) return signUp(context, call, request, true);
    throw thrown;
  }
}

const findExisting = (context: AuthContext, call: Call, { address }: SignUp): Promise<User | null> =>
  address.kind === 'email'
    ? findDuplicateEmail(context.db, address.email, call.aud, null, separateProviders(context))
    : findUserByPhone(context.db, address.phone, call.aud);

const isTakenAddress = (thrown: unknown): boolean => {
  const cause = thrown instanceof Error ? thrown.cause : null;
  return (
    cause instanceof PgFailure &&
    cause.sqlstate === '23505' &&
    ['users_email_partial_key', 'users_phone_key'].includes(cause.constraint ?? '')
  );
};

function newUserOf(
  context: AuthContext,
  call: Call,
  request: SignUp,
  { id, hash }: { readonly id: string; readonly hash: string },
): NewUser {
  const { address } = request;
  return {
    id,
    aud: call.aud,
    role: context.config.jwtDefaultRole,
    email: address.kind === 'email' ? address.email : null,
    phone: address.kind === 'phone' ? address.phone : null,
    encrypted_password: hash,
    raw_app_meta_data: { provider: address.kind, providers: [address.kind] },
    raw_user_meta_data: request.data,
    is_anonymous: false,
    is_sso_user: false,
  };
}

async function carryOut(
  context: AuthContext,
  flow: Flow,
  request: SignUp,
  existing: User | null,
  fresh: NewUser | null,
): Promise<SignUpOutcome> {
  const { address } = request;
  const confirmedAt = address.kind === 'email' ? existing?.email_confirmed_at : existing?.phone_confirmed_at;
  if (existing !== null && confirmedAt !== null) {
    await context.audit.record(flow.tx, existing, 'user_repeated_signup', { provider: address.kind });
    return { kind: 'exists', user: existing };
  }
  const created = fresh === null ? existing : await createUser(context, flow, fresh);
  if (created === null) throw new TypeError('a sign-up without a user');
  const user = await ensureIdentity(context, flow, created, request);
  const outcome = await (address.kind === 'email'
    ? finishEmail(context, flow, user, request.challenge)
    : finishPhone(context, flow, user, address.phone, address.channel));
  return fresh === null ? outcome : { ...outcome, user: withSharedData(outcome.user) };
}

/**
 * Of a user who has just signed up, the answer shows the user's metadata as the data of the identity too, in which the
 * address may be verified already; the row of the identity learns of that later.
 * Upstream: internal/api/signup.go, where both are one map in memory.
 */
const withSharedData = (user: User): User => ({
  ...user,
  identities: user.identities.map((identity) => ({ ...identity, identity_data: user.raw_user_meta_data })),
});

/** Inserts a user in the words of upstream when the project's own triggers or constraints refuse it. */
export async function createUser(context: AuthContext, flow: Flow, fresh: NewUser): Promise<User> {
  try {
    return await insertUser(flow.tx, fresh, context.now());
  } catch (cause) {
    if (cause instanceof PgFailure && cause.kind === 'server') {
      throw fault('Database error saving new user', { cause });
    }
    throw cause;
  }
}

/** A user who never confirmed keeps nothing that an earlier, perhaps foreign, sign-up brought along. */
async function ensureIdentity(context: AuthContext, flow: Flow, user: User, request: SignUp): Promise<User> {
  const provider = request.address.kind;
  const found = await findIdentity(flow.tx, user.id, provider);
  if (found !== null) return { ...user, identities: [found] };
  const own = ownIdentityData(user.id, user.email === null ? {} : { email: user.email });
  const identity = await insertIdentity(flow.tx, user, provider, { ...request.data, ...own }, context.now());
  await deleteOtherIdentities(flow.tx, user.id, identity.id);
  const cleaned = await updateUser(
    flow.tx,
    user,
    { raw_user_meta_data: mergeMetadata({}, identity.identity_data ?? {}) },
    context.now(),
  );
  return refreshProviders(context, flow, cleaned);
}

async function finishEmail(
  context: AuthContext,
  flow: Flow,
  user: User,
  challenge: Challenge | null,
): Promise<SignUpOutcome> {
  const provider = { provider: 'email' };
  if (!context.config.emailConfirmations) {
    await context.audit.record(flow.tx, user, 'user_signedup', provider);
    const confirmed = await confirmEmail(context, flow, user);
    return { kind: 'user', user: asRead(user, confirmed), isConfirmed: true };
  }
  await context.audit.record(flow.tx, user, 'user_confirmation_requested', provider);
  await beginMailFlow(context, flow, user.id, 'email', 'email/signup', challenge);
  const sent = await sendTokenMail(context, flow, user, 'signup', challenge !== null);
  return { kind: 'user', user: sent, isConfirmed: sent.phone_confirmed_at !== null };
}

async function finishPhone(
  context: AuthContext,
  flow: Flow,
  user: User,
  phone: string,
  channel: SmsChannel,
): Promise<SignUpOutcome> {
  if (!context.config.phoneConfirmations) {
    await context.audit.record(flow.tx, user, 'user_signedup', { provider: 'phone', channel });
    const confirmed = await confirmPhone(context, flow, user);
    return { kind: 'user', user: asRead(user, confirmed), isConfirmed: true };
  }
  await context.audit.record(flow.tx, user, 'user_confirmation_requested', { provider: 'phone' });
  const sent = await sendPhoneCode(context, flow, user, phone, 'confirmation', channel);
  return { kind: 'user', user: sent.user, isConfirmed: sent.user.email_confirmed_at !== null };
}

/** Lets the project refuse a user before there is one. */
export async function callBeforeUserCreated(context: AuthContext, call: Call, user: NewUser): Promise<void> {
  if (!context.hooks.has('before_user_created')) return;
  await context.hooks.call(
    'before_user_created',
    // The role is given when the row is written.
    { user: userJson(draftUser(context, { ...user, role: '' })) },
    call.request.ip,
  );
}

/** Tells the project of a user that there is now. */
export async function callAfterUserCreated(context: AuthContext, call: Call, user: User): Promise<void> {
  await context.hooks.call('after_user_created', { user: userJson(user) }, call.request.ip);
}

/** A user as it would be stored, for those who ask before it is. */
export function draftUser(context: AuthContext, user: NewUser): User {
  const now = context.now();
  return {
    ...user,
    email_confirmed_at: null,
    invited_at: null,
    confirmation_token: '',
    confirmation_sent_at: null,
    recovery_token: '',
    recovery_sent_at: null,
    email_change_token_new: '',
    email_change: '',
    email_change_sent_at: null,
    email_change_token_current: '',
    email_change_confirm_status: 0,
    last_sign_in_at: null,
    created_at: now,
    updated_at: now,
    phone_confirmed_at: null,
    phone_change: '',
    phone_change_token: '',
    phone_change_sent_at: null,
    confirmed_at: null,
    banned_until: null,
    reauthentication_token: '',
    reauthentication_sent_at: null,
    deleted_at: null,
    identities: [],
    factors: [],
  };
}
