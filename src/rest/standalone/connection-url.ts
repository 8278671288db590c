const pair = /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s\\]|\\.)*))/gy;

/** Parts of an address that have a place of their own in a URL. */
const placed = new Set(['host', 'port', 'user', 'password', 'dbname']);

/**
 * A connection URL for what `db-uri` may be: a URL, or libpq's `key=value` pairs. What is left out comes from PGHOST
 * and its kin.
 */
export function toConnectionUrl(uri: string): string {
  if (/^postgres(?:ql)?:\/\//.test(uri)) return uri;
  const pairs = new Map<string, string>();
  for (const [, key = '', quoted, plain] of uri.matchAll(pair))
    pairs.set(key, (quoted ?? plain ?? '').replace(/\\(.)/gs, '$1'));
  const part = (key: string): string => encodeURIComponent(pairs.get(key) ?? '');
  const query = new URLSearchParams();
  for (const [key, value] of pairs) if (!placed.has(key)) query.set(key, value);
  // A socket's directory cannot stand where a URL has its host.
  const host = pairs.get('host') ?? '';
  if (host.startsWith('/')) query.set('host', host);
  const login = pairs.has('password') ? `${part('user')}:${part('password')}` : part('user');
  const address = host.startsWith('/') ? '' : part('host');
  const port = pairs.has('port') ? `:${part('port')}` : '';
  const options = query.size === 0 ? '' : `?${query}`;
  return `postgresql://${login === '' ? '' : `${login}@`}${address}${port}/${part('dbname')}${options}`;
}
