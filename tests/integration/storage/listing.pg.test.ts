import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startStorage } from '../../support/storage.ts';

const instance = await startStorage();
const { call, serviceKey: token } = instance;
await call('POST', '/bucket', { token, body: { name: 'b' } });

const names = [
  'root.txt',
  'Alpha/one.txt',
  'alpha/two.txt',
  'a_b/x.txt',
  'aXb/y.txt',
  'deep/er/est.txt',
  'deep/z.txt',
  'pct%/q.txt',
];
await instance.database.owner.query(sql`insert into storage.objects (bucket_id, name, version, created_at, updated_at)
  select 'b', name, 'v', now() + make_interval(secs => at::int), now() - make_interval(secs => at::int)
  from unnest(${names}::text[]) with ordinality as listed (name, at)`);

type Entry = { name: string; id: string | null; key?: string };
const list = async (body: object): Promise<string[]> =>
  ((await call('POST', '/object/list/b', { token, body })).json() as Entry[]).map((entry) => entry.name);

describe('list', () => {
  it('shows the children of a folder, files and folders between each other', async () => {
    expect(await list({ prefix: '' })).toEqual(['a_b', 'Alpha', 'aXb', 'deep', 'pct%', 'root.txt']);
    expect(await list({ prefix: 'deep' })).toEqual(['er', 'z.txt']);
    expect(await list({ prefix: 'deep/' })).toEqual(['er', 'z.txt']);
  });

  it('answers with rows of files and nulls for folders', async () => {
    const answer = await call('POST', '/object/list/b', { token, body: { prefix: 'deep' } });
    expect(answer.json()).toEqual([
      { name: 'er', id: null, updated_at: null, created_at: null, last_accessed_at: null, metadata: null },
      {
        name: 'z.txt',
        id: expect.any(String),
        updated_at: expect.stringMatching(/Z$/),
        created_at: expect.stringMatching(/Z$/),
        last_accessed_at: expect.stringMatching(/Z$/),
        metadata: null,
      },
    ]);
  });

  it('searches by the start of a name, without regard to case', async () => {
    expect(await list({ prefix: '', search: 'ROO' })).toEqual(['root.txt']);
    expect(await list({ prefix: 'alpha', search: 'o' })).toEqual(['one.txt']);
    expect(await list({ prefix: '', search: 'oot' })).toEqual([]);
  });

  it('takes % and _ as themselves', async () => {
    expect(await list({ prefix: 'a_b' })).toEqual(['x.txt']);
    expect(await list({ prefix: 'pct%' })).toEqual(['q.txt']);
    expect(await list({ prefix: 'a_b', sortBy: { column: 'created_at' } })).toEqual(['x.txt']);
  });

  it('pages over folders and files', async () => {
    const all = await list({ prefix: '' });
    const pages = [await list({ prefix: '', limit: 4 }), await list({ prefix: '', limit: 4, offset: 4 })];
    expect(pages.flat()).toEqual(all);
  });

  it.each([
    ['name', 'asc', ['Folder', 'later', 'old', 'Root', 'zone']],
    ['name', 'desc', ['zone', 'Root', 'old', 'later', 'Folder']],
    ['created_at', 'asc', ['Folder', 'zone', 'old', 'Root', 'later']],
    ['created_at', 'desc', ['zone', 'Folder', 'later', 'Root', 'old']],
    ['updated_at', 'asc', ['Folder', 'zone', 'later', 'old', 'Root']],
    ['updated_at', 'desc', ['zone', 'Folder', 'Root', 'old', 'later']],
    ['last_accessed_at', 'asc', ['Folder', 'zone', 'Root', 'later', 'old']],
    ['last_accessed_at', 'desc', ['zone', 'Folder', 'old', 'later', 'Root']],
  ])('sorts by %s, %s, and pages across folders and files', async (column, order, sorted) => {
    await call('POST', '/bucket', { token, body: { name: 'sorted' } });
    await instance.database.owner.exec(`insert into storage.objects
      (bucket_id, name, version, created_at, updated_at, last_accessed_at) values
      ('sorted', 'Folder/x', 'v', '2026-01-05', '2026-01-05', '2026-01-05'),
      ('sorted', 'zone/y', 'v', '2026-01-04', '2026-01-04', '2026-01-04'),
      ('sorted', 'old', 'v', '2026-01-01', '2026-01-02', '2026-01-03'),
      ('sorted', 'Root', 'v', '2026-01-02', '2026-01-03', '2026-01-01'),
      ('sorted', 'later', 'v', '2026-01-03', '2026-01-01', '2026-01-02') on conflict do nothing`);
    const ask = async (body: object) => {
      const sent = { prefix: '', sortBy: { column, order }, ...body };
      const answer = await call('POST', '/object/list/sorted', { token, body: sent });
      return (answer.json() as Entry[]).map((entry) => entry.name);
    };
    expect(await ask({})).toEqual(sorted);
    const pages = [
      await ask({ limit: 2 }),
      await ask({ limit: 2, offset: 2 }),
      await ask({ limit: 2, offset: 4 }),
    ];
    expect(pages.flat()).toEqual(sorted);
  });

  it.each([
    [{}, "body must have required property 'prefix'"],
    [{ prefix: '', limit: 0 }, 'body/limit must be >= 1'],
    [{ prefix: '', offset: -1 }, 'body/offset must be >= 0'],
    [{ prefix: '', sortBy: {} }, "body/sortBy must have required property 'column'"],
    [
      { prefix: '', sortBy: { column: 'id' } },
      'body/sortBy/column must be equal to one of the allowed values',
    ],
    [{ prefix: {} }, 'body/prefix must be string'],
    [{ prefix: '', limit: 'x' }, 'body/limit must be integer'],
  ])('refuses %j', async (body, message) => {
    const answer = await call('POST', '/object/list/b', { token, body });
    expect([answer.status, answer.json()]).toEqual([
      400,
      { statusCode: '400', error: 'Error', message, code: 'InvalidRequest' },
    ]);
  });
});

