import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';

const password = 'correct horse';
let people = 0;
const someone = (): string => `limit${++people}@example.com`;

const captchas: URLSearchParams[] = [];
let isSolved = true;
const captcha: typeof fetch = (_url, init) => {
  captchas.push(new URLSearchParams(String(init?.body)));
  return Promise.resolve(
    Response.json({ success: isSolved, 'error-codes': isSolved ? [] : ['invalid-input-response'] }),
  );
};

const limited = await startAuth({
  env: { GOTRUE_RATE_LIMIT_HEADER: 'x-forwarded-for', GOTRUE_RATE_LIMIT_VERIFY: '30' },
});
const guarded = await startAuth({
  env: {
    GOTRUE_SECURITY_CAPTCHA_ENABLED: 'true',
    GOTRUE_SECURITY_CAPTCHA_PROVIDER: 'turnstile',
    GOTRUE_SECURITY_CAPTCHA_SECRET: 'shh',
  },
  fetch: captcha,
});
const key = Buffer.alloc(32, 1).toString('base64url');
const sealed = await startAuth({
  env: {
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
    GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION: '2',
    GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPT: 'true',
    GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY_ID: 'k1',
    GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY: key,
  },
});

describe('a limit per address', () => {
  const verify = (address: string) =>
    limited.call('POST', '/verify', {
      headers: address === '' ? {} : { 'x-forwarded-for': address },
      body: { type: 'email', email: 'a@example.com', token: '000000' },
    });
  const count = async (address: string, times: number) => {
    const answers = await Promise.all(Array.from({ length: times }, () => verify(address)));
    return answers.filter(({ status }) => status === 429).length;
  };

  it('refuses who guesses too often, and nobody else', async () => {
    expect(await count('203.0.113.1', 35)).toBe(5);
    expect(await count('203.0.113.2, 10.0.0.1', 3)).toBe(0);
    expect((await verify('203.0.113.1')).json).toEqual({
      code: 429,
      error_code: 'over_request_rate_limit',
      msg: 'Request rate limit reached',
    });
  });

  it('lets them try again later', async () => {
    limited.clock.advance(60);
    expect((await verify('203.0.113.1')).status).toBe(403);
  });

  it('counts nobody without the header', async () => {
    expect(await count('', 40)).toBe(0);
  });
});

describe('a captcha', () => {
  const solved = { gotrue_meta_security: { captcha_token: 'token' } };

  it('is asked of strangers, and checked with its provider', async () => {
    const email = someone();
    const refused = await guarded.call('POST', '/signup', { body: { email, password } });
    expect([refused.status, refused.json.error_code]).toEqual([400, 'captcha_failed']);
    isSolved = false;
    const failed = await guarded.call('POST', '/signup', { body: { email, password, ...solved } });
    expect([failed.status, failed.json.error_code]).toEqual([400, 'captcha_failed']);
    isSolved = true;
    expect((await guarded.call('POST', '/signup', { body: { email, password, ...solved } })).status).toBe(
      200,
    );
    expect(captchas.at(-1)?.get('secret')).toBe('shh');
    expect(captchas.at(-1)?.get('response')).toBe('token');
  });

  it('is not asked of admins with a good token, but of those with a forged one', async () => {
    const body = { email: someone(), password };
    const forged = `${guarded.serviceKey.slice(0, -4)}AAAA`;
    expect((await guarded.call('POST', '/recover', { token: forged, body })).status).toBe(400);
    expect((await guarded.call('POST', '/recover', { token: guarded.serviceKey, body })).status).toBe(200);
  });

  it('is not asked of a refresh', async () => {
    const first = await guarded.call('POST', '/signup', { body: { email: someone(), password, ...solved } });
    const { refresh_token } = first.json;
    const again = await guarded.call('POST', '/token?grant_type=refresh_token', { body: { refresh_token } });
    expect(again.status).toBe(200);
    const signIn = await guarded.call('POST', '/token?grant_type=password', {
      body: { email: 'x', password },
    });
    expect(signIn.json.error_code).toBe('captcha_failed');
  });
});

it('nothing secret is stored as it is when columns are encrypted', async () => {
  const email = someone();
  await sealed.call('POST', '/signup', { body: { email, password } });
  const { link } = await sealed.nextMail(email);
  await sealed.call('GET', `/verify${link.search}`);
  const signedIn = await sealed.call('POST', '/token?grant_type=password', { body: { email, password } });
  expect(signedIn.status).toBe(200);
  const { refresh_token } = signedIn.json;
  const again = await sealed.call('POST', '/token?grant_type=refresh_token', { body: { refresh_token } });
  expect(again.status).toBe(200);
  const rows = await sealed.database.owner.query<{ value: string }>(sql`
    select encrypted_password as value from auth.users where email = ${email}
    union all select refresh_token_hmac_key from auth.sessions`);
  expect(rows.length).toBeGreaterThan(1);
  expect(rows.map(({ value }) => JSON.parse(value).key_id)).toEqual(rows.map(() => 'k1'));
});

describe('tokens that are not ours', () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: '11111111-2222-4333-8444-555555555555', role: 'service_role', exp: 9e9 };

  it.each([
    ['without algorithm', `${part({ alg: 'none' })}.${part(claims)}.`],
    ['of an unknown key', `${part({ alg: 'ES256', kid: 'x' })}.${part(claims)}.AAAA`],
    [
      'with a key of their own',
      `${part({ alg: 'HS256', jwk: { kty: 'oct', k: 'AA' } })}.${part(claims)}.AAAA`,
    ],
    ['of two parts', `${part({ alg: 'HS256' })}.${part(claims)}`],
  ])('%s open nothing', async (_, token) => {
    for (const path of ['/admin/users', '/user']) {
      const answer = await limited.call('GET', path, { token });
      expect([answer.status, answer.json.error_code ?? answer.json.message]).toEqual([
        expect.toSatisfy((status: number) => status === 401 || status === 403),
        expect.any(String),
      ]);
    }
  });

  it('and those of users are no admins', async () => {
    const { access_token } = (await limited.call('POST', '/signup', { body: { email: someone(), password } }))
      .json;
    const answer = await limited.call('GET', '/admin/users', { token: access_token });
    expect([answer.status, answer.json.error_code]).toEqual([403, 'not_admin']);
  });
});
