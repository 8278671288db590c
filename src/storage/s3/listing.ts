import { z } from 'zod';
import { scopeOf } from '../call.ts';
import { StorageError } from '../errors.ts';
import { decodeCursor, encodeCursor } from '../objects/cursor.ts';
import { findBucket } from '../store/buckets.ts';
import { listDelimited, listPage, type PageEntry } from '../store/listing.ts';
import { metadataOf } from '../store/rows.ts';
import { integer, read, word } from '../wire/schema.ts';
import { type Operation, parameter, type S3Call, xmlReply } from './operation.ts';

const maxPage = 1000;

type Page = {
  readonly folders: readonly string[];
  readonly files: readonly PageEntry[];
  /** Last name of a page that is not the last. */
  readonly next: string | null;
};

type Listing = {
  readonly prefix: string;
  readonly delimiter: string;
  readonly limit: number;
  readonly after: string;
  readonly startAfter: string;
};

async function readPage({ deps, call }: S3Call, listing: Listing): Promise<Page> {
  const { bucket } = call.params;
  if ((await findBucket(deps.serviceDb, bucket)) === null) throw new StorageError('NoSuchBucket');
  const { delimiter, limit } = listing;
  const page = {
    ...listing,
    bucket,
    limit: limit + 1,
    hasDelimiter: delimiter === '/',
    sortColumn: 'name',
    sortOrder: 'asc',
    afterTime: null,
  } as const;
  const list = delimiter === '' || delimiter === '/' ? listPage : listDelimited;
  const rows = await list(deps.requestDb, scopeOf(call), page);
  const shown = rows.slice(0, limit);
  const suffix = delimiter === '' ? '/' : delimiter;
  return {
    folders: shown
      .filter((row) => row.id === null)
      .map((row) => (row.name.endsWith(suffix) ? row.name : `${row.name}${suffix}`)),
    files: shown.filter((row) => row.id !== null),
    next: rows.length > limit ? (shown.at(-1)?.name ?? null) : null,
  };
}

const listingQuery = z.object({ 'max-keys': integer(0).optional(), 'encoding-type': word('url').optional() });

function limitOf({ query }: S3Call): number {
  return Math.min(read('Querystring', listingQuery, query)['max-keys'] || maxPage, maxPage);
}

/** The members that both versions of the listing share. */
function common(call: S3Call, listing: Listing, page: Page) {
  const encode = parameter(call, 'encoding-type') === 'url' ? encodeURIComponent : (name: string) => name;
  return {
    Name: call.call.params.bucket,
    Prefix: listing.prefix,
    Contents: page.files.map((file) => {
      const metadata = metadataOf(file.metadata);
      return {
        Key: encode(file.name),
        LastModified: file.updated_at ?? undefined,
        ETag: metadata.eTag,
        Size: metadata.size ?? 0,
        StorageClass: 'STANDARD',
      };
    }),
    IsTruncated: page.next !== null,
    MaxKeys: listing.limit,
    Delimiter: listing.delimiter || undefined,
    EncodingType: parameter(call, 'encoding-type'),
    CommonPrefixes: page.folders.map((folder) => ({ Prefix: encode(folder) })),
  };
}

/** ListObjectsV2. */
export const listV2: Operation = async (call) => {
  const token = parameter(call, 'continuation-token');
  const listing = {
    prefix: parameter(call, 'prefix') ?? '',
    delimiter: parameter(call, 'delimiter') ?? '',
    limit: limitOf(call),
    after: token ? decodeCursor(token).after : '',
    startAfter: parameter(call, 'start-after') ?? '',
  };
  const page = await readPage(call, listing);
  const cursor = (after: string) =>
    encodeCursor({ after, afterTime: null, sortColumn: null, sortOrder: token ? 'asc' : null });
  return xmlReply('ListBucketResult', {
    ...common(call, listing, page),
    KeyCount: page.files.length + page.folders.length,
    ContinuationToken: token,
    StartAfter: listing.startAfter || undefined,
    NextContinuationToken: page.next === null ? undefined : cursor(page.next),
  });
};

/** ListObjects, the first version. */
export const listV1: Operation = async (call) => {
  const marker = parameter(call, 'marker') ?? '';
  const listing = {
    prefix: parameter(call, 'prefix') ?? '',
    delimiter: parameter(call, 'delimiter') ?? '',
    limit: limitOf(call),
    after: '',
    startAfter: marker,
  };
  const page = await readPage(call, listing);
  const isNamed = page.next !== null && listing.delimiter !== '';
  return xmlReply('ListBucketResult', {
    ...common(call, listing, page),
    Marker: marker,
    NextMarker: isNamed ? (page.next ?? undefined) : undefined,
  });
};
