import findMyWay, { type HTTPMethod } from 'find-my-way';
import type { SomeEndpoint } from './endpoint.ts';
import * as buckets from './endpoints/buckets.ts';
import * as cdn from './endpoints/cdn.ts';
import * as downloads from './endpoints/downloads.ts';
import * as listings from './endpoints/listings.ts';
import * as relocations from './endpoints/relocations.ts';
import * as removals from './endpoints/removals.ts';
import * as rendering from './endpoints/rendering.ts';
import * as signing from './endpoints/signing.ts';
import * as status from './endpoints/status.ts';
import * as uploads from './endpoints/uploads.ts';

/** What a route asks of the request's token. */
type RouteAuth =
  /** An Authorization header, which the request's schema asks for, with a good token. */
  | 'required'
  /** A good token. */
  | 'verified'
  /** Without a good token the request is anonymous. */
  | 'optional'
  /** As `required`, and the service role. */
  | 'service'
  | 'none';

/** How a route takes its body. */
type RouteBody = 'none' | 'json' | 'json-or-empty' | 'bytes';

/** A line of the service's table of contents. */
export type Route = {
  readonly method: HTTPMethod;
  /** Template: `:bucket` is one segment, `*` the object's name. */
  readonly path: string;
  readonly auth: RouteAuth;
  readonly body: RouteBody;
  /** What `storage.operation()` yields in policies. */
  readonly operation: string;
  readonly endpoint: SomeEndpoint;
};

const route = (
  method: HTTPMethod,
  path: string,
  auth: RouteAuth,
  body: RouteBody,
  operation: string,
  endpoint: SomeEndpoint,
): Route => ({ method, path, auth, body, operation, endpoint });

/** A route that answers HEAD as it answers GET; the server leaves the body out. */
const getAndHead = (path: string, auth: RouteAuth, operation: string, endpoint: SomeEndpoint): Route[] => [
  route('GET', path, auth, 'none', operation, endpoint),
  route('HEAD', path, auth, 'none', operation, endpoint),
];

// A name of the time before they all began with `storage.`, which policies may ask for.
const authenticatedInfo = 'object.get_authenticated_info';

