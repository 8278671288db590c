import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../../http/exchange.ts';
import { type AdminCall, field, readJson } from '../../call.ts';
import type { AuthContext } from '../../context.ts';
import { demandEmail } from '../../flows/addresses.ts';
import { inviteUser } from '../../flows/invite.ts';
import { userJson } from '../../wire/user.ts';

const inviteBody = z.object({ email: field.text, data: field.object }).describe('InviteParams');

/** POST /invite: mails an invitation. */
export async function postInvite(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const body = await readJson(call, inviteBody);
  const user = await inviteUser(context, call, demandEmail(body.email), body.data ?? {});
  return jsonReply(200, userJson(user));
}
