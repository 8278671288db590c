import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import { type Call, field, pkceFields, readJson } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { AuthError } from '../errors.ts';
import { inEvenTime } from '../even-time.ts';
import { accountFailure } from '../failures/account.ts';
import { linkFailure } from '../failures/link.ts';
import { demandEmail, demandPhone } from '../flows/addresses.ts';
import { runFlow } from '../flows/flow.ts';
import { beginMailFlow, type Challenge, readChallenge } from '../flows/pkce.ts';
import { sendTokenMail } from '../flows/send-mail.ts';
import { sendPhoneCode } from '../flows/send-sms.ts';
import { beginSession } from '../flows/session.ts';
import { callAfterUserCreated, signUp } from '../flows/sign-up.ts';
import { demandChannel } from '../sms/channel.ts';
import type { JsonObject, User } from '../store/rows.ts';
import { findUserByEmail, findUserByPhone } from '../store/users.ts';

const otpBody = z
  .object({
    email: field.text,
    phone: field.text,
    create_user: z
      .boolean()
      .nullish()
      .transform((value) => value ?? true),
    data: field.object,
    channel: field.text,
    ...pkceFields,
  })
  .describe('OtpParams');

type OtpBody = z.infer<typeof otpBody>;

/**
 * POST /otp: a code or link to sign in with, for users that there are and for new ones.
 * Upstream: internal/api/otp.go.
 */
export async function postOtp(context: AuthContext, call: Call): Promise<HttpReply> {
  const body = await readJson(call, otpBody);
  if (body.email !== '' && body.phone !== '') throw linkFailure.otpBothAddresses();
  if (body.email !== '' && body.channel !== '') throw linkFailure.otpEmailChannel();
  if (!body.create_user && !(await hasUser(context, call, body))) throw linkFailure.otpDisabled();
  if (body.email !== '') return magicLink(context, call, body);
  if (body.phone === '') throw linkFailure.otpNoAddress();
  return phoneCode(context, call, body);
}

/** An address that cannot be is one that nobody has. */
async function hasUser(context: AuthContext, call: Call, { email, phone }: OtpBody): Promise<boolean> {
  if (email === '' && phone === '') return true;
  try {
    return email === ''
      ? (await findUserByPhone(context.db, demandPhone(phone), call.aud)) !== null
      : (await findUserByEmail(context.db, demandEmail(email), call.aud)) !== null;
  } catch (thrown) {
    if (thrown instanceof AuthError) return false;
    throw thrown;
  }
}

const magicLinkBody = z
  .object({ email: field.text, data: field.object, ...pkceFields })
  .describe('MagicLinkParams');

/** POST /magiclink: the older form of /otp for mail addresses. */
export async function postMagicLink(context: AuthContext, call: Call): Promise<HttpReply> {
  demandMagicLinks(context);
  const isBlank = (await call.bytes()).toString().trim() === '';
  // This endpoint alone reads its body as a stream, and says so when that ends too soon.
  const unreadable = (reason: string): AuthError =>
    linkFailure.magicLinkUnreadable(
      reason.replace(/^unexpected end of JSON input$/, isBlank ? 'EOF' : 'unexpected EOF'),
    );
  return magicLink(context, call, await readJson(call, magicLinkBody, unreadable));
}

function demandMagicLinks({ config }: AuthContext): void {
  if (!config.emailEnabled) throw accountFailure.emailLoginDisabled();
  if (!config.magicLinkEnabled) throw linkFailure.magicLinkDisabled();
}

type MagicLinkBody = z.infer<typeof magicLinkBody>;

async function magicLink(context: AuthContext, call: Call, body: MagicLinkBody): Promise<HttpReply> {
  demandMagicLinks(context);
  if (body.email === '') throw linkFailure.magicLinkNoEmail();
  const email = demandEmail(body.email);
  const challenge = readChallenge(body);
  return inEvenTime(async () => {
    const user = await findUserByEmail(context.db, email, call.aud);
    if (user === null || user.email_confirmed_at === null) {
      await signUpSilently(context, call, { kind: 'email', email }, body.data ?? {}, challenge);
      // The mail that confirms a sign-up signs in as well; only users confirmed at once still need a link.
      if (context.config.emailConfirmations) return jsonReply(200, {});
    }
    await sendMagicLink(context, call, email, challenge);
    return jsonReply(200, {});
  });
}

async function sendMagicLink(
  context: AuthContext,
  call: Call,
  email: string,
  challenge: Challenge | null,
): Promise<void> {
  const user = await findUserByEmail(context.db, email, call.aud);
  if (user === null) return;
  await runFlow(context, call, async (flow) => {
    await beginMailFlow(context, flow, user.id, 'magiclink', 'magiclink', challenge);
    await context.audit.record(flow.tx, user, 'user_recovery_requested');
    await sendTokenMail(context, flow, user, 'magiclink', challenge !== null);
  });
}

type Address = Parameters<typeof signUp>[2]['address'];

/** Makes an account with a password that nobody knows. */
async function signUpSilently(
  context: AuthContext,
  call: Call,
  address: Address,
  data: JsonObject,
  challenge: Challenge | null,
): Promise<void> {
  if (!context.config.enableSignup) throw accountFailure.signupDisabled();
  const outcome = await signUp(context, call, { address, password: null, data, challenge });
  if (outcome.kind === 'exists') return;
  if (outcome.isConfirmed) await beginUnusedSession(context, call, outcome.user, address.kind);
  else await callAfterUserCreated(context, call, outcome.user);
}

/**
 * As upstream, where a silent sign-up is a whole one whose answer goes nowhere: without confirmations it begins a
 * session, of which rows, the audit log and the hook for access tokens tell, but the answer's headers do not.
 */
const beginUnusedSession = (
  context: AuthContext,
  call: Call,
  user: User,
  provider: string,
): Promise<unknown> =>
  runFlow(context, { ...call, replyHeaders: {} }, async (flow) => {
    await context.audit.record(flow.tx, user, 'login', { provider });
    await beginSession(context, flow, user, 'password');
  });

async function phoneCode(context: AuthContext, call: Call, body: OtpBody): Promise<HttpReply> {
  if (!context.config.phoneEnabled) throw linkFailure.phoneOtpDisabled();
  const channel = demandChannel(context.config, body.channel);
  const phone = demandPhone(body.phone);
  const known = await findUserByPhone(context.db, phone, call.aud);
  if (known === null || known.phone_confirmed_at === null) {
    await signUpSilently(context, call, { kind: 'phone', phone, channel }, body.data ?? {}, null);
    if (context.config.phoneConfirmations) return jsonReply(200, {});
  }
  const user = await findUserByPhone(context.db, phone, call.aud);
  if (user === null) return jsonReply(200, {});
  const messageId = await runFlow(context, call, async (flow) => {
    await context.audit.record(flow.tx, user, 'user_recovery_requested', { channel });
    return (await sendPhoneCode(context, flow, user, phone, 'confirmation', channel)).messageId;
  });
  return jsonReply(200, messageId === '' ? {} : { message_id: messageId });
}
