import { scopeOf } from '../call.ts';
import { StorageError } from '../errors.ts';
import { requireNewBucketName } from '../names.ts';
import { bucketState, deleteBucket, getBucket, insertBucket, listBuckets } from '../store/buckets.ts';
import { type Operation, xmlReply } from './operation.ts';

/** ListBuckets: those that the request sees. */
export const listAll: Operation = async ({ deps, call }) => {
  const everything = {
    limit: undefined,
    offset: undefined,
    sortColumn: 'name',
    sortOrder: 'asc',
    search: undefined,
  } as const;
  const rows = await listBuckets(deps.requestDb, scopeOf(call), everything);
  const buckets = rows.map((row) => ({ Name: row.name, CreationDate: row.created_at }));
  return xmlReply('ListAllMyBucketsResult', { Buckets: { Bucket: buckets } });
};

/** CreateBucket; a public-read ACL makes it public. */
export const create: Operation = async ({ deps, call }) => {
  const { bucket } = call.params;
  requireNewBucketName(bucket);
  await insertBucket(deps.requestDb, scopeOf(call), {
    id: bucket,
    name: bucket,
    owner: call.principal.owner,
    isPublic: call.request.headers['x-amz-acl'] === 'public-read',
    fileSizeLimit: null,
    allowedMimeTypes: null,
  });
  return { status: 200, headers: { location: `/${bucket}` }, body: '' };
};

/** DeleteBucket. */
export const remove: Operation = async ({ deps, call }) => {
  const { bucket } = call.params;
  const state = await bucketState(deps.serviceDb, bucket);
  if (!state.exists) throw new StorageError('NoSuchBucket');
  if (state.hasObjects) throw new StorageError('ResourceNotEmpty');
  await deleteBucket(deps.requestDb, scopeOf(call), bucket);
  return { status: 204, headers: {}, body: null };
};

/** HeadBucket. */
export const head: Operation = async ({ deps, call }) => {
  await getBucket(deps.requestDb, scopeOf(call), call.params.bucket);
  return { status: 200, headers: { 'x-amz-bucket-region': deps.keys.s3.region }, body: '' };
};

/** GetBucketLocation. */
export const location: Operation = async ({ deps, call }) => {
  await getBucket(deps.requestDb, scopeOf(call), call.params.bucket);
  return xmlReply('LocationConstraint', deps.keys.s3.region);
};

/** GetBucketVersioning: never on. */
export const versioning: Operation = async ({ deps, call }) => {
  await getBucket(deps.requestDb, scopeOf(call), call.params.bucket);
  return xmlReply('VersioningConfiguration', { Status: 'Suspended', MfaDelete: 'Disabled' });
};
