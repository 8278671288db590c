import type { StorageConfig, StorageInput } from './deps.ts';
import { StorageError } from './errors.ts';

/** What a cache in front of the service is to forget: an object, a bucket, or everything. */
export type Purge = {
  readonly bucket?: string;
  readonly name?: string;
  /** Only the renderings of images. */
  readonly onlyTransforms: boolean;
};

const patienceMs = 10_000;

/**
 * Tells the cache; throws `MissingParameter` where none is configured, `PurgeFailed` when it does not answer well.
 * Upstream: src/storage/cdn/cdn-cache-manager.ts.
 */
export async function purgeCache(config: StorageConfig, purge: Purge): Promise<void> {
  const { cdnPurgeUrl, cdnPurgeKey } = config;
  if (cdnPurgeUrl === null) throw new StorageError('MissingParameter', 'CDN_PURGE_ENDPOINT_URL is not set');
  try {
    const reply = await fetch(endpointOf(cdnPurgeUrl), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(cdnPurgeKey === null ? {} : { authorization: `Bearer ${cdnPurgeKey}` }),
      },
      body: JSON.stringify(orderOf(config, purge)),
      signal: AbortSignal.timeout(patienceMs),
    });
    await reply.body?.cancel();
    if (!reply.ok) throw new Error(`the cache answered ${reply.status}`);
  } catch (thrown) {
    throw new StorageError('PurgeFailed', '', { cause: thrown });
  }
}

/** Makes a cache forget a bucket that fewer may see by now; a cache that fails is reported, not an error. */
export async function purgeBucketQuietly(
  { config, observer }: Pick<StorageInput, 'config' | 'observer'>,
  bucket: string,
): Promise<void> {
  if (config.cdnPurgeUrl === null) return;
  try {
    await purgeCache(config, { bucket, onlyTransforms: false });
  } catch (thrown) {
    observer({
      kind: 'notice',
      service: 'storage',
      level: 'warn',
      message: 'the cache could not be purged of a bucket',
      fields: { bucket, reason: thrown instanceof Error ? String(thrown.cause) : '' },
    });
  }
}

function endpointOf(base: string): URL {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/purge`;
  url.search = '';
  url.hash = '';
  return url;
}

function orderOf({ tenantId }: StorageConfig, { bucket, name, onlyTransforms }: Purge) {
  const what = bucket === undefined ? 'tenant' : name === undefined ? 'bucket' : 'object';
  return {
    type: onlyTransforms ? `${what}-transforms` : what,
    tenant: { ref: tenantId },
    ...(bucket === undefined ? {} : { bucketId: bucket }),
    ...(name === undefined ? {} : { objectName: name }),
  };
}
