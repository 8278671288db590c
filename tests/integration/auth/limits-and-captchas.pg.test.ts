import { describe, expect, it } from 'vitest';
import { startAuth } from '../../support/auth.ts';

const header = 'x-real-ip';
const auth = await startAuth({
  env: {
    GOTRUE_RATE_LIMIT_HEADER: header,
    GOTRUE_RATE_LIMIT_ANONYMOUS_USERS: '4',
    GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED: 'true',
    GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED: 'true',
    GOTRUE_PASSKEY_ENABLED: 'true',
  },
});
const mailing = await startAuth({
  env: {
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
    GOTRUE_SMTP_HOST: '127.0.0.1',
    GOTRUE_RATE_LIMIT_EMAIL_SENT: '2',
  },
});
let isUp = true;
const puzzled = await startAuth({
  env: {
    GOTRUE_SECURITY_CAPTCHA_ENABLED: 'true',
    GOTRUE_SECURITY_CAPTCHA_PROVIDER: 'hcaptcha',
    GOTRUE_SECURITY_CAPTCHA_SECRET: 'shh',
    GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED: 'true',
    GOTRUE_PASSKEY_ENABLED: 'true',
  },
  fetch: (url) =>
    isUp
      ? Promise.resolve(Response.json({ success: String(url).includes('hcaptcha.com') }))
      : Promise.reject(new TypeError('no network')),
});

const impatient = await startAuth({
  env: {
    GOTRUE_SECURITY_CAPTCHA_ENABLED: 'true',
    GOTRUE_SECURITY_CAPTCHA_SECRET: 'shh',
    GOTRUE_SECURITY_CAPTCHA_TIMEOUT: '50ms',
  },
  fetch: (_, init) =>
    new Promise((_, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
    }),
});

const password = 'correct horse';
const burst = 30;
let addresses = 0;

describe('a limit per address', () => {
  it.each<[string, string, object, number]>([
    ['sign-ups', '/signup', { email: 'no address', password }, burst],
    ['anonymous sign-ins', '/signup', {}, 4],
    ['codes', '/otp', { email: 'no address' }, burst],
    ['links', '/magiclink', { email: 'no address' }, burst],
    ['recoveries', '/recover', { email: 'no address' }, burst],
    ['resends', '/resend', { type: 'signup', email: 'no address' }, burst],
    ['verifications', '/verify', { type: 'email', email: 'a@example.com', token: '1' }, burst],
    ['grants', '/token?grant_type=refresh_token', { refresh_token: 'abcdefghijkl' }, burst],
    ['wallets', '/token?grant_type=web3', { chain: 'solana', message: '', signature: '' }, burst],
    ['passkeys', '/passkeys/authentication/options', {}, burst],
  ])('lets through so many %s and no more, of one address alone', async (_, path, body, most) => {
    const ask = async (address: string) =>
      (await auth.call('POST', path, { body, headers: { [header]: address } })).json;
    const isLimited = (json: { error_code?: string } | null) =>
      json?.error_code === 'over_request_rate_limit';
    const address = `203.0.113.${++addresses}`;
    const answers = await Promise.all(Array.from({ length: most + 2 }, () => ask(address)));
    expect(answers.filter(isLimited)).toHaveLength(2);
    expect(isLimited(await ask(`198.51.100.${addresses}`))).toBe(false);
  });

  it('lets so many anonymous sign-ins through again each hour', async () => {
    const isLimited = async () => {
      const options = { body: {}, headers: { [header]: '203.0.113.200' } };
      return (await auth.call('POST', '/signup', options)).status === 429;
    };
    const answers = async (count: number) => {
      const found: boolean[] = [];
      for (let i = 0; i < count; i++) found.push(await isLimited());
      return found;
    };
    expect(await answers(5)).toEqual([false, false, false, false, true]);
    auth.clock.advance(910);
    expect(await answers(2)).toEqual([false, true]);
    auth.clock.advance(3600);
    expect(await answers(5)).toEqual([false, false, false, false, true]);
  });

  it.each(['', ' , 203.0.113.99'])('counts nobody by the header %j', async (value) => {
    const ask = () =>
      auth.call('POST', '/verify', {
        body: { type: 'email', email: 'a@example.com', token: '1' },
        headers: { [header]: value },
      });
    const answers = await Promise.all(Array.from({ length: burst + 5 }, ask));
    expect(answers.map(({ status }) => status)).toEqual(new Array(burst + 5).fill(403));
  });
});

it('no more mails are sent than the project allows in an hour', async () => {
  const ask = async (n: number) =>
    (await mailing.call('POST', '/signup', { body: { email: `many${n}@example.com`, password } })).json;
  const answers = [await ask(1), await ask(2), await ask(3)];
  expect(answers.map(({ error_code }) => error_code)).toEqual([
    undefined,
    undefined,
    'over_email_send_rate_limit',
  ]);
  expect(answers[2].msg).toBe('email rate limit exceeded');
  mailing.clock.advance(3601);
  expect((await ask(3)).error_code).toBeUndefined();
});

describe('a captcha', () => {
  const solved = { gotrue_meta_security: { captcha_token: 'token' } };

  it.each<[string, object]>([
    ['/signup', { email: 'cap@example.com', password }],
    ['/signup', {}],
    ['/token?grant_type=password', { email: 'cap@example.com', password }],
    ['/otp', { email: 'cap@example.com' }],
    ['/magiclink', { email: 'cap@example.com' }],
    ['/recover', { email: 'cap@example.com' }],
    ['/resend', { type: 'signup', email: 'cap@example.com' }],
    ['/passkeys/authentication/options', {}],
  ])('is asked of POST %s %j', async (path, body) => {
    const refused = await puzzled.call('POST', path, { body });
    expect([refused.status, refused.json.error_code, refused.json.msg]).toEqual([
      400,
      'captcha_failed',
      'captcha protection: request disallowed (no captcha_token found)',
    ]);
    const allowed = await puzzled.call('POST', path, { body: { ...body, ...solved } });
    expect(allowed.json.error_code).not.toBe('captcha_failed');
  });

  it.each<[string, object]>([
    ['/verify', { type: 'email', email: 'cap@example.com', token: '1' }],
    ['/token?grant_type=refresh_token', { refresh_token: 'abcdefghijkl' }],
    ['/token?grant_type=pkce', { auth_code: 'x', code_verifier: 'y' }],
    ['/token?grant_type=id_token', { provider: 'google', id_token: 'x' }],
  ])('is not asked of POST %s', async (path, body) => {
    const { json } = await puzzled.call('POST', path, { body });
    expect(json.error_code).not.toBe('captcha_failed');
  });

  it('whose provider cannot be asked lets nobody in, as a fault of the server', async () => {
    isUp = false;
    const { status } = await puzzled.call('POST', '/signup', {
      body: { email: 'cap2@example.com', password, ...solved },
    });
    isUp = true;
    expect(status).toBe(500);
  });

  it('whose provider takes longer than the settings say lets nobody in either', async () => {
    const begun = Date.now();
    const { status } = await impatient.call('POST', '/signup', {
      body: { email: 'cap3@example.com', password, ...solved },
    });
    expect(status).toBe(500);
    expect(Date.now() - begun).toBeLessThan(5000);
  });
});