/** Every REST route. Upstream: src/http/routes. */
export const routes: readonly Route[] = [
  route('POST', '/bucket', 'required', 'json', 'storage.bucket.create', buckets.createBucket),
  ...getAndHead('/bucket', 'required', 'storage.bucket.list', buckets.listAllBuckets),
  ...getAndHead('/bucket/:bucket', 'required', 'storage.bucket.get', buckets.getOneBucket),
  route('PUT', '/bucket/:bucket', 'required', 'json', 'storage.bucket.update', buckets.changeBucket),
  route(
    'DELETE',
    '/bucket/:bucket',
    'required',
    'json-or-empty',
    'storage.bucket.delete',
    buckets.removeBucket,
  ),
  route(
    'POST',
    '/bucket/:bucket/empty',
    'service',
    'json-or-empty',
    'storage.bucket.empty',
    buckets.clearBucket,
  ),

  route('POST', '/object/list/:bucket', 'required', 'json', 'storage.object.list', listings.listObjects),
  route(
    'POST',
    '/object/list-v2/:bucket',
    'verified',
    'json',
    'storage.object.list_v2',
    listings.listObjectsPaged,
  ),
  route('POST', '/object/sign/:bucket', 'required', 'json', 'storage.object.sign_many', signing.signMany),
  route('POST', '/object/sign/:bucket/*', 'required', 'json', 'storage.object.sign', signing.signOne),
  route(
    'POST',
    '/object/upload/sign/:bucket/*',
    'required',
    'json',
    'storage.object.sign_upload_url',
    signing.signUploadUrl,
  ),
  route(
    'PUT',
    '/object/upload/sign/:bucket/*',
    'none',
    'bytes',
    'storage.object.upload_signed',
    uploads.uploadSigned,
  ),
  route('POST', '/object/move', 'required', 'json', 'storage.object.move', relocations.moveOne),
  route('POST', '/object/copy', 'required', 'json', 'storage.object.copy', relocations.copyOne),

  route(
    'GET',
    '/object/public/:bucket/*',
    'none',
    'none',
    'storage.object.get_public',
    downloads.downloadPublic,
  ),
  route(
    'HEAD',
    '/object/public/:bucket/*',
    'none',
    'none',
    'storage.object.info_public',
    downloads.headPublic,
  ),
  route(
    'GET',
    '/object/authenticated/:bucket/*',
    'required',
    'none',
    'storage.object.get_authenticated',
    downloads.downloadByPolicies,
  ),
  route(
    'HEAD',
    '/object/authenticated/:bucket/*',
    'required',
    'none',
    'object.head_authenticated_info',
    downloads.headByPolicies,
  ),
  route(
    'GET',
    '/object/:bucket/*',
    'optional',
    'none',
    'storage.object.get_authenticated',
    downloads.downloadByPolicies,
  ),
  route(
    'HEAD',
    '/object/:bucket/*',
    'optional',
    'none',
    'object.head_authenticated_info',
    downloads.headByPolicies,
  ),

  route('POST', '/object/:bucket/*', 'required', 'bytes', 'storage.object.upload', uploads.createObject),
  route(
    'PUT',
    '/object/:bucket/*',
    'required',
    'bytes',
    'storage.object.upload_update',
    uploads.replaceObject,
  ),
  route('DELETE', '/object/:bucket/*', 'required', 'json', 'storage.object.delete', removals.removeObject),
  route(
    'DELETE',
    '/object/:bucket',
    'required',
    'json',
    'storage.object.delete_many',
    removals.removeObjects,
  ),

  ...getAndHead('/object/sign/:bucket/*', 'none', 'storage.object.get_signed', downloads.downloadSigned),
  // HEAD of this path is one of `/object/:bucket/*`.
  route(
    'GET',
    '/object/info/public/:bucket/*',
    'none',
    'none',
    'storage.object.info_public',
    downloads.infoPublic,
  ),
  ...getAndHead(
    '/object/info/authenticated/:bucket/*',
    'required',
    authenticatedInfo,
    downloads.infoByPolicies,
  ),
  ...getAndHead('/object/info/:bucket/*', 'optional', authenticatedInfo, downloads.infoByPolicies),

  route('DELETE', '/cdn', 'service', 'json', 'storage.cdn.purge_tenant_cache', cdn.purgeEverything),
  route('DELETE', '/cdn/:bucket', 'service', 'json', 'storage.cdn.purge_bucket_cache', cdn.purgeBucket),
  route('DELETE', '/cdn/:bucket/*', 'service', 'json', 'storage.cdn.purge_object_cache', cdn.purgeObject),

  ...getAndHead('/version', 'none', '', status.version),
  ...getAndHead('/status', 'none', '', status.status),
  ...getAndHead('/health', 'verified', '', status.health),
];

/** Routes of image transformation; where it is off they do not exist. */
export const renderRoutes: readonly Route[] = [
  ...getAndHead(
    '/render/image/public/:bucket/*',
    'none',
    'storage.render.image_public',
    rendering.renderPublic,
  ),
  ...getAndHead(
    '/render/image/authenticated/:bucket/*',
    'verified',
    'storage.render.image_authenticated',
    rendering.renderByPolicies,
  ),
  ...getAndHead('/render/image/sign/:bucket/*', 'none', 'storage.render.image_sign', rendering.renderSigned),
];

const mountPoints = ['/bucket', '/cdn'];

/** Finds the route of a raw path; null when there is none. */
export type RouteFinder = (method: string, path: string) => Route | null;

/**
 * Indexes the table. The router sees the raw path and only says which line it is: parameters are cut out of the raw
 * path elsewhere, so that nothing it decodes or normalises counts.
 */
export function createRouteFinder(table: readonly Route[]): RouteFinder {
  const router = findMyWay({ ignoreTrailingSlash: false, maxParamLength: 20_000, caseSensitive: true });
  for (const line of table) {
    router.on(line.method, line.path, () => {}, line);
    // The mount point of a group answers with and without its slash.
    if (mountPoints.includes(line.path)) router.on(line.method, `${line.path}/`, () => {}, line);
  }
  return (method, path) => {
    const found = router.find(method as HTTPMethod, path);
    // The router hands the store back untyped.
    return found === null ? null : (found.store as Route);
  };
}
