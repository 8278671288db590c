import type { HttpReply } from '../../http/exchange.ts';
import type { AdminCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { getAudit } from '../endpoints/admin/audit.ts';
import {
  demandCustomProviders,
  getCustomProvider,
  getCustomProviders,
  postCustomProvider,
  putCustomProvider,
  removeCustomProvider,
} from '../endpoints/admin/custom-providers.ts';
import { deleteUserFactor, getUserFactors, putUserFactor } from '../endpoints/admin/factors.ts';
import { postGenerateLink } from '../endpoints/admin/generate-link.ts';
import { postInvite } from '../endpoints/admin/invite.ts';
import { deleteUserPasskey, getUserPasskeys } from '../endpoints/admin/passkeys.ts';
import {
  getSsoProvider,
  getSsoProviders,
  postSsoProvider,
  putSsoProvider,
  removeSsoProvider,
} from '../endpoints/admin/sso-providers.ts';
import { deleteUserById, getUserById, getUsers, postUser, putUserById } from '../endpoints/admin/users.ts';
import {
  deleteClient,
  demandOAuthServer,
  getClient,
  getClients,
  postClient,
  postClientSecret,
  putClient,
} from '../endpoints/oauth-clients.ts';
import { admin, type Endpoint, type Route } from './route.ts';

/** OAuth clients are looked at only after the admin has been. */
const clientAdmin = (endpoint: (context: AuthContext, call: AdminCall) => Promise<HttpReply>): Endpoint =>
  admin(async (context, call) => {
    demandOAuthServer(context);
    return endpoint(context, call);
  });

/** Providers of the project are looked at only after the admin has been. */
const providerAdmin = (endpoint: (context: AuthContext, call: AdminCall) => Promise<HttpReply>): Endpoint =>
  admin(async (context, call) => {
    demandCustomProviders(context);
    return endpoint(context, call);
  });

/** What admins ask for. */
export const adminRoutes: readonly Route[] = [
  { method: 'POST', path: '/invite', endpoint: admin(postInvite) },
  { method: 'POST', path: '/admin/generate_link', endpoint: admin(postGenerateLink) },
  { method: 'GET', path: '/admin/audit', endpoint: admin(getAudit) },
  { method: 'GET', path: '/admin/users', endpoint: admin(getUsers) },
  { method: 'POST', path: '/admin/users', endpoint: admin(postUser) },
  { method: 'GET', path: '/admin/users/:user_id', endpoint: admin(getUserById) },
  { method: 'PUT', path: '/admin/users/:user_id', endpoint: admin(putUserById) },
  { method: 'DELETE', path: '/admin/users/:user_id', endpoint: admin(deleteUserById) },
  { method: 'GET', path: '/admin/users/:user_id/factors', endpoint: admin(getUserFactors) },
  { method: 'PUT', path: '/admin/users/:user_id/factors/:factor_id', endpoint: admin(putUserFactor) },
  { method: 'DELETE', path: '/admin/users/:user_id/factors/:factor_id', endpoint: admin(deleteUserFactor) },
  { method: 'GET', path: '/admin/users/:user_id/passkeys', endpoint: admin(getUserPasskeys) },
  {
    method: 'DELETE',
    path: '/admin/users/:user_id/passkeys/:passkey_id',
    endpoint: admin(deleteUserPasskey),
  },
  { method: 'GET', path: '/admin/oauth/clients', endpoint: clientAdmin(getClients) },
  { method: 'POST', path: '/admin/oauth/clients', endpoint: clientAdmin(postClient) },
  { method: 'GET', path: '/admin/oauth/clients/:client_id', endpoint: clientAdmin(getClient) },
  { method: 'PUT', path: '/admin/oauth/clients/:client_id', endpoint: clientAdmin(putClient) },
  { method: 'DELETE', path: '/admin/oauth/clients/:client_id', endpoint: clientAdmin(deleteClient) },
  {
    method: 'POST',
    path: '/admin/oauth/clients/:client_id/regenerate_secret',
    endpoint: clientAdmin(postClientSecret),
  },
  { method: 'GET', path: '/admin/custom-providers', endpoint: providerAdmin(getCustomProviders) },
  { method: 'POST', path: '/admin/custom-providers', endpoint: providerAdmin(postCustomProvider) },
  { method: 'GET', path: '/admin/custom-providers/:identifier', endpoint: providerAdmin(getCustomProvider) },
  { method: 'PUT', path: '/admin/custom-providers/:identifier', endpoint: providerAdmin(putCustomProvider) },
  {
    method: 'DELETE',
    path: '/admin/custom-providers/:identifier',
    endpoint: providerAdmin(removeCustomProvider),
  },
  { method: 'GET', path: '/admin/sso/providers', endpoint: admin(getSsoProviders) },
  { method: 'POST', path: '/admin/sso/providers', endpoint: admin(postSsoProvider) },
  { method: 'GET', path: '/admin/sso/providers/:idp_id', endpoint: admin(getSsoProvider) },
  { method: 'PUT', path: '/admin/sso/providers/:idp_id', endpoint: admin(putSsoProvider) },
  { method: 'DELETE', path: '/admin/sso/providers/:idp_id', endpoint: admin(removeSsoProvider) },
];
