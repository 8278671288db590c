import { createHash } from 'node:crypto';
import { differingPlaces, placeBelow } from '../places.ts';

/** An answer as far as it is compared. */
export type ShadowAnswer = {
  readonly status: number;
  readonly contentType: string;
  /** The decoded body; null when it is too large to keep. */
  readonly body: Buffer | null;
  readonly ms: number;
};

/** One thing in which two answers differ. */
export type ShadowDifference = {
  readonly what: 'status' | 'body';
  /** `status`, or a path into the JSON body. */
  readonly at: string;
  readonly upstream: string;
  readonly ownbase: string;
};

/** How values are shown: as they are, or by their kind and length alone. */
export type Showing = 'values' | 'kinds';

const PLACES = 10;

/** Compares two answers: status first, then the body place by place. */
export function compareAnswers(
  upstream: ShadowAnswer,
  ownbase: ShadowAnswer,
  showing: Showing,
): ShadowDifference[] {
  if (upstream.status !== ownbase.status) {
    return [
      { what: 'status', at: 'status', upstream: String(upstream.status), ownbase: String(ownbase.status) },
    ];
  }
  if (upstream.body === null || ownbase.body === null || upstream.body.equals(ownbase.body)) return [];
  const [left, right] = [parsed(upstream), parsed(ownbase)];
  const show = (value: unknown): string =>
    showing === 'values' ? (JSON.stringify(value) ?? 'absent') : kindOf(value);
  if (left === undefined || right === undefined) {
    return [{ what: 'body', at: 'body', upstream: digest(upstream), ownbase: digest(ownbase) }];
  }
  return differingPlaces(stable(left), stable(right))
    .slice(0, PLACES)
    .map((place) => ({
      what: 'body',
      at: placeBelow('body', place.at),
      upstream: show(place.left),
      ownbase: show(place.right),
    }));
}

function parsed({ body, contentType }: ShadowAnswer): unknown {
  if (body === null || !/json/.test(contentType)) return undefined;
  try {
    return JSON.parse(body.toString());
  } catch {
    // Said to be JSON and is not: compared as bytes.
    return undefined;
  }
}

/** Tokens of signed URLs and of sessions are never the same twice. */
function stable(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll(/eyJ[\w-]+\.[\w-]+\.[\w-]*/g, '<token>');
  if (Array.isArray(value)) return value.map(stable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, stable(item)]));
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'absent';
  if (value === null) return 'null';
  if (typeof value === 'string') return `string of ${value.length}`;
  if (Array.isArray(value)) return `array of ${value.length}`;
  return typeof value;
}

const digest = ({ body, contentType }: ShadowAnswer): string =>
  `${body?.length ?? 0} bytes of ${contentType || 'no type'}, sha256 ${createHash('sha256')
    .update(body ?? '')
    .digest('hex')
    .slice(0, 12)}`;
