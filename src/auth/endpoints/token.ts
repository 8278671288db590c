import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import { type Call, field, readJson } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { accountFailure } from '../failures/account.ts';
import { linkFailure } from '../failures/link.ts';
import { plainPhone } from '../flows/addresses.ts';
import { exchangeCode } from '../flows/exchange-code.ts';
import { refreshSession } from '../flows/refresh.ts';
import { signInWithPassword } from '../flows/sign-in.ts';
import type { JsonObject } from '../store/rows.ts';

type Grant = (context: AuthContext, call: Call) => Promise<JsonObject>;

const passwordBody = z.object({ email: field.text, phone: field.text, password: field.text });

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

const refreshBody = z.object({ refresh_token: field.text });

const refreshGrant: Grant = async (context, call) => {
  const { refresh_token } = await readJson(call, refreshBody);
  return refreshSession(context, call, refresh_token);
};

const pkceBody = z.object({ auth_code: field.text, code_verifier: field.text });

const pkceGrant: Grant = async (context, call) => {
  const { auth_code, code_verifier } = await readJson(call, pkceBody);
  if (auth_code === '' || code_verifier === '') throw linkFailure.pkceEmpty();
  return exchangeCode(context, call, auth_code, code_verifier);
};

const grants: Readonly<Record<string, { readonly grant: Grant; readonly limit: 'token' | 'web3' }>> = {
  password: { grant: passwordGrant, limit: 'token' },
  refresh_token: { grant: refreshGrant, limit: 'token' },
  pkce: { grant: pkceGrant, limit: 'token' },
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
