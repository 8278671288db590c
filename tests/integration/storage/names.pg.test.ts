import { describe, expect, it } from 'vitest';
import { send } from '../../support/http.ts';
import { startWithBuckets } from '../../support/storage-objects.ts';

const instance = await startWithBuckets();
const { call, port, token } = instance;

describe('an object’s name', () => {
  it('may have every allowed character, and reads back by the same path', async () => {
    const name = "a!-_.*'() &$=@;:+,?/ñ".replace('ñ', 'z');
    const target = `/storage/v1/object/files/${encodeURIComponent(name).replaceAll('%2F', '/')}`;
    const headers = { authorization: `Bearer ${token}` };
    const answer = await send(port, target, { method: 'POST', headers, body: 'special' });
    expect(answer.json()).toMatchObject({ Key: `files/${name}` });
    expect((await send(port, target, { headers })).body).toBe('special');
  });

  it.each([
    ['..', '..'],
    ['a/../b', 'a/../b'],
    ['../../etc/passwd', '../../etc/passwd'],
    ['%2e%2e/%2e%2e/etc/passwd', '../../etc/passwd'],
    ['%2e%2e%2fx', '../x'],
    ['..%2f..%2fx', '../../x'],
    ['./a', './a'],
    ['a%00b', 'a\0b'],
    ['a%5c..%5cb', 'a\\..\\b'],
    ['%c3%a9', 'é'],
    ['a%25b', 'a%b'],
    ['a%23b', 'a#b'],
    ['a~b', 'a~b'],
    ['', ''],
    [`${'x'.repeat(300)}`, 'x'.repeat(300)],
    [`${'y/'.repeat(1000)}y`, `${'y/'.repeat(1000)}y`],
  ])('is refused as %j', async (raw, name) => {
    const before = (await instance.blobs()).length;
    const headers = { authorization: `Bearer ${token}` };
    const invalid = {
      statusCode: '400',
      error: 'InvalidKey',
      message: `Invalid key: ${name}`,
      code: 'InvalidKey',
    };
    // A name of good characters that no object can have is one that is not there.
    const missing = { statusCode: '404', error: 'not_found', message: 'Object not found', code: 'NoSuchKey' };
    const read = /^[\w/.]+$/.test(name) ? missing : invalid;
    for (const [method, route, expected] of [
      ['POST', 'object/files/', invalid],
      ['GET', 'object/authenticated/files/', read],
      ['GET', 'object/public/open/', read],
      ['HEAD', 'object/files/', null],
    ] as const) {
      const answer = await send(port, `/storage/v1/${route}${raw}`, {
        method,
        headers,
        ...(method === 'POST' ? { body: 'x' } : {}),
      });
      expect(answer.status).toBe(400);
      if (expected !== null) expect(answer.json()).toEqual(expected);
    }
    expect(await instance.blobs()).toHaveLength(before);
  });

  it('is refused when its escapes are malformed', async () => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await send(port, '/storage/v1/object/files/a%zz', { headers });
    expect(answer.status).toBe(400);
  });

  it('does not reach outside its bucket when the bucket is dots', async () => {
    const headers = { authorization: `Bearer ${token}` };
    for (const target of ['/object/public/../files/a', '/object/public/%2e%2e/files/a', '/object/..%2f/a']) {
      const answer = await send(port, `/storage/v1${target}`, { headers });
      expect(answer.status).toBe(400);
    }
  });
});

describe('an unknown route', () => {
  it('is a 404 that names it, in the form of the service below its own paths', async () => {
    const answer = await call('PATCH', '/object/here?x=1');
    expect([answer.status, answer.json()]).toEqual([
      404,
      {
        statusCode: '404',
        error: 'Not Found',
        message: 'Route PATCH:/object/here?x=1 not found',
        code: 'InvalidRequest',
      },
    ]);
    const elsewhere = await call('GET', '/nothing/here?x=1');
    expect([elsewhere.status, elsewhere.json()]).toEqual([
      404,
      { statusCode: 404, error: 'Not Found', message: 'Route GET:/nothing/here?x=1 not found' },
    ]);
  });

  it('is refused when its escapes cannot be read', async () => {
    const answer = await send(port, '/storage/v1/object/files/%zz');
    expect([answer.status, answer.json()]).toEqual([
      400,
      {
        error: 'Bad Request',
        code: 'FST_ERR_BAD_URL',
        message: "'/object/files/%zz' is not a valid url component",
        statusCode: 400,
      },
    ]);
  });
});
