import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';

const auth = await startAuth({
  env: {
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
    GOTRUE_URI_ALLOW_LIST: 'https://app.example.com/**,myapp://**,https://*.tenant.example.com/*',
    GOTRUE_SMTP_MAX_FREQUENCY: '0s',
  },
});
const password = 'correct horse';
const signIn = (email: string, secret = password) =>
  auth.call('POST', '/token?grant_type=password', { body: { email, password: secret } });

async function confirmedUser(email: string) {
  await auth.call('POST', '/signup', { body: { email, password } });
  const { link } = await auth.nextMail(email);
  await auth.call('GET', `/verify${link.search}`);
  return (await signIn(email)).json;
}

const verifier = 'v'.repeat(64);
const challenge = {
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 's256',
};

describe('PKCE by mail', () => {
  it('a link ends in a code that the verifier exchanges once', async () => {
    const email = 'pkce@example.com';
    await auth.call('POST', '/signup?redirect_to=https%3A%2F%2Fapp.example.com%2Fcb%3Fa%3D1', {
      body: { email, password, ...challenge },
    });
    const { link } = await auth.nextMail(email);
    expect(link.searchParams.get('token')).toMatch(/^pkce_[0-9a-f]{56}$/);
    const followed = await auth.call('GET', `/verify${link.search}`);
    const location = new URL(followed.headers.get('location') ?? '');
    expect(location.origin + location.pathname).toBe('https://app.example.com/cb');
    expect(location.searchParams.get('a')).toBe('1');
    expect(location.hash).toBe('');
    const auth_code = location.searchParams.get('code');
    const exchange = (body: object) => auth.call('POST', '/token?grant_type=pkce', { body });
    const wrong = await exchange({ auth_code, code_verifier: 'x'.repeat(64) });
    expect([wrong.status, wrong.json.error_code]).toEqual([400, 'bad_code_verifier']);
    expect((await exchange({ auth_code, code_verifier: '' })).status).toBe(400);
    auth.clock.advance(240);
    const right = await exchange({ auth_code, code_verifier: verifier });
    expect(right.status).toBe(200);
    expect(right.json.user.email).toBe(email);
    const again = await exchange({ auth_code, code_verifier: verifier });
    expect([again.status, again.json.error_code]).toEqual([404, 'flow_state_not_found']);
  });

  it('a code that is not exchanged in time is expired', async () => {
    const email = 'pkce-late@example.com';
    await auth.call('POST', '/signup', { body: { email, password, ...challenge } });
    const { link } = await auth.nextMail(email);
    const { headers } = await auth.call('GET', `/verify${link.search}`);
    const auth_code = new URL(headers.get('location') ?? '').searchParams.get('code');
    auth.clock.advance(301);
    const { status, json } = await auth.call('POST', '/token?grant_type=pkce', {
      body: { auth_code, code_verifier: verifier },
    });
    expect([status, json.error_code, json.msg]).toEqual([
      422,
      'flow_state_expired',
      'invalid flow state, flow state has expired',
    ]);
  });

  it('a used link tells so in query and fragment', async () => {
    const email = 'pkce2@example.com';
    await auth.call('POST', '/signup', { body: { email, password, ...challenge } });
    const { link } = await auth.nextMail(email);
    await auth.call('GET', `/verify${link.search}`);
    const again = await auth.call('GET', `/verify${link.search}`);
    const text =
      'error=access_denied&error_code=otp_expired&error_description=Email+link+is+invalid+or+has+expired';
    expect(again.headers.get('location')).toBe(`http://127.0.0.1:3000?${text}#${text}&sb=`);
  });
});

