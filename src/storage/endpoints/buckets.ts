import { z } from 'zod';
import { jsonReply } from '../../http/exchange.ts';
import { scopeOf, serviceScopeOf } from '../call.ts';
import { purgeBucketQuietly } from '../cdn.ts';
import type { StorageDeps } from '../deps.ts';
import { endpoint, noInput } from '../endpoint.ts';
import { StorageError } from '../errors.ts';
import { requireMimeTypeEntry } from '../mime-types.ts';
import { parseFileSize, requireBucketId, requireNewBucketName } from '../names.ts';
import { emptyBucket } from '../objects/empty-bucket.ts';
import {
  bucketState,
  deleteBucket,
  findBucket,
  getBucket,
  insertBucket,
  listBuckets,
  updateBucket,
} from '../store/buckets.ts';
import type { BucketRow } from '../store/rows.ts';
import { flag, integer, read, text, texts, word } from '../wire/schema.ts';

const sizePattern = '^[0-9]+(?:\\.[0-9]+)?(?:[gG][bB]|[mM][bB]|[kK][bB]|[bB])$';

const isNumeric = (value: unknown): boolean =>
  typeof value === 'boolean' || (typeof value === 'string' && Number.isFinite(Number(value)));

/** What the validator says of a size that is neither bytes nor text with a unit: everything that both forms miss. */
function sizeComplaint(value: unknown, bytes: unknown): string {
  const isNumber = typeof bytes === 'number' && Number.isFinite(bytes);
  const complaints = [
    isNumber && Number.isInteger(bytes) ? 'must be >= 0' : 'must be integer',
    ...(isNumber ? [] : ['must pass "finite" keyword validation']),
    !text.safeParse(value).success ? 'must be string' : `must match pattern "${sizePattern}"`,
    'must match a schema in anyOf',
  ];
  return complaints.join(', body/file_size_limit ');
}

/** A size limit: bytes, or text with a unit, or null for none. */
const fileSizeLimit = z
  .unknown()
  .transform((value, context): number | null => {
    if (value === null || value === '') return null;
    if (typeof value === 'string' && new RegExp(sizePattern).test(value)) return parseFileSize(value);
    const bytes = isNumeric(value) ? Number(value) : value;
    if (typeof bytes === 'number' && Number.isInteger(bytes) && bytes >= 0) return bytes;
    context.addIssue({ code: 'custom', message: sizeComplaint(value, bytes) });
    return z.NEVER;
  })
  .optional();

const mimeTypes = texts()
  .nullable()
  .optional()
  .transform((entries) => entries?.filter((entry) => entry !== '') ?? entries);

const creation = z.object({
  name: text,
  id: text.optional(),
  public: flag.optional(),
  type: word('STANDARD', 'ANALYTICS').optional(),
  file_size_limit: fileSizeLimit,
  allowed_mime_types: mimeTypes,
});

/** Throws `EntityTooLarge` for a limit above the instance's own, `InvalidMimeType` for an entry that is none. */
function requireLimits(
  { config }: StorageDeps,
  limits: {
    readonly file_size_limit?: number | null | undefined;
    readonly allowed_mime_types?: readonly string[] | null | undefined;
  },
): void {
  if ((limits.file_size_limit ?? 0) > config.fileSizeLimit) throw new StorageError('EntityTooLarge');
  for (const entry of limits.allowed_mime_types ?? []) requireMimeTypeEntry(entry);
}

/** `POST /bucket` */
export const createBucket = endpoint({
  input: ({ body }) => read('body', creation, body),
  async handle(deps, call) {
    const { input, principal } = call;
    requireNewBucketName(input.name);
    const id = input.id || input.name;
    requireNewBucketName(id);
    if (input.type === 'ANALYTICS')
      throw new StorageError('FeatureNotEnabled', 'Iceberg buckets are not enabled for this tenant');
    requireLimits(deps, input);
    await insertBucket(deps.requestDb, scopeOf(call), {
      id,
      name: input.name,
      owner: principal.owner,
      isPublic: input.public ?? false,
      fileSizeLimit: input.file_size_limit ?? null,
      allowedMimeTypes: input.allowed_mime_types ?? null,
    });
    return jsonReply(200, { name: input.name });
  },
});

