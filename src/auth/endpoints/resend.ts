import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import { type Call, field, pkceFields, readJson } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { inEvenTime } from '../even-time.ts';
import { linkFailure } from '../failures/link.ts';
import { demandEmail, demandPhone } from '../flows/addresses.ts';
import { sendEmailChange } from '../flows/email-change.ts';
import { type Flow, runFlow } from '../flows/flow.ts';
import { beginMailFlow, type Challenge, readChallenge } from '../flows/pkce.ts';
import { pretendMail, pretendSms } from '../flows/pretend-message.ts';
import { sendTokenMail } from '../flows/send-mail.ts';
import { sendPhoneCode } from '../flows/send-sms.ts';
import type { User } from '../store/rows.ts';
import { findUserByEmail, findUserByPhone } from '../store/users.ts';

const resendBody = z
  .object({ type: field.text, email: field.text, phone: field.text, ...pkceFields })
  .describe('ResendConfirmationParams');

type ResendType = 'signup' | 'email_change' | 'sms' | 'phone_change';

const isResendType = (type: string): type is ResendType =>
  ['signup', 'email_change', 'sms', 'phone_change'].includes(type);

/**
 * POST /resend: sends again what is still open; the answer is the same when nothing is.
 * Upstream: internal/api/resend.go.
 */
export async function postResend(context: AuthContext, call: Call): Promise<HttpReply> {
  const body = await readJson(call, resendBody);
  const { type } = body;
  if (!isResendType(type)) throw linkFailure.resendType();
  const challenge = type === 'signup' || type === 'email_change' ? readChallenge(body) : null;
  if (type === 'signup' && body.email === '') throw linkFailure.resendNeedsEmail();
  if (type === 'sms' && body.phone === '') throw linkFailure.resendNeedsPhone();
  const find = finderOf(context, call, body.email, body.phone);
  return inEvenTime(async () => {
    const user = await find();
    if (user === null || !isPending(user, type)) {
      pretendSent(context, type, body.email, body.phone);
      return jsonReply(200, {});
    }
    const messageId = await runFlow(context, call, (flow) => sendAgain(context, flow, user, type, challenge));
    return jsonReply(200, messageId === '' ? {} : { message_id: messageId });
  });
}

/** What finds the user of an address, once that is one that can be. */
function finderOf(
  context: AuthContext,
  call: Call,
  email: string,
  phone: string,
): () => Promise<User | null> {
  if (email !== '' && phone !== '') throw linkFailure.resendBothAddresses();
  if (email !== '') {
    if (!context.config.emailEnabled) throw linkFailure.emailDisabled();
    const stored = demandEmail(email);
    return () => findUserByEmail(context.db, stored, call.aud);
  }
  if (phone === '') throw linkFailure.resendNoAddress();
  if (!context.config.phoneEnabled) throw linkFailure.phoneDisabled();
  const stored = demandPhone(phone);
  return () => findUserByPhone(context.db, stored, call.aud);
}

/**
 * Who has no sign-up to confirm is told the same as who has. Changes of an address are not pretended: a pause says of
 * them that one is under way, and not who has an account.
 */
function pretendSent(context: AuthContext, type: ResendType, email: string, phone: string): void {
  if (type !== 'signup' && type !== 'sms') return;
  if (email !== '') pretendMail(context, 'confirmation', demandEmail(email));
  else pretendSms(context, 'confirmation', demandPhone(phone));
}

function isPending(user: User, type: ResendType): boolean {
  switch (type) {
    case 'signup':
      return user.email_confirmed_at === null;
    case 'sms':
      return user.phone_confirmed_at === null;
    case 'email_change':
      return Boolean(user.email_change);
    case 'phone_change':
      return Boolean(user.phone_change);
  }
}

async function sendAgain(
  context: AuthContext,
  flow: Flow,
  user: User,
  type: ResendType,
  challenge: Challenge | null,
): Promise<string> {
  const isPkce = challenge !== null;
  switch (type) {
    case 'signup':
      await context.audit.record(flow.tx, user, 'user_confirmation_requested');
      await beginMailFlow(context, flow, user.id, 'email/signup', 'email/signup', challenge);
      await sendTokenMail(context, flow, user, 'signup', isPkce);
      return '';
    case 'email_change':
      await beginMailFlow(context, flow, user.id, 'email_change', 'email_change', challenge);
      await sendEmailChange(context, flow, user, user.email_change ?? '', isPkce);
      return '';
    case 'sms':
      await context.audit.record(flow.tx, user, 'user_recovery_requested');
      return (await sendPhoneCode(context, flow, user, user.phone ?? '', 'confirmation', 'sms')).messageId;
    case 'phone_change':
      return (await sendPhoneCode(context, flow, user, user.phone_change ?? '', 'phone_change', 'sms'))
        .messageId;
  }
}
