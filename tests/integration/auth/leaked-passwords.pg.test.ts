import { beforeEach, describe, expect, it } from 'vitest';
import { startAuth } from '../../support/auth.ts';

/** The service that knows leaked passwords: what it was asked, and whether it answers. */
let asked: { readonly url: string; readonly headers: Headers }[] = [];
let isUp = true;
// The rest of the SHA-1 hash of "password"; its first five characters are 5BAA6.
const rest = '1E4C9B93F3F0682250B6CF8331B7EE68FD8';
const service: typeof fetch = (input, init) => {
  asked.push({ url: String(input), headers: new Headers(init?.headers) });
  if (!isUp) return Promise.reject(new TypeError('no network'));
  return Promise.resolve(new Response(`0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n${rest}:9545824\r\n`));
};
const on = { GOTRUE_PASSWORD_HIBP_ENABLED: 'true' };
const auth = await startAuth({ env: on, fetch: service });
const strict = await startAuth({ env: { ...on, GOTRUE_PASSWORD_HIBP_FAIL_CLOSED: 'true' }, fetch: service });
const picky = await startAuth({
  env: { ...on, GOTRUE_PASSWORD_MIN_LENGTH: '10', GOTRUE_PASSWORD_REQUIRED_CHARACTERS: 'abc:0123' },
  fetch: service,
});
const off = await startAuth({ fetch: service });
const remembering = (items: string) =>
  startAuth({
    env: { ...on, GOTRUE_PASSWORD_HIBP_BLOOM_ENABLED: 'true', GOTRUE_PASSWORD_HIBP_BLOOM_ITEMS: items },
    fetch: service,
  });
const [roomy, tiny] = [await remembering('100'), await remembering('2')];

beforeEach(() => {
  asked = [];
  isUp = true;
});

let people = 0;
const someone = (): string => `leak${++people}@example.com`;
const signUp = (instance: typeof auth, password: string, email = someone()) =>
  instance.call('POST', '/signup', { body: { email, password } });

describe('a password that leaked elsewhere', () => {
  it('is refused, and only five characters of its hash are told', async () => {
    const { status, json } = await signUp(auth, 'password');
    expect([status, json]).toEqual([
      422,
      {
        code: 422,
        error_code: 'weak_password',
        msg: 'Password is known to be weak and easy to guess, please choose a different one.',
        weak_password: { reasons: ['pwned'] },
      },
    ]);
    expect(asked.map(({ url }) => url)).toEqual(['https://api.pwnedpasswords.com/range/5BAA6']);
    expect(asked[0]?.headers.get('add-padding')).toBe('true');
    expect((await signUp(auth, 'correct horse')).status).toBe(200);
  });

  it('is refused as a new one too, and told of at a sign-in that has it already', async () => {
    const email = someone();
    const made = { token: auth.serviceKey, body: { email, email_confirm: true, password: 'correct horse' } };
    await auth.call('POST', '/admin/users', made);
    const signIn = () =>
      auth.call('POST', '/token?grant_type=password', { body: { email, password: 'correct horse' } });
    const { access_token: token } = (await signIn()).json;
    const change = await auth.call('PUT', '/user', { token, body: { password: 'password' } });
    expect(change.json.weak_password).toEqual({ reasons: ['pwned'] });
    expect((await signIn()).json.weak_password).toBeNull();
  });

  it('is told of after everything else that is weak about it, in both forms of an error', async () => {
    const weak_password = { reasons: ['length', 'characters', 'pwned'] };
    const message =
      'Password should be at least 10 characters. Password should contain at least one character of each: abc, 0123. Password is known to be weak and easy to guess, please choose a different one.';
    const body = { email: someone(), password: 'password' };
    const old = await picky.call('POST', '/signup', { body });
    expect(old.json).toEqual({ code: 422, error_code: 'weak_password', msg: message, weak_password });
    const headers = { 'x-supabase-api-version': '2024-01-01' };
    const now = await picky.call('POST', '/signup', { body, headers });
    expect([now.status, now.json]).toEqual([422, { code: 'weak_password', message, weak_password }]);
  });

  it('passes while nobody can be asked, and the log says so', async () => {
    isUp = false;
    expect((await signUp(auth, 'password')).status).toBe(200);
    expect(auth.observed).toContainEqual(
      expect.objectContaining({ kind: 'notice', level: 'warn', message: expect.stringContaining('leaked') }),
    );
    expect(JSON.stringify(auth.observed)).not.toContain('5BAA6');
  });

  it('does not pass then where the project says so', async () => {
    isUp = false;
    expect((await signUp(strict, 'password')).status).toBe(500);
  });

  it('is not looked up unless that is switched on', async () => {
    expect((await signUp(off, 'password')).status).toBe(200);
    expect(asked).toEqual([]);
  });

  it('is remembered where the project wants that, and refused without asking again', async () => {
    expect((await signUp(roomy, 'password')).status).toBe(422);
    isUp = false;
    expect((await signUp(roomy, 'password')).json.weak_password).toEqual({ reasons: ['pwned'] });
    expect((await signUp(roomy, 'correct horse')).status).toBe(200);
    expect(asked.map(({ url }) => url.slice(-5))).toEqual(['5BAA6', '2F9E5']);
  });

  it('is remembered with the latest answer, when there is no room for more', async () => {
    expect((await signUp(tiny, 'password')).status).toBe(422);
    isUp = false;
    expect((await signUp(tiny, 'password')).status).toBe(422);
    isUp = true;
    await signUp(tiny, 'correct horse');
    await signUp(tiny, 'password');
    expect(asked.map(({ url }) => url.slice(-5))).toEqual(['5BAA6', '2F9E5', '5BAA6']);
  });
});
