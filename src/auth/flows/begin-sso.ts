import type { Call } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { ssoFailure } from '../failures/sso.ts';
import { readIdentityProvider } from '../sso/identity-provider.ts';
import { authnRequestUrl } from '../sso/saml.ts';
import { insertFlowState } from '../store/flow-states.ts';
import { insertRelayState } from '../store/relay-states.ts';
import { findSsoProvider, findSsoProviderByDomain, type SsoProvider } from '../store/sso-providers.ts';
import { runFlow } from './flow.ts';
import { readChallenge } from './pkce.ts';

/** The method that sessions of single sign-on are authenticated with. */
export const ssoMethod = 'sso/saml';

const persistentNameId = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';

/** Which provider somebody signs in through: by its id, or by the domain of the address. */
export type SsoTarget = { readonly providerId: string } | { readonly domain: string };

/** A sign-in through an identity provider that begins. */
export type SsoRequest = {
  readonly target: SsoTarget;
  readonly redirectTo: string;
  readonly code_challenge: string;
  readonly code_challenge_method: string;
};

async function demandProvider(context: AuthContext, target: SsoTarget): Promise<SsoProvider> {
  const isById = 'providerId' in target;
  const provider = await (isById
    ? findSsoProvider(context.db, target.providerId)
    : findSsoProviderByDomain(context.db, target.domain));
  if (provider === null) throw isById ? ssoFailure.noSuchProvider() : ssoFailure.noProviderForDomain();
  if (provider.disabled === true) throw ssoFailure.providerDisabled();
  return provider;
}

/**
 * Begins a sign-in through an identity provider and yields where the browser goes.
 * Upstream: internal/api/sso.go (SingleSignOn).
 */
export async function beginSso(context: AuthContext, call: Call, request: SsoRequest): Promise<string> {
  if (context.serviceProvider === null) throw ssoFailure.samlDisabled();
  const provider = await demandProvider(context, request.target);
  const challenge = readChallenge(request);
  const idp = await readIdentityProvider(provider.saml.metadata_xml);
  if (idp.redirectUrl === '')
    throw ssoFailure.invalid('SAML Metadata has no sign-on service with HTTP-Redirect');
  const { random } = context;
  const [flowId, relayState] = [random.uuid(), random.uuid()];
  const requestId = `id-${random.bytes(20).toString('hex')}`;
  const url = await authnRequestUrl(context.serviceProvider, idp, {
    id: requestId,
    nameIdFormat: provider.saml.name_id_format ?? persistentNameId,
    relayState,
  });
  await runFlow(context, call, async ({ tx }) => {
    const now = context.now();
    await insertFlowState(
      tx,
      {
        id: flowId,
        provider_type: ssoMethod,
        authentication_method: ssoMethod,
        referrer: request.redirectTo || null,
        ...(challenge === null
          ? {}
          : {
              auth_code: random.uuid(),
              code_challenge: challenge.challenge,
              code_challenge_method: challenge.method,
            }),
      },
      now,
    );
    const state = {
      id: relayState,
      sso_provider_id: provider.id,
      request_id: requestId,
      redirect_to: request.redirectTo,
      flow_state_id: flowId,
    };
    await insertRelayState(tx, state, now);
  });
  return url;
}
