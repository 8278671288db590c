import type { Call } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { linkFailure } from '../failures/link.ts';
import { requestFailure } from '../failures/request.ts';
import { deleteFlow, lockFlowByCode } from '../store/flow-states.ts';
import type { JsonObject } from '../store/rows.ts';
import { findUser } from '../store/users.ts';
import { isBanned } from './account.ts';
import { runFlow } from './flow.ts';
import { isFlowExpired, matchesChallenge } from './pkce.ts';
import { beginSession } from './session.ts';

/**
 * Exchanges the code of a flow for a session; the flow's row is locked and deleted, so that a code works once.
 * Upstream: internal/api/token.go (PKCE).
 */
export function exchangeCode(
  context: AuthContext,
  call: Call,
  code: string,
  verifier: string,
): Promise<JsonObject> {
  return runFlow(context, call, async (flow) => {
    const state = await lockFlowByCode(flow.tx, code);
    if (state === null || state.user_id === null) throw linkFailure.flowNotFound();
    const nowMs = context.clock.now();
    if (isFlowExpired(state, context.config.flowStateExpiryMs, nowMs)) throw linkFailure.flowExpired();
    if (!matchesChallenge(state, verifier)) throw linkFailure.badVerifier();
    const user = await findUser(flow.tx, state.user_id);
    if (user === null) throw linkFailure.flowNotFound();
    if (isBanned(user, nowMs)) throw requestFailure.banned();
    await context.audit.record(flow.tx, user, 'login', { provider_type: state.provider_type });
    const session = await beginSession(context, flow, user, state.authentication_method);
    await deleteFlow(flow.tx, state.id);
    return {
      ...session,
      ...(state.provider_access_token ? { provider_token: state.provider_access_token } : {}),
      ...(state.provider_refresh_token ? { provider_refresh_token: state.provider_refresh_token } : {}),
    };
  });
}
