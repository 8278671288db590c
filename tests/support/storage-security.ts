import { S3Client } from '@aws-sdk/client-s3';
import { type Answer, type StorageInstance, startStorage } from './storage.ts';
import { encodeMetadata } from './tus.ts';

/** Bytes that an object of the bucket `tight` may have. */
export const tightBytes = 1000;

/** Headers of every resumable request. */
export const tus = { 'tus-resumable': '1.0.0' } as const;

/** An instance with buckets that are public, private, and narrow, and its three doors: REST, resumable uploads and S3. */
export type GuardedInstance = StorageInstance & {
  readonly token: string;
  /** A client with the instance's own keys. */
  readonly s3: S3Client;
  /** Begins a resumable upload of a picture as the service role. */
  readonly createResumable: (
    bucket: string,
    name: string,
    headers: Readonly<Record<string, string>>,
  ) => Promise<Answer>;
};

/** Starts an instance with the buckets `open` (public), `private` and `tight` (of few bytes, for pictures alone). */
export async function startGuarded(): Promise<GuardedInstance> {
  const instance = await startStorage({
    env: { OWNBASE_STORAGE_DELETE_GRACE: '0', OWNBASE_UPLOAD_IDLE_TIMEOUT: '800ms' },
  });
  const { call, serviceKey: token, deps } = instance;
  await call('POST', '/bucket', { token, body: { name: 'open', public: true } });
  await call('POST', '/bucket', { token, body: { name: 'private' } });
  await call('POST', '/bucket', {
    token,
    body: { name: 'tight', file_size_limit: tightBytes, allowed_mime_types: ['image/png'] },
  });
  return {
    ...instance,
    token,
    s3: new S3Client({
      endpoint: `${instance.url}/storage/v1/s3`,
      forcePathStyle: true,
      region: deps.keys.s3.region,
      credentials: deps.keys.s3,
      maxAttempts: 1,
    }),
    createResumable: (bucketName, objectName, headers) =>
      call('POST', '/upload/resumable', {
        token,
        headers: {
          ...tus,
          'upload-metadata': encodeMetadata({ bucketName, objectName, contentType: 'image/png' }),
          ...headers,
        },
      }),
  };
}

/** The path below `/storage/v1` of a resumable upload that was begun. */
export const resumablePath = ({ headers }: Pick<Answer, 'headers'>): string =>
  new URL(headers.get('location') ?? '').pathname.replace('/storage/v1', '');
