const pair = /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s\\]|\\.)*))/gy;
const hostless = /^(postgres(?:ql)?:\/\/)([^@/?#]+)@(?::\d*)?(\/[^?]*)?(?:\?(.*))?$/s;

/**
 * A connection URL for what `db-uri` may be: a URL, or libpq's `key=value` pairs. What is left out comes from PGHOST
 * and its kin.
 */
export function toConnectionUrl(uri: string): string {
  const [, scheme, login, path = '/', query = ''] = hostless.exec(uri) ?? [];
  if (scheme !== undefined && login !== undefined) return withLoginAside(scheme, login, path, query);
  return /^postgres(?:ql)?:\/\//.test(uri) ? uri : fromPairs(uri);
}

/** A URL cannot have a login without a host, as libpq's may: the parameters can carry it. */
function withLoginAside(scheme: string, login: string, path: string, query: string): string {
  const parameters = new URLSearchParams(query);
  const colon = login.indexOf(':');
  parameters.set('user', decodeURIComponent(colon === -1 ? login : login.slice(0, colon)));
  if (colon !== -1) parameters.set('password', decodeURIComponent(login.slice(colon + 1)));
  return `${scheme}${path}?${parameters}`;
}

function fromPairs(text: string): string {
  const parameters = new URLSearchParams();
  for (const [, key = '', quoted, plain] of text.matchAll(pair))
    parameters.set(key, (quoted ?? plain ?? '').replace(/\\(.)/gs, '$1'));
  const database = encodeURIComponent(parameters.get('dbname') ?? '');
  parameters.delete('dbname');
  return `postgresql:///${database}?${parameters}`;
}
