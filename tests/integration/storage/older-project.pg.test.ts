import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { beforeAll, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { dumpData, hasOldColumns } from '../../../src/platform/schema/data.ts';
import { createTestDatabase } from '../../support/database.ts';
import { startStorage } from '../../support/storage.ts';

/*
 * The data of a project whose storage stopped at an older version of upstream's, when folders were rows of their own:
 * dumped, loaded into a new database, and its files put in the place of their rows.
 */

const old = await createTestDatabase();
const instance = await startStorage();
const { call, serviceKey: token, database, deps, sign } = instance;

const owner = '11111111-1111-4111-8111-111111111111';
const files = Array.from({ length: 20 }, (_, i) => ({
  name: `folder ${i % 3}/file-${i}.bin`,
  version: `${String(i).padStart(8, '0')}-0000-4000-8000-000000000000`,
  bytes: randomBytes(1000 + i),
}));
const facts = sql`select id::text, bucket_id, name, owner_id, version, created_at::text, updated_at::text, metadata,
  user_metadata from storage.objects order by name`;

beforeAll(async () => {
  // What upstream's migrations 26 to 43 made, and later ones took back.
  await old.owner.exec(`
    alter table storage.objects add column level int;
    create table storage.prefixes (
      bucket_id text references storage.buckets (id), name text collate "C" not null,
      level int generated always as (array_length(string_to_array(name, '/'), 1)) stored,
      created_at timestamptz default now(), updated_at timestamptz default now(),
      primary key (bucket_id, level, name));
    insert into storage.buckets (id, name, public) values ('old', 'old', false);
    insert into storage.prefixes (bucket_id, name) values ('old', 'folder 0'), ('old', 'folder 1'), ('old', 'folder 2')`);
  for (const { name, version, bytes } of files) {
    await old.owner.query(sql`insert into storage.objects
      (bucket_id, name, level, owner_id, version, created_at, updated_at, metadata)
      values ('old', ${name}, 2, ${owner}, ${version}, '2023-01-02 03:04:05.678901+00', '2023-02-03 04:05:06.789012+00',
        jsonb_build_object('eTag', '"tag"', 'size', ${bytes.length}::int, 'mimetype', 'application/x-old',
          'cacheControl', 'max-age=5', 'lastModified', '2023-02-03T04:05:06.000Z',
          'contentLength', ${bytes.length}::int, 'httpStatusCode', 200))`);
  }
  let dump = '';
  await dumpData(old.owner, { schemas: null, excluded: [] }, async (text) => {
    dump += text;
  });
  await database.owner.exec(dump);
  for (const { version, bytes } of files) {
    await deps.store.put(version, Readable.from([bytes]), { maxBytes: bytes.length });
  }
});

it('is told from one of today, which pg_dump can dump as it is', async () => {
  expect([await hasOldColumns(old.owner), await hasOldColumns(database.owner)]).toEqual([true, false]);
});

it('keeps every row as it was, with its id and its times', async () => {
  const rows = await database.owner.query(facts);
  expect(rows).toHaveLength(files.length);
  expect(rows).toEqual(await old.owner.query(facts));
});

it('puts a file in the place of a row of the first years, which has no version, and keeps the row', async () => {
  await database.owner.exec(`insert into storage.objects (bucket_id, name, created_at)
    values ('old', 'unversioned', '2021-01-01')`);
  const path = '/object/old/unversioned';
  const row = sql`select id::text, created_at::text, version is null as "isBare" from storage.objects
    where name = 'unversioned'`;
  const [before] = await database.owner.query<Record<string, unknown>>(row);
  expect((await call('GET', path, { token })).json()).toMatchObject({ code: 'NoSuchKey' });
  await call('PUT', path, { token, body: 'of old' });
  expect((await call('GET', path, { token })).text).toBe('of old');
  expect(await database.owner.query(row)).toEqual([{ ...before, isBare: false }]);
  await call('DELETE', path, { token });
});

it('gives the bytes of every file, and its type', async () => {
  for (const { name, bytes } of files) {
    const answer = await call('GET', `/object/authenticated/old/${encodeURI(name)}`, { token });
    expect(answer.bytes.equals(bytes)).toBe(true);
    expect(answer.headers.get('content-type')).toBe('application/x-old');
    expect(answer.headers.get('cache-control')).toBe('max-age=5');
  }
});

it('lists folders by the names of their files', async () => {
  const answer = await call('POST', '/object/list/old', { token, body: { prefix: '' } });
  expect(answer.json()).toMatchObject([{ name: 'folder 0' }, { name: 'folder 1' }, { name: 'folder 2' }]);
});

it('opens links that were signed before the move', async () => {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const name = files[0]?.name ?? '';
  for (const claims of [
    { url: `old/${name}`, exp },
    { url: `old/${name}`, scope: 'download', exp },
  ]) {
    const link = `/object/sign/old/${encodeURI(name)}?token=${await sign(claims)}`;
    expect((await call('GET', link)).status).toBe(200);
  }
});
