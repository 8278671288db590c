import type { HttpReply } from '../../http/exchange.ts';
import type { Call } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { identityFailure } from '../failures/identity.ts';
import { providerFailure } from '../failures/provider.ts';
import { worded } from '../failures/table.ts';
import { acceptInvite } from '../flows/accept-invite.ts';
import {
  callAfterExternal,
  callBeforeExternal,
  type External,
  settleExternal,
} from '../flows/external-account.ts';
import { findProvider } from '../flows/find-provider.ts';
import { type Flow, runFlow } from '../flows/flow.ts';
import { linkIdentity } from '../flows/link-identity.ts';
import { isFlowExpired } from '../flows/pkce.ts';
import { beginSession, type SessionReply } from '../flows/session.ts';
import { isUuid } from '../guard.ts';
import { type ConfiguredProvider, exchangeProviderCode, loadProviderUser } from '../providers/client.ts';
import { asOAuth1, loadOAuth1User, oauth1AccessToken } from '../providers/oauth1-client.ts';
import type { ProviderTokens, ProviderUser } from '../providers/provider.ts';
import { type RedirectParams, withFragment, withQuery, withTokens } from '../redirects/location.ts';
import { takeClientState } from '../store/client-states.ts';
import { deleteFlow, type FlowState, findFlow, lockFlow, parkTokens } from '../store/flow-states.ts';
import { findUser } from '../store/users.ts';
import { epochMs } from '../timestamp.ts';
import { redirectParamsOf } from './error-redirect.ts';

const clientStateLifeMs = 300_000;

const redirect = (status: 302 | 303, location: string): HttpReply => ({
  status,
  headers: { location },
  body: null,
});

/**
 * GET and POST /callback: where a provider sends the browser back to.
 * Upstream: internal/api/external.go (ExternalProviderCallback).
 */
export async function anyCallback(context: AuthContext, call: Call): Promise<HttpReply> {
  const form = call.request.method === 'POST' ? await call.form() : [];
  const params = new URLSearchParams([...form, ...call.query]);
  let state: FlowState;
  try {
    state = await demandState(context, params.get('state') ?? '');
  } catch (thrown) {
    // Without the state it is not known which app the browser came from.
    return redirect(303, withQuery(context.config.siteUrl, redirectParamsOf(context, thrown)));
  }
  const target = context.config.externalRedirectUrl ?? (state.referrer || context.config.siteUrl);
  try {
    return redirect(302, await finish(context, call, state, params, target));
  } catch (thrown) {
    const problem = redirectParamsOf(context, thrown);
    // What nobody explained or gave a code is left empty in the query, and out of the fragment.
    const inFragment = Object.fromEntries(Object.entries(problem).filter(([, value]) => value !== ''));
    return redirect(302, withFragment(withQuery(target, problem), inFragment));
  }
}

async function demandState(context: AuthContext, id: string): Promise<FlowState> {
  if (id === '') throw providerFailure.stateMissing();
  if (!isUuid(id)) throw providerFailure.stateInvalid();
  const state = await findFlow(context.db, id);
  if (state === null) throw providerFailure.stateUnknown();
  if (isFlowExpired(state, context.config.flowStateExpiryMs, context.clock.now())) {
    throw providerFailure.stateExpired();
  }
  if (state.code_challenge && state.user_id !== null) throw providerFailure.stateUsed();
  return state;
}

async function finish(
  context: AuthContext,
  call: Call,
  state: FlowState,
  params: URLSearchParams,
  target: string,
): Promise<string> {
  const { tokens, user } = await askProvider(context, state, params);
  if (user.emails.length === 0 && !state.email_optional) throw providerFailure.noEmail();
  const external: External = { provider: state.provider_type, user, isEmailOptional: state.email_optional };
  const isSignIn = state.linking_target_id === null && !state.invite_token;
  if (isSignIn) await callBeforeExternal(context, call, external);
  const settled = await runFlow(context, call, async (flow) => {
    const outcome = await settle(context, flow, state, external);
    if (outcome.refusal !== null) return { outcome, session: null };
    return { outcome, session: await handOver(context, flow, state, outcome.user.id, tokens, outcome.user) };
  });
  if (settled.outcome.refusal !== null) throw settled.outcome.refusal;
  // Upstream tells the hook of everybody who signs in here, known or new; other ways to sign in, of new users alone.
  if (isSignIn) await callAfterExternal(context, call, settled.outcome, settled.session);
  if (settled.session === null) return withQuery(target, { code: state.auth_code ?? '' });
  return withTokens(target, sessionParams(settled.session, tokens));
}

