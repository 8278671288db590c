import type { Clock } from '../core/clock.ts';

const shape = /^(\d{4,}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d(?::?\d\d)?(?::\d\d)?)?$/;

/** What stands for a moment without end, since RFC 3339 cannot say infinity. */
const endOfTime = '9999-12-31T23:59:59Z';

/** The present moment as Postgres and clients read it. */
export const timestampNow = (clock: Clock): string => new Date(clock.now()).toISOString();

/** A moment given in epoch milliseconds. */
export const timestampAt = (epochMs: number): string => new Date(epochMs).toISOString();

/** How the server prints moments when its zone is UTC, alone or inside JSON: the usual case, read without `Date`. */
const utcShape = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:Z|\+00(?::00)?)?$/;

/**
 * Epoch milliseconds of a timestamp as Postgres prints it, alone or inside JSON; one without a zone is UTC.
 * `infinity` is Infinity. Throws `RangeError` for anything else.
 */
export function epochMs(text: string): number {
  if (text === 'infinity') return Number.POSITIVE_INFINITY;
  if (text === '-infinity') return Number.NEGATIVE_INFINITY;
  const { seconds, fraction } = parts(text);
  return Date.parse(seconds) + Math.floor(Number(`0.${fraction || '0'}`) * 1000);
}

/**
 * RFC 3339 in UTC with the microseconds that the database keeps, trailing zeros left out, as Go prints times.
 */
export function rfc3339(text: string): string {
  const plain = utcShape.exec(text);
  if (plain !== null) return withFraction(`${plain[1]}T${plain[2]}`, plain[3] ?? '');
  if (text === 'infinity') return endOfTime;
  if (text === '-infinity') return '0001-01-01T00:00:00Z';
  const { seconds, fraction } = parts(text);
  return withFraction(new Date(Date.parse(seconds)).toISOString().slice(0, 19), fraction);
}

function withFraction(utc: string, fraction: string): string {
  const digits = fraction.endsWith('0') ? fraction.replace(/0+$/, '') : fraction;
  return digits === '' ? `${utc}Z` : `${utc}.${digits}Z`;
}

/** Splits off the fraction, because `Date` keeps milliseconds only. */
function parts(text: string): { readonly seconds: string; readonly fraction: string } {
  const match = shape.exec(text);
  if (match === null) throw new RangeError(`not a timestamp: ${text}`);
  const [, date = '', time = '', fraction = '', zone = 'Z'] = match;
  const offset = /^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone;
  return { seconds: `${date}T${time}${offset}`, fraction };
}
