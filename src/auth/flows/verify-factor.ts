import { timingSafeEqual } from 'node:crypto';
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { z } from 'zod';
import type { UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import type { AuthError } from '../errors.ts';
import { linkFailure } from '../failures/link.ts';
import { mfaFailure } from '../failures/mfa.ts';
import { lastAnswer } from '../mfa/last-answer.ts';
import { matchTotp } from '../mfa/totp.ts';
import { type NewCredential, relyingParty, verifyCreation, verifyRequest } from '../mfa/webauthn.ts';
import {
  type Challenge,
  deleteChallenge,
  lockChallenge,
  markVerified,
  updateFactor,
} from '../store/factors.ts';
import type { Factor, JsonObject } from '../store/rows.ts';
import { endSessions } from '../store/sessions.ts';
import { epochMs } from '../timestamp.ts';
import { challengeExpirySeconds, factorCredential } from './challenge-factor.ts';
import { type Flow, runFlow } from './flow.ts';
import { notify } from './notify.ts';
import { raiseSession } from './raise-session.ts';

/** An answer to a challenge. */
export type FactorAnswer = {
  readonly challengeId: string;
  readonly code: string;
  readonly webauthn: { readonly type: string; readonly response: unknown } | null;
};

/** What an answer proved: nothing, or that the factor is there, perhaps with a new credential. */
type Proof =
  | { readonly isValid: false; readonly refusal: AuthError }
  | { readonly isValid: true; readonly patch: Partial<Factor> };

/** How a flow ends that must be committed although the request is refused. */
type Ending = { readonly session: JsonObject } | { readonly refusal: AuthError };

/**
 * Checks the answer to a challenge and raises the session.
 * Upstream: internal/api/mfa.go (VerifyFactor).
 */
export async function verifyFactor(
  context: AuthContext,
  call: UserCall,
  factor: Factor,
  answer: FactorAnswer,
): Promise<JsonObject> {
  demandAnswer(context, factor, answer);
  const ending = await runFlow(context, call, async (flow): Promise<Ending> => {
    const challenge = await lockChallenge(flow.tx, answer.challengeId, factor.id);
    if (challenge === null) throw mfaFailure.challengeNotFound();
    const expired = await refuseStale(context, flow, call, challenge);
    if (expired !== null) return { refusal: expired };
    const proof = await prove(context, factor, challenge, answer);
    const rejected = await askHook(context, flow, call, factor, proof.isValid);
    if (rejected !== null) return { refusal: rejected };
    if (!proof.isValid) return { refusal: proof.refusal };
    return { session: await accept(context, flow, call, factor, challenge, proof.patch) };
  });
  if ('refusal' in ending) throw ending.refusal;
  return ending.session;
}

function demandAnswer({ config }: AuthContext, factor: Factor, answer: FactorAnswer): void {
  if (factor.factor_type !== 'webauthn' && answer.code === '') throw mfaFailure.codeEmpty();
  switch (factor.factor_type) {
    case 'phone':
      if (!config.mfaPhoneVerify) throw mfaFailure.phoneVerifyOff();
      return;
    case 'totp':
      if (!config.mfaTotpVerify) throw mfaFailure.totpVerifyOff();
      return;
    case 'webauthn': {
      if (!config.mfaWebauthnVerify) throw mfaFailure.webauthnVerifyOff();
      const { webauthn } = answer;
      if (webauthn === null) throw mfaFailure.webauthnRequired();
      if (webauthn.type !== 'create' && webauthn.type !== 'request') throw mfaFailure.webauthnType();
      if (webauthn.response === undefined || webauthn.response === null)
        throw mfaFailure.credentialRequired();
    }
  }
}

async function refuseStale(
  context: AuthContext,
  flow: Flow,
  call: UserCall,
  challenge: Challenge,
): Promise<AuthError | null> {
  const isElsewhere = challenge.ip_address.replace(/\/\d+$/, '') !== call.request.ip;
  if (challenge.verified_at !== null || isElsewhere) throw mfaFailure.challengeElsewhere();
  const endsMs = epochMs(challenge.created_at) + challengeExpirySeconds(context) * 1000;
  if (context.clock.now() <= endsMs) return null;
  await deleteChallenge(flow.tx, challenge.id);
  return mfaFailure.challengeExpired(challenge.id);
}

function prove(
  context: AuthContext,
  factor: Factor,
  challenge: Challenge,
  answer: FactorAnswer,
): Promise<Proof> {
  switch (factor.factor_type) {
    case 'totp':
      return guarded(context, factor, mfaFailure.totpWrong(), () => proveTotp(context, factor, answer.code));
    case 'phone':
      return guarded(context, factor, mfaFailure.phoneCodeWrong(), () =>
        provePhone(context, factor, challenge, answer.code),
      );
    case 'webauthn':
      return proveWebauthn(context, factor, challenge, answer.webauthn);
  }
}

/** A factor of which many wrong codes were given takes none for a while; upstream lets them be tried out. */
async function guarded(
  { factorGuesses }: AuthContext,
  { id }: Factor,
  refusal: AuthError,
  proveCode: () => Promise<Proof>,
): Promise<Proof> {
  if (factorGuesses.areSpent(id)) return refused(refusal);
  const proof = await proveCode();
  if (proof.isValid) factorGuesses.forget(id);
  else factorGuesses.miss(id);
  return proof;
}

const sure = (patch: Partial<Factor> = {}): Proof => ({ isValid: true, patch });
const refused = (refusal: AuthError): Proof => ({ isValid: false, refusal });

async function proveTotp(context: AuthContext, factor: Factor, code: string): Promise<Proof> {
  const secret = context.encryption.open(factor.id, factor.secret ?? '');
  const step = matchTotp(secret, code, context.clock.now());
  const isFresh = step !== null && context.usedSteps.claim(factor.id, step);
  if (!isFresh) return refused(mfaFailure.totpWrong());
  const renewed = context.encryption.reseal(factor.id, factor.secret ?? '');
  return sure(renewed === null ? {} : { secret: renewed });
}

async function provePhone(
  context: AuthContext,
  factor: Factor,
  challenge: Challenge,
  code: string,
): Promise<Proof> {
  if (!context.hooks.has('send_sms') && context.sms?.verify !== undefined) {
    const isRight = await context.sms.verify(factor.phone ?? '', code);
    return isRight ? sure() : refused(linkFailure.tokenExpired());
  }
  const expected = Buffer.from(context.encryption.open(challenge.id, challenge.otp_code ?? ''));
  const given = Buffer.from(code);
  const isRight = expected.length > 0 && given.length === expected.length && timingSafeEqual(given, expected);
  return isRight ? sure() : refused(mfaFailure.phoneCodeWrong());
}

const sessionData = z.object({ challenge: z.string() });
const response = z.looseObject({
  id: z.string(),
  rawId: z.string(),
  type: z.literal('public-key'),
  response: z.looseObject({ clientDataJSON: z.string() }),
});

/** The registration of a new factor's credential, or the use of one that is there. */
async function proveWebauthn(
  context: AuthContext,
  factor: Factor,
  challenge: Challenge,
  given: FactorAnswer['webauthn'],
): Promise<Proof> {
  const expected = sessionData.safeParse(challenge.web_authn_session_data);
  const parsed = response.safeParse(given?.response);
  if (!expected.success || !parsed.success) return refused(mfaFailure.credentialInvalid());
  const party = relyingParty(context.config);
  const credential = factorCredential(factor);
  const isNew = factor.status === 'unverified' || credential === null;
  // A credential that is made anew proves nothing about a factor that has one.
  if (given?.type !== (isNew ? 'create' : 'request')) return refused(mfaFailure.credentialInvalid());
  if (isNew) {
    // The library checks every member that it reads.
    const creation = parsed.data as unknown as RegistrationResponseJSON;
    const made = await verifyCreation(party, expected.data.challenge, creation);
    if (made === null) return refused(mfaFailure.attestationFailed());
    const last = await lastAnswer(challenge, 'create', creation);
    return sure({ ...credentialColumns(made), last_webauthn_challenge_data: last });
  }
  const assertion = parsed.data as unknown as AuthenticationResponseJSON;
  const counter = await verifyRequest(party, expected.data.challenge, assertion, credential);
  if (counter === null) return refused(mfaFailure.assertionFailed());
  return sure({ last_webauthn_challenge_data: await lastAnswer(challenge, 'request', assertion) });
}

/** A credential in the form that upstream stores. */
const credentialColumns = (made: NewCredential): Partial<Factor> => ({
  web_authn_credential: {
    id: made.id.toString('base64'),
    publicKey: made.publicKey.toString('base64'),
    attestationType: made.attestationType,
    transport: made.transports,
    flags: { backupEligible: made.isBackupEligible, backupState: made.isBackedUp },
    authenticator: { signCount: made.signCount, cloneWarning: false },
  },
  web_authn_aaguid: made.aaguid,
});

const rejection = 'Further MFA verification attempts will be rejected.';

/** A hook that rejects ends every session of the user. */
async function askHook(
  context: AuthContext,
  flow: Flow,
  call: UserCall,
  factor: Factor,
  isValid: boolean,
): Promise<AuthError | null> {
  if (factor.factor_type === 'webauthn' || !context.hooks.has('mfa_verification_attempt')) return null;
  const input = {
    user_id: call.user.id,
    factor_id: factor.id,
    factor_type: factor.factor_type,
    valid: isValid,
  };
  const output = await context.hooks.call('mfa_verification_attempt', input, call.request.ip);
  const answer = (output ?? {}) as Record<string, unknown>;
  if (answer.decision !== 'reject') return null;
  await endSessions(flow.tx, call.user.id);
  return mfaFailure.rejected(String(answer.message || rejection));
}

async function accept(
  context: AuthContext,
  flow: Flow,
  call: UserCall,
  factor: Factor,
  challenge: Challenge,
  patch: Partial<Factor>,
): Promise<JsonObject> {
  const now = context.now();
  const traits = { factor_id: factor.id, challenge_id: challenge.id, factor_type: factor.factor_type };
  await context.audit.record(flow.tx, call.user, 'verification_attempted', traits, call.request.ip);
  if (factor.factor_type === 'webauthn') await deleteChallenge(flow.tx, challenge.id);
  else await markVerified(flow.tx, challenge.id, now);
  const isNew = factor.status !== 'verified';
  const changes = { ...patch, ...(isNew ? { status: 'verified' as const } : {}) };
  if (Object.keys(changes).length > 0) await updateFactor(flow.tx, factor.id, changes, now);
  const session = await raiseSession(context, flow, call, factor);
  if (isNew)
    await notify(context, flow, call.user, 'mfa_factor_enrolled', { factor_type: factor.factor_type });
  return session;
}
