import { sql } from '../../pg/sql/sql.ts';
import type { Call } from '../call.ts';
import type { AuthContext } from '../context.ts';
import type { AuthError } from '../errors.ts';
import { accountFailure } from '../failures/account.ts';
import { providerFailure } from '../failures/provider.ts';
import { requestFailure } from '../failures/request.ts';
import { identityData, type ProviderUser, providedData, providedEmail } from '../providers/provider.ts';
import { deleteOtherIdentities, findIdentity, insertIdentity, touchIdentity } from '../store/identities.ts';
import type { Identity, JsonObject, User } from '../store/rows.ts';
import {
  findDuplicateEmail,
  findUser,
  mergeMetadata,
  type NewUser,
  type Queryable,
  updateUser,
  userColumns,
} from '../store/users.ts';
import { asRead, confirmEmail, isBanned, refreshProviders } from './account.ts';
import type { Flow } from './flow.ts';
import { decideLink, type LinkDecision, linkingDomain } from './link-decision.ts';
import { sendTokenMail } from './send-mail.ts';
import type { SessionReply } from './session.ts';
import { callAfterUserCreated, callBeforeUserCreated, createUser, separateProviders } from './sign-up.ts';

/** Somebody who comes from a provider. */
export type External = {
  readonly provider: string;
  readonly user: ProviderUser;
  readonly isEmailOptional: boolean;
};

/** A user to sign in, or a refusal after changes that must be kept. */
export type ExternalOutcome = {
  readonly user: User;
  readonly isNew: boolean;
  readonly refusal: AuthError | null;
};

/** Reads what the decision depends on, and decides. */
async function readDecision(
  context: AuthContext,
  db: Queryable,
  aud: string,
  { provider, user }: External,
): Promise<LinkDecision> {
  const { config } = context;
  const isAutoconfirm = !config.emailConfirmations;
  const identity = await findIdentity(db, user.claims.sub, provider);
  const owner = identity === null ? null : await findUser(db, identity.user_id);
  const verified = user.emails
    .filter((email) => email.email !== '' && (email.verified || isAutoconfirm))
    .map(({ email }) => email.toLowerCase());
  const domain = linkingDomain(provider, config.linkingDomains);
  const primary = user.emails.find((email) => email.primary)?.email ?? '';
  const domains = separateProviders(context);
  const taken =
    owner === null && verified.length === 0 && primary !== ''
      ? await findDuplicateEmail(db, primary, aud, null, domains)
      : null;
  const isLookup = owner === null && verified.length > 0;
  return decideLink({
    owner,
    linked: isLookup ? await findLinked(context, db, verified, domain) : [],
    similar: isLookup && domain === 'default' ? await findSimilar(db, verified) : [],
    emails: user.emails,
    isAddressTaken: taken !== null,
    isAutoconfirm,
  });
}

async function findLinked(
  context: AuthContext,
  db: Queryable,
  emails: readonly string[],
  domain: string,
): Promise<readonly User[]> {
  const identities = await db.query<Identity>(sql`
    select * from auth.identities where email = any (${emails}::text[]) order by created_at, id`);
  const ids = identities
    .filter(({ provider }) => linkingDomain(provider, context.config.linkingDomains) === domain)
    .map(({ user_id }) => user_id);
  return db.query<User>(sql`select ${userColumns} from auth.users u where u.id = any (${ids}::uuid[])`);
}

const findSimilar = (db: Queryable, emails: readonly string[]): Promise<User[]> =>
  db.query<User>(sql`
    select ${userColumns} from auth.users u where u.email = any (${emails}::text[]) and u.is_sso_user = false`);

const newUser = (
  context: AuthContext,
  aud: string,
  external: External,
  email: string,
  data: JsonObject,
): NewUser => ({
  id: context.random.uuid(),
  aud,
  role: context.config.jwtDefaultRole,
  email: email || null,
  phone: null,
  encrypted_password: '',
  raw_app_meta_data: { provider: external.provider, providers: [external.provider] },
  raw_user_meta_data: data,
  is_anonymous: false,
  is_sso_user: linkingDomain(external.provider, context.config.linkingDomains) !== 'default',
});

/** Lets the project refuse a user that a sign-in is about to make. */
export async function callBeforeExternal(
  context: AuthContext,
  call: Call,
  external: External,
): Promise<void> {
  if (!context.hooks.has('before_user_created')) return;
  const decision = await readDecision(context, context.db, call.aud, external);
  if (decision.kind !== 'create') return;
  if (!context.config.enableSignup) throw accountFailure.signupDisabled();
  const draft = newUser(context, call.aud, external, decision.email, providedData(external.user));
  await callBeforeUserCreated(context, call, draft);
}

/**
 * Finds, links or makes the account of somebody who comes from a provider.
 * Upstream: internal/api/external.go (createAccountFromExternalIdentity).
 */
