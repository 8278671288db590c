import type { Call } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { providerFailure } from '../failures/provider.ts';
import { authorizeUrl, configuredProvider } from '../providers/client.ts';
import { insertClientState } from '../store/client-states.ts';
import { insertFlowState } from '../store/flow-states.ts';
import { lockUserByToken } from '../store/one-time-tokens.ts';
import { runFlow } from './flow.ts';
import { readChallenge } from './pkce.ts';

/** Members of the query that the service sets itself, or that are none of the provider's business. */
const reserved: ReadonlySet<string> = new Set([
  'client_id',
  'client_secret',
  'redirect_uri',
  'response_type',
  'state',
  'code_challenge',
  'code_challenge_method',
  'code_verifier',
  'invite_token',
  'provider',
  'scopes',
]);

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
  const provider = configuredProvider(context, query.get('provider') ?? '');
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
      await insertClientState(flow.tx, clientStateId, provider.name, verifier, now);
    }
    await insertFlowState(
      flow.tx,
      {
        id: state,
        provider_type: provider.name,
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
  const scopes = (query.get('scopes') ?? '').split(/[,\s]+/).filter((scope) => scope !== '');
  return authorizeUrl(provider, state, scopes, passedOn(query), verifier);
}
