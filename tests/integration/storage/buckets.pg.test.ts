import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startStorage } from '../../support/storage.ts';

const instance = await startStorage({ env: { FILE_SIZE_LIMIT: '2GB', STORAGE_EMPTY_BUCKET_MAX: '1000' } });
const { call, serviceKey: token } = instance;
const create = (body: object) => call('POST', '/bucket', { token, body });
const get = async (id: string) => (await call('GET', `/bucket/${encodeURIComponent(id)}`, { token })).json();

describe('making a bucket', () => {
  it('answers with its name, and the bucket has the defaults', async () => {
    const answer = await create({ name: 'plain' });
    expect([answer.status, answer.json()]).toEqual([200, { name: 'plain' }]);
    expect(await get('plain')).toEqual({
      id: 'plain',
      name: 'plain',
      owner: '',
      public: false,
      file_size_limit: null,
      allowed_mime_types: null,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/),
      updated_at: expect.stringMatching(/Z$/),
    });
  });

  it.each([
    ['50MB', 50_000_000],
    ['1.5GB', 1_500_000_000],
    ['1234KB', 1_230_000],
    ['20mb', 20_000_000],
    [1000, 1000],
    ['77', 77],
    [0, 0],
    [null, null],
  ])('takes %j as the limit %j', async (limit, bytes) => {
    const name = `limit ${String(limit)}`;
    expect((await create({ name, file_size_limit: limit })).status).toBe(200);
    expect(await get(name)).toMatchObject({ file_size_limit: bytes });
  });

  it.each([['20MiB'], ['abc'], [-1], [1.5]])('refuses %j as a limit', async (limit) => {
    const answer = await create({ name: 'refused', file_size_limit: limit });
    expect([answer.status, answer.json()]).toMatchObject([
      400,
      { statusCode: '400', code: 'InvalidRequest' },
    ]);
  });

  it('refuses a limit above the instance’s', async () => {
    expect((await create({ name: 'refused', file_size_limit: '3GB' })).json()).toMatchObject({
      statusCode: '413',
      code: 'EntityTooLarge',
    });
  });

  it.each([
    ['a/b'],
    ['ü'],
    ['x'.repeat(101)],
    [' lead'],
    ['trail '],
    ['table--table-s3'],
    [''],
    ['..'],
    ['.'],
  ])('refuses the name %j', async (name) => {
    expect((await create({ name })).json()).toEqual({
      statusCode: '400',
      error: 'Invalid Input',
      message: 'Bucket name invalid',
      code: 'InvalidBucketName',
    });
    expect((await create({ name: 'fine', id: name === '' ? '/' : name })).json()).toMatchObject({
      code: 'InvalidBucketName',
    });
  });

  it('refuses a name twice and a body without one', async () => {
    await create({ name: 'twice' });
    expect((await create({ name: 'twice' })).json()).toEqual({
      statusCode: '409',
      error: 'Duplicate',
      message: 'The resource already exists',
      code: 'BucketAlreadyExists',
    });
    expect((await create({})).json()).toEqual({
      statusCode: '400',
      error: 'Error',
      message: "body must have required property 'name'",
      code: 'InvalidRequest',
    });
  });

  it('checks the list of types and drops empty entries', async () => {
    await create({ name: 'typed', allowed_mime_types: ['image/*', '', 'text/plain;charset=utf-8', 'any*'] });
    expect(await get('typed')).toMatchObject({
      allowed_mime_types: ['image/*', 'text/plain;charset=utf-8', 'any*'],
    });
    expect((await create({ name: 'refused', allowed_mime_types: ['nonsense'] })).json()).toMatchObject({
      statusCode: '415',
      message: 'mime type nonsense is not supported',
    });
  });

  it('takes a body that begins with a byte order mark', async () => {
    const body = Buffer.from('\ufeff{"name":"marked"}');
    const headers = { 'content-type': 'application/json' };
    expect((await call('POST', '/bucket', { token, body, headers })).json()).toEqual({ name: 'marked' });
    await call('DELETE', '/bucket/marked', { token });
  });

  it('refuses bodies that are no JSON objects', async () => {
    const send = (body: string, type: string) =>
      call('POST', '/bucket', { token, body, headers: { 'content-type': type } });
    expect((await send('{"name":', 'application/json')).json()).toMatchObject({ statusCode: '400' });
    expect((await send('[]', 'application/json')).json()).toMatchObject({ message: 'body must be object' });
    expect((await send('<a/>', 'application/xml')).json()).toMatchObject({ message: 'body must be object' });
    expect((await send('{}', 'nonsense')).json()).toMatchObject({
      statusCode: '415',
      message: 'Invalid Content-Type header',
    });
    const big = await send(JSON.stringify({ name: 'x'.repeat(2_000_000) }), 'application/json');
    expect([big.status, big.json()]).toMatchObject([413, { statusCode: '413' }]);
  });
});

