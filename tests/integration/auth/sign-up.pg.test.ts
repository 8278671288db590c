import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { startAuth } from '../../support/auth.ts';

const open = await startAuth({ env: { GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED: 'true' } });
const confirmed = await startAuth({ env: { GOTRUE_MAILER_AUTOCONFIRM: 'false' } });

const password = 'correct horse';

describe('signing up without confirmation', () => {
  it('answers with a session, and the token says what it is for', async () => {
    const answer = await open.call('POST', '/signup', {
      body: { email: 'Ann@Example.com', password, data: { name: 'Ann', nothing: null } },
    });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      token_type: 'bearer',
      expires_in: 3600,
      refresh_token: expect.stringMatching(/^[a-z2-7]{12}$/),
      user: {
        aud: 'authenticated',
        role: 'authenticated',
        email: 'ann@example.com',
        phone: '',
        app_metadata: { provider: 'email', providers: ['email'] },
        user_metadata: { name: 'Ann', email: 'ann@example.com', email_verified: true, phone_verified: false },
        email_confirmed_at: expect.stringMatching(/Z$/),
        is_anonymous: false,
        identities: [{ provider: 'email', email: 'ann@example.com' }],
      },
    });
    const claims = decodeJwt(answer.json.access_token);
    expect(claims).toEqual({
      iss: `${open.url}/auth/v1`,
      sub: answer.json.user.id,
      aud: 'authenticated',
      exp: answer.json.expires_at,
      iat: expect.any(Number),
      email: 'ann@example.com',
      phone: '',
      app_metadata: { provider: 'email', providers: ['email'] },
      user_metadata: answer.json.user.user_metadata,
      role: 'authenticated',
      aal: 'aal1',
      amr: [{ method: 'password', timestamp: expect.any(Number) }],
      session_id: expect.any(String),
      is_anonymous: false,
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('knows the address in whatever case it is written from then on', async () => {
    const written = { email: 'aNN@eXample.com', password };
    const signedIn = await open.call('POST', '/token?grant_type=password', { body: written });
    expect([signedIn.status, signedIn.json.user.email]).toEqual([200, 'ann@example.com']);
    await open.call('POST', '/recover', { body: { email: 'ANN@EXAMPLE.COM' } });
    expect(await open.mailCount('ann@example.com')).toBe(1);
  });

  it('refuses an address that is taken', async () => {
    const answer = await open.call('POST', '/signup', { body: { email: 'ANN@example.com', password } });
    expect([answer.status, answer.json]).toEqual([
      422,
      { code: 422, error_code: 'user_already_exists', msg: 'User already registered' },
    ]);
  });

  it('makes no anonymous users unless that is switched on', async () => {
    const { status, json } = await confirmed.call('POST', '/signup', { body: {} });
    expect([status, json.error_code, json.msg]).toEqual([
      422,
      'anonymous_provider_disabled',
      'Anonymous sign-ins are disabled',
    ]);
  });

  it('makes anonymous users', async () => {
    const answer = await open.call('POST', '/signup', { body: { data: { a: 1 } } });
    expect(answer.json.user).toMatchObject({
      is_anonymous: true,
      email: '',
      identities: [],
      app_metadata: {},
      user_metadata: { a: 1 },
    });
  });
});

describe('signing up with confirmation', () => {
  it('answers with a bare user and mails a link that signs in', async () => {
    const answer = await confirmed.call('POST', '/signup', { body: { email: 'bob@example.com', password } });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      email: 'bob@example.com',
      role: 'authenticated',
      confirmation_sent_at: expect.stringMatching(/Z$/),
    });
    expect(answer.json.access_token).toBeUndefined();
    expect(answer.json.identities).toHaveLength(1);
    const mail = await confirmed.nextMail('bob@example.com');
    expect(mail.link.pathname).toBe('/auth/v1/verify');
    const followed = await confirmed.call('GET', `/verify${mail.link.search}`);
    expect(followed.status).toBe(303);
    const location = followed.headers.get('location') ?? '';
    expect(location).toMatch(
      /^http:\/\/127\.0\.0\.1:3000#access_token=[^&]+&expires_at=\d+&expires_in=3600&refresh_token=[a-z2-7]{12}&sb=&token_type=bearer&type=signup$/,
    );
    const again = await confirmed.call('GET', `/verify${mail.link.search}`);
    expect(again.headers.get('location')).toBe(
      'http://127.0.0.1:3000#error=access_denied&error_code=otp_expired&error_description=Email+link+is+invalid+or+has+expired&sb=',
    );
  });

  it('refuses to sign in before, and only after the right password', async () => {
    await confirmed.call('POST', '/signup', { body: { email: 'eve@example.com', password } });
    const body = { email: 'eve@example.com', password };
    const wrong = await confirmed.call('POST', '/token?grant_type=password', {
      body: { ...body, password: 'x' },
    });
    expect(wrong.json).toMatchObject({ error_code: 'invalid_credentials' });
    const right = await confirmed.call('POST', '/token?grant_type=password', { body });
    expect(right.json).toEqual({
      code: 400,
      error_code: 'email_not_confirmed',
      msg: 'Email not confirmed',
    });
    const mail = await confirmed.nextMail('eve@example.com');
    const verified = await confirmed.call('POST', '/verify', {
      body: { type: 'signup', email: 'Eve@example.com', token: mail.code },
    });
    expect(verified.json.user.user_metadata.email_verified).toBe(true);
    expect((await confirmed.call('POST', '/token?grant_type=password', { body })).status).toBe(200);
  });

  it('answers for a taken address with a user of the same shape, and mails nothing', async () => {
    const email = 'carl@example.com';
    const first = await confirmed.call('POST', '/signup', { body: { email, password } });
    const mail = await confirmed.nextMail(email);
    await confirmed.call('GET', `/verify${mail.link.search}`);
    const second = await confirmed.call('POST', '/signup', { body: { email, password, data: { x: 1 } } });
    expect(second.status).toBe(200);
    expect(second.json).toMatchObject({ email, identities: [], role: '', user_metadata: { x: 1 } });
    expect(second.json.id).not.toBe(first.json.id);
    expect(Object.keys(second.json).sort()).toEqual(Object.keys(first.json).sort());
    expect(await confirmed.mailCount(email)).toBe(1);
  });

  it('is open to nobody where sign-ups are off, by whatever way', async () => {
    const closed = await startAuth({
      env: { GOTRUE_DISABLE_SIGNUP: 'true', GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED: 'true' },
    });
    for (const [path, body] of [
      ['/signup', { email: 'late@example.com', password }],
      ['/signup', {}],
      ['/otp', { email: 'late@example.com' }],
    ] as const) {
      const { status, json } = await closed.call('POST', path, { body });
      expect([status, json]).toEqual([
        422,
        { code: 422, error_code: 'signup_disabled', msg: 'Signups not allowed for this instance' },
      ]);
    }
  });

  it('ignores password and data of a second try before the confirmation', async () => {
    const email = 'dora@example.com';
    await confirmed.call('POST', '/signup', { body: { email, password, data: { a: 1 } } });
    const soon = await confirmed.call('POST', '/signup', { body: { email, password: 'another one' } });
    expect(soon.json).toMatchObject({
      error_code: 'over_email_send_rate_limit',
      msg: expect.stringMatching(/^For security purposes, you can only request this after \d+ seconds\.$/),
    });
    confirmed.clock.advance(2);
    await confirmed.call('POST', '/signup', { body: { email, password: 'another one' } });
    await confirmed.nextMail(email);
    const mail = await confirmed.nextMail(email);
    await confirmed.call('GET', `/verify${mail.link.search}`);
    const signIn = (secret: string) =>
      confirmed.call('POST', '/token?grant_type=password', { body: { email, password: secret } });
    expect((await signIn('another one')).status).toBe(400);
    expect((await signIn(password)).json.user.user_metadata).toMatchObject({ a: 1 });
  });
});

