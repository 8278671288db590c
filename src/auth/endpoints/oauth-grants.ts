import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import type { UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { oauthServerFailure } from '../failures/oauth-server.ts';
import { runFlow } from '../flows/flow.ts';
import { isUuid } from '../guard.ts';
import { scopeList } from '../oauth-server/scopes.ts';
import { endClientSessions, findActiveConsent, listGrants, revokeConsent } from '../store/oauth-consents.ts';
import { rfc3339 } from '../timestamp.ts';
import { clientCard } from './oauth-server.ts';

/** GET /user/oauth/grants: the clients that the user lets in. */
export async function getGrants(context: AuthContext, call: UserCall): Promise<HttpReply> {
  const grants = await listGrants(context.db, call.user.id);
  return jsonReply(
    200,
    grants.map((grant) => ({
      client: clientCard({ ...grant, id: grant.client_id }),
      scopes: scopeList(grant.scopes),
      granted_at: rfc3339(grant.granted_at),
    })),
  );
}

/** DELETE /user/oauth/grants?client_id=: locks a client out; its sessions with the user end. */
export async function deleteGrant(context: AuthContext, call: UserCall): Promise<HttpReply> {
  const clientId = call.query.get('client_id') ?? '';
  if (clientId === '') throw oauthServerFailure.invalid('client_id query parameter is required');
  if (!isUuid(clientId)) throw oauthServerFailure.invalid('invalid client_id format');
  await runFlow(context, call, async (flow) => {
    const consent = await findActiveConsent(flow.tx, call.user.id, clientId);
    if (consent === null) throw oauthServerFailure.consentNotFound();
    await revokeConsent(flow.tx, consent.id, context.now());
    await endClientSessions(flow.tx, call.user.id, clientId);
    const traits = { oauth_client_id: clientId, action: 'revoke_oauth_grant' };
    await context.audit.record(flow.tx, call.user, 'token_revoked', traits);
  });
  return { status: 204, headers: {}, body: null };
}
