/** Replaces what differs between any two runs (ids, times, tokens, codes) by names that show where it occurs again. */
export interface Mask {
  value(value: unknown): unknown;
  text(text: string): string;
}

const shapes: readonly (readonly [name: string, shape: RegExp])[] = [
  ['jwt', /eyJ[\w-]+\.[\w-]+\.[\w-]*/g],
  ['uuid', /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g],
  ['hash', /(?:pkce_)?[0-9a-f]{56}/g],
];

/** What is left of the addresses of deleted users: a digest with their id in it. */
const digestShape = /^(?=.*[A-Z])(?=.*[a-z])([\w-]{43}|[\w-]{15})$/;

const timeShape = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g;

/** Members whose values are never the same. */
const opaqueMembers: ReadonlySet<string> = new Set([
  'refresh_token',
  'secret',
  'qr_code',
  'uri',
  'client_secret',
  'email_otp',
  'challenge',
]);
const timeMembers: ReadonlySet<string> = new Set(['iat', 'exp', 'expires_at', 'timestamp', 'auth_time']);

/** Creates a mask of one run; equal values get equal names. */
export function createMask(origin: string): Mask {
  const seen = new Map<string, string>();
  const counts = new Map<string, number>();
  const nameOf = (kind: string, found: string): string => {
    const known = seen.get(found);
    if (known !== undefined) return known;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    const name = `<${kind} ${count}>`;
    seen.set(found, name);
    return name;
  };
  const text = (plain: string): string => {
    let masked = plain.replaceAll(origin, '<origin>').replace(timeShape, '<time>');
    for (const [name, shape] of shapes) masked = masked.replace(shape, (found) => nameOf(name, found));
    return masked
      .replace(/refresh_token=[\w-]+/g, 'refresh_token=<token>')
      .replace(/expires_at=\d+/g, 'expires_at=<time>')
      .replace(/after \d+ seconds/g, 'after <n> seconds');
  };
  const value = (given: unknown): unknown => {
    if (typeof given === 'string') return digestShape.test(given) ? '<digest>' : text(given);
    if (Array.isArray(given)) return given.map(value);
    if (typeof given !== 'object' || given === null) return given;
    const entries = Object.entries(given).map(([key, item]) => {
      if (opaqueMembers.has(key) && typeof item === 'string') return [key, item === '' ? '' : `<${key}>`];
      if (timeMembers.has(key) && typeof item === 'number') return [key, '<time>'];
      return [key, value(item)];
    });
    return Object.fromEntries(entries);
  };
  return { value, text };
}