type Page = { hasNext: boolean; nextCursor?: string; folders: Entry[]; objects: Entry[] };
const page = async (body: object): Promise<Page> =>
  (await call('POST', '/object/list-v2/b', { token, body })).json() as Page;

describe('a large folder', () => {
  it('comes in pages of at most 1500, or 1000', async () => {
    await call('POST', '/bucket', { token, body: { name: 'large' } });
    await instance.database.owner.exec(`insert into storage.objects (bucket_id, name, version)
      select 'large', 'n' || i, 'v' from generate_series(1, 1600) i`);
    const first = await call('POST', '/object/list/large', { token, body: { prefix: '', limit: 5000 } });
    expect(first.json()).toHaveLength(1500);
    const second = await call('POST', '/object/list-v2/large', { token, body: { limit: 1000 } });
    expect(second.json()).toMatchObject({ hasNext: true, objects: { length: 1000 } });
  });
});

describe('list-v2', () => {
  it('shows all objects below a prefix in the order of bytes', async () => {
    const all = await page({});
    expect(all).toMatchObject({ hasNext: false, folders: [] });
    expect(all.nextCursor).toBeUndefined();
    expect(all.objects.map((entry) => entry.name)).toEqual([...names].sort());
    expect((await page({ prefix: 'a_' })).objects.map((entry) => entry.name)).toEqual(['a_b/x.txt']);
  });

  it('splits folders and files with a delimiter', async () => {
    const root = await page({ with_delimiter: true });
    expect(root.folders.map((entry) => [entry.name, entry.key, entry.id])).toContainEqual([
      'deep/',
      'deep',
      null,
    ]);
    expect(root.objects).toMatchObject([{ name: 'root.txt', key: 'root.txt' }]);
    const deep = await page({ prefix: 'deep/', with_delimiter: true });
    expect([deep.folders[0]?.name, deep.objects[0]?.name, deep.objects[0]?.key]).toEqual([
      'deep/er/',
      'deep/z.txt',
      'z.txt',
    ]);
  });

  it.each([
    [false, 'name', 'asc'],
    [false, 'name', 'desc'],
    [false, 'created_at', 'asc'],
    [false, 'updated_at', 'desc'],
    [true, 'name', 'asc'],
    [true, 'name', 'desc'],
    [true, 'created_at', 'asc'],
    [true, 'updated_at', 'desc'],
  ])('pages through everything once (delimiter %j, by %s %s)', async (with_delimiter, column, order) => {
    const options = { with_delimiter, sortBy: { column, order } };
    const namesOf = ({ folders, objects }: Page) => [...folders, ...objects].map((entry) => entry.name);
    const whole = namesOf(await page(options)).sort();
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const next = await page({ ...options, limit: 2, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...namesOf(next));
      expect(next.hasNext).toBe(next.nextCursor !== undefined);
      cursor = next.nextCursor;
    } while (cursor !== undefined);
    expect(seen.sort()).toEqual(whole);
  });

  it.each(['created_at', 'updated_at'])('pages through objects of one %s, once each', async (column) => {
    await call('POST', '/bucket', { token, body: { name: 'same' } });
    const { owner } = instance.database;
    await owner.exec(`insert into storage.objects (bucket_id, name, version, created_at, updated_at)
      select 'same', 'n' || i, 'v', '2026-01-01', '2026-01-01' from generate_series(1, 7) i
      on conflict do nothing`);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const answer = await call('POST', '/object/list-v2/same', {
        token,
        body: { limit: 3, sortBy: { column, order: 'desc' }, ...(cursor === undefined ? {} : { cursor }) },
      });
      const next = answer.json() as Page;
      seen.push(...next.objects.map(({ name }) => name));
      cursor = next.nextCursor;
    } while (cursor !== undefined);
    expect(seen.sort()).toEqual(['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7']);
  });

  it('goes on behind an object that has gone since', async () => {
    await call('POST', '/bucket', { token, body: { name: 'going' } });
    const { owner } = instance.database;
    await owner.exec(`insert into storage.objects (bucket_id, name, version)
      select 'going', 'n' || i, 'v' from generate_series(1, 6) i`);
    const ask = async (body: object) =>
      (await call('POST', '/object/list-v2/going', { token, body: { limit: 3, ...body } })).json() as Page;
    const first = await ask({});
    await owner.exec(`set storage.allow_delete_query = 'true';
      delete from storage.objects where bucket_id = 'going' and name in ('n2', 'n3', 'n4')`);
    const second = await ask({ cursor: first.nextCursor });
    expect(second.objects.map(({ name }) => name)).toEqual(['n5', 'n6']);
  });

  it('refuses a cursor that it did not make', async () => {
    for (const cursor of [
      'nonsense',
      Buffer.from('x:1').toString('base64'),
      Buffer.from('l:a\na:no').toString('base64'),
    ]) {
      const answer = await call('POST', '/object/list-v2/b', { token, body: { cursor } });
      expect(answer.json()).toMatchObject({ statusCode: '400', code: 'InvalidParameter' });
    }
  });
});
