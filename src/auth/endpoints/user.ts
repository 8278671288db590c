import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import { field, pkceFields, readJson, type UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { requestFailure } from '../failures/request.ts';
import { readChallenge } from '../flows/pkce.ts';
import { updateOwnUser } from '../flows/update-user.ts';
import { userJson } from '../wire/user.ts';

/** GET /user: the signed-in user. */
export async function getUser(_context: AuthContext, call: UserCall): Promise<HttpReply> {
  const aud = Array.isArray(call.claims.aud) ? call.claims.aud[0] : call.claims.aud;
  if (aud !== call.aud) throw requestFailure.audienceMismatch();
  return jsonReply(200, userJson(call.user));
}

const userBody = z
  .object({
    email: field.text,
    phone: field.text,
    password: field.optionalText,
    current_password: field.text,
    nonce: field.text,
    data: field.object,
    app_metadata: field.object,
    channel: field.text,
    ...pkceFields,
  })
  .describe('UserUpdateParams');

/** PUT /user: changes that users make to themselves. */
export async function putUser(context: AuthContext, call: UserCall): Promise<HttpReply> {
  const body = await readJson(call, userBody);
  const user = await updateOwnUser(context, call, {
    email: body.email,
    phone: body.phone,
    password: body.password,
    currentPassword: body.current_password,
    nonce: body.nonce,
    data: body.data,
    hasAppMetadata: body.app_metadata !== null,
    channel: body.channel,
    challenge: () => readChallenge(body),
  });
  return jsonReply(200, userJson(user));
}
