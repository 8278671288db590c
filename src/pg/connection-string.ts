/** What a server has to be for a connection to be kept. */
export type SessionKind = 'any' | 'read-write' | 'read-only' | 'primary' | 'standby' | 'prefer-standby';

/** The servers that a connection string names, in the order in which they are tried. */
export type ConnectionTargets = {
  /** A host can have two: with and without TLS. */
  readonly urls: readonly string[];
  readonly hostCount: number;
  readonly kind: SessionKind;
};

/** A single server's URL stands for itself. */
export const toTargets = (url: string | ConnectionTargets): ConnectionTargets =>
  typeof url === 'string' ? { urls: [url], hostCount: 1, kind: 'any' } : url;

type Parameters = ReadonlyMap<string, string>;

/** Parameters that variables stand for where a connection string says nothing. The driver knows the others. */
const variables: readonly (readonly [parameter: string, variable: string])[] = [
  ['host', 'PGHOST'],
  ['port', 'PGPORT'],
  ['dbname', 'PGDATABASE'],
  ['application_name', 'PGAPPNAME'],
  ['sslmode', 'PGSSLMODE'],
  ['sslrootcert', 'PGSSLROOTCERT'],
  ['target_session_attrs', 'PGTARGETSESSIONATTRS'],
];

const kinds: readonly string[] = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'];

const isSessionKind = (text: string): text is SessionKind => kinds.includes(text);

/**
 * Reads a connection string as libpq does: a URL or `key=value` pairs, one host or several. What it leaves out comes
 * from `PGHOST` and its kin.
 *
 * Upstream: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
 */
export function parseConnectionString(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): ConnectionTargets {
  const given = uri.test(text) ? fromUri(text) : fromPairs(text);
  const parameters = new Map<string, string>();
  for (const [parameter, variable] of variables) {
    const value = env[variable];
    if (value !== undefined && value !== '') parameters.set(parameter, value);
  }
  for (const [name, value] of given) if (value !== '') parameters.set(name, value);
  const kind = parameters.get('target_session_attrs') ?? 'any';
  const hosts = hostsOf(parameters);
  return {
    urls: hosts.flatMap(toUrls),
    hostCount: hosts.length,
    kind: isSessionKind(kind) ? kind : 'any',
  };
}

const uri =
  /^postgres(?:ql)?:\/\/(?:(?<login>[^@]*)@)?(?<hosts>[^/?]*)(?:\/(?<database>[^?]*))?(?:\?(?<query>.*))?$/s;

function fromUri(text: string): Parameters {
  const { login, hosts = '', database = '', query = '' } = uri.exec(text)?.groups ?? {};
  const parameters = new Map<string, string>();
  if (login !== undefined) {
    const colon = login.indexOf(':');
    parameters.set('user', decoded(colon === -1 ? login : login.slice(0, colon)));
    if (colon !== -1) parameters.set('password', decoded(login.slice(colon + 1)));
  }
  const addresses = hosts.split(',').map(splitAddress);
  if (addresses.some(({ host }) => host !== ''))
    parameters.set('host', addresses.map(({ host }) => decoded(host)).join(','));
  if (addresses.some(({ port }) => port !== ''))
    parameters.set('port', addresses.map(({ port }) => port).join(','));
  parameters.set('dbname', decoded(database));
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    if (equals > 0) parameters.set(pair.slice(0, equals), decoded(pair.slice(equals + 1)));
  }
  if (parameters.get('ssl') === 'true') parameters.set('sslmode', 'require');
  parameters.delete('ssl');
  return parameters;
}

/** libpq leaves a plus as it is; so does this. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A per cent sign that begins no code stands for itself.
    return text;
  }
}

/** `host:port`, where the host may be an IPv6 address in brackets. */
function splitAddress(address: string): { host: string; port: string } {
  const bracketed = /^\[(.*)\](?::(\d*))?$/.exec(address);
  if (bracketed !== null) return { host: bracketed[1] ?? '', port: bracketed[2] ?? '' };
  const colon = address.lastIndexOf(':');
  return colon === -1
    ? { host: address, port: '' }
    : { host: address.slice(0, colon), port: address.slice(colon + 1) };
}

const pair = /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s\\]|\\.)*))/gy;

function fromPairs(text: string): Parameters {
  const parameters = new Map<string, string>();
  for (const [, key = '', quoted, plain] of text.matchAll(pair))
    parameters.set(key, (quoted ?? plain ?? '').replace(/\\(.)/gs, '$1'));
  return parameters;
}

/** One set of parameters for each host; a single port counts for all of them. */
function hostsOf(parameters: Parameters): Map<string, string>[] {
  const hosts = (parameters.get('host') ?? '').split(',');
  const ports = (parameters.get('port') ?? '').split(',');
  return hosts.map((host, index) => {
    const port = ports.length === 1 ? ports[0] : ports[index];
    const own = new Map(parameters);
    own.set('host', host);
    own.set('port', port ?? '');
    return own;
  });
}

const isOnThisMachine = (host: string): boolean =>
  host === '' || host.startsWith('/') || host === 'localhost' || host === '::1' || /^127\./.test(host);

/**
 * The addresses to try for one host. `prefer`, the default, takes TLS where the server offers it; on this machine
 * plain text is tried first, since there is nobody to hide it from.
 */
function toUrls(parameters: Map<string, string>): string[] {
  const host = parameters.get('host') ?? '';
  const mode = parameters.get('sslmode') ?? 'prefer';
  if (host.startsWith('/') || mode === 'disable') return [toUrl(parameters, null)];
  const plainFirst = mode === 'allow' || isOnThisMachine(host);
  switch (mode) {
    case 'prefer':
    case 'allow':
      return plainFirst
        ? [toUrl(parameters, null), toUrl(parameters, 'require')]
        : [toUrl(parameters, 'require'), toUrl(parameters, null)];
    default:
      return [toUrl(parameters, mode)];
  }
}

const ours: ReadonlySet<string> = new Set(['dbname', 'sslmode', 'target_session_attrs']);

function toUrl(parameters: Parameters, sslMode: string | null): string {
  const query = new URLSearchParams();
  for (const [name, value] of parameters) if (!ours.has(name) && value !== '') query.set(name, value);
  if (sslMode === null) query.set('ssl', '0');
  else {
    query.set('sslmode', sslMode);
    // The driver's own meaning of the modes is stricter than libpq's.
    query.set('uselibpqcompat', 'true');
  }
  const database = encodeURIComponent(parameters.get('dbname') ?? '');
  return `postgresql:///${database}?${query.toString().replaceAll('+', '%20')}`;
}
