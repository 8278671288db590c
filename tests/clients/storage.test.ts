import { randomBytes, randomUUID } from 'node:crypto';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { Upload } from 'tus-js-client';
import { beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { startStorage } from '../support/storage.ts';

/* What an app sees through the client library, under the policies that most apps have: everybody's own folder. */
const instance = await startStorage({
  fixture: `
    create policy "own files" on storage.objects to authenticated
      using (bucket_id = 'files' and (storage.foldername(name))[1] = auth.uid()::text)
      with check (bucket_id = 'files' and (storage.foldername(name))[1] = auth.uid()::text);
    create policy "public pictures" on storage.objects for select to authenticated using (bucket_id = 'pictures');
    create policy "add pictures" on storage.objects for insert to authenticated with check (bucket_id = 'pictures');
  `,
});

const clientWith = (key: string): SupabaseClient =>
  createClient(instance.url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: WebSocket as never },
  });

const ada = randomUUID();
const [asAda, asBob] = [
  clientWith(await instance.userToken(ada)),
  clientWith(await instance.userToken(randomUUID())),
];
const admin = clientWith(instance.serviceKey);
const files = asAda.storage.from('files');
const text = async (blob: Blob | null): Promise<string | undefined> => blob?.text();

beforeAll(async () => {
  expect(
    (await admin.storage.createBucket('files', { public: false, fileSizeLimit: '10MB' })).error,
  ).toBeNull();
  expect(
    (await admin.storage.createBucket('pictures', { public: true, allowedMimeTypes: ['image/*'] })).error,
  ).toBeNull();
});

