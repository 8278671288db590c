import { type Feature, supported, unsupported } from '../feature.ts';

const bucket = (...names: string[]): { calls: string[] } => ({
  calls: names.map((name) => `bucket.${name}`),
});
const storage = (...names: string[]): { calls: string[] } => ({
  calls: names.map((name) => `storage.${name}`),
});

/** What apps use of the storage service. */
export const storageFeatures: readonly Feature[] = [
  supported(
    'storage.upload',
    'Uploads',
    ['storage.upload'],
    bucket('upload', 'update', 'uploadBinary', 'updateBinary', 'uploadAsFlow'),
  ),
  supported(
    'storage.upload.signed',
    'Uploads by a signed URL',
    ['storage.upload.signed', 'storage.upload.signed-other'],
    bucket(
      'createSignedUploadUrl',
      'createSignedUploadURL',
      'create_signed_upload_url',
      'uploadToSignedUrl',
      'uploadToSignedURL',
      'upload_to_signed_url',
      'uploadBinaryToSignedUrl',
    ),
  ),
  supported('storage.upload.resumable', 'Resumable uploads', [
    'storage.upload.resumable',
    'storage.upload.resumable-offset',
  ]),
  supported(
    'storage.download',
    'Downloads',
    ['storage.download'],
    bucket('download', 'downloadAuthenticated', 'downloadPublic'),
  ),
  supported(
    'storage.public-url',
    'Public URLs',
    ['storage.download.public'],
    bucket('getPublicUrl', 'getPublicURL', 'get_public_url', 'publicUrl'),
  ),
  supported(
    'storage.signed-url',
    'Signed URLs',
    ['storage.sign'],
    bucket(
      'createSignedUrl',
      'createSignedURL',
      'create_signed_url',
      'createSignedUrls',
      'createSignedURLs',
      'create_signed_urls',
    ),
  ),
  supported(
    'storage.list',
    'Lists of files',
    ['storage.list'],
    bucket('list', 'listV2', 'listFiles', 'searchPaginated'),
  ),
  supported(
    'storage.info',
    'Facts about a file',
    ['storage.download.head', 'storage.info'],
    bucket('info', 'exists'),
  ),
  supported('storage.move', 'Moving and copying', ['storage.move', 'storage.copy'], bucket('move', 'copy')),
  supported('storage.remove', 'Deleting files', ['storage.remove'], bucket('remove', 'delete')),
  supported('storage.purge-cache', 'Emptying the CDN', [], {
    ...bucket('purgeCache'),
    note: 'There is no CDN to empty.',
  }),
  supported(
    'storage.buckets',
    'Buckets made by the app',
    ['storage.bucket', 'storage.empty'],
    storage(
      'createBucket',
      'create_bucket',
      'getBucket',
      'get_bucket',
      'retrieveBucketById',
      'listBuckets',
      'list_buckets',
      'retrieveBuckets',
      'updateBucket',
      'update_bucket',
      'deleteBucket',
      'delete_bucket',
      'emptyBucket',
      'empty_bucket',
      'purgeBucketCache',
    ),
  ),
  supported('storage.transform', 'Images in other sizes', ['storage.image'], {
    ...bucket('getAuthenticatedUrl', 'authenticatedRenderUrl', 'publicRenderUrl'),
    note: 'Needs the optional package `sharp`.',
  }),
  supported('storage.s3', 'The S3 protocol', []),
  unsupported('storage.vectors', 'Vector buckets', 'They answer as upstream does when they are off.', [
    'storage.vectors',
  ]),
  unsupported('storage.analytics', 'Analytics buckets', 'They answer as upstream does when they are off.', [
    'storage.analytics',
  ]),
  supported('storage.http', 'The storage service by its URL', ['storage']),
];
