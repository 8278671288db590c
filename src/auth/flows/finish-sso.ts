import type { Call } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { ssoFailure } from '../failures/sso.ts';
import { isUuid } from '../guard.ts';
import { withQuery, withTokens } from '../redirects/location.ts';
import { resolveArtifact } from '../sso/artifact.ts';
import { assertionEmail, assertionUserId, mapAttributes, sessionEndMs } from '../sso/assertion.ts';
import { fetchMetadata } from '../sso/fetch-metadata.ts';
import { type IdentityProvider, isMetadataStale, readIdentityProvider } from '../sso/identity-provider.ts';
import { peekResponse, verifyResponse } from '../sso/saml.ts';
import type { ServiceProvider } from '../sso/service-provider.ts';
import { ssoUser } from '../sso/user.ts';
import { child, textOf, type XmlElement } from '../sso/xml.ts';
import { lockFlow, parkTokens } from '../store/flow-states.ts';
import { takeRelayState } from '../store/relay-states.ts';
import {
  findSsoProvider,
  findSsoProviderByEntity,
  type SsoProvider,
  updateSamlConnection,
} from '../store/sso-providers.ts';
import { epochMs, timestampAt } from '../timestamp.ts';
import { ssoMethod } from './begin-sso.ts';
import { callAfterExternal, callBeforeExternal, type External, settleExternal } from './external-account.ts';
import { type Flow, runFlow } from './flow.ts';
import { beginSession, type SessionReply } from './session.ts';

/** How a response came to be, as far as it can be told before it is verified. */
type Origin = {
  readonly entityId: string;
  /** Null for a sign-in that the identity provider began. */
  readonly requestId: string | null;
  readonly flowId: string | null;
  readonly redirectTo: string;
};

async function originOf(context: AuthContext, form: URLSearchParams): Promise<Origin> {
  const relayState = form.get('RelayState') ?? '';
  if (isUuid(relayState)) return answeredRequest(context, relayState);
  if (relayState !== '' && !isRequestUri(relayState)) {
    throw ssoFailure.invalid('SAML RelayState is not a valid UUID or URL');
  }
  if ((form.get('SAMLart') ?? '') !== '') {
    throw ssoFailure.invalid('SAML Artifact response can only be used with SP initiated flow');
  }
  return { entityId: await peekIssuer(form), requestId: null, flowId: null, redirectTo: relayState };
}

const isRequestUri = (text: string): boolean => text.startsWith('/') || URL.canParse(text);

async function peekIssuer(form: URLSearchParams): Promise<string> {
  const encoded = form.get('SAMLResponse') ?? '';
  if (encoded === '') throw ssoFailure.invalid('SAMLResponse is missing');
  if (!/^[A-Za-z0-9+/\r\n]+={0,2}[\r\n]*$/.test(encoded)) {
    throw ssoFailure.invalid('SAMLResponse is not a valid Base64 string');
  }
  try {
    const response = await peekResponse(Buffer.from(encoded, 'base64').toString());
    return textOf(child(response, 'Issuer'));
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    throw ssoFailure.invalid('SAMLResponse is not a valid XML SAML assertion');
  }
}

/** The request that a relay state stands for; it is gone afterwards, whatever comes of it. */
async function answeredRequest(context: AuthContext, id: string): Promise<Origin> {
  const state = await takeRelayState(context.db, id);
  if (state === null) throw ssoFailure.relayStateUnknown();
  if (context.clock.now() - epochMs(state.created_at) >= context.config.samlRelayStateValidityMs) {
    throw ssoFailure.relayStateExpired();
  }
  const provider = await findSsoProvider(context.db, state.sso_provider_id);
  if (provider === null) throw ssoFailure.idpUnknown();
  return {
    entityId: provider.saml.entity_id,
    requestId: state.request_id,
    flowId: state.flow_state_id,
    redirectTo: state.redirect_to ?? '',
  };
}

/** The metadata as it is now: what came from a URL and is stale is fetched again, or goes on when it cannot be. */
async function freshMetadata(context: AuthContext, provider: SsoProvider): Promise<IdentityProvider> {
  const { saml } = provider;
  const known = await readIdentityProvider(saml.metadata_xml);
  const fetchedMs = epochMs(saml.updated_at ?? provider.created_at);
  if (!saml.metadata_url || !isMetadataStale(known, fetchedMs, context.clock.now())) return known;
  try {
    const xml = await fetchMetadata(context, saml.metadata_url);
    const fresh = await readIdentityProvider(xml);
    if (fresh.entityId !== known.entityId) throw new Error('the metadata is of another provider');
    await updateSamlConnection(context.db, { ...saml, metadata_xml: xml }, context.now());
    return fresh;
  } catch (error) {
    const message = 'SAML metadata could not be refreshed, the old one goes on';
    context.observer({ kind: 'fault', service: 'auth', message, error });
    return known;
  }
}

