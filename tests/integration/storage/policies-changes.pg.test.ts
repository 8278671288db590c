import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { refusals, startWithPolicies } from '../../support/storage-policies.ts';

/*
 * What moves, copies and removals ask of a project's policies. Each test gives `authenticated` the policies that it
 * names on storage.objects, and nothing else.
 */
const instance = await startWithPolicies();
const { call, serviceKey, database, allow, policy, put } = instance;
const { id: ada, token } = instance.user;
const { denied, noKey } = refusals;

describe('a move', () => {
  const move = (body: object = {}) =>
    call('POST', '/object/move', {
      token,
      body: { bucketId: 'private', sourceKey: 'a', destinationKey: 'b', ...body },
    });

  it('needs SELECT and UPDATE', async () => {
    await put('private/a');
    expect((await move()).json()).toEqual(noKey);
    await allow('select');
    expect((await move()).json()).toEqual(noKey);
    await allow('update');
    expect((await move()).json()).toEqual({ message: 'Successfully moved' });
    expect((await call('GET', '/object/private/b', { token })).text).toBe('bytes');
    expect((await call('GET', '/object/private/a', { token })).json()).toEqual(noKey);
  });

  it('holds the new place against the policies too', async () => {
    await put('private/a');
    await allow('select');
    await policy(`for update to authenticated using (true) with check (bucket_id = 'private')`);
    expect((await move({ destinationBucket: 'other' })).json()).toEqual(denied);
    expect((await move({ destinationBucket: 'private' })).status).toBe(200);
  });

  it('refuses a taken or an impossible place', async () => {
    await put('private/a');
    await put('private/b');
    await allow('select', 'update');
    expect((await move()).json()).toMatchObject({ statusCode: '409', code: 'ResourceAlreadyExists' });
    expect((await move({ destinationKey: '../x' })).json()).toMatchObject({ code: 'InvalidKey' });
    expect((await move({ destinationBucket: 'nowhere', destinationKey: 'c' })).json()).toMatchObject({
      statusCode: '404',
      message: 'The related resource does not exist',
    });
    expect((await move({ destinationKey: 'a' })).json()).toEqual({ message: 'Successfully moved' });
  });
});

describe('a copy', () => {
  const copy = (body: object = {}, headers: Record<string, string> = {}) =>
    call('POST', '/object/copy', {
      token,
      headers,
      body: { bucketId: 'private', sourceKey: 'a', destinationKey: 'b', ...body },
    });

  it('needs SELECT on the source and the rights of an upload at the destination', async () => {
    await put('private/a');
    await allow('insert');
    expect((await copy()).json()).toEqual(noKey);
    await allow('select');
    const done = await copy();
    expect(done.json()).toMatchObject({ Id: expect.any(String), Key: 'private/b', name: 'b', owner_id: ada });
    expect((await call('GET', '/object/private/b', { token })).text).toBe('bytes');
    expect((await copy()).json()).toMatchObject({ statusCode: '409', code: 'KeyAlreadyExists' });
    expect((await copy({}, { 'x-upsert': 'true' })).json()).toEqual(denied);
    await allow('update');
    expect((await copy({}, { 'x-upsert': 'true' })).status).toBe(200);
  });

  it('takes the metadata over, or replaces what is given', async () => {
    await put('private/a', serviceKey, { 'x-metadata': Buffer.from('{"k":1}').toString('base64') });
    await allow('select', 'insert', 'update');
    expect((await copy()).json()).toMatchObject({
      user_metadata: { k: 1 },
      metadata: { mimetype: 'text/plain' },
    });
    const replaced = await copy(
      { copyMetadata: false, metadata: { cacheControl: 'max-age=9' }, destinationKey: 'c' },
      { 'x-metadata': Buffer.from('{"k":2}').toString('base64') },
    );
    expect(replaced.json()).toMatchObject({
      user_metadata: { k: 2 },
      metadata: { mimetype: 'text/plain', cacheControl: 'max-age=9' },
    });
  });
});

describe('a copy of an object onto itself', () => {
  it('is taken, or gives it other metadata, and needs the rights of an upsert', async () => {
    await put('private/a');
    await allow('select', 'insert');
    const onto = (headers = {}) =>
      call('POST', '/object/copy', {
        token,
        headers,
        body: {
          bucketId: 'private',
          sourceKey: 'a',
          destinationKey: 'a',
          copyMetadata: false,
          metadata: { mimetype: 'text/css' },
        },
      });
    expect((await onto()).json()).toMatchObject({ code: 'KeyAlreadyExists' });
    expect((await onto({ 'x-upsert': 'true' })).json()).toEqual(denied);
    await allow('update');
    expect((await onto({ 'x-upsert': 'true' })).json()).toMatchObject({
      metadata: { mimetype: 'text/css', cacheControl: 'no-cache' },
    });
    const read = await call('GET', '/object/private/a', { token });
    expect([read.text, read.headers.get('content-type')]).toEqual(['bytes', 'text/css']);
  });
});

describe('a removal', () => {
  it('needs DELETE and SELECT', async () => {
    await put('private/a');
    const remove = () => call('DELETE', '/object/private/a', { token });
    expect((await remove()).json()).toMatchObject({ statusCode: '403', message: 'Access denied' });
    await allow('delete');
    expect((await remove()).json()).toMatchObject({ statusCode: '403', message: 'Access denied' });
    await allow('select');
    expect((await remove()).json()).toEqual({ message: 'Successfully deleted' });
    expect((await remove()).json()).toEqual(noKey);
  });

  it('takes more names than one statement does', async () => {
    await database.owner.exec(`insert into storage.objects (bucket_id, name, version)
      select 'private', 'n' || i, gen_random_uuid()::text from generate_series(1, 1200) i`);
    const prefixes = Array.from({ length: 1200 }, (_, i) => `n${i + 1}`);
    const answer = await call('DELETE', '/object/private', { token: serviceKey, body: { prefixes } });
    expect(answer.json()).toHaveLength(1200);
    expect(await database.owner.query(sql`select 1 from storage.objects`)).toEqual([]);
  });

  it('of many yields those that it removed', async () => {
    await put('private/mine/a');
    await put('private/yours/b');
    await allow('select');
    await policy(`for delete to authenticated using ((storage.foldername(name))[1] = 'mine')`);
    const answer = await call('DELETE', '/object/private', {
      token,
      body: { prefixes: ['mine/a', 'yours/b', 'none', 'ü'] },
    });
    expect(answer.json()).toMatchObject([{ name: 'mine/a', bucket_id: 'private', owner: '', owner_id: '' }]);
    expect((await call('DELETE', '/object/nowhere', { token, body: { prefixes: ['a'] } })).json()).toEqual(
      [],
    );
  });
});
