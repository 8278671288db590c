import type { AuthContext } from '../context.ts';
import { linkFailure } from '../failures/link.ts';
import { fault } from '../failures/table.ts';
import { compileTemplate, renderText } from '../mail/template/render.ts';
import { type SmsChannel, testOtp } from '../sms/channel.ts';
import type { TokenType } from '../store/one-time-tokens.ts';
import type { User } from '../store/rows.ts';
import { updateUser } from '../store/users.ts';
import { epochMs } from '../timestamp.ts';
import { hashOtp, makeOtp } from '../tokens/one-time.ts';
import { userJson } from '../wire/user.ts';
import type { Flow } from './flow.ts';
import { keepToken } from './keep-token.ts';

/** What a message with a code is for. */
export type SmsPurpose = 'confirmation' | 'phone_change' | 'reauthentication';

const columnsOf = {
  confirmation: { token: 'confirmation_token', sentAt: 'confirmation_sent_at' },
  phone_change: { token: 'phone_change_token', sentAt: 'phone_change_sent_at' },
  reauthentication: { token: 'reauthentication_token', sentAt: 'reauthentication_sent_at' },
} as const satisfies Record<SmsPurpose, { token: TokenType; sentAt: keyof User }>;

/** A user with its new token, and the provider's id of the message. */
export type SmsSent = { readonly user: User; readonly messageId: string };

/**
 * Gives the user a code for a phone number and sends it, unless one was sent a moment ago.
 * Upstream: internal/api/phone.go (sendPhoneConfirmation).
 */
export async function sendPhoneCode(
  context: AuthContext,
  flow: Flow,
  user: User,
  phone: string,
  purpose: SmsPurpose,
  channel: SmsChannel,
): Promise<SmsSent> {
  const columns = columnsOf[purpose];
  demandSmsPause(context.config.smsMaxFrequencyMs, user[columns.sentAt], context.clock.now());
  const fixed = testOtp(context.config, phone, context.clock.now());
  const otp = fixed ?? makeOtp(context.random, context.config.smsOtpLength);
  const text = renderText(compileTemplate(context.config.smsTemplate), { Code: otp });
  const messageId =
    fixed === null ? await dispatch(context, flow, user, phone, otp, text, purpose, channel) : 'test-otp';
  const hash = hashOtp(phone, otp);
  const now = context.now();
  const change = purpose === 'phone_change' ? { phone_change: phone } : {};
  const updated = await updateUser(
    flow.tx,
    user,
    { [columns.token]: hash, [columns.sentAt]: now, ...change },
    now,
  );
  await keepToken(context, flow, user.id, columns.token, { address: phone, hash }, now);
  return { user: updated, messageId };
}

/** Refuses when a message was sent less than the pause ago. */
export function demandSmsPause(pauseMs: number, sentAt: string | null, nowMs: number): void {
  if (sentAt === null) return;
  const leftMs = epochMs(sentAt) + pauseMs - nowMs;
  if (leftMs > 0) throw linkFailure.tooSoonForSms(Math.floor(leftMs / 1000));
}

async function dispatch(
  context: AuthContext,
  flow: Flow,
  user: User,
  phone: string,
  otp: string,
  text: string,
  purpose: SmsPurpose,
  channel: SmsChannel,
): Promise<string> {
  if (context.config.phoneConfirmations && !context.limits.messages.take()) throw linkFailure.smsQuota();
  if (context.hooks.has('send_sms')) {
    const input = { user: userJson(user), sms: { otp, phone } };
    await context.hooks.call('send_sms', input, flow.call.request.ip, flow.tx);
    return '';
  }
  if (context.sms === null) throw fault('Unable to get SMS provider');
  try {
    return await context.sms.send(phone, text, channel, otp);
  } catch (thrown) {
    throw linkFailure.smsFailed(purpose, thrown instanceof Error ? thrown.message : 'unknown');
  }
}
