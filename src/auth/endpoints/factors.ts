import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import { field, readJson, type UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { mfaFailure } from '../failures/mfa.ts';
import { requestFailure } from '../failures/request.ts';
import { challengeFactor } from '../flows/challenge-factor.ts';
import { enrollFactor } from '../flows/enroll-factor.ts';
import { runFlow } from '../flows/flow.ts';
import { notify } from '../flows/notify.ts';
import { verifyFactor } from '../flows/verify-factor.ts';
import { isUuid } from '../guard.ts';
import { deleteFactors, findFactor, lowerSessions } from '../store/factors.ts';
import type { Factor, FactorType, User } from '../store/rows.ts';

const isFactorType = (type: string): type is FactorType => ['totp', 'phone', 'webauthn'].includes(type);

const enrollBody = z
  .object({
    factor_type: field.text,
    friendly_name: field.text,
    issuer: field.text,
    phone: field.text,
  })
  .describe('EnrollFactorParams');

/** POST /factors: begins to set a second factor up. */
export async function postFactor(context: AuthContext, call: UserCall): Promise<HttpReply> {
  if (call.session === null) throw mfaFailure.noSession();
  const body = await readJson(call, enrollBody);
  if (!isFactorType(body.factor_type)) throw mfaFailure.factorType();
  const enrolled = await enrollFactor(context, call, {
    type: body.factor_type,
    friendlyName: body.friendly_name,
    issuer: body.issuer,
    phone: body.phone,
  });
  return jsonReply(200, enrolled);
}

/** The factor that the path names. */
export async function demandPathFactor(context: AuthContext, user: User, id: string): Promise<Factor> {
  if (!isUuid(id)) throw mfaFailure.factorIdNotUuid();
  const factor = await findFactor(context.db, user.id, id);
  if (factor === null) throw mfaFailure.factorNotFound();
  return factor;
}

const challengeBody = z.object({ channel: field.text }).describe('ChallengeFactorParams');

/** POST /factors/{factor_id}/challenge. */
export async function postChallenge(context: AuthContext, call: UserCall): Promise<HttpReply> {
  const factor = await demandPathFactor(context, call.user, call.params.factor_id ?? '');
  const hasBody = (await call.bytes()).length > 0;
  const channel = hasBody ? (await readJson(call, challengeBody)).channel : '';
  return jsonReply(200, await challengeFactor(context, call, factor, channel));
}

const verifyBody = z
  .object({
    challenge_id: field.optionalText,
    code: field.text,
    webauthn: z.object({ type: field.text, credential_response: field.any }).nullish(),
  })
  .describe('VerifyFactorParams');

/** Why a text is not a UUID, in the words of upstream's library. */
const uuidProblem = (text: string): string =>
  [32, 36, 38, 41, 45].includes(text.length)
    ? `uuid: incorrect UUID format in string ${JSON.stringify(text)}`
    : `uuid: incorrect UUID length ${text.length} in string ${JSON.stringify(text)}`;

/** POST /factors/{factor_id}/verify. */
export async function postFactorVerify(context: AuthContext, call: UserCall): Promise<HttpReply> {
  const factor = await demandPathFactor(context, call.user, call.params.factor_id ?? '');
  const body = await readJson(call, verifyBody);
  const { webauthn } = body;
  const id = body.challenge_id;
  if (id !== null && !isUuid(id)) throw requestFailure.badJson(uuidProblem(id));
  const session = await verifyFactor(context, call, factor, {
    challengeId: id ?? '00000000-0000-0000-0000-000000000000',
    code: body.code,
    webauthn: webauthn ? { type: webauthn.type, response: webauthn.credential_response } : null,
  });
  return jsonReply(200, session);
}

/** DELETE /factors/{factor_id}. */
export async function deleteFactor(context: AuthContext, call: UserCall): Promise<HttpReply> {
  const { user, session } = call;
  const factor = await demandPathFactor(context, user, call.params.factor_id ?? '');
  if (session === null) throw mfaFailure.noSessionForUnenroll();
  if (factor.status === 'verified' && session.aal !== 'aal2') throw mfaFailure.unenrollNeedsAal2();
  await runFlow(context, call, async (flow) => {
    await lowerSessions(flow.tx, factor, context.now());
    await deleteFactors(flow.tx, [factor.id]);
    const traits = { factor_id: factor.id, factor_status: factor.status, session_id: session.id };
    await context.audit.record(flow.tx, user, 'factor_unenrolled', traits, call.request.ip);
    await notify(context, flow, user, 'mfa_factor_unenrolled', { factor_type: factor.factor_type });
  });
  return jsonReply(200, { id: factor.id });
}
