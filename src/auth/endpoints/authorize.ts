import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import type { Call, UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { beginExternal } from '../flows/begin-external.ts';

const redirect = (location: string): HttpReply => ({ status: 302, headers: { location }, body: null });

/** GET /authorize: sends the browser to a provider. */
export async function getAuthorize(context: AuthContext, call: Call): Promise<HttpReply> {
  return redirect(await beginExternal(context, call, null));
}

/** GET /user/identities/authorize: the same, to link one more account. */
export async function getIdentityAuthorize(context: AuthContext, call: UserCall): Promise<HttpReply> {
  const url = await beginExternal(context, call, call.user.id);
  return call.query.get('skip_http_redirect') === 'true' ? jsonReply(200, { url }) : redirect(url);
}
