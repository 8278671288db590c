import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import { type Call, field, readJson } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { accountFailure } from '../failures/account.ts';
import { linkFailure } from '../failures/link.ts';
import { plainPhone } from '../flows/addresses.ts';
import { exchangeCode } from '../flows/exchange-code.ts';
import { refreshSession } from '../flows/refresh.ts';
import { signInWithPassword } from '../flows/sign-in.ts';
import { signInWithIdToken } from '../flows/sign-in-id-token.ts';
import { signInWithWallet } from '../flows/sign-in-web3.ts';
import { demandUser } from '../guard.ts';
import type { JsonObject } from '../store/rows.ts';

type Grant = (context: AuthContext, call: Call) => Promise<JsonObject>;

const passwordBody = z
  .object({ email: field.text, phone: field.text, password: field.text })
  .describe('PasswordGrantParams');

const passwordGrant: Grant = async (context, call) => {
  const { email, phone, password } = await readJson(call, passwordBody);
  if (email !== '' && phone !== '') throw accountFailure.loginBothAddresses();
  if (email !== '') {
    if (!context.config.emailEnabled) throw accountFailure.emailLoginDisabled();
    return signInWithPassword(context, call, { address: { kind: 'email', value: email }, password });
  }
  if (phone === '') throw accountFailure.loginNoAddress();
  if (!context.config.phoneEnabled) throw accountFailure.phoneLoginDisabled();
  return signInWithPassword(context, call, {
    address: { kind: 'phone', value: plainPhone(phone) },
    password,
  });
};

const refreshBody = z.object({ refresh_token: field.text }).describe('RefreshTokenGrantParams');

const refreshGrant: Grant = async (context, call) => {
  const { refresh_token } = await readJson(call, refreshBody);
  return refreshSession(context, call, refresh_token);
};

const pkceBody = z.object({ auth_code: field.text, code_verifier: field.text }).describe('PKCEGrantParams');

const pkceGrant: Grant = async (context, call) => {
  const { auth_code, code_verifier } = await readJson(call, pkceBody);
  if (auth_code === '' || code_verifier === '') throw linkFailure.pkceEmpty();
  return exchangeCode(context, call, auth_code, code_verifier);
};

const idTokenBody = z
  .object({
    id_token: field.text,
    access_token: field.text,
    nonce: field.text,
    provider: field.text,
    client_id: field.text,
    issuer: field.text,
    link_identity: field.flag,
  })
  .describe('IdTokenGrantParams');

const idTokenGrant: Grant = async (context, call) => {
  const body = await readJson(call, idTokenBody);
  const invalid = (description: string): OAuthError => new OAuthError('invalid request', description);
  if (body.id_token === '') throw invalid('id_token required');
  if (body.provider === '' && (body.client_id === '' || body.issuer === '')) {
    throw invalid('provider or client_id and issuer required');
  }
  if (body.link_identity && call.request.authorization === null) {
    throw invalid('Linking requires a valid user access token in Authorization');
  }
  const target = body.link_identity ? await demandUser(context, call) : null;
  const request = {
    idToken: body.id_token,
    accessToken: body.access_token,
    nonce: body.nonce,
    provider: body.provider,
    clientId: body.client_id,
    issuer: body.issuer,
  };
  return signInWithIdToken(context, call, request, target);
};

const web3Body = z
  .object({ chain: field.text, message: field.text, signature: field.text })
  .describe('Web3GrantParams');

const web3Grant: Grant = async (context, call) =>
  signInWithWallet(context, call, () => readJson(call, web3Body));

const grants: Readonly<Record<string, { readonly grant: Grant; readonly limit: 'token' | 'web3' }>> = {
  password: { grant: passwordGrant, limit: 'token' },
  refresh_token: { grant: refreshGrant, limit: 'token' },
  pkce: { grant: pkceGrant, limit: 'token' },
  id_token: { grant: idTokenGrant, limit: 'token' },
  web3: { grant: web3Grant, limit: 'web3' },
};

/** The grant that a request names, in its query or form. */
export const grantTypeOf = async (call: Call): Promise<string> =>
  call.query.get('grant_type') ?? (await call.form()).get('grant_type') ?? '';

/** POST /token: a session in exchange for credentials of the named kind. */
export async function postToken(context: AuthContext, call: Call): Promise<HttpReply> {
  const type = await grantTypeOf(call);
  const found = Object.hasOwn(grants, type) ? grants[type] : undefined;
  if (found === undefined) throw accountFailure.unsupportedGrant();
  context.limits.demand(found.limit, call.request);
  return jsonReply(200, await found.grant(context, call));
}
