import { signToken } from '../../identity/sign.ts';
import type { Call } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { fault } from '../failures/table.ts';
import { idTokenClaims } from '../oauth-server/person-claims.ts';
import { scopeList } from '../oauth-server/scopes.ts';
import {
  deleteAuthorization,
  lockAuthorizationByCode,
  type OAuthAuthorization,
} from '../store/oauth-authorizations.ts';
import type { OAuthClient } from '../store/oauth-clients.ts';
import type { JsonObject, User } from '../store/rows.ts';
import { findUser } from '../store/users.ts';
import { epochMs } from '../timestamp.ts';
import { isBanned } from './account.ts';
import { runFlow } from './flow.ts';
import { matchesChallenge } from './pkce.ts';
import { beginSession } from './session.ts';

/** What a client brings to get tokens; empty members count as absent. */
export type CodeGrant = {
  readonly code: string;
  readonly redirectUri: string;
  readonly codeVerifier: string;
  readonly resource: string;
};

const invalidGrant = (description: string): OAuthError => new OAuthError('invalid_grant', description);

function demandMatch(
  context: AuthContext,
  client: OAuthClient,
  request: OAuthAuthorization,
  grant: CodeGrant,
): void {
  if (context.clock.now() > epochMs(request.expires_at)) throw invalidGrant('Authorization code has expired');
  if (request.client_id !== client.id) {
    throw invalidGrant('Authorization code was not issued for this client');
  }
  if (grant.resource !== '' && grant.resource !== (request.resource ?? '')) {
    throw invalidGrant('Authorization code resource does not match the resource parameter');
  }
  if (grant.redirectUri !== '' && grant.redirectUri !== request.redirect_uri) {
    throw invalidGrant('Invalid redirect_uri');
  }
  if (!request.code_challenge) return;
  const failed = (reason: string): OAuthError => invalidGrant(`PKCE verification failed: ${reason}`);
  if (grant.codeVerifier === '') throw failed('code_verifier is required when PKCE challenge is present');
  if (!matchesChallenge(request, grant.codeVerifier)) {
    throw failed('code challenge does not match previously saved code verifier');
  }
}

/** OpenID Connect knows no shared secrets for ID tokens here: a client could not verify one. */
async function makeIdToken(
  context: AuthContext,
  client: OAuthClient,
  request: OAuthAuthorization,
  user: User,
): Promise<string | null> {
  const scopes = scopeList(request.scope);
  if (!scopes.includes('openid')) return null;
  if (context.keys.signing.algorithm.startsWith('HS')) {
    throw fault('Error generating ID token', {
      cause: new TypeError('ID tokens need an asymmetric signing key: see signing_keys_path'),
    });
  }
  const nowMs = context.clock.now();
  const claims = idTokenClaims(user, {
    issuer: context.issuer,
    clientId: client.id,
    nonce: request.nonce,
    scopes,
    authTimeMs: nowMs,
    nowMs,
  });
  return signToken(claims, context.keys.signing);
}

/** The members of a session that a client gets; who the user is it learns by scopes. */
export const tokenReply = (session: JsonObject, idToken: string | null = null): JsonObject => ({
  access_token: session.access_token,
  expires_in: session.expires_in,
  ...(idToken === null ? {} : { id_token: idToken }),
  refresh_token: session.refresh_token,
  token_type: session.token_type,
});

/**
 * Exchanges the code of an approved request for tokens of a session that belongs to the client.
 * Upstream: internal/api/oauthserver/handlers.go (handleAuthorizationCodeGrant).
 */
export async function exchangeClientCode(
  context: AuthContext,
  call: Call,
  client: OAuthClient,
  grant: CodeGrant,
): Promise<JsonObject> {
  const { session, request, user } = await runFlow(context, call, async (flow) => {
    const request = await lockAuthorizationByCode(flow.tx, grant.code);
    if (request === null) throw invalidGrant('Invalid authorization code');
    demandMatch(context, client, request, grant);
    if (request.user_id === null) throw invalidGrant('Authorization code has no associated user');
    const user = await findUser(flow.tx, request.user_id);
    if (user === null) throw invalidGrant('User not found for authorization code');
    if (isBanned(user, context.clock.now())) throw new OAuthError('access_denied', 'User is banned');
    const traits = { provider_type: 'oauth_provider_authorization_code', client_id: client.id };
    await context.audit.record(flow.tx, user, 'login', traits);
    const session = await beginSession(context, flow, user, 'oauth_provider/authorization_code', {
      oauthClientId: client.id,
      scopes: request.scope,
    });
    await deleteAuthorization(flow.tx, request.id);
    return { session, request, user: { ...user, updated_at: context.now() } };
  });
  return tokenReply(session, await makeIdToken(context, client, request, user));
}
