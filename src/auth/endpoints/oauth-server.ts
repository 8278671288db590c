import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import { type Call, field, headerText, readJson, type UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { oauthServerFailure } from '../failures/oauth-server.ts';
import { worded } from '../failures/table.ts';
import { answerAuthorization, beginAuthorization, openAuthorization } from '../flows/oauth-authorization.ts';
import { exchangeClientCode, tokenReply } from '../flows/oauth-token.ts';
import { refreshSession } from '../flows/refresh.ts';
import { isUuid } from '../guard.ts';
import { credentialsProblem, findCredentials } from '../oauth-server/client-credentials.ts';
import { userInfo } from '../oauth-server/person-claims.ts';
import { scopeList } from '../oauth-server/scopes.ts';
import { findClient, type OAuthClient } from '../store/oauth-clients.ts';
import type { JsonObject } from '../store/rows.ts';

/** GET /oauth/authorize: an app asks to act for a user; the browser goes to the consent page. */
export async function getOAuthAuthorize(context: AuthContext, call: Call): Promise<HttpReply> {
  const location = await beginAuthorization(context, call);
  return { status: 302, headers: { location }, body: null };
}

/** What users are shown of a client. */
export const clientCard = (
  client: Pick<OAuthClient, 'id' | 'client_name' | 'client_uri' | 'logo_uri'>,
): JsonObject => ({
  id: client.id,
  name: client.client_name || undefined,
  uri: client.client_uri || undefined,
  logo_uri: client.logo_uri || undefined,
});

/** GET /oauth/authorizations/{authorization_id}: what the consent page shows. */
export async function getAuthorization(context: AuthContext, call: UserCall): Promise<HttpReply> {
  const opened = await openAuthorization(context, call);
  if (opened.kind === 'approved') return jsonReply(200, { redirect_url: opened.redirectUrl });
  const { request, client } = opened;
  return jsonReply(200, {
    authorization_id: request.authorization_id,
    redirect_uri: request.redirect_uri,
    client: clientCard(client),
    user: { id: call.user.id, email: call.user.email || undefined },
    scope: request.scope,
  });
}

const consentBody = z.object({ action: field.text });

/** POST /oauth/authorizations/{authorization_id}/consent: the user's answer. */
export async function postConsent(context: AuthContext, call: UserCall): Promise<HttpReply> {
  const redirectUrl = await answerAuthorization(context, call, async () => {
    const { action } = await readJson(call, consentBody, () => oauthServerFailure.badConsent());
    if (action === 'approve' || action === 'deny') return action;
    throw oauthServerFailure.invalid("action must be 'approve' or 'deny'");
  });
  return jsonReply(200, { redirect_url: redirectUrl });
}

const tokenBody = z.object({
  grant_type: field.text,
  code: field.text,
  refresh_token: field.text,
  redirect_uri: field.text,
  client_id: field.text,
  client_secret: field.text,
  code_verifier: field.text,
  resource: field.text,
});

type TokenBody = z.infer<typeof tokenBody>;

/** The members of a token request, from JSON or a form; null when the JSON cannot be read. */
async function readTokenBody(call: Call): Promise<TokenBody | null> {
  if (headerText(call.request, 'content-type')?.includes('application/json') === true) {
    try {
      const parsed = tokenBody.safeParse(JSON.parse((await call.bytes()).toString()));
      return parsed.success ? parsed.data : null;
    } catch (thrown) {
      if (thrown instanceof SyntaxError) return null;
      throw thrown;
    }
  }
  const form = await call.form();
  const member = (name: string): string => form.get(name) ?? call.query.get(name) ?? '';
  const names = Object.keys(tokenBody.shape).filter((name) => name !== 'resource');
  return tokenBody.parse(Object.fromEntries(names.map((name) => [name, member(name)])));
}

/** The client that a request proves to come from. Upstream: internal/api/middleware.go (requireOAuthClientAuth). */
async function demandClient(context: AuthContext, call: Call, body: TokenBody | null): Promise<OAuthClient> {
  const found = findCredentials(call.request.authorization, body);
  if (!found.ok) throw oauthServerFailure.badCredentials(`Invalid client credentials: ${found.problem}`);
  const { credentials } = found;
  if (!isUuid(credentials.clientId)) throw oauthServerFailure.badCredentials('Invalid client_id format');
  const client = await findClient(context.db, credentials.clientId);
  if (client === null) throw oauthServerFailure.badCredentials('Invalid client credentials');
  const problem = credentialsProblem(client, credentials);
  if (problem !== null) throw oauthServerFailure.badCredentials(problem);
  return client;
}

/** POST /oauth/token: tokens for a code or a refresh token. */
export async function postOAuthToken(context: AuthContext, call: Call): Promise<HttpReply> {
  const body = await worded(
    oauthServerFailure.badCredentials('Invalid client credentials: failed to read request body'),
    () => readTokenBody(call),
  );
  const client = await demandClient(context, call, body);
  const invalid = (description: string): OAuthError => new OAuthError('invalid_request', description);
  if (body === null) throw invalid('Invalid JSON body');
  if (body.grant_type === '') throw invalid('grant_type is required');
  const isAllowed = client.grant_types.split(',').some((type) => type.trim() === body.grant_type);
  if (!isAllowed) {
    const description = `Client is not allowed to use grant type: ${body.grant_type}`;
    throw new OAuthError('unsupported_grant_type', description);
  }
  switch (body.grant_type) {
    case 'authorization_code': {
      if (body.code === '') throw invalid('code is required for authorization_code grant');
      const grant = {
        code: body.code,
        redirectUri: body.redirect_uri,
        codeVerifier: body.code_verifier,
        resource: body.resource,
      };
      return jsonReply(200, await exchangeClientCode(context, call, client, grant));
    }
    case 'refresh_token': {
      if (body.refresh_token === '') throw invalid('refresh_token is required for refresh_token grant');
      return jsonReply(200, tokenReply(await refreshSession(context, call, body.refresh_token, client.id)));
    }
    default:
      throw new OAuthError('unsupported_grant_type', `Unsupported grant type: ${body.grant_type}`);
  }
}

/** GET /oauth/userinfo: what a token's scopes tell of its user. */
export async function getUserInfo(_context: AuthContext, call: UserCall): Promise<HttpReply> {
  const scopes = call.session === null ? null : scopeList(call.session.scopes ?? '');
  const sorted = Object.entries(userInfo(call.user, scopes)).sort(([a], [b]) => (a < b ? -1 : 1));
  return jsonReply(200, Object.fromEntries(sorted));
}