describe('listing buckets', () => {
  const list = async (query: string, headers = {}) =>
    (await call('GET', `/bucket${query}`, { token, headers })).json() as { id: string; type?: string }[];

  it('sorts, pages and searches literally', async () => {
    for (const name of ['s_1', 's&2', 'sx3']) await create({ name });
    expect((await list('?search=s_')).map((row) => row.id)).toEqual(['s_1']);
    expect((await list('?search=S%26')).map((row) => row.id)).toEqual(['s&2']);
    expect(await list('?search=s%25')).toEqual([]);
    const sorted = await list('?search=s&sortColumn=name&sortOrder=desc&limit=1&offset=1');
    expect(sorted).toHaveLength(1);
  });

  it('names the type, but not to clients that fail on it', async () => {
    expect((await list('/'))[0]).toMatchObject({ type: 'STANDARD' });
    expect((await list('', { 'x-client-info': 'supabase-py/2.17.3' }))[0]?.type).toBeUndefined();
    expect((await list('', { 'x-client-info': 'supabase-py/2.18.0' }))[0]?.type).toBe('STANDARD');
    expect((await list('', { 'user-agent': 'supabase-py/storage3 v0.12.0' }))[0]?.type).toBeUndefined();
  });

  it.each(['limit=0', 'offset=-1', 'sortColumn=public', 'sortOrder=up'])('refuses %s', async (query) => {
    const answer = await call('GET', `/bucket?${query}`, { token });
    expect([answer.status, answer.json()]).toMatchObject([400, { code: 'InvalidRequest', error: 'Error' }]);
  });
});

describe('changing a bucket', () => {
  it('changes what is given and leaves the rest', async () => {
    await create({ name: 'changing', file_size_limit: 10 });
    const change = (body: object) => call('PUT', '/bucket/changing', { token, body });
    expect((await change({ id: 'changing', name: 'changing', public: true })).json()).toEqual({
      message: 'Successfully updated',
    });
    expect(await get('changing')).toMatchObject({ public: true, file_size_limit: 10 });
    await change({ file_size_limit: null, allowed_mime_types: ['a/b'] });
    expect(await get('changing')).toMatchObject({ file_size_limit: null, allowed_mime_types: ['a/b'] });
    expect((await change({})).json()).toMatchObject({ statusCode: '400', code: 'InvalidRequest' });
    expect((await call('PUT', '/bucket/none', { token, body: { public: true } })).json()).toMatchObject({
      code: 'NoSuchBucket',
    });
  });
});

describe('emptying and deleting a bucket', () => {
  it('needs it empty, and takes an empty JSON body', async () => {
    await create({ name: 'full' });
    await call('POST', '/object/full/a', { token, body: 'x' });
    const remove = () =>
      call('DELETE', '/bucket/full', { token, headers: { 'content-type': 'application/json' } });
    expect((await remove()).json()).toEqual({
      statusCode: '409',
      error: 'ResourceNotEmpty',
      message: 'The bucket you tried to delete is not empty',
      code: 'ResourceNotEmpty',
    });
    expect((await call('POST', '/bucket/full/empty', { token })).json()).toEqual({
      message: 'Empty bucket has been queued. Completion may take up to an hour.',
    });
    expect((await remove()).json()).toEqual({ message: 'Successfully deleted' });
    expect((await remove()).json()).toMatchObject({ code: 'NoSuchBucket' });
    expect((await call('POST', '/bucket/full/empty', { token })).json()).toMatchObject({
      code: 'NoSuchBucket',
    });
  });

  it('empties a bucket of what it held when the call came', async () => {
    await create({ name: 'filling' });
    await instance.database.owner.exec(`insert into storage.objects (bucket_id, name, version, created_at) values
      ('filling', 'held', gen_random_uuid()::text, now() - interval '1 s'),
      ('filling', 'came later', gen_random_uuid()::text, now() + interval '1 h')`);
    expect((await call('POST', '/bucket/filling/empty', { token })).status).toBe(200);
    const left = await instance.database.owner.query(
      sql`select name from storage.objects where bucket_id = 'filling'`,
    );
    expect(left).toEqual([{ name: 'came later' }]);
  });

  it('empties in batches and refuses too many', async () => {
    const { owner } = instance.database;
    await create({ name: 'many' });
    const fill = (count: number) =>
      owner.query(sql`insert into storage.objects (bucket_id, name, version, created_at)
        select 'many', 'o' || i, gen_random_uuid()::text, now() - interval '1 s' from generate_series(1, ${count}::int) i`);
    await fill(1001);
    expect((await call('POST', '/bucket/many/empty', { token })).json()).toMatchObject({
      statusCode: '409',
      message: 'Unable to empty the bucket because it contains too many objects',
    });
    await owner.exec(
      "set storage.allow_delete_query = 'true'; delete from storage.objects where name = 'o1'",
    );
    expect((await call('POST', '/bucket/many/empty', { token })).status).toBe(200);
    expect(await owner.query(sql`select 1 from storage.objects where bucket_id = 'many'`)).toEqual([]);
    const queued = await owner.query(
      sql`select count(*)::int as n from ownbase.outbox where payload ->> 'bucket' = 'many'`,
    );
    expect(queued).toEqual([{ n: 1000 }]);
  });
});
