import type { IncomingHttpHeaders } from 'node:http';
import type { ByteRange } from '../backends/object-store.ts';
import { StorageError } from '../errors.ts';

/** What a download asks for beside the object: nothing new, a range, or all of it. */
export type DownloadPlan =
  | { readonly kind: 'not-modified' }
  | { readonly kind: 'range'; readonly range: ByteRange }
  | { readonly kind: 'whole' };

/** What conditions are held against. */
export type Validators = {
  readonly eTag: string;
  readonly lastModified: string | undefined;
  readonly size: number;
};

const withoutWeakness = (tag: string): string => tag.trim().replace(/^W\//, '');

function matchesTag(header: string, eTag: string): boolean {
  return header.trim() === '*' || header.split(',').some((tag) => withoutWeakness(tag) === eTag);
}

/** Whole seconds: HTTP dates have no finer grain. */
const seconds = (date: string): number => Math.floor(Date.parse(date) / 1000);

function isUnchangedSince(header: string, lastModified: string | undefined): boolean {
  return lastModified !== undefined && seconds(lastModified) <= seconds(header);
}

/** Decides a download by its conditional and range headers; throws `InvalidRange`. */
export function planDownload(headers: IncomingHttpHeaders, object: Validators): DownloadPlan {
  const noneMatch = headers['if-none-match'];
  const since = headers['if-modified-since'];
  if (noneMatch !== undefined) {
    if (matchesTag(noneMatch, object.eTag)) return { kind: 'not-modified' };
  } else if (since !== undefined && isUnchangedSince(since, object.lastModified)) {
    return { kind: 'not-modified' };
  }
  const { range } = headers;
  if (range === undefined || !rangeStillApplies(headers['if-range'], object)) return { kind: 'whole' };
  return { kind: 'range', range: parseRange(range, object.size) };
}

function rangeStillApplies(ifRange: string | string[] | undefined, object: Validators): boolean {
  if (typeof ifRange !== 'string') return true;
  if (ifRange.startsWith('"')) return ifRange === object.eTag;
  return object.lastModified !== undefined && seconds(object.lastModified) === seconds(ifRange);
}

/**
 * The bytes that a Range header names: one range, its end clamped; throws `InvalidRange` for anything else.
 * Upstream: src/storage/range.ts.
 */
export function parseRange(header: string, size: number): ByteRange {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header);
  const [, from = '', to = ''] = match ?? [];
  if (match === null || size <= 0 || (from === '' && to === '')) throw new StorageError('InvalidRange');
  const last = size - 1;
  const start = from === '' ? Math.max(size - Number(to), 0) : Number(from);
  const end = from === '' || to === '' ? last : Math.min(Number(to), last);
  const isEmptySuffix = from === '' && Number(to) === 0;
  const isReversed = to !== '' && from !== '' && Number(to) < start;
  const isOutside = start > last || !Number.isSafeInteger(start) || !Number.isSafeInteger(Number(to));
  if (isEmptySuffix || isReversed || isOutside) throw new StorageError('InvalidRange');
  return { start, end };
}
