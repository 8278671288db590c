import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { refusals, startWithPolicies } from '../../support/storage-policies.ts';

/*
 * What uploads, reads, lists and signatures ask of a project's policies. Each test gives `authenticated` the policies
 * that it names on storage.objects, and nothing else.
 */
const instance = await startWithPolicies();
const { call, anonKey, database, allow, policy, put } = instance;
const { id: ada, token } = instance.user;
const { denied, noKey } = refusals;

describe('an upload', () => {
  it('of a new key needs INSERT alone', async () => {
    expect((await put('private/a', token)).json()).toEqual(denied);
    await allow('insert');
    expect((await put('private/a', token)).status).toBe(200);
  });

  it('with upsert needs INSERT and SELECT, and UPDATE for an existing key', async () => {
    const upsert = { 'x-upsert': 'true' };
    await allow('insert');
    expect((await put('private/a', token, upsert)).json()).toEqual(denied);
    await allow('select');
    expect((await put('private/a', token, upsert)).status).toBe(200);
    expect((await put('private/a', token, upsert)).json()).toEqual(denied);
    expect((await put('private/a', token, {}, 'PUT')).json()).toEqual(denied);
    await allow('update');
    expect((await put('private/a', token, upsert)).status).toBe(200);
    expect((await put('private/a', token, {}, 'PUT')).status).toBe(200);
  });

  it('shows policies the type, the length, the owner and the user’s metadata', async () => {
    await policy(`for insert to authenticated with check (
      metadata ->> 'mimetype' = 'text/plain' and metadata ->> 'contentLength' = '5' and version = '1'
      and owner = auth.uid() and owner_id = (select auth.jwt() ->> 'sub')
      and user_metadata ->> 'kind' = 'note' and (storage.foldername(name))[1] = owner_id
      and storage.allow_only_operation('object.upload') and storage.operation() = 'storage.object.upload')`);
    const metadata = { 'x-metadata': Buffer.from('{"kind":"note"}').toString('base64') };
    expect((await put(`private/${ada}/a`, token)).json()).toEqual(denied);
    expect((await put(`private/x/a`, token, metadata)).json()).toEqual(denied);
    expect((await put(`private/${ada}/a`, token, metadata)).status).toBe(200);
    const [row] = await database.owner.query(sql`select owner, owner_id from storage.objects`);
    expect(row).toEqual({ owner: ada, owner_id: ada });
  });

  it('shows policies the parts of its name', async () => {
    await policy(`for insert to authenticated with check (
      storage.extension(name) = 'png' and storage.filename(name) like 'cat%' and storage.foldername(name) = array['a', 'b'])`);
    for (const name of ['a/b/cat.jpg', 'a/b/dog.png', 'a/cat.png', 'a/b/c/cat.png']) {
      expect((await put(`private/${name}`, token)).json()).toEqual(denied);
    }
    expect((await put('private/a/b/cat.png', token)).status).toBe(200);
  });

  it('rolls its rights check back, triggers included, and writes as the service role', async () => {
    await allow('insert');
    await database.owner.exec(`
      create table if not exists public.seen (owner text, role text, version text);
      truncate public.seen;
      grant all on public.seen to service_role, authenticated;
      create or replace function public.note() returns trigger language plpgsql as $$ begin
        insert into public.seen values (new.owner_id, auth.role(), new.version); return new; end $$;
      create trigger note after insert on storage.objects for each row execute function public.note();
    `);
    await put('private/a', token);
    const seen = await database.owner.query(sql`select * from public.seen`);
    await database.owner.exec('drop trigger note on storage.objects');
    expect(seen).toEqual([
      { owner: ada, role: 'service_role', version: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    ]);
  });

  it('into a bucket of a role that is no role is a failure of the configuration, not of a policy', async () => {
    const odd = await instance.sign({ role: 'postgres', exp: 4e9 });
    expect((await put('private/a', odd)).json()).toMatchObject({ statusCode: '403' });
  });
});

describe('a read', () => {
  it('of a private bucket needs SELECT, and a hidden object is a missing one', async () => {
    await put('private/a');
    const routes = ['object/authenticated/private/', 'object/private/', 'object/info/private/'];
    for (const route of routes) {
      for (const name of ['a', 'missing']) {
        expect((await call('GET', `/${route}${name}`, { token })).json()).toEqual(noKey);
      }
    }
    expect((await call('HEAD', '/object/private/a', { token })).status).toBe(400);
    await allow('select');
    for (const route of routes) expect((await call('GET', `/${route}a`, { token })).status).toBe(200);
    expect((await call('HEAD', '/object/private/a', { token })).status).toBe(200);
  });

  it('of a public bucket needs nothing', async () => {
    await put('public/a');
    for (const who of [undefined, 'not a token', anonKey, token]) {
      expect((await call('GET', '/object/public/a', { token: who })).status).toBe(200);
      expect((await call('GET', '/object/public/public/a', { token: who })).status).toBe(200);
    }
    expect((await call('GET', '/object/authenticated/public/a', { token })).status).toBe(200);
  });

  it('without a token sees of a private bucket as much as of none', async () => {
    await put('private/a');
    const noBucket = {
      statusCode: '404',
      error: 'Bucket not found',
      message: 'Bucket not found',
      code: 'NoSuchBucket',
    };
    for (const path of [
      'object/private/a',
      'object/private/none',
      'object/nowhere/a',
      'object/public/private/a',
    ]) {
      expect((await call('GET', `/${path}`)).json()).toEqual(noBucket);
      expect((await call('GET', `/${path}`, { token: 'bad' })).json()).toEqual(noBucket);
    }
    expect((await call('GET', '/object/authenticated/private/a')).json()).toEqual({
      statusCode: '400',
      error: 'Error',
      message: "headers must have required property 'authorization'",
      code: 'InvalidRequest',
    });
    const library = { headers: { 'x-client-info': 'storage-js/2' } };
    for (const options of [library, { token: 'bad' }]) {
      expect((await call('GET', '/object/authenticated/private/a', options)).json()).toEqual({
        statusCode: '403',
        error: 'Unauthorized',
        message: 'Invalid Compact JWS',
        code: 'AccessDenied',
      });
    }
  });
});

describe('listing and signing', () => {
  it('see what SELECT lets them see', async () => {
    await put('private/mine/a');
    await put('private/yours/b');
    const list = () => call('POST', '/object/list/private', { token, body: { prefix: '' } });
    expect((await list()).json()).toEqual([]);
    await policy(`for select to authenticated using ((storage.foldername(name))[1] = 'mine')`);
    expect((await list()).json()).toMatchObject([{ name: 'mine', id: null }]);
    const sign = await call('POST', '/object/sign/private', {
      token,
      body: { expiresIn: 60, paths: ['yours/b', 'mine/a', 'none'] },
    });
    const hidden = 'Either the object does not exist or you do not have access to it';
    expect(sign.json()).toEqual([
      { error: hidden, path: 'yours/b', signedURL: null },
      {
        error: null,
        path: 'mine/a',
        signedURL: expect.stringContaining('/object/sign/private/mine/a?token='),
      },
      { error: hidden, path: 'none', signedURL: null },
    ]);
    const one = await call('POST', '/object/sign/private/yours/b', { token, body: { expiresIn: 60 } });
    expect(one.json()).toEqual(noKey);
  });

  it('give an upload URL to whom may upload, and its holder needs no rights', async () => {
    expect((await call('POST', '/object/upload/sign/private/a', { token, body: {} })).json()).toEqual(denied);
    await allow('insert');
    const signed = await call('POST', '/object/upload/sign/private/a', { token, body: {} });
    const { url } = signed.json() as { url: string };
    await database.owner.exec('drop policy p_insert on storage.objects');
    expect((await call('PUT', url, { body: 'x' })).json()).toEqual({ Key: 'private/a' });
    const [row] = await database.owner.query(sql`select owner_id from storage.objects`);
    expect(row).toEqual({ owner_id: ada });
    expect((await call('PUT', url, { body: 'x' })).json()).toMatchObject({ code: 'KeyAlreadyExists' });
  });
});

describe('buckets', () => {
  it('are the service role’s until a policy says otherwise', async () => {
    expect((await call('POST', '/bucket', { token, body: { name: 'mine' } })).json()).toEqual(denied);
    expect((await call('GET', '/bucket', { token })).json()).toEqual([]);
    expect((await call('GET', '/bucket/private', { token })).json()).toMatchObject({ code: 'NoSuchBucket' });
    expect((await call('PUT', '/bucket/private', { token, body: { public: true } })).json()).toMatchObject({
      code: 'NoSuchBucket',
    });
    expect((await call('DELETE', '/bucket/private', { token })).json()).toMatchObject({
      code: 'NoSuchBucket',
    });
    const empty = await call('POST', '/bucket/private/empty', { token });
    expect([empty.status, empty.json()]).toMatchObject([403, { message: 'Access denied: Invalid role' }]);
  });
});

describe('the database itself', () => {
  it('keeps uploads of different users apart', async () => {
    await policy(`for insert to authenticated with check (owner_id = (storage.foldername(name))[1])`);
    const users = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const id = randomUUID();
        return { id, token: await instance.userToken(id) };
      }),
    );
    const answers = await Promise.all(
      users.flatMap((user, i) => [
        put(`private/${user.id}/x`, user.token),
        put(`private/${users[(i + 1) % users.length]?.id}/y`, user.token),
      ]),
    );
    expect(answers.map((answer) => answer.status)).toEqual(users.flatMap(() => [200, 400]));
  });

  it('refuses TRUNCATE and unguarded DELETE to the API’s roles', async () => {
    await put('private/a');
    const asUser = (statement: string) =>
      database.owner
        .exec(`begin; set local role authenticated; ${statement}; commit`)
        .finally(() => database.owner.exec('rollback'));
    await expect(asUser('truncate storage.objects')).rejects.toMatchObject({ sqlstate: '42501' });
    await expect(
      database.owner
        .exec(`begin; set local storage.allow_delete_query = 'false'; delete from storage.objects; commit`)
        .finally(() => database.owner.exec('rollback')),
    ).rejects.toMatchObject({ sqlstate: '42501' });
  });
});
