/**
 * Replaces what differs between any two runs (ids, times, tokens, codes) by names that show where it occurs again. Names
 * are counted within the place at which something is seen first, so that what only one side has there shifts no others.
 */
export interface Mask {
  /** Says at which place the following is seen. */
  at(place: string): void;
  value(value: unknown): unknown;
  text(text: string): string;
}

/** Two tokens of one second are the same, so that their names would depend on the pace of a run. */
const jwtShape = /eyJ[\w-]+\.[\w-]+\.[\w-]*/g;

const shapes: readonly (readonly [name: string, shape: RegExp])[] = [
  ['uuid', /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g],
  ['hash', /(?:pkce_)?[0-9a-f]{56}/g],
  // A user's id as WebAuthn carries it.
  ['handle', /\b[A-Za-z0-9+/_-]{48}\b/g],
];

/** What is left of the addresses of deleted users: a digest with their id in it. */
const digestShape = /^(?=.*[A-Z])(?=.*[a-z])([\w-]{43}|[\w-]{15})$/;

const timeShape = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)?/g;

/** Members whose values are never the same, and never occur again. */
const opaqueMembers: ReadonlySet<string> = new Set([
  'secret',
  'qr_code',
  'uri',
  'client_secret',
  'email_otp',
  'challenge',
  'refresh_token_hmac_key',
  'public_key',
  'otp_code',
  // What an authenticator signs with a key of its own.
  'clientDataJSON',
  'attestationObject',
  'authData',
  'signature',
  'Signature',
  'rawId',
]);
/** Members whose values occur again elsewhere. */
const namedMembers: ReadonlySet<string> = new Set([
  'refresh_token',
  'parent',
  'token',
  'credential_id',
  'authorization_id',
]);
const timeMembers: ReadonlySet<string> = new Set([
  'iat',
  'exp',
  'expires_at',
  'timestamp',
  'auth_time',
  'time',
  'updated_at',
]);

/** Upstream tells of identities, factors and keys in no order. */
function inOrder(list: readonly unknown[]): readonly unknown[] {
  const placeOf = (item: unknown): string => {
    const { provider, kid, factor_type, created_at } = (item ?? {}) as Readonly<Record<string, unknown>>;
    return String(provider ?? kid ?? (factor_type === undefined ? '' : created_at));
  };
  return [...list].sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : placeOf(a) > placeOf(b) ? 1 : 0));
}

/** Addresses of a run. */
export type MaskOptions = {
  readonly url: string;
  readonly stageUrl: string;
};

/** Creates a mask of one run; equal values get equal names. */
export function createMask(options: MaskOptions): Mask {
  const seen = new Map<string, string>();
  let here = '';
  let counts = new Map<string, number>();
  const nameOf = (kind: string, found: string): string => {
    const known = seen.get(found);
    if (known !== undefined) return known;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    const name = `<${kind} ${count} of ${here}>`;
    seen.set(found, name);
    return name;
  };
  const origins = [
    [options.url, '<origin>'],
    [options.stageUrl, '<stage>'],
  ].flatMap(([url = '', name = '']) => [
    [url, name],
    [encodeURIComponent(url), name],
  ]);
  const text = (plain: string): string => {
    // What a refused row holds, one side of which may say nothing of it, must not shift the names of ids.
    let masked = plain.replace(/(Failing row contains) \(.*\)/s, '$1 <row>');
    for (const [url = '', name = ''] of origins) masked = masked.replaceAll(url, name);
    masked = masked.replace(timeShape, '<time>').replace(jwtShape, '<jwt>');
    for (const [name, shape] of shapes) masked = masked.replace(shape, (found) => nameOf(name, found));
    return (
      masked
        .replace(/refresh_token=([\w-]+)/g, (_, token: string) => `refresh_token=${nameOf('token', token)}`)
        .replace(/authorization_id=([\w-]+)/g, (_, id: string) => `authorization_id=${nameOf('token', id)}`)
        .replace(/(SAMLRequest|Signature)=[^&"]+/g, '$1=<$1>')
        .replace(/cursor=eyJ[\w-]+/g, 'cursor=<cursor>')
        .replace(/^eyJjcmVhdGVk[\w-]+$/, '<cursor>')
        .replace(/expires_at=\d+/g, 'expires_at=<time>')
        .replace(/expires_in=3599/g, 'expires_in=3600')
        .replace(/(?<![\w+])\d{8}(?!\w)|(?<![\w+])\d{6}(?!\w)/g, '<code>')
        .replace(/after \d+ seconds/g, 'after <n> seconds')
        // Seconds since 1970 among a user's data, as a mail shows them.
        .replace(/\b1\.\d{4,9}e(\+|&#43;)09\b/g, '<time>')
    );
  };
  const member = (key: string, item: unknown): unknown => {
    if (key === 'encrypted_password' && typeof item === 'string') return item.slice(0, 7);
    if (opaqueMembers.has(key) && typeof item === 'string') return item === '' ? '' : `<${key}>`;
    if (namedMembers.has(key) && typeof item === 'string' && item !== '') return nameOf('token', item);
    if (key === 'allowed_credentials' && Array.isArray(item)) return item.length;
    if (timeMembers.has(key) && typeof item === 'number') return '<time>';
    // A second may pass between the making of a token and its answer.
    if (key === 'expires_in' && typeof item === 'number') return item + 1 - ((item + 1) % 10);
    return value(item);
  };
  const value = (given: unknown): unknown => {
    if (typeof given === 'string') return digestShape.test(given) ? '<digest>' : text(given);
    if (Array.isArray(given)) return inOrder(given).map(value);
    if (typeof given !== 'object' || given === null) return given;
    return Object.fromEntries(Object.entries(given).map(([key, item]) => [text(key), member(key, item)]));
  };
  return {
    at(place) {
      here = place;
      counts = new Map();
    },
    value,
    text,
  };
}
