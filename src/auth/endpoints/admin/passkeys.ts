import { type HttpReply, jsonReply } from '../../../http/exchange.ts';
import type { AdminCall } from '../../call.ts';
import type { AuthContext } from '../../context.ts';
import { findPasskeys } from '../../store/passkeys.ts';
import { deleteOwned, demandPasskeyId, passkeyJson } from '../passkeys.ts';
import { demandPathUser } from './users.ts';

/** GET /admin/users/{user_id}/passkeys. */
export async function getUserPasskeys(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const user = await demandPathUser(context, call);
  return jsonReply(200, (await findPasskeys(context.db, user.id)).map(passkeyJson));
}

/** DELETE /admin/users/{user_id}/passkeys/{passkey_id}. */
export async function deleteUserPasskey(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const user = await demandPathUser(context, call);
  return deleteOwned(context, call, user, demandPasskeyId(call), call.actor);
}
