import type { Call, UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { accountFailure } from '../failures/account.ts';
import { linkFailure } from '../failures/link.ts';
import { clearTokens } from '../store/one-time-tokens.ts';
import type { User } from '../store/rows.ts';
import { updateUser } from '../store/users.ts';
import { hashOtp, isOtpValid } from '../tokens/one-time.ts';
import { runFlow } from './flow.ts';
import { sendTokenMail } from './send-mail.ts';
import { sendPhoneCode } from './send-sms.ts';

/**
 * Sends the signed-in user a code that a change of password may ask for; yields the id of a text message.
 * Upstream: internal/api/reauthenticate.go.
 */
export async function sendReauthentication(context: AuthContext, call: UserCall): Promise<string> {
  const { user } = call;
  if (!user.email && !user.phone) throw accountFailure.reauthenticateNoAddress();
  if (user.email && user.email_confirmed_at === null) throw accountFailure.verifyEmailFirst();
  if (!user.email && user.phone_confirmed_at === null) throw accountFailure.verifyPhoneFirst();
  return runFlow(context, call, async (flow) => {
    await context.audit.record(flow.tx, user, 'user_reauthenticate_requested');
    if (user.email) {
      await sendTokenMail(context, flow, user, 'reauthentication');
      return '';
    }
    return (await sendPhoneCode(context, flow, user, user.phone ?? '', 'reauthentication', 'sms')).messageId;
  });
}

/** Refuses a code that is not the one that was sent; a right one is spent. */
export async function demandReauthentication(
  context: AuthContext,
  call: Call & { readonly user: User },
  nonce: string,
): Promise<void> {
  const { user } = call;
  const { config } = context;
  if (!user.reauthentication_token || user.reauthentication_sent_at === null)
    throw accountFailure.nonceInvalid();
  const address = user.email || user.phone;
  if (!address) throw accountFailure.nonceNoAddress();
  if (context.guesses.areSpent(address)) throw accountFailure.nonceInvalid();
  const isByPhone = !user.email;
  if (isByPhone && context.sms?.verify !== undefined) {
    if (!(await context.sms.verify(address, nonce))) {
      context.guesses.miss(address);
      throw linkFailure.tokenExpired();
    }
  } else {
    const expiry = isByPhone ? config.smsOtpExpirySeconds : config.emailOtpExpirySeconds;
    const sentAt = user.reauthentication_sent_at;
    const hash = hashOtp(address, nonce);
    if (!isOtpValid(hash, user.reauthentication_token, sentAt, expiry, context.clock.now())) {
      context.guesses.miss(address);
      throw accountFailure.nonceInvalid();
    }
  }
  context.guesses.forget(address);
  await runFlow(context, call, async (flow) => {
    await clearTokens(flow.tx, user.id);
    await updateUser(flow.tx, user, { reauthentication_token: '' }, context.now());
  });
}
