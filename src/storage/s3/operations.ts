import type { ParsedUrlQuery } from 'node:querystring';
import type { HttpRequest } from '../../http/exchange.ts';
import * as buckets from './buckets.ts';
import { copy } from './copy.ts';
import { removeMany } from './delete-many.ts';
import * as listing from './listing.ts';
import * as multipart from './multipart.ts';
import * as lists from './multipart-lists.ts';
import * as objects from './objects.ts';
import type { Operation } from './operation.ts';

/** What a path names. */
export type Target = 'service' | 'bucket' | 'object';

/** A line of the protocol's table of contents. */
export type OperationRoute = {
  readonly target: Target;
  readonly method: string;
  /** Query parameters and headers that must be there; `name=value` asks for a value. */
  readonly query?: readonly string[];
  readonly headers?: readonly string[];
  /** What `storage.operation()` yields in policies. */
  readonly name: string;
  readonly run: Operation;
};

/** The operations, more particular ones first. Upstream: src/http/routes/s3. */
const operations: readonly OperationRoute[] = [
  { target: 'service', method: 'GET', name: 'storage.s3.bucket.list', run: buckets.listAll },

  { target: 'bucket', method: 'PUT', name: 'storage.s3.bucket.create', run: buckets.create },
  { target: 'bucket', method: 'DELETE', name: 'storage.s3.bucket.delete', run: buckets.remove },
  { target: 'bucket', method: 'HEAD', name: 'storage.s3.bucket.head', run: buckets.head },
  {
    target: 'bucket',
    method: 'GET',
    query: ['location'],
    name: 'storage.s3.bucket.get_location',
    run: buckets.location,
  },
  {
    target: 'bucket',
    method: 'GET',
    query: ['versioning'],
    name: 'storage.s3.bucket.get_versioning',
    run: buckets.versioning,
  },
  {
    target: 'bucket',
    method: 'GET',
    query: ['uploads'],
    name: 'storage.s3.upload.list_multipart',
    run: lists.uploads,
  },
  {
    target: 'bucket',
    method: 'GET',
    query: ['list-type=2'],
    name: 'storage.s3.object.list',
    run: listing.listV2,
  },
  { target: 'bucket', method: 'GET', name: 'storage.s3.object.list', run: listing.listV1 },
  {
    target: 'bucket',
    method: 'POST',
    query: ['delete'],
    name: 'storage.s3.object.delete_many',
    run: removeMany,
  },

  {
    target: 'object',
    method: 'GET',
    query: ['tagging'],
    name: 'storage.s3.object.get_tagging',
    run: objects.tagging,
  },
  {
    target: 'object',
    method: 'GET',
    query: ['uploadId'],
    name: 'storage.s3.upload.list_parts',
    run: lists.parts,
  },
  { target: 'object', method: 'GET', name: 'storage.s3.object.get', run: objects.get },
  { target: 'object', method: 'HEAD', name: 'storage.s3.object.info', run: objects.head },
  {
    target: 'object',
    method: 'PUT',
    query: ['partNumber', 'uploadId'],
    headers: ['x-amz-copy-source'],
    name: 'storage.s3.upload.part_copy',
    run: multipart.copyPart,
  },
  {
    target: 'object',
    method: 'PUT',
    query: ['partNumber', 'uploadId'],
    name: 'storage.s3.upload.part',
    run: multipart.putPart,
  },
  {
    target: 'object',
    method: 'PUT',
    headers: ['x-amz-copy-source'],
    name: 'storage.s3.object.copy',
    run: copy,
  },
  { target: 'object', method: 'PUT', name: 'storage.s3.upload', run: objects.put },
  {
    target: 'object',
    method: 'POST',
    query: ['uploads'],
    name: 'storage.s3.upload.create_multipart',
    run: multipart.start,
  },
  {
    target: 'object',
    method: 'POST',
    query: ['uploadId'],
    name: 'storage.s3.upload.complete_multipart',
    run: multipart.complete,
  },
  {
    target: 'object',
    method: 'DELETE',
    query: ['uploadId'],
    name: 'storage.s3.upload.abort_multipart',
    run: multipart.abort,
  },
  { target: 'object', method: 'DELETE', name: 'storage.s3.object.delete', run: objects.remove },
];

/**
 * Parts of a bucket or object that are not served. Without this list a PUT of a tag set would be taken for a PUT of the
 * object, and replace it.
 */
const unserved = new Set([
  ...[
    'accelerate',
    'acl',
    'analytics',
    'attributes',
    'cors',
    'encryption',
    'intelligent-tiering',
    'inventory',
  ],
  ...['legal-hold', 'lifecycle', 'logging', 'metrics', 'notification', 'object-lock', 'ownershipControls'],
  ...['policy', 'policyStatus', 'publicAccessBlock', 'replication', 'requestPayment', 'restore', 'retention'],
  ...['select', 'tagging', 'torrent', 'versionId', 'versions', 'website'],
]);

/** The operation that a request asks for; null for one that is not served. */
export function findOperation(
  target: Target,
  request: HttpRequest,
  query: ParsedUrlQuery,
): OperationRoute | null {
  const found = operations.find(
    (route) =>
      route.target === target &&
      route.method === request.method &&
      (route.query ?? []).every((wanted) => hasParameter(query, wanted)) &&
      (route.headers ?? []).every((name) => request.headers[name] !== undefined),
  );
  if (found === undefined) return null;
  const asked = Object.keys(query).find((name) => unserved.has(name));
  return asked === undefined || found.query?.includes(asked) === true ? found : null;
}

function hasParameter(query: ParsedUrlQuery, wanted: string): boolean {
  const [name = '', value] = wanted.split('=');
  return query[name] !== undefined && (value === undefined || query[name] === value);
}
