import { CreateBucketCommand, GetObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { type InstanceOptions, type StorageInstance, startStorage } from './storage.ts';

/** An instance with a bucket, and the AWS SDK's clients of it. */
export type S3Instance = StorageInstance & {
  readonly Bucket: string;
  /** A client with the instance's own keys. */
  readonly s3: S3Client;
  readonly clientWith: (options?: S3ClientConfig) => S3Client;
  /** An object's content, as text. */
  readonly text: (Key: string, options?: object) => Promise<string>;
};

/** Starts an instance with a bucket. */
export async function startWithS3(options: InstanceOptions = {}): Promise<S3Instance> {
  const instance = await startStorage({
    ...options,
    env: { FILE_SIZE_LIMIT: '20MiB', OWNBASE_STORAGE_DELETE_GRACE: '0' },
  });
  const { accessKeyId, secretAccessKey, region } = instance.deps.keys.s3;
  const clientWith = (given: S3ClientConfig = {}): S3Client =>
    new S3Client({
      endpoint: `${instance.url}/storage/v1/s3`,
      forcePathStyle: true,
      region,
      credentials: { accessKeyId, secretAccessKey },
      maxAttempts: 1,
      ...given,
    });
  const s3 = clientWith();
  const Bucket = 'b';
  await s3.send(new CreateBucketCommand({ Bucket }));
  return {
    ...instance,
    Bucket,
    s3,
    clientWith,
    text: async (Key, given = {}) =>
      (await s3.send(new GetObjectCommand({ Bucket, Key, ...given }))).Body?.transformToString() ?? '',
  };
}

/** What the SDK throws for a failure of the service. */
export const s3Failure = (code: string, status: number) => ({
  Code: code,
  $metadata: expect.objectContaining({ httpStatusCode: status }),
});