describe('recovery', () => {
  it('is the same to ask for, whether or not there is such a user', async () => {
    await confirmedUser('known@example.com');
    const known = await auth.call('POST', '/recover', { body: { email: 'known@example.com' } });
    const unknown = await auth.call('POST', '/recover', { body: { email: 'unknown@example.com' } });
    expect([known.status, known.text]).toEqual([200, '{}']);
    expect([unknown.status, unknown.text]).toEqual([200, '{}']);
    expect(await auth.mailCount('known@example.com')).toBe(2);
    expect(await auth.mailCount('unknown@example.com')).toBe(0);
  });

  it('leads to a session that may set a password, and old codes die with the old one', async () => {
    const email = 'forgetful@example.com';
    const before = await confirmedUser(email);
    await auth.call('POST', '/recover', { body: { email } });
    const first = await auth.nextMail(email);
    const session = (
      await auth.call('POST', '/verify', {
        body: { type: 'recovery', token_hash: first.link.searchParams.get('token') },
      })
    ).json;
    await auth.call('POST', '/recover', { body: { email } });
    const second = await auth.nextMail(email);
    const same = await auth.call('PUT', '/user', { token: session.access_token, body: { password } });
    expect([same.status, same.json.error_code]).toEqual([422, 'same_password']);
    const changed = await auth.call('PUT', '/user', {
      token: session.access_token,
      body: { password: 'a new one' },
    });
    expect(changed.status).toBe(200);
    expect((await auth.call('GET', '/user', { token: before.access_token })).json.error_code).toBe(
      'session_not_found',
    );
    expect((await auth.call('GET', '/user', { token: session.access_token })).status).toBe(200);
    const dead = await auth.call('POST', '/verify', {
      body: { type: 'recovery', email, token: second.code },
    });
    expect([dead.status, dead.json.msg]).toEqual([403, 'Token has expired or is invalid']);
    expect((await signIn(email, 'a new one')).status).toBe(200);
  });
});

