import type { ServiceDb, Transaction } from '../pg/session.ts';
import { sql } from '../pg/sql/sql.ts';
import type { BlobFacts, Dated } from './backends/object-store.ts';
import type { StorageInput } from './deps.ts';

/*
 * Rows and blobs, both in the order of their versions, walked side by side:
 *
 *   row without blob      damage: reported, never touched, since the row is the only trace of it
 *   blob without row      left by a crash: removed by a repair once it is old enough to belong to no upload under way
 *   uploads without record, and writes that never ended, likewise
 */

/** Something that should not be. */
export type Finding =
  | {
      readonly kind: 'missing-blob';
      readonly bucket: string;
      readonly name: string;
      readonly version: string;
    }
  | {
      readonly kind: 'wrong-size';
      readonly bucket: string;
      readonly name: string;
      readonly version: string;
      readonly expected: number;
      readonly actual: number;
    }
  | { readonly kind: 'orphan-blob'; readonly version: string; readonly size: number }
  | { readonly kind: 'orphan-upload'; readonly upload: string }
  | { readonly kind: 'unfinished-write'; readonly write: string };

/** How a check is done. */
export type CheckOptions = {
  /** Removes orphans; without it nothing is changed. */
  readonly isRepair: boolean;
  /** What is younger than this many milliseconds may belong to an upload under way. */
  readonly minAgeMs: number;
  readonly onFinding: (finding: Finding) => void;
  /** Called now and then with the number of rows seen so far, of how many there are. */
  readonly onProgress?: (rows: number, total: number) => void;
};

/** What a check has seen and done. */
export type CheckReport = {
  readonly rows: number;
  readonly blobs: number;
  readonly findings: number;
  readonly repaired: number;
};

type CheckDeps = Pick<StorageInput, 'serviceDb' | 'store' | 'clock'>;

/** A row that needs a blob, or a version whose blob is not for us to judge: an upload's, or the outbox's to delete. */
type Expected = {
  readonly version: string;
  readonly bucket: string | null;
  readonly name: string | null;
  readonly size: number | null;
  readonly isRow: boolean;
};

const pageSize = 1000;

/** Compares rows and blobs. Rejects when the database or the store does; what was repaired until then stays so. */
export async function checkStorage(deps: CheckDeps, options: CheckOptions): Promise<CheckReport> {
  const orphans: string[] = [];
  const counts = { rows: 0, blobs: 0, findings: 0 };
  const oldest = deps.clock.now() - options.minAgeMs;
  const found = (finding: Finding): void => {
    counts.findings++;
    options.onFinding(finding);
  };
  let steps = 0;
  await deps.serviceDb.transaction(async (tx) => {
    const total = await countRows(tx);
    for await (const [expected, blob] of sideBySide(expectedVersions(tx), deps.store.list())) {
      if (expected?.isRow) counts.rows++;
      if (blob !== null) counts.blobs++;
      if (steps++ % pageSize === 0) options.onProgress?.(counts.rows, total);
      const finding = judge(expected, blob, oldest);
      if (finding === null) continue;
      found(finding);
      if (finding.kind === 'orphan-blob') orphans.push(finding.version);
    }
  });
  const rest = await leftOver(deps, oldest);
  for (const upload of [...rest.growing, ...rest.parts]) found({ kind: 'orphan-upload', upload });
  for (const write of rest.unfinished) found({ kind: 'unfinished-write', write });
  const repaired = options.isRepair ? await repair(deps, orphans, rest) : 0;
  return { ...counts, repaired };
}

function judge(expected: Expected | null, blob: BlobFacts | null, oldest: number): Finding | null {
  if (expected === null) {
    const isOrphan = blob !== null && blob.modifiedAt.getTime() <= oldest;
    return isOrphan ? { kind: 'orphan-blob', version: blob.version, size: blob.size } : null;
  }
  if (!expected.isRow) return null;
  const { version, size } = expected;
  const where = { bucket: expected.bucket ?? '', name: expected.name ?? '', version };
  if (blob === null) return { kind: 'missing-blob', ...where };
  if (size === null || size === blob.size) return null;
  return { kind: 'wrong-size', ...where, expected: size, actual: blob.size };
}

