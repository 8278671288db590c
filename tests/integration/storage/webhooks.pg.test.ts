import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { tellWebhook } from '../../../src/storage/webhooks.ts';
import { startStorage } from '../../support/storage.ts';

type Told = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: unknown };

const told: Told[] = [];
let status = 200;
const listener = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
  told.push({ path: request.url ?? '', headers: request.headers, body });
  response.writeHead(status).end();
});
await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
afterAll(() => listener.close());
const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;

const instance = await startStorage({
  env: {
    WEBHOOK_URL: `${url}/hook`,
    WEBHOOK_API_KEY: 'hook-key',
    CDN_PURGE_ENDPOINT_URL: `${url}/cache/`,
    CDN_PURGE_ENDPOINT_KEY: 'cdn-key',
    TENANT_ID: 'tenant',
  },
});
const { call, deps, database, serviceKey: token } = instance;
const put = (name: string, headers = {}, body = 'x') =>
  call('POST', `/object/b/${name}`, { token, body, headers: { 'content-type': 'text/plain', ...headers } });

/** Tells what is due, and yields the events that were told, each by its type and what is particular of it. */
async function events(): Promise<unknown[]> {
  await tellWebhook(deps);
  return told.splice(0).map(({ body }) => (body as { event: unknown }).event);
}

await call('POST', '/bucket', { token, body: { name: 'b', public: true } });

beforeEach(async () => {
  status = 200;
  await events();
});

describe('a webhook', () => {
  it('is told of a new object in upstream’s form', async () => {
    await put('new', { 'x-request-id': 'request-1' });
    await tellWebhook(deps);
    const tenant = { ref: 'tenant', host: '127.0.0.1' };
    expect(told.splice(0)).toEqual([
      {
        path: '/hook',
        headers: expect.objectContaining({
          'content-type': 'application/json',
          authorization: 'Bearer hook-key',
        }),
        body: {
          type: 'Webhook',
          event: {
            type: 'ObjectCreated:Post',
            region: 'local',
            $version: 'v1',
            applyTime: expect.any(Number),
            payload: {
              tenant,
              name: 'new',
              bucketId: 'b',
              version: expect.stringMatching(/^[0-9a-f-]{36}$/),
              metadata: expect.objectContaining({ size: 1, mimetype: 'text/plain' }),
              reqId: 'request-1',
              uploadType: 'standard',
            },
          },
          sentAt: expect.stringMatching(/Z$/),
          tenant,
        },
      },
    ]);
  });

  it('is told of replacements, copies, moves and removals', async () => {
    const kinds = async () =>
      (await events()).map((event) => {
        const { type, payload } = event as { type: string; payload: { name: string } };
        return [type, payload.name];
      });
    await put('a');
    await put('a', { 'x-upsert': 'true' });
    await put('b', { 'x-upsert': 'true' });
    expect(await kinds()).toEqual([
      ['ObjectCreated:Post', 'a'],
      ['ObjectCreated:Put', 'a'],
      ['ObjectCreated:Post', 'b'],
    ]);
    const from = { bucketId: 'b', sourceKey: 'a' };
    await call('POST', '/object/copy', { token, body: { ...from, destinationKey: 'copy' } });
    await call('POST', '/object/move', { token, body: { ...from, destinationKey: 'moved' } });
    const [copied, removed, moved] = await events();
    expect(copied).toMatchObject({ type: 'ObjectCreated:Copy', payload: { name: 'copy', bucketId: 'b' } });
    expect(removed).toMatchObject({
      type: 'ObjectRemoved:Move',
      payload: { name: 'a', metadata: { size: 1 } },
    });
    expect(moved).toMatchObject({
      type: 'ObjectCreated:Move',
      payload: { name: 'moved', oldObject: { name: 'a', bucketId: 'b' } },
    });
    await call('DELETE', '/object/b/moved', { token });
    await call('DELETE', '/object/b', { token, body: { prefixes: ['b', 'copy', 'none'] } });
    expect((await kinds()).sort()).toEqual([
      ['ObjectRemoved:Delete', 'b'],
      ['ObjectRemoved:Delete', 'copy'],
      ['ObjectRemoved:Delete', 'moved'],
    ]);
  });

  it('is told nothing of what was refused', async () => {
    await put('taken');
    await events();
    expect((await put('taken')).status).toBe(400);
    await call('POST', '/object/copy', {
      token,
      body: { bucketId: 'b', sourceKey: 'taken', destinationKey: 'taken' },
    });
    await call('DELETE', '/object/b/none', { token });
    expect(await events()).toEqual([]);
  });

  it('is told of resumable uploads as such', async () => {
    const encode = (text: string): string => Buffer.from(text).toString('base64');
    await call('POST', '/upload/resumable', {
      token,
      headers: {
        'tus-resumable': '1.0.0',
        'upload-length': '0',
        'upload-metadata': `bucketName ${encode('b')},objectName ${encode('resumable')}`,
      },
    });
    expect(await events()).toMatchObject([
      { type: 'ObjectCreated:Post', payload: { name: 'resumable', uploadType: 'resumable' } },
    ]);
  });

  it('is told again later when it fails', async () => {
    status = 500;
    await put('again');
    expect(await events()).toHaveLength(1);
    expect(await events()).toEqual([]);
    status = 200;
    await database.owner.exec(`update ownbase.outbox set run_after = now() where kind = 'storage.webhook'`);
    expect(await events()).toMatchObject([{ payload: { name: 'again' } }]);
    await database.owner.exec(`update ownbase.outbox set run_after = now() where kind = 'storage.webhook'`);
    expect(await events()).toEqual([]);
  });
});

describe('a cache', () => {
  const purges = () =>
    told.splice(0).map(({ path, headers, body }) => ({ path, key: headers.authorization, body }));
  const purge = (body: object) => ({
    path: '/cache/purge',
    key: 'Bearer cdn-key',
    body: { tenant: { ref: 'tenant' }, ...body },
  });

  it('is told what to forget', async () => {
    for (const path of ['/cdn', '/cdn/b?transformations=true', '/cdn/b/dir/x']) {
      const answer = await call('DELETE', path, { token });
      expect([answer.status, answer.json()]).toEqual([200, { message: 'success' }]);
    }
    expect(purges()).toEqual([
      purge({ type: 'tenant' }),
      purge({ type: 'bucket-transforms', bucketId: 'b' }),
      purge({ type: 'object', bucketId: 'b', objectName: 'dir/x' }),
    ]);
  });

  it('forgets a bucket that becomes private or goes', async () => {
    await call('PUT', '/bucket/b', { token, body: { public: false } });
    await call('PUT', '/bucket/b', { token, body: { public: false } });
    await call('POST', '/bucket', { token, body: { name: 'short' } });
    await call('DELETE', '/bucket/short', { token });
    expect(purges()).toEqual([
      purge({ type: 'bucket', bucketId: 'b' }),
      purge({ type: 'bucket', bucketId: 'short' }),
    ]);
  });

  it('that fails is an error of the purge alone', async () => {
    status = 503;
    const answer = await call('DELETE', '/cdn/b', { token });
    expect([answer.status, answer.json()]).toMatchObject([500, { message: 'Error purging cache' }]);
    await call('POST', '/bucket', { token, body: { name: 'gone' } });
    expect((await call('DELETE', '/bucket/gone', { token })).status).toBe(200);
    told.splice(0);
  });

  it('is purged by the service role alone', async () => {
    const user = await instance.userToken('11111111-1111-4111-8111-111111111111');
    expect((await call('DELETE', '/cdn/b', { token: user })).status).toBe(403);
    expect(told).toEqual([]);
  });
});
