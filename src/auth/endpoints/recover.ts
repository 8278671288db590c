import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import { type Call, field, pkceFields, readJson } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { inEvenTime } from '../even-time.ts';
import { linkFailure } from '../failures/link.ts';
import { demandEmail } from '../flows/addresses.ts';
import { runFlow } from '../flows/flow.ts';
import { beginMailFlow, type Challenge, readChallenge } from '../flows/pkce.ts';
import { pretendMail } from '../flows/pretend-message.ts';
import { sendTokenMail } from '../flows/send-mail.ts';
import type { User } from '../store/rows.ts';
import { findUserByEmail } from '../store/users.ts';

const recoverBody = z.object({ email: field.text, ...pkceFields }).describe('RecoverParams');

/**
 * POST /recover: mails a link to choose a new password; the answer is the same for unknown addresses.
 * Upstream: internal/api/recover.go.
 */
export async function postRecover(context: AuthContext, call: Call): Promise<HttpReply> {
  if (!context.config.emailEnabled) throw linkFailure.emailDisabled();
  const body = await readJson(call, recoverBody);
  if (body.email === '') throw linkFailure.recoverNoEmail();
  const email = demandEmail(body.email);
  const challenge = readChallenge(body);
  return inEvenTime(async () => {
    const user = await findUserByEmail(context.db, email, call.aud);
    if (user === null) pretendMail(context, 'recovery', email);
    else await sendRecovery(context, call, user, challenge);
    return jsonReply(200, {});
  });
}

const sendRecovery = (
  context: AuthContext,
  call: Call,
  user: User,
  challenge: Challenge | null,
): Promise<unknown> =>
  runFlow(context, call, async (flow) => {
    await beginMailFlow(context, flow, user.id, 'recovery', 'recovery', challenge);
    await context.audit.record(flow.tx, user, 'user_recovery_requested');
    await sendTokenMail(context, flow, user, 'recovery', challenge !== null);
  });
