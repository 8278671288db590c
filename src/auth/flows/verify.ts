import type { AuthContext } from '../context.ts';
import { linkFailure } from '../failures/link.ts';
import { requestFailure } from '../failures/request.ts';
import { testOtp } from '../sms/channel.ts';
import { lockUser, lockUserByToken, type TokenType } from '../store/one-time-tokens.ts';
import type { User } from '../store/rows.ts';
import { findUserByEmail, findUserByPhone, findUserByPhoneChange } from '../store/users.ts';
import { isFresh, isOtpValid, pkcePrefix } from '../tokens/one-time.ts';
import { isBanned } from './account.ts';
import type { Flow } from './flow.ts';

/** What a token proves, once it is clear which of the user's tokens it is. */
export type VerifiedAs =
  | 'signup'
  | 'invite'
  | 'recovery'
  | 'magiclink'
  | 'email_change'
  | 'sms'
  | 'phone_change';

/** A user and what its token proved. */
export type Verified = { readonly user: User; readonly as: VerifiedAs };

/** Tokens that a type of verification may have been sent as. */
const tokenTypes: Readonly<Record<string, readonly TokenType[]>> = {
  email: ['confirmation_token', 'recovery_token'],
  signup: ['confirmation_token'],
  invite: ['confirmation_token'],
  recovery: ['recovery_token'],
  magiclink: ['recovery_token'],
  email_change: ['email_change_token_current', 'email_change_token_new'],
};

/** Where a link carries the hash itself: finds its user and locks it, so that a link works once. */
export async function verifyHash(
  context: AuthContext,
  flow: Flow,
  type: string,
  hash: string,
): Promise<Verified> {
  const types = Object.hasOwn(tokenTypes, type) ? tokenTypes[type] : undefined;
  if (types === undefined) throw linkFailure.verifyBadEmailType();
  const user = await lockUserByToken(flow.tx, [hash], types);
  if (user === null) throw linkFailure.linkExpired();
  const nowMs = context.clock.now();
  if (isBanned(user, nowMs)) throw requestFailure.banned();
  const as =
    type === 'email' ? (user.recovery_token === hash ? 'magiclink' : 'signup') : (type as VerifiedAs);
  if (!isFresh(sentAtOf(user, as), context.config.emailOtpExpirySeconds, nowMs))
    throw linkFailure.linkExpired();
  return { user, as };
}

function sentAtOf(user: User, as: VerifiedAs): string | null {
  switch (as) {
    case 'signup':
    case 'invite':
    case 'sms':
      return user.confirmation_sent_at;
    case 'recovery':
    case 'magiclink':
      return user.recovery_sent_at;
    case 'email_change':
      return user.email_change_sent_at;
    case 'phone_change':
      return user.phone_change_sent_at;
  }
}

/** A code that was typed in, with the address that it was sent to. */
export type TypedCode = {
  readonly address: { readonly kind: 'email' | 'phone'; readonly value: string };
  readonly code: string;
  readonly hash: string;
};

/** Where a user types the code: finds the user by address, locks it, and compares. */
export async function verifyCode(
  context: AuthContext,
  flow: Flow,
  type: string,
  typed: TypedCode,
): Promise<Verified> {
  const address = typed.address.value;
  if (context.guesses.areSpent(address)) throw linkFailure.tokenExpired();
  const user = await lockCandidate(context, flow, type, typed);
  // Others may have guessed while this one waited for its turn.
  if (context.guesses.areSpent(address)) throw linkFailure.tokenExpired();
  if (user !== null && isBanned(user, context.clock.now())) throw requestFailure.banned();
  const as = user === null ? null : await matchCode(context, user, type, typed);
  if (user === null || as === null) {
    context.guesses.miss(address);
    throw linkFailure.tokenExpired();
  }
  context.guesses.forget(address);
  return { user, as };
}

async function lockCandidate(
  context: AuthContext,
  flow: Flow,
  type: string,
  { address, hash }: TypedCode,
): Promise<User | null> {
  const { aud } = flow.call;
  if (type === 'email_change') {
    const hashes = [hash, pkcePrefix + hash];
    const types: TokenType[] = context.config.doubleConfirmChanges
      ? ['email_change_token_current', 'email_change_token_new']
      : ['email_change_token_new'];
    const user = await lockUserByToken(flow.tx, hashes, types);
    return user?.aud === aud ? user : null;
  }
  const found =
    type === 'phone_change'
      ? await findUserByPhoneChange(flow.tx, address.value, aud)
      : type === 'sms'
        ? await findUserByPhone(flow.tx, address.value, aud)
        : await findUserByEmail(flow.tx, address.value, aud);
  return found === null ? null : lockUser(flow.tx, found.id);
}

async function matchCode(
  context: AuthContext,
  user: User,
  type: string,
  typed: TypedCode,
): Promise<VerifiedAs | null> {
  const nowMs = context.clock.now();
  const { emailOtpExpirySeconds } = context.config;
  const fits = (stored: string | null, sentAt: string | null): boolean =>
    isOtpValid(typed.hash, stored, sentAt, emailOtpExpirySeconds, nowMs);
  const isConfirmation = (): boolean => fits(user.confirmation_token, user.confirmation_sent_at);
  const isRecovery = (): boolean => fits(user.recovery_token, user.recovery_sent_at);
  switch (type) {
    case 'email':
      return isConfirmation() ? 'signup' : isRecovery() ? 'magiclink' : null;
    case 'signup':
    case 'invite':
      return isConfirmation() ? type : null;
    case 'recovery':
    case 'magiclink':
      return isRecovery() ? type : null;
    case 'email_change':
      return fits(user.email_change_token_current, user.email_change_sent_at) ||
        fits(user.email_change_token_new, user.email_change_sent_at)
        ? type
        : null;
    case 'sms':
    case 'phone_change':
      return (await matchesPhoneCode(context, user, type, typed)) ? type : null;
    default:
      return null;
  }
}

async function matchesPhoneCode(
  context: AuthContext,
  user: User,
  type: 'sms' | 'phone_change',
  typed: TypedCode,
): Promise<boolean> {
  const nowMs = context.clock.now();
  const fixed = testOtp(context.config, typed.address.value, nowMs);
  if (fixed !== null && fixed === typed.code) return true;
  const isChange = type === 'phone_change';
  if (!context.hooks.has('send_sms') && context.sms?.verify !== undefined) {
    return context.sms.verify(isChange ? (user.phone_change ?? '') : typed.address.value, typed.code);
  }
  const stored = isChange ? user.phone_change_token : user.confirmation_token;
  const sentAt = isChange ? user.phone_change_sent_at : user.confirmation_sent_at;
  return isOtpValid(typed.hash, stored, sentAt, context.config.smsOtpExpirySeconds, nowMs);
}