describe('one-time codes', () => {
  it('sign new users up and known ones in, by type email', async () => {
    const email = 'otp@example.com';
    for (const subject of ['Confirm your email address', 'Your sign-in link']) {
      expect((await auth.call('POST', '/otp', { body: { email } })).text).toBe('{}');
      const mail = await auth.nextMail(email);
      expect(mail.subject).toBe(subject);
      const answer = await auth.call('POST', '/verify', { body: { type: 'email', email, token: mail.code } });
      expect([answer.status, answer.json.user.email]).toEqual([200, email]);
    }
  });

  it('hold until their last second', async () => {
    const email = 'early@example.com';
    await confirmedUser(email);
    await auth.call('POST', '/otp', { body: { email } });
    const { code } = await auth.nextMail(email);
    auth.clock.advance(3595);
    const inTime = await auth.call('POST', '/verify', { body: { type: 'magiclink', email, token: code } });
    expect(inTime.status).toBe(200);
  });

  it('expire', async () => {
    const email = 'late@example.com';
    await confirmedUser(email);
    await auth.call('POST', '/otp', { body: { email } });
    const { code } = await auth.nextMail(email);
    auth.clock.advance(3601);
    const late = await auth.call('POST', '/verify', { body: { type: 'magiclink', email, token: code } });
    expect([late.status, late.json.error_code]).toEqual([403, 'otp_expired']);
  });

  it('are not for strangers when users may not be created', async () => {
    const body = { email: 'stranger@example.com', create_user: false };
    const answer = await auth.call('POST', '/otp', { body });
    expect([answer.status, answer.json.error_code, answer.json.msg]).toEqual([
      422,
      'otp_disabled',
      'Signups not allowed for otp',
    ]);
  });

  it('work once even when they are used twice at the same moment', async () => {
    const email = 'race@example.com';
    await confirmedUser(email);
    await auth.call('POST', '/otp', { body: { email } });
    const { code, link } = await auth.nextMail(email);
    const token_hash = link.searchParams.get('token');
    const answers = await Promise.all([
      auth.call('POST', '/verify', { body: { type: 'magiclink', email, token: code } }),
      auth.call('POST', '/verify', { body: { type: 'magiclink', token_hash } }),
      auth.call('POST', '/verify', { body: { type: 'email', email, token: code } }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403, 403]);
  });
});

describe('change of address', () => {
  it('needs both addresses, in either order', async () => {
    for (const [name, order] of [
      ['ab', [0, 1]],
      ['ba', [1, 0]],
    ] as const) {
      const [before, after] = [`old-${name}@example.com`, `new-${name}@example.com`];
      const { access_token: token } = await confirmedUser(before);
      const asked = await auth.call('PUT', '/user', { token, body: { email: after } });
      expect(asked.json).toMatchObject({ email: before, new_email: after });
      const mails = [await auth.nextMail(before), await auth.nextMail(after)];
      const first = await auth.call('GET', `/verify${mails[order[0]]?.link.search}`);
      expect(first.headers.get('location')).toBe(
        'http://127.0.0.1:3000#message=Confirmation+link+accepted.+Please+proceed+to+confirm+link+sent+to+the+other+email&sb=',
      );
      const twice = await auth.call('GET', `/verify${mails[order[0]]?.link.search}`);
      expect(twice.headers.get('location')).toContain('otp_expired');
      const token_hash = mails[order[1]]?.link.searchParams.get('token');
      const second = await auth.call('POST', '/verify', { body: { type: 'email_change', token_hash } });
      expect(second.json.user).toMatchObject({
        email: after,
        identities: [{ identity_data: { email: after, email_verified: true } }],
      });
      expect(second.json.user.new_email).toBeUndefined();
    }
  });

  it('by codes answers the first with a message', async () => {
    const { access_token: token } = await confirmedUser('code-old@example.com');
    await auth.call('PUT', '/user', { token, body: { email: 'code-new@example.com' } });
    const { code } = await auth.nextMail('code-old@example.com');
    const body = { type: 'email_change', email: 'code-old@example.com', token: code };
    expect((await auth.call('POST', '/verify', { body })).json).toEqual({
      code: '200',
      msg: 'Confirmation link accepted. Please proceed to confirm link sent to the other email',
    });
  });

  it('to one that is taken is refused', async () => {
    await confirmedUser('taken@example.com');
    const { access_token: token } = await confirmedUser('wants@example.com');
    const answer = await auth.call('PUT', '/user', { token, body: { email: 'Taken@example.com' } });
    expect([answer.status, answer.json.error_code]).toEqual([422, 'email_exists']);
  });
});

describe('redirects', () => {
  it.each([
    ['https://app.example.com/welcome', 'https://app.example.com/welcome'],
    ['myapp://open', 'myapp://open'],
    ['https://evil.example.com/', 'http://127.0.0.1:3000'],
    ['https://app.example.com@evil.com/', 'http://127.0.0.1:3000'],
    ['https://app.example.com\\@evil.com/', 'http://127.0.0.1:3000'],
    ['//evil.com', 'http://127.0.0.1:3000'],
    ['https://app.example.com/deep/path?a=1.5&b=2', 'https://app.example.com/deep/path?a=1.5&b=2'],
    ['https://app.example.com.evil.com/', 'http://127.0.0.1:3000'],
    ['https://app.example.com:8443/', 'http://127.0.0.1:3000'],
    ['http://app.example.com/', 'http://127.0.0.1:3000'],
    ['https://APP.example.com./', 'http://127.0.0.1:3000'],
    ['http://2130706433/', 'http://127.0.0.1:3000'],
    ['http://169.254.169.254/', 'http://127.0.0.1:3000'],
    ['http://127.0.0.1:9999/cb', 'http://127.0.0.1:9999/cb'],
    ['https://127.0.0.1:3000/cb', 'https://127.0.0.1:3000/cb'],
    ['javascript:alert(1)', 'http://127.0.0.1:3000'],
    ['https://one.tenant.example.com/cb', 'https://one.tenant.example.com/cb'],
    ['https://one.two.tenant.example.com/cb', 'http://127.0.0.1:3000'],
    ['https://one.tenant.example.com/cb/more', 'http://127.0.0.1:3000'],
  ])('a link that asks for %s leads to %s', async (wish, target) => {
    const email = `r${createHash('md5').update(wish).digest('hex')}@example.com`;
    await auth.call('POST', `/signup?redirect_to=${encodeURIComponent(wish)}`, { body: { email, password } });
    const { link } = await auth.nextMail(email);
    expect(link.searchParams.get('redirect_to')).toBe(target);
    const forged = link.search.replace(/redirect_to=.*/, `redirect_to=${encodeURIComponent(wish)}`);
    const followed = await auth.call('GET', `/verify${forged}`);
    expect(followed.headers.get('location')?.startsWith(`${target}#access_token=`)).toBe(true);
    const byHeader = await auth.call('GET', '/verify?type=signup&token=none', { headers: { referer: wish } });
    expect(byHeader.headers.get('location')?.startsWith(`${target}#error=`)).toBe(true);
  });
});

it('resends what is open and says the same when nothing is', async () => {
  const email = 'again@example.com';
  await auth.call('POST', '/signup', { body: { email, password } });
  const resend = () => auth.call('POST', '/resend', { body: { type: 'signup', email } });
  expect((await resend()).text).toBe('{}');
  expect(await auth.mailCount(email)).toBe(2);
  await auth.nextMail(email);
  const { link } = await auth.nextMail(email);
  await auth.call('GET', `/verify${link.search}`);
  expect((await resend()).text).toBe('{}');
  expect(await auth.mailCount(email)).toBe(2);
});

it.each([
  ['signup', { email: 'nobody@example.com' }],
  ['signup', { email: 'settled@example.com' }],
  ['email_change', { email: 'nobody@example.com' }],
  ['email_change', { email: 'settled-too@example.com' }],
])('resends nothing of type %s to %j, and says so to nobody', async (type, body) => {
  if (body.email.startsWith('settled')) await confirmedUser(body.email);
  const before = await auth.mailCount(body.email);
  const { status, text } = await auth.call('POST', '/resend', { body: { type, ...body } });
  expect([status, text, await auth.mailCount(body.email)]).toEqual([200, '{}', before]);
});

it('says the same of a change that nobody asked for, however soon it is asked about again', async () => {
  const body = { type: 'email_change', email: 'no-change@example.com' };
  for (let n = 0; n < 2; n++) {
    const { status, text } = await auth.call('POST', '/resend', { body });
    expect([status, text]).toEqual([200, '{}']);
  }
});

describe('a link that lacks a part', () => {
  it.each([
    ['GET', '/verify?token=abc', {}, 'Verify requires a verification type'],
    ['GET', '/verify?type=signup', {}, 'Verify requires a token or a token hash'],
    ['POST', '/verify', { token_hash: 'abc' }, 'Verify requires a verification type'],
    ['POST', '/verify', { type: 'signup' }, 'Verify requires either a token or a token hash'],
    [
      'POST',
      '/verify',
      { type: 'signup', token: '1', token_hash: 'abc' },
      'Verify requires either a token or a token hash',
    ],
    [
      'POST',
      '/verify',
      { type: 'email', token: '123456' },
      'Only an email address or phone number should be provided on verify',
    ],
  ])('is answered by JSON, not by a redirect: %s %s %j', async (method, path, body, message) => {
    const { status, json, headers } = await auth.call(method, path, method === 'GET' ? {} : { body });
    expect([status, json.error_code, json.msg, headers.get('location')]).toEqual([
      400,
      'validation_failed',
      message,
      null,
    ]);
  });
});

it('stores only hashes of codes', async () => {
  const email = 'hashed@example.com';
  await auth.call('POST', '/otp', { body: { email } });
  const { code } = await auth.nextMail(email);
  const [row] = await auth.database.owner.query<{ hash: string; column: string }>(sql`
    select t.token_hash as hash, u.confirmation_token as column
    from auth.one_time_tokens t join auth.users u on u.id = t.user_id where u.email = ${email}`);
  const hash = createHash('sha224')
    .update(email + code)
    .digest('hex');
  expect(row).toEqual({ hash, column: hash });
});
