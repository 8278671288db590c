import { z } from 'zod';
import type { HttpReply } from '../../http/exchange.ts';
import type { Call } from '../call.ts';
import type { StorageDeps } from '../deps.ts';
import { endpoint } from '../endpoint.ts';
import { StorageError } from '../errors.ts';
import { variantKey } from '../images/renderer.ts';
import {
  describeTransform,
  readSignedTransform,
  type Transform,
  transformSchema,
  within,
} from '../images/transform.ts';
import { requireBucketId } from '../names.ts';
import { type Access, readObject, requireReadableNames } from '../objects/access.ts';
import { planDownload } from '../objects/conditions.ts';
import {
  dispositionOf,
  downloadCacheControl,
  objectHeaders,
  requireSendable,
} from '../objects/reply-headers.ts';
import { verifySigned } from '../signed/tokens.ts';
import { metadataOf, type ObjectRow } from '../store/rows.ts';
import { read, text } from '../wire/schema.ts';

const renderQuery = z.object({ download: text.optional() });

type Rendering = {
  readonly transform: Transform;
  readonly download: string | undefined;
  readonly expiresAt?: number;
};

async function readWhole(deps: StorageDeps, row: ObjectRow): Promise<Buffer> {
  const content = await deps.store.get(row.version ?? '');
  if (content === null) throw new StorageError('BlobMissing');
  if (Buffer.isBuffer(content.body)) return content.body;
  const chunks: Buffer[] = [];
  for await (const chunk of content.body as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Answers with a rendering of the object; its ETag names the variant, so that a cache never takes one for another. */
async function serveRendering(
  deps: StorageDeps,
  call: Call,
  row: ObjectRow,
  rendering: Rendering,
): Promise<HttpReply> {
  const { request } = call;
  const metadata = metadataOf(row.metadata);
  const { minImageSize: min, maxImageSize: max } = deps.config;
  const transform = within(rendering.transform, { min, max });
  const accept = request.headers.accept ?? '';
  const eTag = `"${variantKey(row.version ?? '', transform, accept)}"`;
  const headers = requireSendable({
    ...objectHeaders({ ...metadata, eTag }),
    ...(rendering.expiresAt === undefined
      ? { 'cache-control': downloadCacheControl(request.headers, { ...metadata, eTag }, deps.config) }
      : { expires: new Date(rendering.expiresAt * 1000).toUTCString() }),
    ...dispositionOf(rendering.download),
    'x-transformations': describeTransform(transform).join(',') || undefined,
    'accept-ranges': undefined,
    vary: 'Accept',
  });
  const { range: _range, ...conditions } = request.headers;
  if (planDownload(conditions, { eTag, lastModified: undefined, size: 0 }).kind === 'not-modified') {
    return { status: 304, headers: { ...headers, 'content-type': undefined }, body: null };
  }
  const source = { version: row.version ?? '', size: metadata.size ?? 0, read: () => readWhole(deps, row) };
  const { bytes, contentType } = await deps.renderer.render(source, transform, accept);
  return { status: 200, headers: { ...headers, 'content-type': contentType }, body: bytes };
}

const render = (access: Access) =>
  endpoint({
    input: ({ query }) => {
      const { download } = read('querystring', renderQuery, query);
      return { download, transform: read('querystring', transformSchema, query) };
    },
    async handle(deps, call) {
      if (access === 'public') requireReadableNames(call.params);
      return serveRendering(deps, call, await readObject(deps, call, access), call.input);
    },
  });

/** `GET /render/image/public/:bucket/*` */
export const renderPublic = render('public');

/** `GET /render/image/authenticated/:bucket/*` */
export const renderByPolicies = render('policies-only');

const signedQuery = z.object({ token: text, download: text.optional() });

/** `GET /render/image/sign/:bucket/*`: what is done to the image is in the token alone. */
export const renderSigned = endpoint({
  input: ({ query }) => read('querystring', signedQuery, query),
  async handle(deps, call) {
    const { bucket, name } = call.params;
    requireBucketId(bucket);
    const signed = await verifySigned(deps.verifier, call.input.token, 'download', `${bucket}/${name}`);
    const row = await readObject(deps, call, 'signed');
    return serveRendering(deps, call, row, {
      transform: readSignedTransform(signed.transformations, signed.format),
      download: call.input.download,
      expiresAt: signed.expiresAt,
    });
  },
});
