import type { Call } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { accountFailure } from '../failures/account.ts';
import type { JsonObject, User } from '../store/rows.ts';
import { endSessions } from '../store/sessions.ts';
import { findUserByEmail, findUserByPhone, renewPasswordHash } from '../store/users.ts';
import { isBanned } from './account.ts';
import { type Flow, runFlow } from './flow.ts';
import { beginSession } from './session.ts';

/** Address and password of somebody who signs in. */
export type Credentials = {
  readonly address: { readonly kind: 'email' | 'phone'; readonly value: string };
  readonly password: string;
};

/**
 * Signs a user in by password. Who is unknown, has no password or gives a wrong one gets one answer after one time.
 * Upstream: internal/api/token.go (ResourceOwnerPasswordGrant).
 */
export async function signInWithPassword(
  context: AuthContext,
  call: Call,
  { address, password }: Credentials,
): Promise<JsonObject> {
  const user = await (address.kind === 'email'
    ? findUserByEmail(context.db, address.value, call.aud)
    : findUserByPhone(context.db, address.value, call.aud));
  const isRight = await context.passwords.verify(password, user?.encrypted_password ?? null, user?.id ?? '');
  if (user === null || !user.encrypted_password) throw accountFailure.invalidCredentials();
  if (isBanned(user, context.clock.now())) throw accountFailure.loginBanned();
  await askHook(context, call, user, isRight);
  if (!isRight) throw accountFailure.invalidCredentials();
  if (address.kind === 'email' && user.email_confirmed_at === null) throw accountFailure.emailNotConfirmed();
  if (address.kind === 'phone' && user.phone_confirmed_at === null) throw accountFailure.phoneNotConfirmed();
  const weakness = await context.passwords.weakness(password);
  const session = await runFlow(context, call, async (flow) => {
    await context.audit.record(flow.tx, user, 'login', { provider: address.kind });
    await renewEncryption(context, flow, user.id, user.encrypted_password ?? '');
    return beginSession(context, flow, user, 'password');
  });
  return { ...session, weak_password: weakness };
}

/** A hash that is stored with a former key, or without any, is stored with the present one. */
async function renewEncryption(context: AuthContext, flow: Flow, id: string, stored: string): Promise<void> {
  const renewed = context.encryption.reseal(id, stored);
  if (renewed !== null) await renewPasswordHash(flow.tx, id, stored, renewed);
}

const rejection = 'Further password verification attempts will be rejected.';

async function askHook(context: AuthContext, call: Call, user: User, isRight: boolean): Promise<void> {
  if (!context.hooks.has('password_verification_attempt')) return;
  const input = { user_id: user.id, valid: isRight };
  const output = await context.hooks.call('password_verification_attempt', input, call.request.ip);
  const answer = (output ?? {}) as Record<string, unknown>;
  if (answer.decision !== 'reject') return;
  if (answer.should_logout_user === true) {
    await runFlow(context, call, (flow) => endSessions(flow.tx, user.id));
  }
  throw accountFailure.rejectedByHook(String(answer.message || rejection));
}
