import findMyWay, { type HTTPMethod } from 'find-my-way';
import type { Call } from '../call.ts';
import type { Route } from './route.ts';

/** A route that was found, with the parameters of its path. */
export type FoundRoute = { readonly route: Route; readonly params: Call['params'] };

/** Finds routes: by method and path, or the methods that a path has when it is not among them. */
export type RouteFinder = (method: string, path: string) => FoundRoute | readonly string[] | null;

/**
 * Ends of paths that may be followed by a slash: those at which upstream begins a group of routes.
 * Upstream: internal/api/api.go.
 */
const groupEnd =
  /^\/(callback|signup|verify|reauthenticate|user|sso)$|\/(grants|factors|passkeys|audit|users|providers|clients|custom-providers|:(?!identity_id|authorization_id)\w+)$/;

/** Builds the finder of a table. */
export function createRouteFinder(table: readonly Route[]): RouteFinder {
  const router = findMyWay();
  const methods = [...new Set(table.map(({ method }) => method))];
  for (const route of table) {
    router.on(route.method, route.path, () => {}, route);
    if (groupEnd.test(route.path)) router.on(route.method, `${route.path}/`, () => {}, route);
  }
  const find = (method: HTTPMethod, path: string): FoundRoute | null => {
    const found = router.find(method, path);
    // What stands for a parameter is not empty, as it would be before a slash at the end.
    const isEmpty = Object.entries(found?.params ?? {}).some(([name, value]) => name !== '*' && value === '');
    return found === null || isEmpty ? null : { route: found.store as Route, params: found.params };
  };
  return (method, path) => {
    const found = find(method as HTTPMethod, path);
    if (found !== null) return found;
    const allowed = methods.filter((other) => find(other, path) !== null);
    return allowed.length > 0 ? allowed : null;
  };
}
