import { percentDecode, percentEncode } from './percent.ts';

/** A parameter, decoded; its value is null without `=`. */
export type Parameter = readonly [key: string, value: string | null];

/** Splits a query string at `&` and `;`. */
export function splitQuery(query: string): Parameter[] {
  const pairs: Parameter[] = [];
  let start = 0;
  while (start < query.length) {
    let end = start;
    let equals = -1;
    for (; end < query.length; end++) {
      const code = query.charCodeAt(end);
      if (code === 38 || code === 59) break;
      if (code === 61 && equals < 0) equals = end;
    }
    const key = percentDecode(query.slice(start, equals < 0 ? end : equals), true);
    pairs.push([key, equals < 0 ? null : percentDecode(query.slice(equals + 1, end), true)]);
    start = end + 1;
  }
  return pairs;
}

/** Parameters sorted by key, in one encoding; the values of a key that is given twice stand together. */
export function canonicalQuery(pairs: readonly Parameter[]): string {
  const sorted = isSorted(pairs) ? pairs : [...pairs].sort(([a], [b]) => compareCodePoints(a, b));
  let canonical = '';
  let last: string | null = null;
  for (const [key, value] of sorted) {
    const encoded = percentEncode(value ?? '');
    if (key === last) canonical += `,${encoded}`;
    else canonical += `${last === null ? '' : '&'}${percentEncode(key)}=${encoded}`;
    last = key;
  }
  return canonical;
}

function isSorted(pairs: readonly Parameter[]): boolean {
  for (let i = 1; i < pairs.length; i++) if ((pairs[i - 1]?.[0] ?? '') > (pairs[i]?.[0] ?? '')) return false;
  return true;
}

const compareCodePoints = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
