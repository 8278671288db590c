import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import type { UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { sendReauthentication } from '../flows/reauthenticate.ts';

/** GET /reauthenticate: sends the signed-in user a code. */
export async function getReauthenticate(context: AuthContext, call: UserCall): Promise<HttpReply> {
  const messageId = await sendReauthentication(context, call);
  return jsonReply(200, messageId === '' ? {} : { message_id: messageId });
}