async function verified(
  context: AuthContext,
  serviceProvider: ServiceProvider,
  idp: IdentityProvider,
  form: URLSearchParams,
  requestId: string | null,
): Promise<XmlElement> {
  try {
    const artifact = form.get('SAMLart') ?? '';
    const encoded =
      artifact === ''
        ? (form.get('SAMLResponse') ?? '')
        : await resolveArtifact(context, serviceProvider, idp, artifact);
    return await verifyResponse(context, serviceProvider, idp, { encoded, requestId });
  } catch (cause) {
    // Which check failed is for the log: the browser may be anybody's.
    const failure = ssoFailure.assertionInvalid();
    failure.cause = cause;
    const message = 'a SAML assertion was refused';
    context.observer({ kind: 'fault', service: 'auth', message, error: cause });
    throw failure;
  }
}

function externalOf(provider: SsoProvider, assertion: XmlElement): External {
  const userId = assertionUserId(assertion);
  if (userId === '') throw ssoFailure.noUserId();
  const mapped = mapAttributes(assertion, provider.saml.attribute_mapping);
  const mappedEmail = typeof mapped.email === 'string' ? mapped.email : '';
  const email = mappedEmail || assertionEmail(assertion);
  if (email === '') throw ssoFailure.noEmail();
  const user = ssoUser(provider.saml.entity_id, userId, email, mapped);
  if (user === null) throw ssoFailure.claimsUnreadable();
  return { provider: `sso:${provider.id}`, user, isEmailOptional: false };
}

/**
 * Signs in whoever an identity provider vouches for and yields where the browser goes.
 * Upstream: internal/api/samlacs.go (handleSamlAcs).
 */
export async function finishSso(context: AuthContext, call: Call): Promise<string> {
  if (context.serviceProvider === null) throw ssoFailure.samlDisabled();
  const form = await call.form();
  const origin = await originOf(context, form);
  const provider = await findSsoProviderByEntity(context.db, origin.entityId);
  if (provider === null) throw ssoFailure.idpUnknown();
  if (provider.disabled === true) throw ssoFailure.assignedDisabled();
  const idp = await freshMetadata(context, provider);
  const assertion = await verified(context, context.serviceProvider, idp, form, origin.requestId);
  const external = externalOf(provider, assertion);
  await callBeforeExternal(context, call, external);
  const settled = await runFlow(context, call, async (flow) => {
    const outcome = await settleExternal(context, flow, external);
    const handed =
      outcome.refusal === null ? await handOver(context, flow, origin, outcome.user, assertion) : null;
    return { outcome, handed };
  });
  if (settled.outcome.refusal !== null) throw settled.outcome.refusal;
  const { handed } = settled;
  const session = handed?.session ?? null;
  if (settled.outcome.isNew) await callAfterExternal(context, call, settled.outcome, session);
  const target = context.redirects.isPermitted(origin.redirectTo)
    ? origin.redirectTo
    : context.config.siteUrl;
  return typeof handed?.code === 'string'
    ? withQuery(target, { code: handed.code })
    : withTokens(target, sessionParams(session));
}

/** What somebody signs in with: a session, and a code for clients that asked with PKCE. */
type Handed = { readonly session: SessionReply; readonly code: string | null };

/**
 * Hands over a session. Clients that asked with PKCE get a code instead, and another session with it; as upstream, the
 * first begins all the same.
 */
async function handOver(
  context: AuthContext,
  flow: Flow,
  origin: Origin,
  user: Parameters<typeof beginSession>[2],
  assertion: XmlElement,
): Promise<Handed> {
  const state = origin.flowId === null ? null : await lockFlow(flow.tx, origin.flowId);
  const isCoded = state !== null && Boolean(state.code_challenge);
  if (isCoded) {
    if (state.user_id !== null) throw ssoFailure.stateUsed();
    await parkTokens(flow.tx, state.id, user.id, { accessToken: '', refreshToken: '' }, context.now());
  }
  const endMs = sessionEndMs(assertion);
  const start = endMs === null ? {} : { notAfter: timestampAt(endMs) };
  const session = await beginSession(context, flow, user, ssoMethod, start);
  return { session, code: isCoded ? (state.auth_code ?? '') : null };
}

const sessionParams = (session: SessionReply | null): Record<string, string> =>
  session === null
    ? {}
    : {
        access_token: session.access_token,
        refresh_token: session.refresh_token,
        expires_in: String(session.expires_in),
        expires_at: String(session.expires_at),
        token_type: String(session.token_type),
      };
