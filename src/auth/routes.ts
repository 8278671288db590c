import findMyWay, { type HTTPMethod } from 'find-my-way';
import type { HttpReply } from '../http/exchange.ts';
import type { AdminCall, Call, UserCall } from './call.ts';
import type { AuthContext } from './context.ts';
import { getAudit } from './endpoints/admin/audit.ts';
import { deleteUserById, getUserById, getUsers, postUser, putUserById } from './endpoints/admin/users.ts';
import { postLogout } from './endpoints/logout.ts';
import { getHealth, getJwks, getOpenIdConfiguration, getSettings } from './endpoints/metadata.ts';
import { postMagicLink, postOtp } from './endpoints/otp.ts';
import { getReauthenticate } from './endpoints/reauthenticate.ts';
import { postRecover } from './endpoints/recover.ts';
import { postResend } from './endpoints/resend.ts';
import { postSignUp } from './endpoints/sign-up.ts';
import { postToken } from './endpoints/token.ts';
import { getUser, putUser } from './endpoints/user.ts';
import { getVerify, postVerify } from './endpoints/verify.ts';
import { demandAdmin, demandUser } from './guard.ts';
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

  { method: 'GET', path: '/admin/audit', endpoint: admin(getAudit) },
  { method: 'GET', path: '/admin/users', endpoint: admin(getUsers) },
  { method: 'POST', path: '/admin/users', endpoint: admin(postUser) },
  { method: 'GET', path: '/admin/users/:user_id', endpoint: admin(getUserById) },
  { method: 'PUT', path: '/admin/users/:user_id', endpoint: admin(putUserById) },
  { method: 'DELETE', path: '/admin/users/:user_id', endpoint: admin(deleteUserById) },
];

/** A route that was found, with the parameters of its path. */
export type FoundRoute = { readonly route: Route; readonly params: Call['params'] };

/** Finds routes: by method and path, or `wrong-method` for a path that other methods have. */
export type RouteFinder = (method: string, path: string) => FoundRoute | 'wrong-method' | null;

/** Builds the finder of a table. */
export function createRouteFinder(table: readonly Route[]): RouteFinder {
  const router = findMyWay({ ignoreTrailingSlash: true });
  const methods = [...new Set(table.map(({ method }) => method))];
  for (const route of table) router.on(route.method, route.path, () => {}, route);
  return (method, path) => {
    const found = router.find(method as HTTPMethod, path);
    if (found !== null) return { route: found.store as Route, params: found.params };
    return methods.some((other) => router.find(other, path) !== null) ? 'wrong-method' : null;
  };
}
