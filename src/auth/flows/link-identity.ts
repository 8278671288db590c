import type { AuthContext } from '../context.ts';
import { AuthError } from '../errors.ts';
import { identityFailure } from '../failures/identity.ts';
import { identityData } from '../providers/provider.ts';
import { findIdentity, insertIdentity } from '../store/identities.ts';
import type { User } from '../store/rows.ts';
import { findUserByEmail, updateUser } from '../store/users.ts';
import { confirmEmail, refreshProviders } from './account.ts';
import { asShown, type External, type ExternalOutcome } from './external-account.ts';
import type { Flow } from './flow.ts';
import { notify } from './notify.ts';
import { sendTokenMail } from './send-mail.ts';

/**
 * Gives a signed-in user one more account to sign in with; a user without an address takes over that account's.
 * Upstream: internal/api/identity.go (linkIdentityToUser).
 */
export async function linkIdentity(
  context: AuthContext,
  flow: Flow,
  target: User,
  external: External,
): Promise<ExternalOutcome> {
  const { provider, user } = external;
  const existing = await findIdentity(flow.tx, user.claims.sub, provider);
  if (existing !== null) {
    throw existing.user_id === target.id
      ? identityFailure.alreadyLinked()
      : identityFailure.linkedElsewhere();
  }
  const data = identityData(user);
  const identity = await insertIdentity(flow.tx, target, provider, data, context.now());
  const traits = { identity_id: identity.id, provider, provider_id: identity.provider_id };
  await context.audit.record(flow.tx, target, 'identity_linked', traits, flow.call.request.ip);
  const email = typeof data.email === 'string' ? data.email : '';
  const adopted = target.email ? target : await adoptAddress(context, flow, target, email);
  const isUnverified = !target.email && email !== '' && data.email_verified !== true;
  if (isUnverified) {
    const mailed = await sendTokenMail(context, flow, adopted, 'signup');
    return { user: mailed, isNew: false, refusal: needsConfirmation(provider) };
  }
  const confirmed = target.email || email === '' ? adopted : await confirmEmail(context, flow, adopted);
  const permanent =
    confirmed.is_anonymous && !target.email
      ? await updateUser(flow.tx, confirmed, { is_anonymous: false }, context.now())
      : confirmed;
  const linked = await refreshProviders(context, flow, permanent);
  await notify(context, flow, linked, 'identity_linked', { provider });
  return asShown({ user: linked, isNew: false, refusal: null }, target);
}

async function adoptAddress(context: AuthContext, flow: Flow, target: User, email: string): Promise<User> {
  if (email === '') return target;
  if ((await findUserByEmail(flow.tx, email, target.aud ?? '')) !== null) {
    throw new AuthError(400, 'email_exists', 'A user with this email address has already been registered');
  }
  return updateUser(flow.tx, target, { email }, context.now());
}

const needsConfirmation = (provider: string): AuthError =>
  new AuthError(
    422,
    'email_not_confirmed',
    `Unverified email with ${provider}. A confirmation email has been sent to your ${provider} email`,
  );
