import { z } from 'zod';
import type { UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { mfaFailure } from '../failures/mfa.ts';
import { fault } from '../failures/table.ts';
import { compileTemplate, renderText } from '../mail/template/render.ts';
import { creationOptions, relyingParty, requestOptions, type StoredCredential } from '../mfa/webauthn.ts';
import { demandChannel, type SmsChannel } from '../sms/channel.ts';
import { type Challenge, insertChallenge } from '../store/factors.ts';
import type { Factor, JsonObject, User } from '../store/rows.ts';
import { timestampAt } from '../timestamp.ts';
import { makeOtp } from '../tokens/one-time.ts';
import { userJson } from '../wire/user.ts';
import { type Flow, runFlow } from './flow.ts';
import { demandSmsPause } from './send-sms.ts';

const minExpirySeconds = 300;

/** When a challenge that is made now can no longer be answered, in epoch seconds. */
export const challengeExpirySeconds = (context: AuthContext): number =>
  Math.max(context.config.mfaChallengeExpirySeconds, minExpirySeconds);

/**
 * Challenges a factor: yields what the user has to answer.
 * Upstream: internal/api/mfa.go (ChallengeFactor).
 */
export async function challengeFactor(
  context: AuthContext,
  call: UserCall,
  factor: Factor,
  channel: string,
): Promise<JsonObject> {
  const { config } = context;
  switch (factor.factor_type) {
    case 'totp':
      if (!config.mfaTotpVerify) throw mfaFailure.totpVerifyOff();
      return store(context, call, factor, {});
    case 'phone':
      if (!config.mfaPhoneVerify) throw mfaFailure.phoneVerifyOff();
      return challengePhone(context, call, factor, demandChannel(config, channel));
    case 'webauthn':
      if (!config.mfaWebauthnVerify) throw mfaFailure.webauthnChallengeOff();
      return challengeWebauthn(context, call, factor);
  }
}

type ChallengeContent = Partial<Pick<Challenge, 'otp_code' | 'web_authn_session_data'>>;

/** Keeps a challenge; the moment is made unique, which the table demands of it. */
async function store(
  context: AuthContext,
  call: UserCall,
  factor: Factor,
  content: ChallengeContent,
  before: (flow: Flow, id: string) => Promise<ChallengeContent> = async () => content,
): Promise<JsonObject> {
  const id = context.random.uuid();
  const microseconds = String(context.random.bytes(2).readUInt16BE() % 1000).padStart(3, '0');
  const at = context.now().replace('Z', `${microseconds}Z`);
  await runFlow(context, call, async (flow) => {
    const { otp_code = null, web_authn_session_data = null } = await before(flow, id);
    const ip = call.request.ip;
    await insertChallenge(
      flow.tx,
      { id, factor_id: factor.id, ip_address: ip, otp_code, web_authn_session_data },
      at,
    );
    // Upstream's log tells of codes that are asked for, not of security keys.
    if (factor.factor_type === 'webauthn') return;
    const traits = { factor_id: factor.id, factor_status: factor.status };
    await context.audit.record(flow.tx, call.user, 'challenge_created', traits, ip);
  });
  const expires = Math.floor(Date.parse(at) / 1000) + challengeExpirySeconds(context);
  return { id, type: factor.factor_type, expires_at: expires };
}

async function challengePhone(
  context: AuthContext,
  call: UserCall,
  factor: Factor,
  channel: SmsChannel,
): Promise<JsonObject> {
  demandSmsPause(context.config.mfaPhoneMaxFrequencyMs, factor.last_challenged_at, context.clock.now());
  const otp = makeOtp(context.random, context.config.mfaPhoneOtpLength);
  return store(context, call, factor, {}, async (flow, id) => {
    await sendCode(context, flow, call.user, factor.phone ?? '', otp, channel);
    return { otp_code: context.encryption.seal(id, otp) };
  });
}

async function sendCode(
  context: AuthContext,
  flow: Flow,
  user: User,
  phone: string,
  otp: string,
  channel: SmsChannel,
): Promise<void> {
  if (context.hooks.has('send_sms')) {
    const input = { user: userJson(user), sms: { otp, sms_type: 'mfa', phone } };
    await context.hooks.call('send_sms', input, flow.call.request.ip, flow.tx);
    return;
  }
  if (context.sms === null) throw fault('Failed to get SMS provider');
  const text = renderText(compileTemplate(context.config.mfaPhoneTemplate), { Code: otp });
  try {
    await context.sms.send(phone, text, channel, otp);
  } catch (cause) {
    throw fault('error sending message', { cause });
  }
}

const goCredential = z.object({
  id: z.string(),
  publicKey: z.string(),
  transport: z.array(z.string()).nullish(),
  authenticator: z.object({ signCount: z.number().nullish() }).nullish(),
});

/** The credential of a verified factor, in the form that upstream stores. */
export function factorCredential(factor: Factor): StoredCredential | null {
  const parsed = goCredential.safeParse(factor.web_authn_credential);
  if (!parsed.success) return null;
  const { id, publicKey, transport, authenticator } = parsed.data;
  return {
    id: Buffer.from(id, 'base64'),
    publicKey: Buffer.from(publicKey, 'base64'),
    signCount: authenticator?.signCount ?? 0,
    transports: transport ?? [],
  };
}

const credentialsOf = (user: User): readonly StoredCredential[] =>
  user.factors
    .filter(({ factor_type, status }) => factor_type === 'webauthn' && status === 'verified')
    .map(factorCredential)
    .filter((credential) => credential !== null);

/** A factor without a credential gets one made; one that has it is asked to use it. */
async function challengeWebauthn(context: AuthContext, call: UserCall, factor: Factor): Promise<JsonObject> {
  const party = relyingParty(context.config);
  const { user } = call;
  const name = user.email ?? '';
  const isNew = factor.status === 'unverified';
  const credentials = credentialsOf(user);
  const publicKey = isNew
    ? await creationOptions(party, { id: user.id, name, displayName: name }, credentials, 'factor')
    : await requestOptions(party, credentials);
  const session = {
    challenge: publicKey.challenge,
    rpId: party.id,
    user_id: Buffer.from(user.id).toString('base64'),
    expires: timestampAt(context.clock.now() + (publicKey.timeout ?? 0)),
    userVerification: '',
    ...('pubKeyCredParams' in publicKey
      ? { credParams: publicKey.pubKeyCredParams }
      : { allowed_credentials: credentials.map(({ id }) => id.toString('base64')) }),
  };
  const made = await store(context, call, factor, { web_authn_session_data: session });
  return {
    ...made,
    webauthn: { type: isNew ? 'create' : 'request', credential_options: { publicKey } },
  };
}