const listing = z.object({
  limit: integer(1).optional(),
  offset: integer(0).optional(),
  sortColumn: word('id', 'name', 'created_at', 'updated_at').optional(),
  sortOrder: word('asc', 'desc').optional(),
  search: text.optional(),
});

const bucketReply = ({ owner, type: _type, ...row }: BucketRow) => ({ ...row, owner: owner ?? '' });

/** Old Python clients fail on a member that they do not know. */
const oldClients: readonly {
  readonly header: string;
  readonly pattern: RegExp;
  readonly before: number[];
}[] = [
  { header: 'x-client-info', pattern: /supabase-py\/(\d+)\.(\d+)\.(\d+)/i, before: [2, 18, 0] },
  { header: 'user-agent', pattern: /supabase-py\/storage3 v(\d+)\.(\d+)\.(\d+)/i, before: [0, 12, 1] },
];

function knowsBucketTypes(headers: Readonly<Record<string, unknown>>): boolean {
  return !oldClients.some(({ header, pattern, before }) => {
    const match = pattern.exec(String(headers[header] ?? ''));
    if (match === null) return false;
    const version = match.slice(1).map(Number);
    const at = version.findIndex((part, i) => part !== before[i]);
    return at !== -1 && (version[at] ?? 0) < (before[at] ?? 0);
  });
}

/** `GET /bucket` */
export const listAllBuckets = endpoint({
  input: ({ query }) => read('querystring', listing, query),
  async handle(deps, call) {
    const { limit, offset, sortColumn, sortOrder, search } = call.input;
    const rows = await listBuckets(deps.requestDb, scopeOf(call), {
      limit,
      offset,
      sortColumn,
      sortOrder,
      search,
    });
    const isTyped = knowsBucketTypes(call.request.headers);
    return jsonReply(
      200,
      rows.map((row) => (isTyped ? { ...bucketReply(row), type: row.type } : bucketReply(row))),
    );
  },
});

/** `GET /bucket/:bucket` */
export const getOneBucket = endpoint({
  input: noInput,
  async handle(deps, call) {
    return jsonReply(200, bucketReply(await getBucket(deps.requestDb, scopeOf(call), call.params.bucket)));
  },
});

const changes = z
  .object({
    public: flag.optional(),
    file_size_limit: fileSizeLimit,
    allowed_mime_types: mimeTypes,
  })
  .refine((body) => Object.values(body).some((value) => value !== undefined), {
    message:
      "must have required property 'public', body must have required property 'file_size_limit', " +
      "body must have required property 'allowed_mime_types', body must match a schema in anyOf",
  });

/** `PUT /bucket/:bucket` */
export const changeBucket = endpoint({
  input: ({ body }) => read('body', changes, body),
  async handle(deps, call) {
    const { input, params } = call;
    requireBucketId(params.bucket);
    requireLimits(deps, input);
    const wasPublic =
      input.public === false && (await findBucket(deps.serviceDb, params.bucket))?.public === true;
    await updateBucket(deps.requestDb, scopeOf(call), params.bucket, {
      isPublic: input.public,
      fileSizeLimit: input.file_size_limit,
      allowedMimeTypes: input.allowed_mime_types,
    });
    if (wasPublic) await purgeBucketQuietly(deps, params.bucket);
    return jsonReply(200, { message: 'Successfully updated' });
  },
});

/** `DELETE /bucket/:bucket` */
export const removeBucket = endpoint({
  input: noInput,
  async handle(deps, call) {
    const { bucket } = call.params;
    const state = await bucketState(deps.serviceDb, bucket);
    if (!state.exists) throw new StorageError('NoSuchBucket');
    if (state.hasObjects) throw new StorageError('ResourceNotEmpty');
    await deleteBucket(deps.requestDb, scopeOf(call), bucket);
    await purgeBucketQuietly(deps, bucket);
    return jsonReply(200, { message: 'Successfully deleted' });
  },
});

/** `POST /bucket/:bucket/empty` */
export const clearBucket = endpoint({
  input: noInput,
  async handle(deps, call) {
    await emptyBucket(deps, serviceScopeOf(call), call.params.bucket);
    return jsonReply(200, {
      message: 'Empty bucket has been queued. Completion may take up to an hour.',
    });
  },
});