export async function settleExternal(
  context: AuthContext,
  flow: Flow,
  external: External,
): Promise<ExternalOutcome> {
  const decision = await readDecision(context, flow.tx, flow.call.aud, external);
  if (decision.kind === 'several') {
    throw providerFailure.severalAccounts(linkingDomain(external.provider, context.config.linkingDomains));
  }
  const data = identityData(external.user);
  const { user, identity, read } = await attach(context, flow, external, decision, data);
  if (isBanned(user, context.clock.now())) throw requestFailure.banned();
  const hasNoEmail = external.provider === 'web3' || (external.isEmailOptional && decision.email === '');
  const isNew = decision.kind === 'create';
  if (hasNoEmail || user.email_confirmed_at !== null) {
    await context.audit.record(flow.tx, user, 'login', { provider: external.provider });
    return asShown({ user, isNew, refusal: null }, read);
  }
  const clean = await dropUnconfirmed(context, flow, user, identity, data);
  const settled = await confirmOrMail(context, flow, clean, external.provider, decision);
  return asShown({ ...settled, isNew }, read);
}

/** A user with the identity that signs in; `read` is as the rows were when they were read or made. */
type Attached = { readonly user: User; readonly identity: Identity; readonly read: User };

/**
 * A user as hooks and answers are shown one: identities and `confirmed_at` are not read again after changes, but the data
 * of a new identity is that of the new user.
 *
 * Upstream: internal/api/external.go, internal/api/identity.go, where they stay as they are in memory.
 */
export function asShown(outcome: ExternalOutcome, read: User): ExternalOutcome {
  const { user, isNew } = outcome;
  const identities = isNew
    ? read.identities.map((identity) => ({ ...identity, identity_data: user.raw_user_meta_data }))
    : read.identities;
  return { ...outcome, user: { ...asRead(read, user), identities } };
}

/** Tells the project of somebody who came from a provider; a sign-in with PKCE is still to come then. */
export const callAfterExternal = (
  context: AuthContext,
  call: Call,
  { user }: ExternalOutcome,
  session: SessionReply | null,
): Promise<void> =>
  callAfterUserCreated(context, call, session === null ? user : { ...user, last_sign_in_at: context.now() });

async function attach(
  context: AuthContext,
  flow: Flow,
  external: External,
  decision: Exclude<LinkDecision, { readonly kind: 'several' }>,
  data: JsonObject,
): Promise<Attached> {
  const { provider } = external;
  if (decision.kind === 'create') {
    if (!context.config.enableSignup) throw accountFailure.signupDisabled();
    const draft = newUser(context, flow.call.aud, external, decision.email, data);
    const made = await createUser(context, flow, draft);
    const identity = await insertIdentity(flow.tx, made, provider, data, context.now());
    const shown = { ...identity, email: providedEmail(external.user) };
    return { user: { ...made, identities: [identity] }, identity, read: { ...made, identities: [shown] } };
  }
  const { user } = decision;
  const known = user.identities.find(
    (candidate) => candidate.provider === provider && candidate.provider_id === external.user.claims.sub,
  );
  const identity =
    known === undefined
      ? await insertIdentity(flow.tx, user, provider, data, context.now())
      : await touchIdentity(flow.tx, known, data, context.now());
  const merged = mergeMetadata(user.raw_user_meta_data, data);
  const updated = await updateUser(flow.tx, user, { raw_user_meta_data: merged }, context.now());
  const refreshed = await refreshProviders(context, flow, updated);
  if (known === undefined) {
    const traits = { identity_id: identity.id, provider, provider_id: identity.provider_id };
    await context.audit.record(flow.tx, refreshed, 'identity_linked', traits, flow.call.request.ip);
  }
  return { user: refreshed, identity, read: user };
}

/**
 * An account that nobody confirmed may have been made by somebody else who waits for the owner of the address:
 * password, metadata and other identities go before the owner comes in.
 */
export async function dropUnconfirmed(
  context: AuthContext,
  flow: Flow,
  user: User,
  identity: Identity,
  data: JsonObject,
): Promise<User> {
  const emptied = await updateUser(
    flow.tx,
    user,
    { encrypted_password: null, raw_user_meta_data: mergeMetadata({}, data) },
    context.now(),
  );
  await deleteOtherIdentities(flow.tx, user.id, identity.id);
  return refreshProviders(context, flow, emptied);
}

async function confirmOrMail(
  context: AuthContext,
  flow: Flow,
  user: User,
  provider: string,
  decision: { readonly email: string; readonly isVerified: boolean },
): Promise<{ readonly user: User; readonly refusal: AuthError | null }> {
  const { config } = context;
  if (decision.isVerified || !config.emailConfirmations) {
    await context.audit.record(flow.tx, user, 'user_signedup', { provider });
    return { user: await confirmEmail(context, flow, user), refusal: null };
  }
  const isMailed = decision.email !== '';
  const mailed = isMailed ? await sendTokenMail(context, flow, user, 'signup') : user;
  if (config.allowUnverifiedEmailSignIns) return { user: mailed, refusal: null };
  const refusal = isMailed
    ? providerFailure.unverifiedMailed(provider)
    : providerFailure.unverified(provider);
  return { user: mailed, refusal };
}
