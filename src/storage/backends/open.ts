import type { Observer } from '../../core/observe.ts';
import type { StorageConfig } from '../deps.ts';
import { openFsStore } from './fs.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * Opens the store that the configuration names; `folder` is where files live unless it says otherwise. Throws
 * `RangeError` when the S3 backend is named and something of it is missing.
 */
export async function openObjectStore(
  config: StorageConfig,
  folder: string,
  observer: Observer,
): Promise<ObjectStore> {
  if (config.backend === 'file') return openFsStore({ root: config.path ?? folder });
  const { s3Endpoint: endpoint, s3Bucket: bucket, s3AccessKeyId, s3SecretAccessKey } = config;
  if (endpoint === null || bucket === null || s3AccessKeyId === null || s3SecretAccessKey === null) {
    throw new RangeError(
      'STORAGE_BACKEND=s3 needs STORAGE_S3_ENDPOINT, STORAGE_S3_BUCKET, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    );
  }
  const { openS3Store } = await import('./s3.ts');
  return openS3Store({
    endpoint,
    bucket,
    region: config.s3Region,
    prefix: config.s3Prefix,
    accessKeyId: s3AccessKeyId,
    secretAccessKey: s3SecretAccessKey,
    isPathStyle: config.s3PathStyle,
    patienceMs: config.s3PatienceMs,
    observer,
  });
}