describe('refusals of sign-up', () => {
  it.each([
    [{ email: 'a@b.co' }, 400, 'validation_failed', 'Signup requires a valid password'],
    [
      { email: 'a@b.co', phone: '1', password },
      400,
      'validation_failed',
      'Only an email address or phone number should be provided on signup.',
    ],
    [
      { email: 'nonsense', password },
      400,
      'validation_failed',
      'Unable to validate email address: invalid format',
    ],
    [{ phone: '15550001', password }, 400, 'phone_provider_disabled', 'Phone signups are disabled'],
    [
      { email: 'a@b.co', password: `${'ä'.repeat(36)}a` },
      400,
      'validation_failed',
      'Password cannot be longer than 72 characters',
    ],
    [
      { email: 'a@b.co', password, code_challenge: 'x' },
      400,
      'validation_failed',
      'PKCE flow requires code_challenge_method and code_challenge',
    ],
  ])('%j', async (body, status, code, message) => {
    const headers = { 'x-supabase-api-version': '2024-01-01' };
    const answer = await open.call('POST', '/signup', { body, headers });
    expect([answer.status, answer.json]).toEqual([status, { code, message }]);
    expect(answer.headers.get('x-supabase-api-version')).toBe('2024-01-01');
    expect(answer.headers.get('x-sb-error-code')).toBe(code);
  });

  it('names why a password is weak, in both envelopes', async () => {
    const body = { email: 'a@b.co', password: 'short' };
    const message = 'Password should be at least 6 characters.';
    const weak_password = { reasons: ['length'] };
    const old = await open.call('POST', '/signup', { body });
    expect([old.status, old.json]).toEqual([
      422,
      { code: 422, error_code: 'weak_password', msg: message, weak_password },
    ]);
    const headers = { 'x-supabase-api-version': '2024-01-01' };
    const now = await open.call('POST', '/signup', { body, headers });
    expect(now.json).toEqual({ code: 'weak_password', message, weak_password });
  });

  it('takes 72 bytes', async () => {
    const body = { email: 'long@example.com', password: 'ä'.repeat(36) };
    expect((await open.call('POST', '/signup', { body })).status).toBe(200);
  });

  it('refuses bodies that are not JSON or too large', async () => {
    expect((await open.call('POST', '/signup', { body: '' })).json).toMatchObject({ error_code: 'bad_json' });
    expect((await open.call('POST', '/signup', { body: '{' })).json).toMatchObject({
      error_code: 'bad_json',
    });
    const large = await open.call('POST', '/signup', { body: { email: 'x'.repeat(1024 * 1024) } });
    expect([large.status, large.json.error_code]).toEqual([413, 'request_entity_too_large']);
  });
});

describe('a trigger of the project on auth.users', () => {
  it('that raises leaves no user behind', async () => {
    const { owner } = open.database;
    await owner.exec(`
      create function public.refuse() returns trigger language plpgsql as $$
      begin
        if new.email like 'refused%' then raise exception 'not you' using hint = 'go away'; end if;
        return new;
      end $$;
      create trigger refuse after insert on auth.users for each row execute function public.refuse();`);
    const body = { email: 'refused@example.com', password };
    const headers = { 'x-supabase-api-version': '2024-01-01' };
    const answer = await open.call('POST', '/signup', { body, headers });
    expect([answer.status, answer.json]).toEqual([
      500,
      { code: 'unexpected_failure', message: 'Database error saving new user' },
    ]);
    const old = await open.call('POST', '/signup', { body });
    expect([old.status, old.json]).toEqual([500, { code: 'P0001', message: 'not you', hint: 'go away' }]);
    const { text, values } = { text: `select 1 from auth.users where email like 'refused%'`, values: [] };
    expect(await owner.query({ text, values })).toEqual([]);
  });
});
