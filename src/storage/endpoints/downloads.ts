import { z } from 'zod';
import { jsonReply } from '../../http/exchange.ts';
import type { Call } from '../call.ts';
import type { StorageDeps } from '../deps.ts';
import { endpoint } from '../endpoint.ts';
import { StorageError } from '../errors.ts';
import { describeTransform, transformSchema, within } from '../images/transform.ts';
import { requireBucketId } from '../names.ts';
import { type Access, readObject, requireReadableNames } from '../objects/access.ts';
import { serveObject } from '../objects/download.ts';
import { headCacheControl, httpDate, objectHeaders, requireSendable } from '../objects/reply-headers.ts';
import { verifySigned } from '../signed/tokens.ts';
import { metadataOf } from '../store/rows.ts';
import { read, text } from '../wire/schema.ts';

const downloadQuery = z.object({ download: text.optional() });

const download = (access: Access) =>
  endpoint({
    input: ({ query }) => read('querystring', downloadQuery, query),
    async handle(deps, call) {
      if (access === 'public') requireReadableNames(call.params);
      const row = await readObject(deps, call, access);
      return serveObject(deps, call.request, row, { download: call.input.download });
    },
  });

/** `GET /object/public/:bucket/*` */
export const downloadPublic = download('public');

/** `GET /object/authenticated/:bucket/*` and `GET /object/:bucket/*` */
export const downloadByPolicies = download('policies');

const signedQuery = z.object({ download: text.optional(), token: text });

/** `GET /object/sign/:bucket/*`; a token for a rendering opens the rendering alone. */
export const downloadSigned = endpoint({
  input: ({ query }) => read('querystring', signedQuery, query),
  async handle(deps, call) {
    const { bucket, name } = call.params;
    requireBucketId(bucket);
    const { token, download } = call.input;
    const signed = await verifySigned(deps.verifier, token, 'download', `${bucket}/${name}`);
    if (signed.transformations !== '') throw new StorageError('InvalidSignature');
    const { expiresAt } = signed;
    const row = await readObject(deps, call, 'signed');
    return serveObject(deps, call.request, row, { download, expiresAt });
  },
});

/** Answers a HEAD from the row alone. */
const head = (access: Access) =>
  endpoint({
    input: ({ query }) => read('querystring', transformSchema, query),
    async handle(deps, call) {
      const metadata = metadataOf((await readObject(deps, call, access)).metadata);
      const limits = { min: deps.config.minImageSize, max: deps.config.maxImageSize };
      const headers = requireSendable({
        ...objectHeaders(metadata),
        'cache-control': headCacheControl(call.request.headers, metadata, deps.config),
        'content-length': metadata.contentLength,
        'x-transformations': describeTransform(within(call.input, limits)).join(',') || undefined,
      });
      return { status: metadata.httpStatusCode ?? 200, headers, body: null };
    },
  });

/** `HEAD /object/public/:bucket/*` */
export const headPublic = head('public');

/** `HEAD /object/authenticated/:bucket/*` and `HEAD /object/:bucket/*` */
export const headByPolicies = head('policies');

async function describe(deps: StorageDeps, call: Call, access: Access) {
  const row = await readObject(deps, call, access);
  const metadata = metadataOf(row.metadata);
  const facts = {
    id: row.id,
    name: row.name,
    version: row.version,
    bucket_id: row.bucket_id,
    size: metadata.size ?? null,
    content_type: metadata.mimetype ?? null,
    cache_control: metadata.cacheControl ?? null,
    etag: metadata.eTag ?? null,
    metadata: row.user_metadata,
    last_modified: row.updated_at,
    created_at: row.created_at,
  };
  return jsonReply(
    metadata.httpStatusCode ?? 200,
    facts,
    requireSendable({
      etag: metadata.eTag,
      'last-modified': httpDate(metadata.lastModified),
      'cache-control': metadata.cacheControl,
    }),
  );
}

const info = (access: Access) =>
  endpoint({
    input: ({ query }) => read('querystring', transformSchema, query),
    handle: (deps, call) => describe(deps, call, access),
  });

/** `GET /object/info/public/:bucket/*` */
export const infoPublic = info('public');

/** `GET /object/info/authenticated/:bucket/*` and `GET /object/info/:bucket/*` */
export const infoByPolicies = info('policies');
