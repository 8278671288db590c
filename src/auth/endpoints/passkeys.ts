import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import { type Call, field, readJson, type UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { passkeyFailure } from '../failures/passkey.ts';
import { requestFailure } from '../failures/request.ts';
import { isBanned } from '../flows/account.ts';
import { runFlow } from '../flows/flow.ts';
import { beginSession } from '../flows/session.ts';
import { isUuid } from '../guard.ts';
import {
  creationOptions,
  relyingParty,
  requestOptions,
  type StoredCredential,
  verifyCreation,
  verifyRequest,
} from '../mfa/webauthn.ts';
import type { Actor } from '../store/audit.ts';
import {
  deletePasskey,
  findPasskeyByCredential,
  findPasskeys,
  insertPasskey,
  insertPasskeyChallenge,
  type Passkey,
  renamePasskey,
  takePasskeyChallenge,
  touchPasskey,
} from '../store/passkeys.ts';
import type { JsonObject, User } from '../store/rows.ts';
import { findUser } from '../store/users.ts';
import { epochMs, rfc3339, timestampAt } from '../timestamp.ts';
import { highestLevel } from '../tokens/assurance.ts';

const maxNameLength = 120;

/** Refuses unless passkeys are on. */
export function demandPasskeys({ config }: AuthContext): void {
  if (!config.passkeyEnabled) throw passkeyFailure.disabled();
}

function demandManager({ user, session }: UserCall): void {
  if (highestLevel(user) === 'aal2' && session?.aal !== 'aal2') throw passkeyFailure.needsAal2();
}

const stored = (passkey: Passkey): StoredCredential => ({
  id: passkey.credential_id,
  publicKey: passkey.public_key,
  signCount: Number(passkey.sign_count),
  transports: passkey.transports,
});

/** A passkey as clients see it. */
export const passkeyJson = (passkey: Passkey): JsonObject => ({
  id: passkey.id,
  friendly_name: passkey.friendly_name || undefined,
  created_at: rfc3339(passkey.created_at),
  last_used_at: passkey.last_used_at === null ? undefined : rfc3339(passkey.last_used_at),
});

/** Keeps the challenge of some options and wraps them up for the client. */
async function offer(
  context: AuthContext,
  type: 'registration' | 'authentication',
  userId: string | null,
  options: { readonly challenge: string },
): Promise<HttpReply> {
  const id = context.random.uuid();
  const expiresMs = context.clock.now() + context.config.webauthnChallengeExpiryMs;
  const data = {
    challenge: options.challenge,
    rpId: relyingParty(context.config).id,
    user_id: userId === null ? null : Buffer.from(userId).toString('base64'),
    expires: '0001-01-01T00:00:00Z',
    userVerification: 'preferred',
  };
  const challenge = { id, userId, type, data, expiresAt: timestampAt(expiresMs) };
  await insertPasskeyChallenge(context.db, challenge, context.now());
  return jsonReply(200, { challenge_id: id, options, expires_at: Math.floor(expiresMs / 1000) });
}

/** POST /passkeys/registration/options: what a browser needs to make a passkey. */
export async function postRegistrationOptions(context: AuthContext, call: UserCall): Promise<HttpReply> {
  const { user } = call;
  if (user.is_sso_user) throw passkeyFailure.ssoUser();
  demandManager(call);
  const existing = await findPasskeys(context.db, user.id);
  if (existing.length >= context.config.passkeyMaxPerUser) throw passkeyFailure.tooMany();
  const who = { id: user.id, name: user.email || user.phone || '', displayName: displayName(user) };
  const party = relyingParty(context.config);
  return offer(
    context,
    'registration',
    user.id,
    await creationOptions(party, who, existing.map(stored), 'passkey'),
  );
}

const displayName = (user: User): string => {
  const name = user.raw_user_meta_data?.name;
  return typeof name === 'string' && name !== '' ? name : user.email || user.phone || '';
};

const answerBody = z.object({ challenge_id: field.text, credential: field.any });
const answerBodies = {
  registration: answerBody.describe('PasskeyRegistrationVerifyParams'),
  authentication: answerBody.describe('PasskeyAuthenticationVerifyParams'),
} as const;

const credentialShape = z.looseObject({
  id: z.string(),
  rawId: z.string(),
  type: z.literal('public-key'),
  response: z.looseObject({ clientDataJSON: z.string(), userHandle: z.string().nullish() }),
});

/** The challenge that a body answers, taken away, and the answer. */
async function readAnswer(
  context: AuthContext,
  call: Call,
  type: 'registration' | 'authentication',
  userId: string | null,
): Promise<{ readonly challenge: string; readonly credential: z.infer<typeof credentialShape> }> {
  const body = await readJson(call, answerBodies[type]);
  if (body.challenge_id === '') throw passkeyFailure.challengeRequired();
  if (body.credential === null) throw passkeyFailure.credentialRequired();
  if (!isUuid(body.challenge_id)) throw passkeyFailure.challengeNotUuid();
  const taken = await takePasskeyChallenge(context.db, body.challenge_id, type, userId);
  if (taken === null) throw passkeyFailure.challengeNotFound();
  if (context.clock.now() > epochMs(taken.expires_at)) throw passkeyFailure.challengeExpired();
  const credential = credentialShape.safeParse(body.credential);
  if (!credential.success) throw passkeyFailure.badCredential();
  return { challenge: taken.challenge, credential: credential.data };
}

/** POST /passkeys/registration/verify: keeps a passkey that was made. */
export async function postRegistrationVerify(context: AuthContext, call: UserCall): Promise<HttpReply> {
  const { user } = call;
  if (user.is_sso_user) throw passkeyFailure.ssoUser();
  demandManager(call);
  const { challenge, credential } = await readAnswer(context, call, 'registration', user.id);
  const party = relyingParty(context.config);
  // The library checks every member that it reads.
  const response = credential as unknown as RegistrationResponseJSON;
  const made = await verifyCreation(party, challenge, response);
  if (made === null) throw passkeyFailure.failed();
  const id = context.random.uuid();
  const passkey = await runFlow(context, call, async (flow) => {
    const existing = await findPasskeys(flow.tx, user.id);
    if (existing.length >= context.config.passkeyMaxPerUser) throw passkeyFailure.tooMany();
    const kept = await insertPasskey(flow.tx, id, user.id, made, 'Passkey', context.now());
    if (kept === null) throw passkeyFailure.exists();
    await context.audit.record(flow.tx, user, 'passkey_created', { passkey_id: id }, call.request.ip);
    return kept;
  });
  const { last_used_at, ...reply } = passkeyJson(passkey);
  return jsonReply(200, reply);
}

/** POST /passkeys/authentication/options: what a browser needs to sign in with any of its passkeys. */
export async function postAuthenticationOptions(context: AuthContext): Promise<HttpReply> {
  return offer(context, 'authentication', null, await requestOptions(relyingParty(context.config), []));
}

/** POST /passkeys/authentication/verify: signs the owner of a passkey in. */
export async function postAuthenticationVerify(context: AuthContext, call: Call): Promise<HttpReply> {
  const { challenge, credential } = await readAnswer(context, call, 'authentication', null);
  const passkey = await findPasskeyByCredential(context.db, Buffer.from(credential.rawId, 'base64url'));
  const owner = Buffer.from(credential.response.userHandle ?? '', 'base64url').toString();
  if (passkey === null || owner !== passkey.user_id) throw passkeyFailure.failed();
  const response = credential as unknown as AuthenticationResponseJSON;
  const counter = await verifyRequest(relyingParty(context.config), challenge, response, stored(passkey));
  const user = counter === null ? null : await findUser(context.db, passkey.user_id);
  if (counter === null || user === null) throw passkeyFailure.failed();
  if (user.email && user.email_confirmed_at === null) throw passkeyFailure.emailNotConfirmed();
  if (user.phone && user.phone_confirmed_at === null) throw passkeyFailure.phoneNotConfirmed();
  if (isBanned(user, context.clock.now())) throw requestFailure.banned();
  const session = await runFlow(context, call, async (flow) => {
    await touchPasskey(flow.tx, passkey.id, counter, context.now());
    await context.audit.record(flow.tx, user, 'login', { passkey_id: passkey.id }, call.request.ip);
    return beginSession(context, flow, user, 'passkey');
  });
  return jsonReply(200, session);
}

/** GET /passkeys. */
export async function getPasskeys(context: AuthContext, { user }: UserCall): Promise<HttpReply> {
  return jsonReply(200, (await findPasskeys(context.db, user.id)).map(passkeyJson));
}

const nameBody = z.object({ friendly_name: field.text }).describe('PasskeyUpdateParams');

/** PATCH /passkeys/{passkey_id}. */
export async function patchPasskey(context: AuthContext, call: UserCall): Promise<HttpReply> {
  const id = demandPasskeyId(call);
  const { friendly_name: name } = await readJson(call, nameBody);
  if (name === '') throw passkeyFailure.nameRequired();
  if (Buffer.byteLength(name) > maxNameLength) throw passkeyFailure.nameTooLong();
  const renamed = await runFlow(context, call, async (flow) => {
    const passkey = await renamePasskey(flow.tx, call.user.id, id, name, context.now());
    if (passkey === null) throw passkeyFailure.notFound();
    await context.audit.record(flow.tx, call.user, 'passkey_updated', { passkey_id: id }, call.request.ip);
    return passkey;
  });
  return jsonReply(200, passkeyJson(renamed));
}

/** DELETE /passkeys/{passkey_id}. */
export async function removePasskey(context: AuthContext, call: UserCall): Promise<HttpReply> {
  demandManager(call);
  return deleteOwned(context, call, call.user, demandPasskeyId(call));
}

/** The passkey id of the path. */
export function demandPasskeyId(call: Call): string {
  const id = call.params.passkey_id ?? '';
  if (!isUuid(id)) throw passkeyFailure.notFound();
  return id;
}

/** Removes a passkey of a user, who does it or whom an admin spares it. */
export async function deleteOwned(
  context: AuthContext,
  call: Call,
  user: User,
  id: string,
  admin: Actor | null = null,
): Promise<HttpReply> {
  await runFlow(context, call, async (flow) => {
    if (!(await deletePasskey(flow.tx, user.id, id))) throw passkeyFailure.notFound();
    const traits = admin === null ? { passkey_id: id } : { passkey_id: id, user_id: user.id };
    await context.audit.record(flow.tx, admin ?? user, 'passkey_deleted', traits, call.request.ip);
  });
  return { status: 204, headers: {}, body: null };
}
