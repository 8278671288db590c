import { sql } from '../../pg/sql/sql.ts';
import type { UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { mfaFailure } from '../failures/mfa.ts';
import { deleteUnverified, factorMethods } from '../store/factors.ts';
import { replaceTokens } from '../store/refresh.ts';
import type { Factor, JsonObject, Session, User } from '../store/rows.ts';
import { addMethod, findSession } from '../store/sessions.ts';
import { reloadUser } from '../store/users.ts';
import { encodeCounterToken } from '../tokens/counter-token.ts';
import { makeShortToken } from '../tokens/short-token.ts';
import type { Flow } from './flow.ts';
import { issueAccessToken, sessionReply } from './session.ts';

/**
 * Raises the session of a request to two factors: with new tokens, since those of one factor must not lead to two.
 * Every lower session of the user ends.
 *
 * Upstream: internal/api/token.go (updateMFASessionAndClaims).
 */
export async function raiseSession(
  context: AuthContext,
  flow: Flow,
  call: UserCall,
  factor: Factor,
): Promise<JsonObject> {
  const now = context.now();
  if (call.session === null) throw mfaFailure.noSession();
  const sessionId = call.session.id;
  const method = factorMethods[factor.factor_type];
  await addMethod(flow.tx, context.random.uuid(), sessionId, method, now);
  const session = await lockSession(flow, sessionId);
  const token = await rotate(context, flow, session, call.user);
  await flow.tx.execute(sql`
    update auth.sessions set aal = 'aal2', factor_id = ${factor.id}, updated_at = ${now} where id = ${sessionId}`);
  const user = await reloadUser(flow.tx, call.user);
  const access = await issueAccessToken(context, flow.tx, call, user, session, method);
  await flow.tx.execute(sql`delete from auth.sessions where user_id = ${user.id} and aal < 'aal2'`);
  await deleteUnverified(flow.tx, user.id, factor.factor_type);
  return sessionReply(context, access, token, user);
}

async function lockSession(flow: Flow, id: string): Promise<Session> {
  await flow.tx.execute(sql`select from auth.sessions where id = ${id} for update`);
  const session = await findSession(flow.tx, id);
  if (session === null) throw mfaFailure.noSession();
  return session;
}

/** The counter moves by two as upstream's does, and the key is new, so that no token of before counts any more. */
async function rotate(context: AuthContext, flow: Flow, session: Session, user: User): Promise<string> {
  const { refresh_token_hmac_key: stored, refresh_token_counter: current } = session;
  if (stored === null || current === null) {
    const token = makeShortToken(context.random);
    await context.audit.record(flow.tx, user, 'token_revoked');
    await replaceTokens(flow.tx, session.id, user.id, token, context.now());
    return token;
  }
  const key = context.random.bytes(32);
  const counter = BigInt(current) + 2n;
  const sealed = context.encryption.seal(session.id, key.toString('base64url'));
  await flow.tx.execute(sql`
    update auth.sessions set refresh_token_counter = ${counter}, refresh_token_hmac_key = ${sealed}
    where id = ${session.id}`);
  return encodeCounterToken(session.id, counter, key);
}
