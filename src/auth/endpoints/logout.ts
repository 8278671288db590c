import type { HttpReply } from '../../http/exchange.ts';
import type { UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { accountFailure } from '../failures/account.ts';
import { runFlow } from '../flows/flow.ts';
import { endOtherSessions, endSession, endSessions } from '../store/sessions.ts';

/**
 * POST /logout: ends this session, all others, or all.
 * Upstream: internal/api/logout.go.
 */
export async function postLogout(context: AuthContext, call: UserCall): Promise<HttpReply> {
  const scope = call.query.get('scope') || 'global';
  if (!['global', 'local', 'others'].includes(scope)) throw accountFailure.unknownLogoutScope(scope);
  const { user, session } = call;
  await runFlow(context, call, async (flow) => {
    await context.audit.record(flow.tx, user, 'logout');
    if (session !== null && scope === 'local') await endSession(flow.tx, session.id);
    else if (session !== null && scope === 'others') await endOtherSessions(flow.tx, user.id, session.id);
    else await endSessions(flow.tx, user.id);
  });
  return { status: 204, headers: {}, body: null };
}
