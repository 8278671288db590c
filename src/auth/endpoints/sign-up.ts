import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import { type Call, field, pkceFields, readJson } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { accountFailure } from '../failures/account.ts';
import { demandEmail, demandPhone } from '../flows/addresses.ts';
import { runFlow } from '../flows/flow.ts';
import { readChallenge } from '../flows/pkce.ts';
import { pretendMail, pretendSms } from '../flows/pretend-message.ts';
import { beginSession } from '../flows/session.ts';
import { callAfterUserCreated, draftUser, type SignUp, signUp } from '../flows/sign-up.ts';
import { demandChannel } from '../sms/channel.ts';
import type { JsonObject, User } from '../store/rows.ts';
import { userJson } from '../wire/user.ts';
import { signInAnonymously } from './sign-in-anonymously.ts';

const signUpBody = z
  .object({
    email: field.text,
    phone: field.text,
    password: field.text,
    data: field.object,
    channel: field.text,
    ...pkceFields,
  })
  .describe('SignupParams');

type SignUpBody = z.infer<typeof signUpBody>;

/** POST /signup: an account by mail address or phone number, or an anonymous one without either. */
export async function postSignUp(context: AuthContext, call: Call): Promise<HttpReply> {
  const body = await readJson(call, signUpBody);
  if (body.email === '' && body.phone === '') return signInAnonymously(context, call, body.data ?? {});
  context.limits.demand('signups', call.request);
  const request = await checkSignUp(context, body);
  const outcome = await signUp(context, call, request);
  if (outcome.kind === 'exists') return replyExisting(context, call, request, outcome.user);
  const { user } = outcome;
  if (outcome.isConfirmed) {
    const provider = request.address.kind;
    return jsonReply(200, await signInAfterSignUp(context, call, user, provider));
  }
  const shown = user.invited_at === null ? user : { ...user, raw_user_meta_data: {}, identities: [] };
  await callAfterUserCreated(context, call, shown);
  return jsonReply(200, userJson(shown));
}

/** Checks a sign-up in upstream's order. */
async function checkSignUp(context: AuthContext, body: SignUpBody): Promise<SignUp> {
  const { config } = context;
  if (!config.enableSignup) throw accountFailure.signupDisabled();
  if (body.password === '') throw accountFailure.signupPasswordRequired();
  await context.passwords.demandStrong(body.password);
  if (body.email !== '' && body.phone !== '') throw accountFailure.signupBothAddresses();
  const channel = body.phone === '' ? null : demandChannel(config, body.channel);
  if (body.phone !== '' && body.code_challenge !== '') throw accountFailure.signupPhonePkce();
  const challenge = readChallenge(body);
  const rest = { password: body.password, data: body.data ?? {}, challenge };
  if (channel === null) {
    if (!config.emailEnabled) throw accountFailure.emailSignupDisabled();
    return { ...rest, address: { kind: 'email', email: demandEmail(body.email) } };
  }
  if (!config.phoneEnabled) throw accountFailure.phoneSignupDisabled();
  return { ...rest, address: { kind: 'phone', phone: demandPhone(body.phone), channel } };
}

const signInAfterSignUp = (
  context: AuthContext,
  call: Call,
  user: User,
  provider: string,
): Promise<JsonObject> =>
  runFlow(context, call, async (flow) => {
    await context.audit.record(flow.tx, user, 'login', { provider });
    return beginSession(context, flow, user, 'password');
  });

/**
 * An address that is taken gets the answer of a fresh one where sign-ups wait for a confirmation. Unlike upstream's,
 * the switch of phone numbers does not count while they cannot sign up: it would give addresses away.
 */
function replyExisting(context: AuthContext, call: Call, request: SignUp, user: User): HttpReply {
  const { emailConfirmations, phoneConfirmations, phoneEnabled } = context.config;
  if (!emailConfirmations || (phoneEnabled && !phoneConfirmations)) throw accountFailure.alreadyRegistered();
  const { address } = request;
  if (address.kind === 'email') pretendMail(context, 'confirmation', address.email);
  else pretendSms(context, 'confirmation', address.phone);
  return jsonReply(200, userJson(pretend(context, call, request, user)));
}

/** A user that looks newly made and says nothing of the one who has the address. */
function pretend(context: AuthContext, call: Call, request: SignUp, user: User): User {
  const { address } = request;
  const provider = { provider: address.kind, providers: [address.kind] };
  return {
    ...draftUser(context, {
      id: context.random.uuid(),
      aud: call.aud,
      role: '',
      email: address.kind === 'email' ? user.email : null,
      phone: address.kind === 'phone' ? user.phone : null,
      encrypted_password: null,
      raw_app_meta_data: provider,
      raw_user_meta_data: request.data,
      is_anonymous: false,
      is_sso_user: false,
    }),
    confirmation_sent_at: context.now(),
  };
}
