import type { AuthContext } from '../context.ts';
import { providerFailure } from '../failures/provider.ts';
import { identityData } from '../providers/provider.ts';
import { insertIdentity } from '../store/identities.ts';
import { lockUserByToken } from '../store/one-time-tokens.ts';
import { confirmEmail } from './account.ts';
import { dropUnconfirmed, type External, type ExternalOutcome } from './external-account.ts';
import type { Flow } from './flow.ts';

/**
 * Lets an invited user in through a provider that knows the invited address.
 * Upstream: internal/api/external.go (processInvite).
 */
export async function acceptInvite(
  context: AuthContext,
  flow: Flow,
  token: string,
  external: External,
): Promise<ExternalOutcome> {
  const invited = await lockUserByToken(flow.tx, [token], ['confirmation_token']);
  if (invited === null) throw providerFailure.inviteNotFound();
  const knows = external.user.emails.some(({ email }) => email.toLowerCase() === invited.email);
  if (!knows) throw providerFailure.inviteMismatch();
  const data = identityData(external.user);
  const identity = await insertIdentity(flow.tx, invited, external.provider, data, context.now());
  await context.audit.record(flow.tx, invited, 'invite_accepted', { provider: external.provider });
  const clean = await dropUnconfirmed(context, flow, invited, identity, data);
  return { user: await confirmEmail(context, flow, clean), isNew: false, refusal: null };
}
