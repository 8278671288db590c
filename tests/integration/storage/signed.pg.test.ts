import { describe, expect, it } from 'vitest';
import { secretSigningKey, signToken } from '../../../src/identity/sign.ts';
import { startStorage } from '../../support/storage.ts';

const instance = await startStorage();
const { call, serviceKey: token } = instance;
for (const name of ['one', 'two']) {
  await call('POST', '/bucket', { token, body: { name } });
  await call('POST', `/object/${name}/a.txt`, { token, body: `in ${name}` });
}

const later = Math.floor(Date.now() / 1000) + 60;
const signedPath = async (path: string, expiresIn = 60): Promise<string> =>
  (
    (await call('POST', `/object/sign/${path}`, { token, body: { expiresIn } })).json() as {
      signedURL: string;
    }
  ).signedURL;
const withToken = async (path: string, claims: Record<string, unknown>) =>
  call('GET', `/object/sign/${path}?token=${await instance.sign(claims)}`);

const scopeError = { statusCode: '400', error: 'InvalidSignature', code: 'InvalidSignature' };

describe('a signed URL', () => {
  it('opens its object without a token, until its time', async () => {
    const answer = await call('GET', await signedPath('one/a.txt'));
    expect(answer.text).toBe('in one');
    expect(answer.headers.get('cache-control')).toBeNull();
    expect(Date.parse(answer.headers.get('expires') ?? '')).toBeGreaterThan(Date.now());
    const head = await call('HEAD', await signedPath('one/a.txt'));
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '6']);
  });

  it('is refused for another path, bucket or purpose', async () => {
    const query = (await signedPath('one/a.txt')).split('?')[1];
    expect((await call('GET', `/object/sign/two/a.txt?${query}`)).json()).toEqual({
      ...scopeError,
      message: 'Invalid signature',
    });
    expect((await call('GET', `/object/sign/one/b.txt?${query}`)).json()).toMatchObject(scopeError);
    expect((await call('PUT', `/object/upload/sign/one/a.txt?${query}`, { body: 'x' })).json()).toEqual({
      ...scopeError,
      message: 'Token is not scoped for upload',
    });
    const upload = await call('POST', '/object/upload/sign/one/new.txt', { token, body: {} });
    const uploadToken = (upload.json() as { token: string }).token;
    expect((await call('GET', `/object/sign/one/new.txt?token=${uploadToken}`)).json()).toEqual({
      ...scopeError,
      message: 'Token is not scoped for download',
    });
    expect(
      (await call('PUT', `/object/upload/sign/one/other.txt?token=${uploadToken}`, { body: 'x' })).json(),
    ).toMatchObject(scopeError);
  });

  it('is refused when tampered with, expired, foreign, endless or absent', async () => {
    const url = await signedPath('one/a.txt');
    const invalid = (message: string) => ({
      statusCode: '400',
      error: 'InvalidJWT',
      message,
      code: 'InvalidJWT',
    });
    expect((await call('GET', `${url.slice(0, -2)}xx`)).json()).toEqual(
      invalid('signature verification failed'),
    );
    expect((await call('GET', '/object/sign/one/a.txt?token=x')).json()).toEqual(
      invalid('Invalid Compact JWS'),
    );
    const claims = { url: 'one/a.txt', scope: 'download' };
    expect((await withToken('one/a.txt', { ...claims, exp: 1 })).json()).toEqual(
      invalid('"exp" claim timestamp check failed'),
    );
    expect((await withToken('one/a.txt', claims)).json()).toMatchObject(scopeError);
    const foreign = await signToken(
      { ...claims, exp: later },
      secretSigningKey('another secret of 32 characters.'),
    );
    expect((await call('GET', `/object/sign/one/a.txt?token=${foreign}`)).json()).toEqual(
      invalid('signature verification failed'),
    );
    expect((await call('GET', '/object/sign/one/a.txt')).json()).toMatchObject({
      message: "querystring must have required property 'token'",
    });
  });

  it('is no session, and a session is no signed URL', async () => {
    const urlToken = (await signedPath('one/a.txt')).split('token=')[1];
    expect((await call('GET', '/bucket', { token: urlToken })).json()).toMatchObject({ statusCode: '403' });
    expect((await call('GET', `/object/sign/one/a.txt?token=${token}`)).json()).toMatchObject(scopeError);
  });

  it('of the time before scopes still opens what it was made for', async () => {
    expect((await withToken('one/a.txt', { url: 'one/a.txt', exp: later })).text).toBe('in one');
    const upload = await instance.sign({ url: 'one/legacy', upsert: true, exp: later });
    expect((await call('PUT', `/object/upload/sign/one/legacy?token=${upload}`, { body: 'x' })).status).toBe(
      200,
    );
    expect((await call('GET', `/object/sign/one/legacy?token=${upload}`)).json()).toMatchObject(scopeError);
  });

  it('works for names that need escapes', async () => {
    const name = "a b+c&d?e'f=g.txt";
    const path = `one/${encodeURIComponent(name)}`;
    await call('POST', `/object/${path}`, { token, body: 'escaped' });
    const signed = await signedPath(path);
    expect(signed.startsWith(`/object/sign/one/${name}?token=`)).toBe(true);
    const jwt = signed.slice(signed.lastIndexOf('?token=') + 7);
    expect((await call('GET', `/object/sign/${path}?token=${jwt}`)).text).toBe('escaped');
  });

  it('has a lifetime that a date can hold', async () => {
    for (const expiresIn of [0, 1.5, 'x']) {
      const answer = await call('POST', '/object/sign/one/a.txt', { token, body: { expiresIn } });
      expect(answer.json()).toMatchObject({ statusCode: '400', error: 'Error' });
    }
    const huge = await call('POST', '/object/sign/one/a.txt', { token, body: { expiresIn: 9e15 } });
    expect(huge.json()).toMatchObject({ message: 'Invalid Parameter expiresIn', code: 'InvalidParameter' });
  });

  it('is made for up to a thousand paths at once', async () => {
    const sign = (count: number) =>
      call('POST', '/object/sign/one', {
        token,
        body: {
          expiresIn: 60,
          paths: Array.from({ length: count }, (_, i) => (i === 0 ? 'a.txt' : `n${i}`)),
        },
      });
    expect(((await sign(1000)).json() as unknown[]).length).toBe(1000);
    expect((await sign(1001)).json()).toMatchObject({
      message: 'body/paths must NOT have more than 1000 items',
    });
    expect((await sign(0)).json()).toMatchObject({ message: 'body/paths must NOT have fewer than 1 items' });
  });

  it('for an upload replaces only when it was made so', async () => {
    const make = async (headers = {}) =>
      (
        (await call('POST', '/object/upload/sign/one/a.txt', { token, body: {}, headers })).json() as {
          url: string;
        }
      ).url;
    expect(await make()).toBeUndefined();
    const url = await make({ 'x-upsert': 'true' });
    expect((await call('PUT', url, { body: 'replaced' })).json()).toEqual({ Key: 'one/a.txt' });
    expect((await call('GET', '/object/one/a.txt', { token })).text).toBe('replaced');
  });
});
