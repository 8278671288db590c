import { z } from 'zod';
import { jsonReply } from '../../http/exchange.ts';
import { scopeOf } from '../call.ts';
import { endpoint } from '../endpoint.ts';
import { requireBucketId } from '../names.ts';
import { decodeCursor, encodeCursor } from '../objects/cursor.ts';
import { listFolder, listPage, type PageEntry } from '../store/listing.ts';
import { flag, integer, read, text, word } from '../wire/schema.ts';

const order = word('asc', 'desc').optional();

const folderBody = z.object({
  prefix: text,
  limit: integer(1).optional(),
  offset: integer(0).optional(),
  search: text.optional(),
  sortBy: z
    .object({ column: word('name', 'updated_at', 'created_at', 'last_accessed_at'), order })
    .optional(),
});

const defaultFolderLimit = 100;

/** `POST /object/list/:bucket` */
export const listObjects = endpoint({
  input: ({ body }) => read('body', folderBody, body),
  async handle(deps, call) {
    const { prefix, limit, offset, search, sortBy } = call.input;
    const { bucket } = call.params;
    requireBucketId(bucket);
    const entries = await listFolder(deps.requestDb, scopeOf(call), {
      bucket,
      prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`,
      search: search ?? '',
      limit: limit ?? defaultFolderLimit,
      offset: offset ?? 0,
      sortColumn: sortBy?.column ?? 'name',
      sortOrder: sortBy?.order ?? 'asc',
    });
    return jsonReply(200, entries);
  },
});

const pageBody = z.object({
  prefix: text.optional(),
  limit: integer(1).optional(),
  cursor: text.optional(),
  with_delimiter: flag.optional(),
  sortBy: z.object({ column: word('name', 'updated_at', 'created_at'), order }).optional(),
});

const maxPage = 1000;

/** A folder's row in a page: its name ends in a slash, and it has no id. */
const folderOf = ({ metadata, ...entry }: PageEntry) => ({
  ...entry,
  name: entry.name.endsWith('/') ? entry.name : `${entry.name}/`,
  metadata,
});

/** `POST /object/list-v2/:bucket` */
export const listObjectsPaged = endpoint({
  input: ({ body }) => read('body', pageBody, body),
  async handle(deps, call) {
    const { input, params } = call;
    requireBucketId(params.bucket);
    const cursor = input.cursor ? decodeCursor(input.cursor) : null;
    const limit = Math.min(input.limit ?? maxPage, maxPage);
    const sortColumn = cursor?.sortColumn ?? input.sortBy?.column ?? 'name';
    const sortOrder = cursor?.sortOrder ?? input.sortBy?.order ?? 'asc';
    const rows = await listPage(deps.requestDb, scopeOf(call), {
      bucket: params.bucket,
      prefix: input.prefix ?? '',
      hasDelimiter: input.with_delimiter ?? false,
      limit: limit + 1,
      sortColumn,
      sortOrder,
      after: cursor?.after ?? '',
      afterTime: cursor?.afterTime ?? null,
    });
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return jsonReply(200, {
      hasNext: last !== undefined,
      ...(last === undefined
        ? {}
        : {
            nextCursor: encodeCursor({
              after: last.name,
              afterTime: sortColumn === 'name' ? null : last[sortColumn],
              sortColumn: cursor?.sortColumn ?? input.sortBy?.column ?? null,
              sortOrder: cursor?.sortOrder ?? input.sortBy?.order ?? null,
            }),
            nextCursorKey: last.name,
          }),
      folders: page.filter((entry) => entry.id === null).map(folderOf),
      objects: page.filter((entry) => entry.id !== null),
    });
  },
});
