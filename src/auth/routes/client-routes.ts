import type { HttpReply } from '../../http/exchange.ts';
import type { UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { getAuthorize, getIdentityAuthorize } from '../endpoints/authorize.ts';
import { anyCallback } from '../endpoints/callback.ts';
import { deleteFactor, postChallenge, postFactor, postFactorVerify } from '../endpoints/factors.ts';
import { deleteUserIdentity, demandManualLinking } from '../endpoints/identities.ts';
import { postLogout } from '../endpoints/logout.ts';
import { getHealth, getJwks, getOpenIdConfiguration, getSettings } from '../endpoints/metadata.ts';
import { demandOAuthServer, postClientRegistration } from '../endpoints/oauth-clients.ts';
import { deleteGrant, getGrants } from '../endpoints/oauth-grants.ts';
import {
  getAuthorization,
  getOAuthAuthorize,
  getUserInfo,
  postConsent,
  postOAuthToken,
} from '../endpoints/oauth-server.ts';
import { postMagicLink, postOtp } from '../endpoints/otp.ts';
import {
  demandPasskeys,
  getPasskeys,
  patchPasskey,
  postAuthenticationOptions,
  postAuthenticationVerify,
  postRegistrationOptions,
  postRegistrationVerify,
  removePasskey,
} from '../endpoints/passkeys.ts';
import { getReauthenticate } from '../endpoints/reauthenticate.ts';
import { postRecover } from '../endpoints/recover.ts';
import { postResend } from '../endpoints/resend.ts';
import { refuseScim } from '../endpoints/scim.ts';
import { postSignUp } from '../endpoints/sign-up.ts';
import { demandSaml, getSamlMetadata, postSamlAcs, postSso } from '../endpoints/sso.ts';
import { postToken } from '../endpoints/token.ts';
import { getUser, putUser } from '../endpoints/user.ts';
import { getVerify, postVerify } from '../endpoints/verify.ts';
import { behind, type Endpoint, permanent, type Route, user } from './route.ts';

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

const scimMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** What apps and their users ask for. */
export const clientRoutes: readonly Route[] = [
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
];
