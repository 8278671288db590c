import type { RequestScope } from '../../pg/session.ts';
import type { StorageDeps } from '../deps.ts';
import { StorageError } from '../errors.ts';
import { bucketState, countObjects } from '../store/buckets.ts';
import { deleteBatch } from '../store/objects.ts';

const batchSize = 500;

/**
 * Deletes what a bucket held when the call came, batch by batch; every batch is complete in itself, so that a call
 * that is cut off has emptied a part. Throws `NoSuchBucket` or `BucketTooFull`.
 * Upstream: emptyBucket in src/storage/storage.ts.
 */
export async function emptyBucket(deps: StorageDeps, scope: RequestScope, bucket: string): Promise<void> {
  const { config, serviceDb, requestDb, clock } = deps;
  const state = await bucketState(serviceDb, bucket);
  if (!state.exists) throw new StorageError('NoSuchBucket');
  const count = await countObjects(serviceDb, bucket, config.emptyBucketMax + 1);
  if (count > config.emptyBucketMax) throw new StorageError('BucketTooFull');
  const before = new Date(clock.now()).toISOString();
  const batch = { bucket, before, limit: batchSize, graceSeconds: config.deleteGraceMs / 1000 };
  while ((await deleteBatch(requestDb, scope, batch)) === batchSize);
}
