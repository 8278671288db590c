import findMyWay, { type HTTPMethod } from 'find-my-way';
import type { HttpReply } from '../http/exchange.ts';
import type { AdminCall, Call, UserCall } from './call.ts';
import type { AuthContext } from './context.ts';
import { getAudit } from './endpoints/admin/audit.ts';
import {
  demandCustomProviders,
  getCustomProvider,
  getCustomProviders,
  postCustomProvider,
  putCustomProvider,
  removeCustomProvider,
} from './endpoints/admin/custom-providers.ts';
import { deleteUserFactor, getUserFactors, putUserFactor } from './endpoints/admin/factors.ts';
import { postGenerateLink } from './endpoints/admin/generate-link.ts';
import { postInvite } from './endpoints/admin/invite.ts';
import { deleteUserPasskey, getUserPasskeys } from './endpoints/admin/passkeys.ts';
import {
  getSsoProvider,
  getSsoProviders,
  postSsoProvider,
  putSsoProvider,
  removeSsoProvider,
} from './endpoints/admin/sso-providers.ts';
import { deleteUserById, getUserById, getUsers, postUser, putUserById } from './endpoints/admin/users.ts';
import { getAuthorize, getIdentityAuthorize } from './endpoints/authorize.ts';
import { anyCallback } from './endpoints/callback.ts';
import { deleteFactor, postChallenge, postFactor, postFactorVerify } from './endpoints/factors.ts';
import { deleteUserIdentity, demandManualLinking } from './endpoints/identities.ts';
import { postLogout } from './endpoints/logout.ts';
import { getHealth, getJwks, getOpenIdConfiguration, getSettings } from './endpoints/metadata.ts';
import {
  deleteClient,
  demandOAuthServer,
  getClient,
  getClients,
  postClient,
  postClientRegistration,
  postClientSecret,
  putClient,
} from './endpoints/oauth-clients.ts';
import { deleteGrant, getGrants } from './endpoints/oauth-grants.ts';
import {
  getAuthorization,
  getOAuthAuthorize,
  getUserInfo,
  postConsent,
  postOAuthToken,
} from './endpoints/oauth-server.ts';
import { postMagicLink, postOtp } from './endpoints/otp.ts';
import {
  demandPasskeys,
  getPasskeys,
  patchPasskey,
  postAuthenticationOptions,
  postAuthenticationVerify,
  postRegistrationOptions,
  postRegistrationVerify,
  removePasskey,
} from './endpoints/passkeys.ts';
import { getReauthenticate } from './endpoints/reauthenticate.ts';
import { postRecover } from './endpoints/recover.ts';
import { postResend } from './endpoints/resend.ts';
import { refuseScim } from './endpoints/scim.ts';
import { postSignUp } from './endpoints/sign-up.ts';
import { demandSaml, getSamlMetadata, postSamlAcs, postSso } from './endpoints/sso.ts';
import { postToken } from './endpoints/token.ts';
import { getUser, putUser } from './endpoints/user.ts';
import { getVerify, postVerify } from './endpoints/verify.ts';
import { demandAdmin, demandPermanentUser, demandUser } from './guard.ts';
import type { LimiterName } from './limits/limits.ts';

/** Answers one kind of request. */
export type Endpoint = (context: AuthContext, call: Call) => Promise<HttpReply>;

/** A line of the table of contents. */
export type Route = {
  readonly method: HTTPMethod;
  readonly path: string;
  readonly endpoint: Endpoint;
  /** Limit per address; endpoints whose limit depends on the body ask for it themselves. */
  readonly limit?: LimiterName;
  /** Whether a captcha may be demanded. */
  readonly captcha?: true;
};

const user =
  (endpoint: (context: AuthContext, call: UserCall) => Promise<HttpReply>): Endpoint =>
  async (context, call) =>
    endpoint(context, await demandUser(context, call));

const admin =
  (endpoint: (context: AuthContext, call: AdminCall) => Promise<HttpReply>): Endpoint =>
  async (context, call) =>
    endpoint(context, await demandAdmin(context, call));

const permanent =
  (endpoint: (context: AuthContext, call: UserCall) => Promise<HttpReply>): Endpoint =>
  async (context, call) =>
    endpoint(context, await demandPermanentUser(context, call));

/** Puts the switch of a feature before everything else about it, its guard included. */
const behind =
  (demand: (context: AuthContext) => void) =>
  (endpoint: Endpoint): Endpoint =>
  async (context, call) => {
    demand(context);
    return endpoint(context, call);
  };

const passkeys = behind(demandPasskeys);
const oauthServer = behind(demandOAuthServer);
const saml = behind(demandSaml);

/** Whether identities may be touched at all is said to signed-in users only. */
const identities = (endpoint: (context: AuthContext, call: UserCall) => Promise<HttpReply>): Endpoint =>
  user(async (context, call) => {
    demandManualLinking(context);
    return endpoint(context, call);
  });

/** Whether there are OAuth clients at all is said to signed-in users only. */
const grants = (endpoint: (context: AuthContext, call: UserCall) => Promise<HttpReply>): Endpoint =>
  user(async (context, call) => {
    demandOAuthServer(context);
    return endpoint(context, call);
  });

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

const scimMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** The table of contents of the service. */
export const routes: readonly Route[] = [
  { method: 'GET', path: '/health', endpoint: getHealth },
  { method: 'GET', path: '/settings', endpoint: getSettings },
  { method: 'GET', path: '/.well-known/jwks.json', endpoint: getJwks },
  { method: 'GET', path: '/.well-known/openid-configuration', endpoint: getOpenIdConfiguration },

  { method: 'POST', path: '/signup', endpoint: postSignUp, captcha: true },
  { method: 'POST', path: '/token', endpoint: postToken, captcha: true },
  { method: 'POST', path: '/otp', endpoint: postOtp, limit: 'otp', captcha: true },
  { method: 'POST', path: '/magiclink', endpoint: postMagicLink, limit: 'magicLink', captcha: true },
  { method: 'POST', path: '/recover', endpoint: postRecover, limit: 'recover', captcha: true },
  { method: 'POST', path: '/resend', endpoint: postResend, limit: 'resend', captcha: true },
  { method: 'GET', path: '/verify', endpoint: getVerify, limit: 'verify' },
  { method: 'POST', path: '/verify', endpoint: postVerify, limit: 'verify' },

  { method: 'GET', path: '/user', endpoint: user(getUser) },
  { method: 'PUT', path: '/user', endpoint: user(putUser), limit: 'user' },
  { method: 'POST', path: '/logout', endpoint: user(postLogout) },
  { method: 'GET', path: '/reauthenticate', endpoint: user(getReauthenticate) },

  { method: 'GET', path: '/user/identities/authorize', endpoint: identities(getIdentityAuthorize) },
  { method: 'DELETE', path: '/user/identities/:identity_id', endpoint: identities(deleteUserIdentity) },
  { method: 'GET', path: '/authorize', endpoint: getAuthorize },
  { method: 'GET', path: '/callback', endpoint: anyCallback },
  { method: 'POST', path: '/callback', endpoint: anyCallback },

  { method: 'POST', path: '/factors', endpoint: permanent(postFactor) },
  {
    method: 'POST',
    path: '/factors/:factor_id/challenge',
    endpoint: permanent(postChallenge),
    limit: 'factorChallenge',
  },
  {
    method: 'POST',
    path: '/factors/:factor_id/verify',
    endpoint: permanent(postFactorVerify),
    limit: 'factorVerify',
  },
  { method: 'DELETE', path: '/factors/:factor_id', endpoint: permanent(deleteFactor) },

  {
    method: 'POST',
    path: '/passkeys/authentication/options',
    endpoint: passkeys(postAuthenticationOptions),
    limit: 'passkey',
    captcha: true,
  },
  { method: 'POST', path: '/passkeys/authentication/verify', endpoint: passkeys(postAuthenticationVerify) },
  {
    method: 'POST',
    path: '/passkeys/registration/options',
    endpoint: passkeys(permanent(postRegistrationOptions)),
  },
  {
    method: 'POST',
    path: '/passkeys/registration/verify',
    endpoint: passkeys(permanent(postRegistrationVerify)),
  },
  { method: 'GET', path: '/passkeys', endpoint: passkeys(user(getPasskeys)) },
  { method: 'PATCH', path: '/passkeys/:passkey_id', endpoint: passkeys(user(patchPasskey)) },
  { method: 'DELETE', path: '/passkeys/:passkey_id', endpoint: passkeys(user(removePasskey)) },

  { method: 'POST', path: '/sso', endpoint: saml(postSso), limit: 'sso', captcha: true },
  { method: 'GET', path: '/sso/saml/metadata', endpoint: saml(getSamlMetadata) },
  { method: 'POST', path: '/sso/saml/acs', endpoint: saml(postSamlAcs), limit: 'samlAssertion' },

  {
    method: 'POST',
    path: '/oauth/clients/register',
    endpoint: oauthServer(postClientRegistration),
    limit: 'clientRegistration',
  },
  { method: 'GET', path: '/oauth/authorize', endpoint: oauthServer(getOAuthAuthorize) },
  {
    method: 'GET',
    path: '/oauth/authorizations/:authorization_id',
    endpoint: oauthServer(user(getAuthorization)),
  },
  {
    method: 'POST',
    path: '/oauth/authorizations/:authorization_id/consent',
    endpoint: oauthServer(user(postConsent)),
  },
  { method: 'POST', path: '/oauth/token', endpoint: oauthServer(postOAuthToken) },
  { method: 'GET', path: '/oauth/userinfo', endpoint: oauthServer(user(getUserInfo)) },
  { method: 'GET', path: '/user/oauth/grants', endpoint: grants(getGrants) },
  { method: 'DELETE', path: '/user/oauth/grants', endpoint: grants(deleteGrant) },
  {
    method: 'GET',
    path: '/.well-known/oauth-authorization-server',
    endpoint: oauthServer(getOpenIdConfiguration),
  },

  ...scimMethods.map((method): Route => ({ method, path: '/scim/v2/*', endpoint: refuseScim })),

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

/** A route that was found, with the parameters of its path. */
export type FoundRoute = { readonly route: Route; readonly params: Call['params'] };

/** Finds routes: by method and path, or the methods that a path has when it is not among them. */
export type RouteFinder = (method: string, path: string) => FoundRoute | readonly string[] | null;

/** Builds the finder of a table. */
export function createRouteFinder(table: readonly Route[]): RouteFinder {
  const router = findMyWay();
  const methods = [...new Set(table.map(({ method }) => method))];
  for (const route of table) router.on(route.method, route.path, () => {}, route);
  return (method, path) => {
    const found = router.find(method as HTTPMethod, path);
    if (found !== null) return { route: found.store as Route, params: found.params };
    const allowed = methods.filter((other) => router.find(other, path) !== null);
    return allowed.length > 0 ? allowed : null;
  };
}