async function settle(context: AuthContext, flow: Flow, state: FlowState, external: External) {
  if (state.linking_target_id !== null) {
    const target = await findUser(flow.tx, state.linking_target_id);
    if (target === null) throw identityFailure.targetGone();
    return linkIdentity(context, flow, target, external);
  }
  if (state.invite_token) return acceptInvite(context, flow, state.invite_token, external);
  return settleExternal(context, flow, external);
}

/** Tokens stay with the flow until its code is exchanged; without PKCE they go out at once. */
async function handOver(
  context: AuthContext,
  flow: Flow,
  state: FlowState,
  userId: string,
  tokens: ProviderTokens,
  user: Parameters<typeof beginSession>[2],
): Promise<SessionReply | null> {
  const locked = await lockFlow(flow.tx, state.id);
  if (locked === null || locked.user_id !== null) throw providerFailure.stateUsed();
  if (state.code_challenge) {
    await parkTokens(flow.tx, state.id, userId, tokens, context.now());
    return null;
  }
  const session = await beginSession(context, flow, user, 'oauth');
  await deleteFlow(flow.tx, state.id);
  return session;
}

const sessionParams = (session: SessionReply, tokens: ProviderTokens): RedirectParams => ({
  access_token: session.access_token,
  refresh_token: session.refresh_token,
  expires_in: String(session.expires_in),
  expires_at: String(session.expires_at),
  token_type: String(session.token_type),
  provider_token: tokens.accessToken,
  ...(tokens.refreshToken === '' ? {} : { provider_refresh_token: tokens.refreshToken }),
});

async function askProvider(
  context: AuthContext,
  state: FlowState,
  params: URLSearchParams,
): Promise<{ readonly tokens: ProviderTokens; readonly user: ProviderUser }> {
  if (state.provider_type === 'twitter') return askOAuth1(context, state, params);
  const refused = params.get('error') ?? '';
  if (refused !== '') throw new OAuthError(refused, params.get('error_description') ?? '');
  const code = params.get('code') ?? '';
  if (code === '') throw providerFailure.codeMissing();
  const provider = await demandProvider(context, state);
  const verifier = await takeVerifier(context, state);
  if (provider.definition.needsPkce && verifier === null) throw providerFailure.verifierMissing();
  const tokens = await worded(providerFailure.exchangeFailed(code.slice(0, 4)), () =>
    exchangeProviderCode(context, provider, code, verifier),
  );
  const user = await worded(providerFailure.profileFailed(), () =>
    loadProviderUser(context, provider, tokens),
  );
  return { tokens, user: withAppleName(user, params.get('user')) };
}

async function demandProvider(context: AuthContext, state: FlowState): Promise<ConfiguredProvider> {
  const provider = await findProvider(context, state.provider_type, []);
  if ('problem' in provider) throw providerFailure.unsupportedOnCallback(provider.problem);
  return provider;
}

/** The same by OAuth 1.0a, where a request token stands for the user's consent. */
async function askOAuth1(
  context: AuthContext,
  state: FlowState,
  params: URLSearchParams,
): Promise<{ readonly tokens: ProviderTokens; readonly user: ProviderUser }> {
  const provider = asOAuth1(await demandProvider(context, state));
  if (provider === null) throw providerFailure.accessTokenFailed();
  const access = await worded(providerFailure.accessTokenFailed(), () =>
    oauth1AccessToken(context, provider, params.get('oauth_token') ?? '', params.get('oauth_verifier') ?? ''),
  );
  return worded(providerFailure.noEmail(), () => loadOAuth1User(context, provider, access));
}

async function takeVerifier(context: AuthContext, state: FlowState): Promise<string | null> {
  if (state.oauth_client_state_id === null) return null;
  const taken = await takeClientState(context.db, state.oauth_client_state_id);
  if (taken === null) throw providerFailure.clientStateMissing();
  if (taken.provider_type !== state.provider_type) throw providerFailure.clientStateMismatch();
  if (context.clock.now() > epochMs(taken.created_at) + clientStateLifeMs)
    throw providerFailure.clientStateExpired();
  return taken.code_verifier;
}

/** Apple tells the name once, beside the code of the first consent. */
function withAppleName(user: ProviderUser, field: string | null): ProviderUser {
  if (field === null || field === '') return user;
  let name = '';
  try {
    const given = JSON.parse(field) as { name?: { firstName?: unknown; lastName?: unknown } };
    name = `${String(given.name?.firstName ?? '')} ${String(given.name?.lastName ?? '')}`.trim();
  } catch {
    // A name that cannot be read is a name that was not given.
  }
  return name === '' ? user : { ...user, claims: { ...user.claims, name, full_name: name } };
}
