import type { RequestDb, RequestScope } from '../../pg/session.ts';
import { compile, type Sql, sql } from '../../pg/sql/sql.ts';
import { isoTime, type Json, jsonRows } from './rows.ts';

/** A child of a folder: a file, or a folder whose other members are null. */
export type ListedEntry = {
  readonly name: string;
  readonly id: string | null;
  readonly updated_at: string | null;
  readonly created_at: string | null;
  readonly last_accessed_at: string | null;
  readonly metadata: Json | null;
};

/** A folder's listing, version 1. */
export type FolderListing = {
  readonly bucket: string;
  readonly prefix: string;
  readonly search: string;
  readonly limit: number;
  readonly offset: number;
  readonly sortColumn: 'name' | 'updated_at' | 'created_at' | 'last_accessed_at';
  readonly sortOrder: 'asc' | 'desc';
};

const entryJson = sql`json_build_object('name', name, 'id', id, 'updated_at', ${isoTime(sql`updated_at`)},
  'created_at', ${isoTime(sql`created_at`)}, 'last_accessed_at', ${isoTime(sql`last_accessed_at`)},
  'metadata', metadata)`;

/** The immediate children of a folder as the request sees them. */
export async function listFolder(
  db: RequestDb,
  scope: RequestScope,
  listing: FolderListing,
): Promise<ListedEntry[]> {
  const levels = (listing.prefix + listing.search).split('/').length;
  const [found] = await db.run(scope, [
    compile(sql`select ${entryJson} from storage.search(${listing.prefix}, ${listing.bucket}, ${listing.limit},
      ${levels}, ${listing.offset}, ${listing.search}, ${listing.sortColumn}, ${listing.sortOrder})`),
  ]);
  return jsonRows<ListedEntry>(found);
}

/** One page of a keyset listing. */
export type PageListing = {
  readonly bucket: string;
  readonly prefix: string;
  readonly hasDelimiter: boolean;
  readonly limit: number;
  readonly sortColumn: 'name' | 'updated_at' | 'created_at';
  readonly sortOrder: 'asc' | 'desc';
  /** Last name of the page before; empty on the first. */
  readonly after: string;
  /** Its time when the listing is sorted by time. */
  readonly afterTime: string | null;
  /** Only names behind this one (S3's start-after); empty for all. */
  readonly startAfter?: string;
};

const escapeLike = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

/** A row of a page; `key` is the last segment in a listing with a delimiter. */
export type PageEntry = ListedEntry & { readonly key?: string | null };

/** One page as the request sees it, in the order of bytes. */
export async function listPage(db: RequestDb, scope: RequestScope, page: PageListing): Promise<PageEntry[]> {
  const [found] = await db.run(scope, [compile(page.hasDelimiter ? foldersAndFiles(page) : files(page))]);
  return jsonRows<PageEntry>(found);
}

function foldersAndFiles(page: PageListing): Sql {
  const levels = page.prefix === '' ? 1 : page.prefix.split('/').length;
  const after = page.after === '' ? (page.startAfter ?? '') : page.after;
  return sql`select json_build_object('key', key, 'name', name, 'id', id, 'updated_at', ${isoTime(sql`updated_at`)},
      'created_at', ${isoTime(sql`created_at`)}, 'last_accessed_at', ${isoTime(sql`last_accessed_at`)},
      'metadata', metadata)
    from storage.search_v2(${page.prefix}, ${page.bucket}, ${page.limit}, ${levels}, ${after},
      ${page.sortOrder}, ${page.sortColumn}, ${page.afterTime})`;
}

function files(page: PageListing): Sql {
  const { sortColumn, sortOrder } = page;
  const behind = sortOrder === 'asc' ? sql`>` : sql`<`;
  const time = sortColumn === 'name' ? null : sql.ident(sortColumn);
  const conditions = [sql`bucket_id = ${page.bucket}`];
  if (page.prefix !== '') conditions.push(sql`name like ${`${escapeLike(page.prefix)}%`}`);
  if (page.startAfter !== undefined && page.startAfter !== '' && page.after === '') {
    conditions.push(sql`name collate "C" > ${page.startAfter}`);
  }
  if (page.after !== '') {
    conditions.push(
      time === null || page.afterTime === null
        ? sql`name collate "C" ${behind} ${page.after}`
        : sql`(date_trunc('milliseconds', ${time}), name collate "C") ${behind}
            (${page.afterTime}::timestamptz, ${page.after})`,
    );
  }
  // Sorting by the truncated time keeps the order and the cursor's condition the same.
  const first =
    time === null ? sql.empty : sql`date_trunc('milliseconds', ${time}) ${sql.keyword(sortOrder)},`;
  return sql`select ${entryJson} from storage.objects where ${sql.join(conditions, ' and ')}
    order by ${first} name collate "C" ${sql.keyword(sortOrder)} limit ${page.limit}`;
}

/** One page of a listing with any delimiter; a folder's name comes without it. */
export async function listDelimited(
  db: RequestDb,
  scope: RequestScope,
  page: PageListing & { readonly delimiter: string },
): Promise<PageEntry[]> {
  const [found] = await db.run(scope, [
    compile(sql`select ${entryJson} from storage.list_objects_with_delimiter(${page.bucket}, ${page.prefix},
      ${page.delimiter}, ${page.limit}, ${page.startAfter ?? ''}, ${page.after})`),
  ]);
  return jsonRows<PageEntry>(found);
}
