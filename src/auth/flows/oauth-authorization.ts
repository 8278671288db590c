import { PgFailure } from '../../pg/failure.ts';
import type { Call, UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import type { AuthError } from '../errors.ts';
import { oauthServerFailure } from '../failures/oauth-server.ts';
import { isUuid } from '../guard.ts';
import {
  type AuthorizeRequest,
  authorizeProblem,
  readAuthorizeRequest,
} from '../oauth-server/authorize-rules.ts';
import { coversScopes, scopeList } from '../oauth-server/scopes.ts';
import { withQuery } from '../redirects/location.ts';
import {
  insertAuthorization,
  lockAuthorization,
  type OAuthAuthorization,
  updateAuthorization,
} from '../store/oauth-authorizations.ts';
import { findClient, type OAuthClient } from '../store/oauth-clients.ts';
import { findActiveConsent, upsertConsent } from '../store/oauth-consents.ts';
import { epochMs, timestampAt } from '../timestamp.ts';
import { type Flow, runFlow } from './flow.ts';

/*
 * A request of a client, from its birth to a code:
 *
 *   GET /oauth/authorize ──> pending, nobody's
 *     GET /oauth/authorizations/{id} ──> pending, the user's ──> approved at once where an earlier consent covers it
 *       POST .../consent ──> approved (code) | denied
 *   POST /oauth/token spends the code and deletes the row; what is too old becomes expired.
 */

const errorRedirect = (
  redirectUri: string,
  error: string,
  description: string,
  state: string | null,
): string =>
  withQuery(redirectUri, {
    error,
    error_description: description,
    ...(state === null || state === '' ? {} : { state }),
  });

const successRedirect = (request: OAuthAuthorization): string =>
  withQuery(request.redirect_uri, {
    ...(request.authorization_code === null ? {} : { code: request.authorization_code }),
    ...(request.state ? { state: request.state } : {}),
  });

const base32Alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** An id that goes through the user's address bar: 32 characters of 5 random bits. */
const authorizationId = ({ random }: AuthContext): string =>
  [...random.bytes(32)].map((byte) => base32Alphabet[byte % 32]).join('');

/**
 * Records what a client asks for and yields where the browser goes: the app's consent page, or back with an error. What
 * the redirect URI cannot be trusted with is refused instead.
 * Upstream: internal/api/oauthserver/authorize.go (OAuthServerAuthorize).
 */
export async function beginAuthorization(context: AuthContext, call: Call): Promise<string> {
  const { config } = context;
  const request = readAuthorizeRequest(call.query, config.oauthServerDefaultScope);
  const client = await demandClient(context, request);
  const back = (error: string, description: string): string =>
    errorRedirect(request.redirectUri, error, description, request.state);
  const problem = authorizeProblem(request);
  if (problem !== null) return back('invalid_request', problem);
  const id = authorizationId(context);
  try {
    await insertAuthorization(context.db, newAuthorization(context, request, client, id));
  } catch (thrown) {
    // Members that are too long for their columns; what is no fault of the client's goes on as an error of ours.
    if (thrown instanceof PgFailure && thrown.sqlstate.startsWith('23')) {
      return back('server_error', 'error creating authorization');
    }
    throw thrown;
  }
  const path = config.oauthServerAuthorizationPath;
  if (path === '') return back('server_error', 'oauth authorization path not configured');
  const page = `${config.siteUrl.replace(/\/+$/, '')}${path.startsWith('/') ? '' : '/'}${path}`;
  return `${page}?authorization_id=${id}`;
}

async function demandClient(context: AuthContext, request: AuthorizeRequest): Promise<OAuthClient> {
  if (request.clientId === '') throw oauthServerFailure.invalid('client_id is required');
  if (request.redirectUri === '') throw oauthServerFailure.invalid('redirect_uri is required');
  if (!isUuid(request.clientId)) throw oauthServerFailure.unusableClientId('invalid client_id format');
  const client = await findClient(context.db, request.clientId);
  if (client === null) throw oauthServerFailure.unusableClientId('invalid client_id');
  // Exact comparison, as OAuth 2.1 demands: the URI is not trusted with anything before.
  if (!client.redirect_uris.split(',').includes(request.redirectUri)) {
    throw oauthServerFailure.invalid('invalid redirect_uri');
  }
  return client;
}

const newAuthorization = (
  context: AuthContext,
  request: AuthorizeRequest,
  client: OAuthClient,
  id: string,
): Parameters<typeof insertAuthorization>[1] => ({
  id: context.random.uuid(),
  authorization_id: id,
  client_id: client.id,
  redirect_uri: request.redirectUri,
  scope: request.scope,
  state: request.state || null,
  resource: request.resource || null,
  code_challenge: request.codeChallenge,
  code_challenge_method: request.codeChallengeMethod.toLowerCase() === 's256' ? 's256' : 'plain',
  nonce: request.nonce || null,
  created_at: context.now(),
  expires_at: timestampAt(context.clock.now() + context.config.oauthServerAuthorizationTtlMs),
});

/** The origin of a browser must be one that users may be sent to; apps and servers send none. */
function demandOrigin(context: AuthContext, call: Call): void {
  const { origin } = call.request.headers;
  if (origin === undefined || origin === '') return;
  if (!context.redirects.isPermitted(origin)) throw oauthServerFailure.invalid('unauthorized request origin');
}

/** A request that can still be answered, or a refusal after changes that must be kept. */
type Found = { readonly request: OAuthAuthorization } | { readonly refusal: AuthError };

async function findPending(context: AuthContext, flow: Flow, id: string, done: string): Promise<Found> {
  const request = await lockAuthorization(flow.tx, id);
  if (request === null) return { refusal: oauthServerFailure.authorizationNotFound() };
  if (context.clock.now() > epochMs(request.expires_at)) {
    if (request.status === 'pending') await updateAuthorization(flow.tx, request, { status: 'expired' });
    return { refusal: oauthServerFailure.authorizationNotFound() };
  }
  return request.status === 'pending' ? { request } : { refusal: oauthServerFailure.invalid(done) };
}

const approve = (
  context: AuthContext,
  flow: Flow,
  request: OAuthAuthorization,
): Promise<OAuthAuthorization> =>
  updateAuthorization(flow.tx, request, {
    status: 'approved',
    approved_at: context.now(),
    authorization_code: context.random.uuid(),
  });

/** What the consent page shows, or where to go at once when the user has consented before. */
export type OpenedAuthorization =
  | { readonly kind: 'ask'; readonly request: OAuthAuthorization; readonly client: OAuthClient }
  | { readonly kind: 'approved'; readonly redirectUrl: string };

/**
 * Opens a request as the user who is to answer it; from then on it is that user's.
 * Upstream: internal/api/oauthserver/authorize.go (OAuthServerGetAuthorization).
 */
export async function openAuthorization(context: AuthContext, call: UserCall): Promise<OpenedAuthorization> {
  demandOrigin(context, call);
  const opened = await runFlow(context, call, async (flow) => {
    const id = call.params.authorization_id ?? '';
    const found = await findPending(context, flow, id, 'authorization request cannot be processed');
    if ('refusal' in found) return found;
    const { request } = found;
    if (request.user_id !== null) {
      return request.user_id === call.user.id
        ? { request, isApproved: false }
        : { refusal: oauthServerFailure.authorizationNotFound() };
    }
    const owned = await updateAuthorization(flow.tx, request, { user_id: call.user.id });
    const consent = await findActiveConsent(flow.tx, call.user.id, request.client_id);
    const isApproved = consent !== null && coversScopes(consent.scopes, request.scope);
    return { request: isApproved ? await approve(context, flow, owned) : owned, isApproved };
  });
  if ('refusal' in opened) throw opened.refusal;
  if (opened.isApproved) return { kind: 'approved', redirectUrl: successRedirect(opened.request) };
  const client = await findClient(context.db, opened.request.client_id);
  if (client === null) throw oauthServerFailure.authorizationNotFound();
  return { kind: 'ask', request: opened.request, client };
}

/**
 * Answers a request as its user and yields where the browser goes with the answer.
 * Upstream: internal/api/oauthserver/authorize.go (OAuthServerConsent).
 */
export async function answerAuthorization(
  context: AuthContext,
  call: UserCall,
  readAction: () => Promise<'approve' | 'deny'>,
): Promise<string> {
  demandOrigin(context, call);
  const action = await readAction();
  const answered = await runFlow(context, call, async (flow) => {
    const id = call.params.authorization_id ?? '';
    const found = await findPending(context, flow, id, 'authorization request is no longer pending');
    if ('refusal' in found) return found;
    const { request } = found;
    if (request.user_id !== call.user.id) return { refusal: oauthServerFailure.authorizationNotFound() };
    if (action === 'deny') {
      await updateAuthorization(flow.tx, request, { status: 'denied' });
      const url = errorRedirect(
        request.redirect_uri,
        'access_denied',
        'User denied the request',
        request.state,
      );
      return { redirectUrl: url };
    }
    const approved = await approve(context, flow, request);
    await upsertConsent(flow.tx, {
      id: context.random.uuid(),
      user_id: call.user.id,
      client_id: request.client_id,
      scopes: scopeList(request.scope).join(' '),
      granted_at: context.now(),
    });
    return { redirectUrl: successRedirect(approved) };
  });
  if ('refusal' in answered) throw answered.refusal;
  return answered.redirectUrl;
}
