import { z } from 'zod';
import {
  boolean,
  bytes,
  duration,
  integer,
  type Kind,
  list,
  oneOf,
  optional,
  secret,
  string,
  table,
} from '../kind.ts';
import { option } from '../option.ts';

const binaryUnits: Readonly<Record<string, number>> = {
  '': 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

/** A size as the Supabase CLI reads it: every unit is binary, `5MB` and `5MiB` are the same. */
const binaryBytes: Kind<number> = {
  ...bytes,
  parse(raw) {
    const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(String(raw).trim());
    const unit = binaryUnits[match?.[2]?.toLowerCase() ?? 'none'];
    if (match === null || unit === undefined) throw new RangeError('must be a size such as 50MiB or 20MB');
    return Math.floor(Number(match[1]) * unit);
  },
};

const bucketSeeds = z.record(
  z.string(),
  z.looseObject({
    public: z.boolean().optional(),
    file_size_limit: z
      .union([z.string(), z.number()])
      .transform((size) => binaryBytes.parse(size))
      .optional(),
    allowed_mime_types: z.array(z.string()).optional(),
    objects_path: z.string().optional(),
  }),
);

/** Buckets that a project's configuration names, by their names. */
export type BucketSeeds = z.infer<typeof bucketSeeds>;

/** The storage service and where its files live. */
export const storageOptions = {
  enabled: option({
    kind: boolean,
    default: true,
    toml: 'storage.enabled',
    description: 'Serve /storage/v1.',
  }),
  fileSizeLimit: option({
    kind: binaryBytes,
    default: 50 * 1024 ** 2,
    toml: 'storage.file_size_limit',
    env: ['FILE_SIZE_LIMIT', 'UPLOAD_FILE_SIZE_LIMIT'],
    description: 'Largest object, unless its bucket says less.',
  }),
  path: option({
    kind: optional(string),
    default: null,
    env: ['FILE_STORAGE_BACKEND_PATH', 'STORAGE_FILE_BACKEND_PATH'],
    flag: 'storage-path',
    description: 'Folder of the filesystem backend; unset keeps files under .ownbase/storage.',
  }),
  standardFileSizeLimit: option({
    kind: bytes,
    default: 0,
    env: ['UPLOAD_FILE_SIZE_LIMIT_STANDARD'],
    description: 'Largest object of an upload that is not resumable; 0 leaves it to fileSizeLimit.',
  }),
  uploadIdleMs: option({
    kind: duration,
    default: 60_000,
    env: ['OWNBASE_UPLOAD_IDLE_TIMEOUT'],
    description: 'How long an upload may stand still before its connection is closed.',
  }),
  uploadTimeoutMs: option({
    kind: duration,
    default: 86_400_000,
    env: ['OWNBASE_UPLOAD_TIMEOUT'],
    description: 'Longest time that one upload request may take; 0 for any time.',
  }),
  deleteGraceMs: option({
    kind: duration,
    default: 600_000,
    env: ['OWNBASE_STORAGE_DELETE_GRACE'],
    description: 'How long the bytes of a replaced or deleted object stay, for downloads under way.',
  }),
  signedUploadSeconds: option({
    kind: integer(1),
    default: 7200,
    env: ['UPLOAD_SIGNED_URL_EXPIRATION_TIME', 'SIGNED_UPLOAD_URL_EXPIRATION_TIME'],
    description: 'Lifetime of signed upload URLs, in seconds.',
  }),
  emptyBucketMax: option({
    kind: integer(1),
    default: 200_000,
    env: ['STORAGE_EMPTY_BUCKET_MAX'],
    description: 'Most objects that a bucket may have to be emptied in one call.',
  }),
  responseSharedMaxAge: option({
    kind: integer(0),
    default: 0,
    env: ['RESPONSE_S_MAXAGE'],
    description: 's-maxage added to conditional downloads, in seconds; 0 adds none.',
  }),
  etagHeaders: option({
    kind: list,
    default: ['if-none-match'],
    env: ['REQUEST_ETAG_HEADERS'],
    description: 'Request headers that carry the ETag which a cache already has.',
  }),
  resumableExpiryMs: option({
    kind: integer(1),
    default: 86_400_000,
    env: ['TUS_URL_EXPIRY_MS'],
    description: 'How long an unfinished resumable upload may be taken up again, in milliseconds.',
  }),
  s3Enabled: option({
    kind: boolean,
    default: true,
    toml: 'storage.s3_protocol.enabled',
    env: ['S3_PROTOCOL_ENABLED'],
    description: 'Serve the S3 protocol under /storage/v1/s3.',
  }),
  enforcesS3Region: option({
    kind: boolean,
    default: false,
    env: ['S3_PROTOCOL_ENFORCE_REGION'],
    description: 'Take S3 signatures for the configured region only, not for auto and us-east-1.',
  }),
  transformsImages: option({
    kind: boolean,
    default: true,
    toml: 'storage.image_transformation.enabled',
    env: ['IMAGE_TRANSFORMATION_ENABLED', 'ENABLE_IMAGE_TRANSFORMATION'],
    description: 'Serve /render/image, with the optional package sharp.',
  }),
  minImageSize: option({
    kind: integer(1),
    default: 1,
    env: ['IMAGE_TRANSFORMATION_LIMIT_MIN_SIZE', 'IMG_LIMITS_MIN_SIZE'],
    description: 'Smallest width and height of a rendered image, in pixels.',
  }),
  maxImageSize: option({
    kind: integer(1),
    default: 2000,
    env: ['IMAGE_TRANSFORMATION_LIMIT_MAX_SIZE', 'IMG_LIMITS_MAX_SIZE'],
    description: 'Largest width and height of a rendered image, in pixels.',
  }),
  tenantId: option({
    kind: string,
    default: 'stub',
    env: ['TENANT_ID', 'PROJECT_REF'],
    description: 'Name of this instance in webhooks and in purges of a cache.',
  }),
  cdnPurgeUrl: option({
    kind: optional(string),
    default: null,
    env: ['CDN_PURGE_ENDPOINT_URL'],
    description: 'URL of a cache in front of the service, which is told under /purge what to forget.',
  }),
  cdnPurgeKey: option({
    kind: optional(secret),
    default: null,
    env: ['CDN_PURGE_ENDPOINT_KEY'],
    description: 'Bearer token for the cache.',
  }),
  webhookUrl: option({
    kind: optional(string),
    default: null,
    env: ['WEBHOOK_URL'],
    description:
      'URL that is told of objects that were made, moved and removed, after the fact and until it answers.',
  }),
  webhookApiKey: option({
    kind: optional(secret),
    default: null,
    env: ['WEBHOOK_API_KEY'],
    description: 'Bearer token for the webhook.',
  }),
  backend: option({
    kind: oneOf('file', 's3'),
    default: 'file' as 'file' | 's3',
    env: ['STORAGE_BACKEND'],
    description: 'Where files live: in a folder, or in a bucket of any S3 server.',
  }),
  s3Endpoint: option({
    kind: optional(string),
    default: null,
    env: ['STORAGE_S3_ENDPOINT', 'GLOBAL_S3_ENDPOINT'],
    description: 'URL of the S3 server of the s3 backend.',
  }),
  s3Bucket: option({
    kind: optional(string),
    default: null,
    env: ['STORAGE_S3_BUCKET', 'GLOBAL_S3_BUCKET'],
    description: 'Bucket of the s3 backend.',
  }),
  s3Region: option({
    kind: string,
    default: 'us-east-1',
    env: ['STORAGE_S3_REGION', 'AWS_REGION'],
    description: 'Region of the s3 backend.',
  }),
  s3Prefix: option({
    kind: string,
    default: '',
    env: ['OWNBASE_STORAGE_S3_PREFIX'],
    description: 'Prefix of every key of the s3 backend, such as ownbase/.',
  }),
  s3PathStyle: option({
    kind: boolean,
    default: true,
    env: ['STORAGE_S3_FORCE_PATH_STYLE', 'GLOBAL_S3_FORCE_PATH_STYLE'],
    description: 'Put the bucket into the path of the s3 backend rather than into its host.',
  }),
  s3PatienceMs: option({
    kind: integer(0),
    default: 60_000,
    env: ['STORAGE_S3_CLIENT_TIMEOUT'],
    description:
      'How long the server of the s3 backend may do nothing before a request to it fails, in milliseconds; 0 for any time.',
  }),
  s3AccessKeyId: option({
    kind: optional(string),
    default: null,
    env: ['AWS_ACCESS_KEY_ID'],
    description: 'Access key of the s3 backend.',
  }),
  s3SecretAccessKey: option({
    kind: optional(secret),
    default: null,
    env: ['AWS_SECRET_ACCESS_KEY'],
    description: 'Secret key of the s3 backend.',
  }),
  buckets: option({
    kind: table(bucketSeeds),
    default: {},
    toml: 'storage.buckets',
    description: 'Buckets to make, and the files to put into them.',
  }),
};
