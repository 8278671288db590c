import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import type { AdminCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { ssoFailure } from '../failures/oauth-server.ts';

/** Answers everything of SAML while it is off. */
export async function refuseSaml(): Promise<HttpReply> {
  throw ssoFailure.samlDisabled();
}

/** GET /admin/sso/providers: there are none while SAML is off. */
export async function getSsoProviders(_context: AuthContext, _call: AdminCall): Promise<HttpReply> {
  return jsonReply(200, { items: [] });
}

/** Anything about a provider that there is not. */
export async function refuseSsoProvider(_context: AuthContext, _call: AdminCall): Promise<HttpReply> {
  throw ssoFailure.providerNotFound();
}
