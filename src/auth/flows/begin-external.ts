import type { Call } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { providerFailure } from '../failures/provider.ts';
import { worded } from '../failures/table.ts';
import { authorizeUrl } from '../providers/client.ts';
import { reservedParams } from '../providers/custom-rules.ts';
import { asOAuth1, oauth1AuthorizeUrl } from '../providers/oauth1-client.ts';
import { insertClientState } from '../store/client-states.ts';
import { insertFlowState } from '../store/flow-states.ts';
import { lockUserByToken } from '../store/one-time-tokens.ts';
import { findProvider, isCustomName } from './find-provider.ts';
import { runFlow } from './flow.ts';
import { readChallenge } from './pkce.ts';

/** Members of the query that the service sets itself, or that are none of the provider's business. */
const reserved: ReadonlySet<string> = new Set(
  ['provider', 'scopes', ...reservedParams].filter((name) => name !== 'nonce'),
);

const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '');

/** What the app passes on to the provider. */
function passedOn(query: URLSearchParams): Record<string, string> {
  const entries = [...query.entries()]
    .filter(([name]) => !reserved.has(name.toLowerCase()))
    .map(([name, value]) => [name === 'workos_provider' ? 'provider' : name, value] as const);
  return Object.fromEntries(entries);
}

/**
 * Begins a sign-in, or the linking of an account, at a provider and yields where the browser goes.
 * Upstream: internal/api/external.go (GetExternalProviderRedirectURL).
 */
export async function beginExternal(
  context: AuthContext,
  call: Call,
  linkingTarget: string | null,
): Promise<string> {
  const { query } = call;
  const name = query.get('provider') ?? '';
  const scopes = query.get('scopes') ?? '';
  const provider = await findProvider(context, name, isCustomName(name.toLowerCase()) ? words(scopes) : []);
  if ('problem' in provider) throw providerFailure.unsupported(provider.problem);
  const inviteToken = query.get('invite_token') ?? '';
  const challenge = readChallenge({
    code_challenge: query.get('code_challenge') ?? '',
    code_challenge_method: query.get('code_challenge_method') ?? '',
  });
  const state = context.random.uuid();
  const verifier = provider.definition.needsPkce ? context.random.bytes(48).toString('base64url') : null;
  const clientStateId = verifier === null ? null : context.random.uuid();
  const referrer = await call.redirectTo();
  await runFlow(context, call, async (flow) => {
    if (inviteToken !== '') {
      const invited = await lockUserByToken(flow.tx, [inviteToken], ['confirmation_token']);
      if (invited === null) throw providerFailure.inviteUnknown();
    }
    const now = context.now();
    if (verifier !== null && clientStateId !== null) {
      await insertClientState(flow.tx, clientStateId, name, verifier, now);
    }
    await insertFlowState(
      flow.tx,
      {
        id: state,
        // As it was asked for: the name in capitals makes an identity of its own.
        provider_type: name,
        authentication_method: 'oauth',
        referrer,
        email_optional: provider.isEmailOptional,
        oauth_client_state_id: clientStateId,
        linking_target_id: linkingTarget,
        invite_token: inviteToken || null,
        ...(challenge === null
          ? {}
          : {
              auth_code: context.random.uuid(),
              code_challenge: challenge.challenge,
              code_challenge_method: challenge.method,
            }),
      },
      now,
    );
  });
  const old = asOAuth1(provider);
  if (old !== null) {
    return worded(providerFailure.requestTokenFailed(), () => oauth1AuthorizeUrl(context, old, state));
  }
  // A provider of the project takes scopes instead of its own, any other beside them.
  const more = provider.custom === undefined ? words(scopes.replaceAll(',', ' ')) : [];
  return authorizeUrl(provider, state, more, passedOn(query), verifier);
}
