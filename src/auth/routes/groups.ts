import type { Call } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { demandCustomProviders } from '../endpoints/admin/custom-providers.ts';
import { demandPathProvider } from '../endpoints/admin/sso-providers.ts';
import { demandPathUser } from '../endpoints/admin/users.ts';
import { demandPathFactor } from '../endpoints/factors.ts';
import { demandManualLinking } from '../endpoints/identities.ts';
import { demandOAuthServer, demandPathClient } from '../endpoints/oauth-clients.ts';
import { demandPasskeys } from '../endpoints/passkeys.ts';
import { refuseScim } from '../endpoints/scim.ts';
import { demandSaml } from '../endpoints/sso.ts';
import { demandAdmin, demandPermanentUser, demandUser } from '../guard.ts';

type Demand = (context: AuthContext, call: Call) => unknown;

/** What is demanded of every request below a path. */
type RouteGroup = { readonly path: string; readonly demand: Demand };

/*
 * Routes demand these themselves; the table is for paths and methods that a group does not have.
 * Upstream: internal/api/api.go, where a group's middleware runs before its routes are looked at.
 */
const groups: readonly RouteGroup[] = [
  { path: '/reauthenticate', demand: demandUser },
  { path: '/user', demand: demandUser },
  { path: '/user/identities', demand: demandManualLinking },
  { path: '/user/oauth/grants', demand: demandOAuthServer },
  { path: '/factors', demand: demandPermanentUser },
  {
    path: '/factors/:factor_id',
    demand: async (context, call) =>
      demandPathFactor(context, (await demandUser(context, call)).user, call.params.factor_id ?? ''),
  },
  { path: '/passkeys', demand: demandPasskeys },
  { path: '/passkeys/registration', demand: demandPermanentUser },
  { path: '/passkeys/(?!authentication|registration)[^/]+', demand: demandUser },
  { path: '/admin', demand: demandAdmin },
  { path: '/admin/users/:user_id', demand: demandPathUser },
  { path: '/admin/oauth', demand: demandOAuthServer },
  { path: '/admin/oauth/clients/:client_id', demand: demandPathClient },
  { path: '/admin/custom-providers', demand: demandCustomProviders },
  { path: '/admin/sso/providers/:idp_id', demand: demandPathProvider },
  { path: '/oauth', demand: demandOAuthServer },
  { path: '/sso', demand: demandSaml },
  { path: '/scim/v2', demand: refuseScim },
];

const shapes = groups.map(({ path, demand }) => ({
  shape: new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}(?:/|$)`),
  demand,
}));

/** The demands that a path is under, outermost first, with the parameters that each finds in it. */
export function groupsOf(
  path: string,
): readonly { readonly demand: Demand; readonly params: Call['params'] }[] {
  return shapes.flatMap(({ shape, demand }) => {
    const match = shape.exec(path);
    return match === null ? [] : [{ demand, params: { ...match.groups } }];
  });
}
