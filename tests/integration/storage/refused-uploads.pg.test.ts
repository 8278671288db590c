import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { send } from '../../support/http.ts';
import { startWithBuckets } from '../../support/storage-objects.ts';

const instance = await startWithBuckets();
const { port, token, upload, download, expectNothingLeft } = instance;

describe('a refused upload leaves nothing', () => {
  const tooLarge = {
    statusCode: '413',
    error: 'Payload too large',
    message: 'The object exceeded the maximum allowed size',
    code: 'EntityTooLarge',
  };

  it('when its declared length is above the bucket’s or the instance’s limit', async () => {
    const before = (await instance.blobs()).length;
    expect((await upload('tight/big.txt', 'x'.repeat(1001))).json()).toEqual(tooLarge);
    expect((await upload('files/big.txt', Buffer.alloc(300_001))).json()).toEqual(tooLarge);
    expect((await upload('tight/exact.txt', 'x'.repeat(1000))).status).toBe(200);
    await expectNothingLeft('big.txt', before + 1);
  });

  it('when a chunked body passes the limit on its way', async () => {
    const before = (await instance.blobs()).length;
    const chunks = (async function* () {
      for (let i = 0; i < 50; i++) yield Buffer.alloc(100);
    })();
    const answer = await fetch(`${instance.url}/storage/v1/object/tight/chunked.txt`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'text/plain' },
      body: chunks as never,
      duplex: 'half',
    } as RequestInit);
    expect(await answer.json()).toEqual(tooLarge);
    await expectNothingLeft('chunked.txt', before);
  });

  it('when the file of a form passes the limit', async () => {
    const before = (await instance.blobs()).length;
    const form = new FormData();
    form.append('', new Blob(['x'.repeat(5000)], { type: 'text/plain' }), 'a.txt');
    const answer = await fetch(`${instance.url}/storage/v1/object/tight/form.txt`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: form,
    });
    expect(await answer.json()).toEqual(tooLarge);
    await expectNothingLeft('form.txt', before);
  });

  it('when its type is not on the bucket’s list', async () => {
    const refused = await upload('tight/a.gif', 'x', { 'content-type': 'image/gif' });
    expect(refused.json()).toEqual({
      statusCode: '415',
      error: 'invalid_mime_type',
      message: 'mime type image/gif is not supported',
      code: 'InvalidMimeType',
    });
    expect((await upload('tight/a.png', 'x', { 'content-type': 'image/png' })).status).toBe(200);
    expect((await upload('tight/b.txt', 'x', { 'content-type': 'text/plain;charset=UTF-8' })).status).toBe(
      200,
    );
  });

  it('when a folder placeholder has bytes; an empty one of any type passes', async () => {
    const full = await upload('tight/f/.emptyFolderPlaceholder', 'x', { 'content-type': 'a/b' });
    expect(full.json()).toEqual(tooLarge);
    const empty = await upload('tight/f/.emptyFolderPlaceholder', '', { 'content-type': 'a/b' });
    expect(empty.status).toBe(200);
  });

  it('when the client goes away in the middle of a raw body', async () => {
    const before = (await instance.blobs()).length;
    await cutOff(
      `POST /storage/v1/object/files/cut.bin HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n` +
        'content-type: application/octet-stream\r\ncontent-length: 200000\r\n\r\n',
    );
    await expectNothingLeft('cut.bin', before);
  });

  it('when the client goes away in the middle of a form', async () => {
    const before = (await instance.blobs()).length;
    await cutOff(
      `POST /storage/v1/object/files/cut-form.bin HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n` +
        'content-type: multipart/form-data; boundary=b\r\ncontent-length: 200000\r\n\r\n' +
        '--b\r\ncontent-disposition: form-data; name=""; filename="a"\r\ncontent-type: text/plain\r\n\r\n',
    );
    await expectNothingLeft('cut-form.bin', before);
  });

  it('when a form ends in the middle of its file', async () => {
    const before = (await instance.blobs()).length;
    const whole = '--b\r\ncontent-disposition: form-data; name=""; filename="a"\r\n\r\ncontent\r\n--b--\r\n';
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'multipart/form-data; boundary=b' };
    for (const end of [whole.indexOf('tent'), whole.indexOf('\r\n--b--')]) {
      const answer = await send(port, '/storage/v1/object/files/half-form', {
        method: 'POST',
        headers,
        body: whole.slice(0, end),
      });
      expect([end, answer.status, answer.json()]).toMatchObject([end, 400, { code: 'InvalidRequest' }]);
      await expectNothingLeft('half-form', before);
    }
  });

  /** Sends a head and a part of the body, waits until the service is writing it, and breaks the connection. */
  async function cutOff(head: string): Promise<void> {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(head);
    socket.write(randomBytes(50_000));
    await vi.waitFor(async () => expect(await instance.unfinished()).toHaveLength(1));
    socket.destroy();
  }

  it('when the bucket does not exist', async () => {
    expect((await upload('nowhere/a', 'x')).json()).toEqual({
      statusCode: '404',
      error: 'Bucket not found',
      message: 'Bucket not found',
      code: 'NoSuchBucket',
    });
  });

  it.each([
    ['contentType', 'text/plain\r\nX-Evil: 1'],
    ['cacheControl', '1\r\nX-Evil: 1'],
    ['contentType', 'text/\u0001'],
  ])('when its %s could not be a header: %j', async (field, value) => {
    const before = (await instance.blobs()).length;
    const body = [
      `--b\r\ncontent-disposition: form-data; name="${field}"\r\n\r\n${value}`,
      '--b\r\ncontent-disposition: form-data; name=""; filename="a"\r\n\r\nx',
      '--b--\r\n',
    ].join('\r\n');
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'multipart/form-data; boundary=b' };
    const answer = await send(port, '/storage/v1/object/files/header', { method: 'POST', headers, body });
    expect([answer.status, answer.json()]).toMatchObject([400, { error: 'invalid_header_char' }]);
    await expectNothingLeft('header', before);
  });

  it('when a form has no file', async () => {
    const form = new FormData();
    form.append('cacheControl', '60');
    const answer = await fetch(`${instance.url}/storage/v1/object/files/no-file`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: form,
    });
    expect([answer.status, await answer.json()]).toMatchObject([400, { message: 'No content provided' }]);
  });

  it('when x-robots-tag is no rule; a good one comes back on download', async () => {
    expect((await upload('files/robots', 'x', { 'x-robots-tag': 'nonsense' })).json()).toEqual({
      statusCode: '400',
      error: 'invalid_x_robots_tag',
      message: 'Invalid X-Robots-Tag header: Invalid X-Robots-Tag rule: "nonsense"',
      code: 'InvalidRequest',
    });
    await upload('files/robots', 'x', { 'x-robots-tag': 'noindex, nofollow' });
    expect((await download('files/robots')).headers.get('x-robots-tag')).toBe('noindex, nofollow');
    await upload('files/robots', 'x', { 'x-robots-tag': 'none', 'x-upsert': 'true' });
    expect((await download('files/robots')).headers.get('x-robots-tag')).toBe('none');
  });
});
