import { beforeAll, describe, expect, test } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { createTestDatabase } from '../../support/database.ts';

const database = await createTestDatabase();
const { owner } = database;

const objects = [
  'a',
  'a-b',
  'a/1',
  'a/2',
  'a/deep/3',
  'a0',
  'B/x',
  'b/y',
  'c_d/1',
  'cxd/1',
  'z',
  '100%/1',
  '100x/1',
];

beforeAll(async () => {
  await owner.exec(`insert into storage.buckets (id, name) values ('files', 'files'), ('other', 'other')`);
  await owner.query(
    sql`insert into storage.objects (bucket_id, name, created_at, metadata)
        select 'files', name, '2026-01-01'::timestamptz + place * interval '1 hour', '{"size": 2}'
        from unnest(${objects}::text[]) with ordinality as given (name, place)`,
  );
});

const column = async (statement: ReturnType<typeof sql>): Promise<unknown[]> =>
  (await owner.query<{ name: unknown }>(statement)).map(({ name }) => name);

describe('list_objects_with_delimiter', () => {
  const list = (prefix: string, order = 'asc', most = 100, after = '') =>
    column(
      sql`select name || case when id is null then '/' else '' end as name
          from storage.list_objects_with_delimiter('files', ${prefix}, '/', ${most}, ${after}, '', ${order})`,
    );

  test('shows files and folders in the order of their bytes', async () => {
    expect(await list('')).toEqual([
      '100%/',
      '100x/',
      'B/',
      'a',
      'a-b',
      'a/',
      'a0',
      'b/',
      'c_d/',
      'cxd/',
      'z',
    ]);
  });

  test('shows them backwards', async () => {
    expect(await list('', 'desc')).toEqual((await list('')).reverse());
  });

  test('shows a folder’s own entries with their whole names', async () => {
    expect(await list('a/')).toEqual(['a/1', 'a/2', 'a/deep/']);
  });

  test.each(['c_d/', '100%/'])('takes the prefix %s literally', async (prefix) => {
    expect(await list(prefix)).toEqual([`${prefix}1`]);
  });

  test.each(['asc', 'desc'])('pages %s through everything once', async (order) => {
    const whole = await list('', order);
    const paged: unknown[] = [];
    for (let page = await list('', order, 2); page.length > 0; ) {
      paged.push(...page);
      page = await list('', order, 2, String(paged.at(-1)));
    }
    expect(paged).toEqual(whole);
  });

  test('goes on behind a folder that is named without its slash', async () => {
    expect(await list('', 'asc', 1, 'b')).toEqual(['c_d/']);
    expect(await list('', 'desc', 1, 'b')).toEqual(['a0']);
  });
});

describe('search', () => {
  const search = (
    prefix: string,
    options: { text?: string; sort?: string; order?: string; offset?: number } = {},
  ) =>
    column(
      sql`select name || case when id is null then '/' else '' end as name
          from storage.search(${prefix}, 'files', 100, 1, ${options.offset ?? 0}, ${options.text ?? ''},
            ${options.sort ?? 'name'}, ${options.order ?? 'asc'})`,
    );

  test('ignores case and shows names relative to the prefix', async () => {
    expect(await search('A/')).toEqual(['1', '2', 'deep/']);
    expect(await search('')).toEqual(['100%/', '100x/', 'a', 'a-b', 'a/', 'a0', 'B/', 'c_d/', 'cxd/', 'z']);
  });

  test('matches the beginning of a child’s name', async () => {
    expect(await search('a/', { text: 'de' })).toEqual(['deep/']);
    expect(await search('', { text: 'a/d' })).toEqual(['a/deep/']);
  });

  test('counts files and folders in the offset', async () => {
    expect(await search('', { offset: 8 })).toEqual(['cxd/', 'z']);
  });

  test('sorts by time with the folders first', async () => {
    expect(await search('a/', { sort: 'created_at', order: 'desc' })).toEqual(['deep/', '2', '1']);
  });
});

describe('search_v2', () => {
  test('pages by time on milliseconds, a folder being as old as its oldest object', async () => {
    const page = (after: string, at: string) =>
      owner.query<{ key: string; name: string; created_at: string }>(
        sql`select key, name, created_at from storage.search_v2('', 'files', 3, 1, ${after}, 'asc', 'created_at', ${at})`,
      );
    const first = await page('', '');
    expect(first.map(({ name }) => name)).toEqual(['a', 'a-b', 'a']);
    const last = first.at(-1);
    const second = await page(last?.name ?? '', last?.created_at ?? '');
    expect(second.map(({ key }) => key)).toEqual(['a0', 'B', 'b']);
  });
});

test('deleting rows by SQL is refused unless the service does it', async () => {
  await expect(owner.exec('delete from storage.objects')).rejects.toMatchObject({ sqlstate: '42501' });
  await owner.exec(`begin; set local storage.allow_delete_query = 'true';
    delete from storage.objects where name = 'none'; commit`);
});

test.each([
  ['foldername', 'a/b/c.tar.gz', ['a', 'b']],
  ['foldername', 'c.png', []],
  ['filename', 'a/b/c.tar.gz', 'c.tar.gz'],
  ['extension', 'a/b/c.tar.gz', 'gz'],
  ['extension', 'a.b/noext', 'noext'],
] as const)('storage.%s(%s) is %j', async (name, path, expected) => {
  const [found] = await column(sql`select storage.${sql.ident(name)}(${path}) as name`);
  expect(found).toEqual(expected);
});

test('operations are compared with and without their prefix', async () => {
  const [row] = await owner.query(
    sql`select set_config('storage.operation', 'storage.object.upload', true),
          storage.allow_only_operation('object.upload') as short,
          storage.allow_only_operation('storage.object.upload') as long,
          storage.allow_only_operation('object.list') as other,
          storage.allow_only_operation('') as empty,
          storage.allow_any_operation(array['object.list', null, 'object.upload']) as any_of,
          storage.allow_any_operation('{}') as none`,
  );
  expect(row).toMatchObject({
    short: true,
    long: true,
    other: false,
    empty: false,
    any_of: true,
    none: false,
  });
});

test('sizes are summed per bucket', async () => {
  expect(await owner.query(sql`select size::int, bucket_id from storage.get_size_by_bucket()`)).toEqual([
    { size: 2 * objects.length, bucket_id: 'files' },
  ]);
});

test('uploads in parts are listed as keys and common prefixes', async () => {
  await owner.exec(`insert into storage.s3_multipart_uploads (id, upload_signature, bucket_id, key, version)
    values ('1', '', 'other', 'p/a', ''), ('2', '', 'other', 'p/b', ''), ('3', '', 'other', 'q', '')`);
  const list = (prefix: string, after = '') =>
    column(
      sql`select key as name from storage.list_multipart_uploads_with_delimiter('other', ${prefix}, '/', 10, ${after})`,
    );
  expect(await list('')).toEqual(['p/', 'q']);
  expect(await list('p/')).toEqual(['p/a', 'p/b']);
  expect(await list('', 'p/')).toEqual(['q']);
});
