import type { UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { identityFailure } from '../failures/identity.ts';
import { deleteIdentity } from '../store/identities.ts';
import type { Identity, User } from '../store/rows.ts';
import { findUserByEmail, mergeMetadata, updateUser } from '../store/users.ts';
import { epochMs } from '../timestamp.ts';
import { clearPending, refreshProviders } from './account.ts';
import { type Flow, runFlow } from './flow.ts';
import { notify } from './notify.ts';

/**
 * Takes an identity away from its user; the last one stays.
 * Upstream: internal/api/identity.go (DeleteIdentity).
 */
export async function unlinkIdentity(
  context: AuthContext,
  call: UserCall,
  identityId: string,
): Promise<void> {
  const { user } = call;
  if (user.identities.length <= 1) throw identityFailure.last();
  const identity = user.identities.find(({ id }) => id === identityId);
  if (identity === undefined) throw identityFailure.notFound();
  await runFlow(context, call, async (flow) => {
    const traits = {
      identity_id: identity.id,
      provider: identity.provider,
      provider_id: identity.provider_id,
    };
    await context.audit.record(flow.tx, user, 'identity_unlinked', traits, call.request.ip);
    await deleteIdentity(flow.tx, identity.id);
    const rest = user.identities.filter(({ id }) => id !== identity.id);
    const left = await withoutAddress(context, flow, { ...user, identities: rest }, identity.provider);
    await refreshProviders(context, flow, left);
    await notify(context, flow, left, 'identity_unlinked', { provider: identity.provider }, user.email ?? '');
  });
}

async function withoutAddress(context: AuthContext, flow: Flow, user: User, provider: string): Promise<User> {
  if (provider === 'phone') {
    return updateUser(flow.tx, user, { phone: null, phone_confirmed_at: null }, context.now());
  }
  return adoptEmail(context, flow, user);
}

const isVerified = (identity: Identity): boolean => identity.identity_data?.email_verified === true;

/** Identities whose address was verified go first, those without an address last. */
const rank = (identity: Identity): number => (!identity.email ? 2 : isVerified(identity) ? 0 : 1);

/** A user whose address went with its identity takes over that of another one. */
async function adoptEmail(context: AuthContext, flow: Flow, user: User): Promise<User> {
  if (user.identities.some(({ email }) => (email ?? '') === (user.email ?? ''))) return user;
  const candidates = [...user.identities].sort(
    (a, b) => rank(a) - rank(b) || epochMs(a.created_at ?? 'infinity') - epochMs(b.created_at ?? 'infinity'),
  );
  const adopted = await firstFree(flow, candidates, user.aud ?? '');
  if (adopted === null) throw identityFailure.emailConflict();
  const moved = await updateUser(flow.tx, user, { email: adopted.email || null }, context.now());
  const cleared = await clearPending(context, flow, moved);
  const isTrusted = Boolean(adopted.email) && (isVerified(adopted) || !context.config.emailConfirmations);
  if (isTrusted) return cleared;
  return updateUser(
    flow.tx,
    cleared,
    {
      email_confirmed_at: null,
      raw_user_meta_data: mergeMetadata(cleared.raw_user_meta_data, { email_verified: false }),
    },
    context.now(),
  );
}

async function firstFree(flow: Flow, candidates: readonly Identity[], aud: string): Promise<Identity | null> {
  for (const candidate of candidates) {
    if (!candidate.email) return candidate;
    if ((await findUserByEmail(flow.tx, candidate.email, aud)) === null) return candidate;
  }
  return null;
}