async function countRows(tx: Transaction): Promise<number> {
  const [row] = await tx.query<{ rows: number }>(
    sql`select count(*)::float8 as rows from storage.objects where version is not null`,
  );
  return row?.rows ?? 0;
}

/** Every version that something needs, in order, through a cursor: one sort, whatever the number of rows. */
async function* expectedVersions(tx: Transaction): AsyncGenerator<Expected> {
  await tx.execute(sql`declare expected no scroll cursor for
    select version collate "C" as version, bucket_id as bucket, name, (metadata ->> 'size')::float8 as size,
      true as "isRow"
    from storage.objects where version is not null
    union all
    select payload ->> 'version', null, null, null, false from ownbase.outbox where kind = 'storage.blob'
    union all
    select version, null, null, null, false from ownbase.resumable_upload where not is_finished
    union all
    select version, null, null, null, false from storage.s3_multipart_uploads
    order by version, "isRow" desc`);
  for (;;) {
    const page = await tx.query<Expected>(sql`fetch 1000 from expected`);
    yield* page;
    if (page.length < pageSize) return;
  }
}

/** Joins two ordered sequences by version; a side that has none is null. */
async function* sideBySide(
  expected: AsyncGenerator<Expected>,
  blobs: AsyncIterable<BlobFacts>,
): AsyncGenerator<[Expected | null, BlobFacts | null]> {
  const right = blobs[Symbol.asyncIterator]();
  let row = await expected.next();
  let blob = await right.next();
  let last: BlobFacts | null = null;
  while (!row.done || !blob.done) {
    const rowVersion = row.done ? null : row.value.version;
    const blobVersion = blob.done ? null : blob.value.version;
    if (rowVersion !== null && rowVersion === last?.version) {
      // Two rows of one version, or one that the outbox has too.
      yield [row.value as Expected, last];
      row = await expected.next();
    } else if (rowVersion !== null && (blobVersion === null || rowVersion < blobVersion)) {
      yield [row.value as Expected, null];
      row = await expected.next();
    } else if (rowVersion === blobVersion && !blob.done) {
      last = blob.value;
      yield [row.value as Expected, blob.value];
      [row, blob] = [await expected.next(), await right.next()];
    } else if (!blob.done) {
      yield [null, blob.value];
      blob = await right.next();
    }
  }
}

/** Ids of what a crash has left beside the blobs. */
type LeftOver = {
  readonly growing: readonly string[];
  readonly parts: readonly string[];
  readonly unfinished: readonly string[];
};

async function leftOver({ serviceDb, store }: CheckDeps, oldest: number): Promise<LeftOver> {
  const [growing, parts] = [await old(store.growing.list(), oldest), await old(store.parts.list(), oldest)];
  const known = await knownUploads(serviceDb, [...growing, ...parts]);
  return {
    growing: growing.filter((upload) => !known.has(upload)),
    parts: parts.filter((upload) => !known.has(upload)),
    unfinished: await old(store.unfinished.list(), oldest),
  };
}

async function old(entries: AsyncIterable<Dated>, oldest: number): Promise<string[]> {
  const found: string[] = [];
  for await (const { id, modifiedAt } of entries) if (modifiedAt.getTime() <= oldest) found.push(id);
  return found;
}

async function knownUploads(db: ServiceDb, uploads: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ id: string }>(sql`select version as id from ownbase.resumable_upload
    where version = any(${uploads}::text[]) and not is_finished
    union all select id from storage.s3_multipart_uploads where id = any(${uploads}::text[])`);
  return new Set(rows.map((row) => row.id));
}

async function repair(
  { store }: CheckDeps,
  orphans: readonly string[],
  { growing, parts, unfinished }: LeftOver,
): Promise<number> {
  const failed = await store.remove(orphans);
  for (const upload of growing) await store.growing.discard(upload);
  for (const upload of parts) await store.parts.discard(upload);
  for (const write of unfinished) await store.unfinished.discard(write);
  return orphans.length - failed.length + growing.length + parts.length + unfinished.length;
}
