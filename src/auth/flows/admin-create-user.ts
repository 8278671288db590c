import type { AdminCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { AuthError } from '../errors.ts';
import { accountFailure } from '../failures/account.ts';
import { adminFailure } from '../failures/admin.ts';
import { fault } from '../failures/table.ts';
import { parseGoDuration } from '../go-duration.ts';
import { isUuid } from '../guard.ts';
import { maxPasswordBytes } from '../passwords/policy.ts';
import { insertIdentity } from '../store/identities.ts';
import type { User } from '../store/rows.ts';
import {
  findDuplicateEmail,
  findUserByPhone,
  insertUser,
  mergeMetadata,
  reloadUser,
  updateUser,
} from '../store/users.ts';
import { timestampAt } from '../timestamp.ts';
import { confirmEmail, confirmPhone, ownIdentityData } from './account.ts';
import { demandEmail, demandPhone } from './addresses.ts';
import type { AdminUserBody } from './admin-user-body.ts';
import { type Flow, runFlow } from './flow.ts';
import { separateProviders } from './sign-up.ts';

/** When a ban of a duration ends: null lifts it, undefined leaves things as they are. */
export function banEnd(context: AuthContext, duration: string): string | null | undefined {
  if (duration === '') return undefined;
  if (duration === 'none') return null;
  let ms: number;
  try {
    ms = parseGoDuration(duration);
  } catch (thrown) {
    throw adminFailure.banDuration(thrown instanceof Error ? thrown.message : String(thrown));
  }
  return ms === 0 ? null : timestampAt(context.clock.now() + ms);
}

/** Puts whatever the database said behind the text that clients know; refusals pass as they are. */
export async function worded<T>(message: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof AuthError) throw cause;
    throw fault(message, { cause });
  }
}

/**
 * Makes a user on behalf of an admin.
 * Upstream: internal/api/admin.go (adminUserCreate).
 */
export async function createUserAsAdmin(
  context: AuthContext,
  call: AdminCall,
  body: AdminUserBody,
): Promise<User> {
  const aud = body.aud || call.aud;
  if (body.email === '' && body.phone === '') throw adminFailure.noAddress();
  const email = body.email === '' ? null : demandEmail(body.email);
  if (email !== null) {
    const taken = await findDuplicateEmail(context.db, email, aud, null, separateProviders(context));
    if (taken !== null) throw accountFailure.emailExists();
  }
  const phone = body.phone === '' ? null : demandPhone(body.phone);
  if (phone !== null && (await findUserByPhone(context.db, phone, aud)) !== null)
    throw adminFailure.phoneTaken();
  const id = chosenId(context, body.id);
  const hash = await chosenHash(context, id, body);
  const providers = [...(email === null ? [] : ['email']), ...(phone === null ? [] : ['phone'])];
  const bannedUntil = banEnd(context, body.ban_duration);
  const fresh = {
    id,
    aud,
    role: body.role || context.config.jwtDefaultRole,
    email,
    phone,
    encrypted_password: hash,
    raw_app_meta_data: mergeMetadata({ provider: providers[0], providers }, body.app_metadata ?? {}),
    raw_user_meta_data: body.user_metadata ?? {},
    is_anonymous: false,
    is_sso_user: false,
  };
  return worded('Database error creating new user', () =>
    runFlow(context, call, async (flow) => {
      const made = await insertUser(flow.tx, fresh, context.now());
      const banned = bannedUntil ? { banned_until: bannedUntil } : {};
      return finish(context, flow, call, await updateUser(flow.tx, made, banned, context.now()), body);
    }),
  );
}

function chosenId(context: AuthContext, id: string): string {
  if (id === '') return context.random.uuid();
  if (!isUuid(id)) throw adminFailure.idNotUuid();
  if (/^[0-]+$/.test(id)) throw adminFailure.idNil();
  return id.toLowerCase();
}

async function chosenHash(context: AuthContext, id: string, body: AdminUserBody): Promise<string> {
  if (body.password !== null && body.password_hash !== '') throw adminFailure.passwordOrHash();
  if (body.password_hash !== '') {
    if (!context.passwords.isKnownFormat(body.password_hash)) throw fault('Error creating user');
    return context.encryption.seal(id, body.password_hash);
  }
  if (!body.password) return context.passwords.unknown(id);
  if (Buffer.byteLength(body.password) > maxPasswordBytes) throw adminFailure.passwordTooLong();
  return context.passwords.hash(body.password, id);
}

async function finish(
  context: AuthContext,
  flow: Flow,
  call: AdminCall,
  made: User,
  body: AdminUserBody,
): Promise<User> {
  const { email, phone } = made;
  const now = context.now();
  if (email) await insertIdentity(flow.tx, made, 'email', ownIdentityData(made.id, { email }), now);
  if (phone) await insertIdentity(flow.tx, made, 'phone', ownIdentityData(made.id, { phone }), now);
  await context.audit.record(flow.tx, call.actor, 'user_signedup', {
    user_id: made.id,
    user_email: email ?? '',
    user_phone: phone ?? '',
    provider: email ? 'email' : 'phone',
  });
  let user = made;
  if (body.email_confirm) user = await confirmEmail(context, flow, user);
  if (body.phone_confirm) user = await confirmPhone(context, flow, user);
  // A column that the database makes of others is not read again after the insert, as upstream does not.
  return { ...(await reloadUser(flow.tx, user)), confirmed_at: null };
}