describe('a file', () => {
  it.each<[string, () => Blob | Buffer | ArrayBuffer | string | FormData | ReadableStream | URLSearchParams]>(
    [
      ['blob', () => new Blob(['content'])],
      ['buffer', () => Buffer.from('content')],
      ['array buffer', () => new TextEncoder().encode('content').buffer],
      ['string', () => 'content'],
      ['stream', () => new Blob(['content']).stream()],
      [
        'form',
        () => {
          const form = new FormData();
          form.append('file', new Blob(['content']), 'name.txt');
          return form;
        },
      ],
    ],
  )('goes up as a %s and comes back', async (kind, body) => {
    const path = `${ada}/${kind}.txt`;
    const up = await files.upload(path, body() as Blob, { contentType: 'text/plain', duplex: 'half' });
    expect(up).toMatchObject({
      error: null,
      data: { path, fullPath: `files/${path}`, id: expect.any(String) },
    });
    expect(await text((await files.download(path)).data)).toBe('content');
  });

  it('goes up as parameters of a URL and comes back', async () => {
    const path = `${ada}/parameters`;
    const up = await files.upload(path, new URLSearchParams({ a: '1', b: 'x y' }));
    expect(up.error).toBeNull();
    expect(await text((await files.download(path)).data)).toBe('a=1&b=x+y');
  });

  it('is described in the library’s words', async () => {
    const path = `${ada}/described.txt`;
    await files.upload(path, 'hello', {
      contentType: 'text/plain',
      cacheControl: '60',
      metadata: { mood: 'good' },
    });
    expect((await files.info(path)).data).toEqual({
      id: expect.any(String),
      name: path,
      version: expect.any(String),
      bucketId: 'files',
      size: 5,
      contentType: 'text/plain',
      cacheControl: 'max-age=60',
      etag: '"5d41402abc4b2a76b9719d911017c592"',
      metadata: { mood: 'good' },
      lastModified: expect.any(String),
      createdAt: expect.any(String),
    });
  });

  it('keeps its metadata, can be replaced, moved, copied, listed and removed', async () => {
    const path = `${ada}/notes/a.txt`;
    await files.upload(path, 'one', { contentType: 'text/plain', metadata: { mood: 'good' } });
    expect((await files.upload(path, 'two')).error).toMatchObject({
      statusCode: '409',
      message: 'The resource already exists',
    });
    expect((await files.update(path, 'two', { contentType: 'text/plain' })).error).toBeNull();
    expect((await files.info(path)).data).toMatchObject({ name: path, size: 3, contentType: 'text/plain' });
    expect((await files.exists(path)).data).toBe(true);
    expect((await files.exists(`${path}.none`)).data).toBe(false);
    expect((await files.move(path, `${ada}/notes/b.txt`)).error).toBeNull();
    expect((await files.copy(`${ada}/notes/b.txt`, `${ada}/notes/c.txt`)).data).toEqual({
      path: `files/${ada}/notes/c.txt`,
    });
    const listed = await files.list(`${ada}/notes`, { sortBy: { column: 'name', order: 'desc' } });
    expect(listed.data?.map((file) => file.name)).toEqual(['c.txt', 'b.txt']);
    expect((await files.remove([`${ada}/notes/b.txt`, `${ada}/notes/none`])).data).toHaveLength(1);
    expect((await files.list(`${ada}/notes`)).data).toHaveLength(1);
  });

  it('is nobody else’s', async () => {
    const path = `${ada}/secret.txt`;
    await files.upload(path, 'secret');
    const others = asBob.storage.from('files');
    expect((await others.download(path)).error).not.toBeNull();
    expect((await others.list(ada)).data).toEqual([]);
    expect((await others.upload(`${ada}/planted.txt`, 'x')).error).toMatchObject({ statusCode: '403' });
    expect((await others.createSignedUrl(path, 60)).error).toMatchObject({ message: 'Object not found' });
    expect((await others.remove([path])).data).toEqual([]);
    expect(await text((await files.download(path)).data)).toBe('secret');
  });

  it('is shared by signed URLs, for reading and for writing', async () => {
    const path = `${ada}/shared file.txt`;
    await files.upload(path, 'shared');
    const signed = await files.createSignedUrl(path, 60, { download: 'name.txt' });
    const answer = await fetch(signed.data?.signedUrl ?? '');
    expect([await answer.text(), answer.headers.get('content-disposition')]).toEqual([
      'shared',
      "attachment; filename=name.txt; filename*=UTF-8''name.txt",
    ]);
    const many = await files.createSignedUrls([path, 'none'], 60);
    expect(many.data?.map((entry) => entry.error === null)).toEqual([true, false]);
    const upload = await files.createSignedUploadUrl(`${ada}/by-url.txt`);
    const anonymous = clientWith(instance.anonKey).storage.from('files');
    const done = await anonymous.uploadToSignedUrl(
      `${ada}/by-url.txt`,
      upload.data?.token ?? '',
      'from outside',
    );
    expect(done.error).toBeNull();
    expect(await text((await files.download(`${ada}/by-url.txt`)).data)).toBe('from outside');
  });

  it('in a public bucket is open to everybody under its URL', async () => {
    const pictures = asAda.storage.from('pictures');
    expect((await pictures.upload('a.txt', 'x', { contentType: 'text/plain' })).error).toMatchObject({
      statusCode: '415',
    });
    expect((await pictures.upload('a.svg', '<svg/>', { contentType: 'image/svg+xml' })).error).toBeNull();
    const { publicUrl } = pictures.getPublicUrl('a.svg').data;
    expect(await (await fetch(publicUrl)).text()).toBe('<svg/>');
  });
});

describe('a resumable upload by its client library', () => {
  it('arrives in pieces, and goes on after a break', async () => {
    const bytes = randomBytes(1_500_000);
    const objectName = `${ada}/resumed.bin`;
    const options = {
      endpoint: `${instance.url}/storage/v1/upload/resumable`,
      headers: { authorization: `Bearer ${await instance.userToken(ada)}`, 'x-upsert': 'true' },
      metadata: { bucketName: 'files', objectName, contentType: 'application/x-test', cacheControl: '60' },
      chunkSize: 500_000,
      retryDelays: null,
    };
    const uploadUrl = await new Promise<string>((resolve, reject) => {
      const first: Upload = new Upload(bytes, {
        ...options,
        onError: reject,
        onChunkComplete: () => {
          void first.abort().then(() => resolve(first.url ?? ''));
        },
      });
      first.start();
    });
    expect(uploadUrl).toContain('/storage/v1/upload/resumable/');
    await new Promise<void>((resolve, reject) => {
      new Upload(bytes, { ...options, uploadUrl, onError: reject, onSuccess: () => resolve() }).start();
    });
    const { data } = await files.download(objectName);
    expect(Buffer.from((await data?.arrayBuffer()) ?? new ArrayBuffer(0)).equals(bytes)).toBe(true);
    expect((await files.info(objectName)).data).toMatchObject({
      contentType: 'application/x-test',
      size: bytes.length,
    });
  });
});
