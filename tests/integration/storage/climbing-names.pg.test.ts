import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { send } from '../../support/http.ts';
import { startGuarded, tus } from '../../support/storage-security.ts';

/*
 * Names that would lead elsewhere if they were paths, over every door of the service.
 */
const instance = await startGuarded();
const { call, port, token, createResumable } = instance;

describe('a name that climbs', () => {
  const forms = [
    '../../secret',
    '..%2f..%2fsecret',
    '%2e%2e/%2e%2e/secret',
    '%2e%2e%2f%2e%2e%2fsecret',
    '..%5c..%5csecret',
    '%252e%252e%252f%252e%252e%252fsecret',
    '..%c0%af..%c0%afsecret',
    './../../secret',
    'a/../../../secret',
    '//etc/passwd',
    '%00',
    'a%00.png',
    '....//....//secret',
    '..;/..;/secret',
  ];
  const routes: readonly (readonly [method: string, route: string, body?: string])[] = [
    ['GET', 'object/public/open/'],
    ['GET', 'object/authenticated/private/'],
    ['GET', 'object/private/'],
    ['HEAD', 'object/private/'],
    ['GET', 'object/info/private/'],
    ['GET', 'object/sign/private/'],
    ['GET', 'render/image/public/open/'],
    ['GET', 'render/image/authenticated/private/'],
    ['POST', 'object/sign/private/', '{"expiresIn":60}'],
    ['DELETE', 'object/private/'],
    ['DELETE', 'cdn/private/'],
    ['GET', 's3/private/'],
    ['PUT', 's3/private/', 'x'],
    ['GET', 'upload/resumable/'],
    ['HEAD', 'upload/resumable/'],
    ['PATCH', 'upload/resumable/', 'x'],
    ['DELETE', 'upload/resumable/'],
  ];

  it.each(forms)('reaches nothing as %s', async (form) => {
    await writeFile(join(instance.root, 'secret'), 'outside');
    const authorization = `Bearer ${token}`;
    for (const [method, route, body] of routes) {
      const answer = await send(port, `/storage/v1/${route}${form}`, {
        method,
        headers: { authorization, ...tus, 'content-type': 'application/json', 'upload-offset': '0' },
        ...(body === undefined ? {} : { body }),
      });
      expect([method, route, answer.status >= 400 && answer.status < 500]).toEqual([method, route, true]);
      expect(answer.body).not.toMatch(/outside|root:|\/tmp/);
    }
  });

  it.each(forms.map((form) => decodeURIComponent(form.replace(/%c0%af/g, '%ef%bf%bd'))))(
    'is refused in a body as %j, or is a key like any other',
    async (name) => {
      await call('POST', '/object/private/source', { token, body: 'x', headers: { 'x-upsert': 'true' } });
      const before = await readdir(instance.root, { recursive: true });
      const to = { bucketId: 'private', sourceKey: 'source', destinationKey: name };
      const answers = [
        await call('POST', '/object/copy', { token, body: to }),
        await call('POST', '/object/move', { token, body: to }),
        await createResumable('private', name, { 'upload-length': '1' }),
      ];
      const isKey = answers[0]?.status === 200;
      expect(isKey).toBe(/^[\w/.;]+$/.test(name) && !name.split('/').some((part) => /^\.{1,2}$/.test(part)));
      if (!isKey) for (const { status } of answers) expect(status).toBe(400);
      await call('POST', '/object/list/private', { token, body: { prefix: name } });
      const after = await readdir(instance.root, { recursive: true });
      const outside = after.filter(
        (path) => !before.includes(path) && !/^files\/(blobs|growing)\//.test(path),
      );
      expect(outside).toEqual([]);
    },
  );

  it('is refused as a bucket, from the path and from the body', async () => {
    for (const name of ['.', '..', 'a/b', '../x', 'a\0b', 'x--table-s3', ' x', '']) {
      expect((await call('POST', '/bucket', { token, body: { name } })).status).toBe(400);
    }
    for (const id of ['%2e%2e', '..%2f..', 'a%00b', '%c3%a9']) {
      const headers = { authorization: `Bearer ${token}` };
      for (const route of [`bucket/${id}`, `object/info/${id}/x`, `s3/${id}/x`]) {
        expect((await send(port, `/storage/v1/${route}`, { headers })).status).toBeGreaterThanOrEqual(400);
      }
    }
  });
});
