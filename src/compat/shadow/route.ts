/** Which requests may be asked twice, and how they are grouped. */

/** Functions that may be called again by POST: some by name, or all. */
export type RpcRule = ReadonlySet<string> | 'all' | 'none';

const RPC = /^\/rest\/v1\/rpc\/([^/?]+)/;

/** Paths of auth whose GET changes nothing; the others use up codes and tokens. */
const SAFE_AUTH =
  /^\/auth\/v1\/(user|settings|health|\.well-known\/[\w-]+|factors|admin\/(users|audit|sso\/providers|oauth\/clients)(\/[^/]+)*)\/?$/;
const SAFE_STORAGE = /^\/storage\/v1\/(?!upload\/|s3)/;
const SAFE_REST = /^\/rest\/v1(\/|$)/;

/** Whether a request may be sent to the other backend without harm. */
export function isReplayable(method: string, target: string, rpc: RpcRule): boolean {
  const [path = ''] = target.split('?');
  if (method === 'GET' || method === 'HEAD') {
    return SAFE_REST.test(path) || SAFE_AUTH.test(path) || SAFE_STORAGE.test(path);
  }
  const name = method === 'POST' ? RPC.exec(path)?.[1] : undefined;
  if (name === undefined || rpc === 'none') return false;
  return rpc === 'all' || rpc.has(decodeURIComponent(name));
}

/** Parts of the path that name one thing among many. */
const templates: readonly (readonly [RegExp, string])[] = [
  [
    /^(\/storage\/v1\/(?:object|render\/image)(?:\/(?:public|sign|authenticated|info|info\/public|info\/authenticated))?)\/[^/]+\/.+$/,
    '$1/:bucket/*',
  ],
  [/^(\/storage\/v1\/bucket)\/[^/]+$/, '$1/:bucket'],
  [/^(\/auth\/v1\/admin\/users)\/[^/]+(\/factors)?(?:\/[^/]+)?$/, '$1/:id$2'],
];

/** The route of a request without what is particular to it: `GET /rest/v1/films?id&select`. */
export function routeOf(method: string, target: string): string {
  const [path = '', query = ''] = target.split('?');
  const template = templates.find(([pattern]) => pattern.test(path));
  const route = template === undefined ? withoutIds(path) : path.replace(template[0], template[1]);
  const names = [...new Set([...new URLSearchParams(query).keys()])].sort();
  return `${method} ${route}${names.length === 0 ? '' : `?${names.join('&')}`}`;
}

const withoutIds = (path: string): string =>
  path.replaceAll(/\/(?:\d+|[0-9a-f]{8}-[0-9a-f-]{27})(?=\/|$)/gi, '/:id');
