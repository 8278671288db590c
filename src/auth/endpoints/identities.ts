import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import type { UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { identityFailure } from '../failures/identity.ts';
import { unlinkIdentity } from '../flows/unlink-identity.ts';
import { isUuid } from '../guard.ts';

/** Refuses unless users may link and unlink identities. */
export function demandManualLinking({ config }: AuthContext): void {
  if (!config.enableManualLinking) throw identityFailure.linkingDisabled();
}

/** DELETE /user/identities/{identity_id}. */
export async function deleteUserIdentity(context: AuthContext, call: UserCall): Promise<HttpReply> {
  const id = call.params.identity_id ?? '';
  if (!isUuid(id)) throw identityFailure.idNotUuid();
  const aud = Array.isArray(call.claims.aud) ? call.claims.aud[0] : call.claims.aud;
  if (aud !== call.aud) throw identityFailure.audience();
  await unlinkIdentity(context, call, id);
  return jsonReply(200, {});
}
