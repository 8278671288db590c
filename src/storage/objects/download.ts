import type { HttpReply, HttpRequest } from '../../http/exchange.ts';
import type { StorageDeps } from '../deps.ts';
import { StorageError } from '../errors.ts';
import { metadataOf, type ObjectMetadata, type ObjectRow } from '../store/rows.ts';
import { planDownload } from './conditions.ts';
import { dispositionOf, downloadCacheControl, objectHeaders, requireSendable } from './reply-headers.ts';

/** How a download is dressed. */
export type DownloadOptions = {
  /** The `download` parameter: undefined shows the file in place. */
  readonly download: string | undefined;
  /** End of a signed URL in epoch seconds; such answers carry it in place of `Cache-Control`. */
  readonly expiresAt?: number;
};

/** Answers with an object's bytes: all, a range, or nothing new. Throws `BlobMissing` or `InvalidRange`. */
export async function serveObject(
  deps: StorageDeps,
  request: HttpRequest,
  row: ObjectRow,
  options: DownloadOptions,
): Promise<HttpReply> {
  const metadata = await completeMetadata(deps, row);
  const headers = requireSendable({
    ...objectHeaders(metadata),
    ...freshness(deps, request, metadata, options),
    ...dispositionOf(options.download),
  });
  const plan = planDownload(request.headers, { ...metadata, lastModified: metadata.lastModified });
  if (plan.kind === 'not-modified') return { status: 304, headers, body: null };
  const range = plan.kind === 'range' ? plan.range : undefined;
  const content = await deps.store.get(row.version ?? '', range);
  if (content === null || content.size !== metadata.size) throw missingBlob(deps, row);
  if (range === undefined) {
    return { status: 200, headers: { ...headers, 'content-length': content.size }, body: content.body };
  }
  return {
    status: 206,
    headers: {
      ...headers,
      'content-length': range.end - range.start + 1,
      'content-range': `bytes ${range.start}-${range.end}/${content.size}`,
    },
    body: content.body,
  };
}

type Complete = Partial<ObjectMetadata> & { readonly eTag: string; readonly size: number };

/** The row's metadata; what an imported row lacks is read from the blob. */
async function completeMetadata(deps: StorageDeps, row: ObjectRow): Promise<Complete> {
  const metadata = metadataOf(row.metadata);
  const { eTag, size } = metadata;
  if (eTag !== undefined && size !== undefined) return { ...metadata, eTag, size };
  const facts = await deps.store.head(row.version ?? '');
  if (facts === null) throw missingBlob(deps, row);
  return {
    lastModified: facts.modifiedAt.toISOString(),
    ...metadata,
    size: facts.size,
    eTag: eTag ?? `"${row.version}"`,
  };
}

/** A row without its blob is damage: it is reported, and the row stays as the only trace of it. */
function missingBlob({ observer }: StorageDeps, row: ObjectRow): StorageError {
  observer({
    kind: 'notice',
    service: 'storage',
    level: 'warn',
    message: 'an object has no blob of its size',
    fields: { bucket: row.bucket_id, object: row.id, version: row.version },
  });
  return new StorageError('BlobMissing');
}

function freshness(
  { config }: StorageDeps,
  request: HttpRequest,
  metadata: Partial<ObjectMetadata>,
  options: DownloadOptions,
) {
  return options.expiresAt === undefined
    ? { 'cache-control': downloadCacheControl(request.headers, metadata, config) }
    : { expires: new Date(options.expiresAt * 1000).toUTCString() };
}
