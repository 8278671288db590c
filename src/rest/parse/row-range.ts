/** Rows asked for by their place, first to last; `last` is null for all that follow. Before `first`, it asks for none. */
export type RowRange = { readonly first: bigint; readonly last: bigint | null };

/** No restriction. */
export const allRows: RowRange = { first: 0n, last: null };

/** What `limit=0` asks for: nothing, which is not an error. */
export const noRows: RowRange = { first: 0n, last: -1n };

/** Whether the range can hold no row. */
export const isEmptyRange = ({ first, last }: RowRange): boolean => last !== null && last < first;

/** Whether the range came from `limit=0`. */
export const isLimitZero = ({ last }: RowRange): boolean => last === -1n;

/** Number of rows asked for; null for all. */
export const limitOf = ({ first, last }: RowRange): bigint | null =>
  last === null ? null : last - first + 1n;

/** Cuts a range to at most so many rows, from its beginning. */
export function restrictRange(range: RowRange, limit: bigint): RowRange {
  const last = range.first + limit - 1n;
  return range.last !== null && range.last < last ? range : { first: range.first, last };
}

/** Rows of both ranges; null when one of them is empty, or when they do not meet. */
export function intersectRanges(left: RowRange, right: RowRange): RowRange | null {
  if (isEmptyRange(left) || isEmptyRange(right)) return null;
  let { first } = left;
  if (right.first > first) first = right.first;
  const last =
    left.last === null ? right.last : right.last === null || left.last < right.last ? left.last : right.last;
  const range = { first, last };
  return isEmptyRange(range) ? null : range;
}

/** An integer as `limit` and `offset` write it; null for anything else. */
export function parseInteger(text: string): bigint | null {
  const trimmed = text.trim();
  const start = trimmed.startsWith('-') ? 1 : 0;
  if (trimmed.length === start) return null;
  for (let i = start; i < trimmed.length; i++) {
    const code = trimmed.charCodeAt(i);
    if (code < 48 || code > 57) return null;
  }
  return BigInt(trimmed);
}

const rangeHeader = /^(\d+)-(\d*)$/;

/** The range of a `Range` header, `0-9` or `10-`; every row for anything else. It may be upside down. */
export function parseRangeHeader(header: string): RowRange {
  const [, first, last = ''] = rangeHeader.exec(header) ?? [];
  if (first === undefined) return allRows;
  return { first: BigInt(first), last: last === '' ? null : BigInt(last) };
}
