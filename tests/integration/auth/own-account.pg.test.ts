import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { type AuthInstance, startAuth } from '../../support/auth.ts';

const quick = { GOTRUE_MAILER_AUTOCONFIRM: 'false', GOTRUE_SMTP_MAX_FREQUENCY: '0s' };
const auth = await startAuth({ env: quick });
const careful = await startAuth({
  env: {
    ...quick,
    GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION: 'true',
    GOTRUE_MAILER_OTP_EXP: '600',
  },
});
const asking = await startAuth({
  env: { ...quick, GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_CURRENT_PASSWORD: 'true' },
});
const single = await startAuth({
  env: { ...quick, GOTRUE_MAILER_SECURE_EMAIL_CHANGE_ENABLED: 'false' },
});
const open = await startAuth({
  env: { GOTRUE_SMTP_MAX_FREQUENCY: '0s', GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED: 'true' },
});
const anonymous = await startAuth({ env: { ...quick, GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED: 'true' } });

const password = 'correct horse';
let people = 0;
const someone = (): string => `own${++people}@example.com`;
const signIn = (instance: AuthInstance, email: string, secret = password) =>
  instance.call('POST', '/token?grant_type=password', { body: { email, password: secret } });
const change = (instance: AuthInstance, token: string, body: object) =>
  instance.call('PUT', '/user', { token, body });

async function member(instance: AuthInstance, email = someone()) {
  const body = { email, password, email_confirm: true };
  await instance.call('POST', '/admin/users', { token: instance.serviceKey, body });
  return { email, token: (await signIn(instance, email)).json.access_token as string };
}

describe('metadata of one’s own', () => {
  it('is merged, and a null takes a key away', async () => {
    const { token } = await member(auth);
    await change(auth, token, { data: { a: 1, b: { c: 2 } } });
    const { json } = await change(auth, token, { data: { a: null, d: [3] } });
    expect(json.user_metadata).toEqual({ email_verified: true, b: { c: 2 }, d: [3] });
  });

  it('of the app is not one’s own', async () => {
    const { token } = await member(auth);
    const { status, json } = await change(auth, token, { app_metadata: { role: 'admin' } });
    expect([status, json.error_code]).toEqual([403, 'not_admin']);
  });
});

describe('a new password', () => {
  it('ends all sessions but the one that sets it', async () => {
    const { email, token } = await member(auth);
    const other = (await signIn(auth, email)).json;
    expect((await change(auth, token, { password: 'another horse' })).status).toBe(200);
    expect((await auth.call('GET', '/user', { token })).status).toBe(200);
    const gone = await auth.call('GET', '/user', { token: other.access_token });
    expect([gone.status, gone.json.error_code]).toEqual([403, 'session_not_found']);
    const refreshed = await auth.call('POST', '/token?grant_type=refresh_token', {
      body: { refresh_token: other.refresh_token },
    });
    expect(refreshed.json.error_code).toBe('refresh_token_not_found');
  });

  it('needs a code from the mail when the session is more than a day old', async () => {
    const { email, token } = await member(careful);
    expect((await change(careful, token, { password: 'another horse' })).status).toBe(200);
    careful.clock.advance(86_401);
    const fresh = await careful.sign({ ...decodeJwt(token), exp: 9e9 });
    const refused = await change(careful, fresh, { password: 'a third horse' });
    expect([refused.status, refused.json.error_code]).toEqual([400, 'reauthentication_needed']);
    expect((await careful.call('GET', '/reauthenticate', { token: fresh })).text).toBe('{}');
    const { code, subject } = await careful.nextMail(email);
    expect(subject).toBe(`${code} is your verification code`);
    const wrong = await change(careful, fresh, { password: 'a third horse', nonce: `${code}0` });
    expect([wrong.status, wrong.json.error_code]).toEqual([422, 'reauthentication_not_valid']);
    const right = await change(careful, fresh, { password: 'a third horse', nonce: code });
    expect(right.status).toBe(200);
    const again = await change(careful, fresh, { password: 'a fourth horse', nonce: code });
    expect(again.json.error_code).toBe('reauthentication_not_valid');
    expect((await signIn(careful, email, 'a third horse')).status).toBe(200);
  });

  it('is not set by a code that is too old', async () => {
    const { email, token } = await member(careful);
    careful.clock.advance(86_401);
    const fresh = await careful.sign({ ...decodeJwt(token), exp: 9e9 });
    await careful.call('GET', '/reauthenticate', { token: fresh });
    const { code } = await careful.nextMail(email);
    careful.clock.advance(601);
    const late = await change(careful, fresh, { password: 'another horse', nonce: code });
    expect(late.json.error_code).toBe('reauthentication_not_valid');
  });

  it('needs the current one where the project says so, except after a recovery', async () => {
    const { email, token } = await member(asking);
    const none = await change(asking, token, { password: 'another horse' });
    expect([none.status, none.json.error_code]).toEqual([400, 'current_password_required']);
    const wrong = await change(asking, token, { password: 'another horse', current_password: 'wrong' });
    expect([wrong.status, wrong.json.error_code]).toEqual([400, 'current_password_invalid']);
    const right = await change(asking, token, { password: 'another horse', current_password: password });
    expect(right.status).toBe(200);
    await asking.call('POST', '/recover', { body: { email } });
    const { code } = await asking.nextMail(email);
    const { json } = await asking.call('POST', '/verify', { body: { type: 'recovery', email, token: code } });
    expect((await change(asking, json.access_token, { password: 'a third horse' })).status).toBe(200);
  });

  it('is not the old one, and none that is weak', async () => {
    const { token } = await member(auth);
    const same = await change(auth, token, { password });
    expect([same.status, same.json.error_code]).toEqual([422, 'same_password']);
    const weak = await change(auth, token, { password: 'abc' });
    expect([weak.status, weak.json.weak_password]).toEqual([422, { reasons: ['length'] }]);
  });
});

describe('a new address', () => {
  it('is confirmed by itself alone where one confirmation is enough', async () => {
    const { email, token } = await member(single);
    const next = someone();
    const asked = await change(single, token, { email: next });
    expect(asked.json).toMatchObject({ email, new_email: next });
    expect(await single.mailCount(email)).toBe(0);
    const { link } = await single.nextMail(next);
    await single.call('GET', `/verify${link.search}`);
    expect((await signIn(single, next)).json.user).toMatchObject({ email: next });
    expect((await signIn(single, email)).status).toBe(400);
  });

  it('still needs its mails where sign-ups need none', async () => {
    const { email, token } = await member(open);
    const next = someone();
    expect((await change(open, token, { email: next })).json).toMatchObject({ email, new_email: next });
    expect(await open.mailCount(next)).toBe(1);
  });

  it('is asked for again on request, by the old one', async () => {
    const { email, token } = await member(auth);
    const next = someone();
    await change(auth, token, { email: next });
    await auth.nextMail(next);
    const body = { type: 'email_change', email };
    expect((await auth.call('POST', '/resend', { body })).text).toBe('{}');
    const { link } = await auth.nextMail(next);
    const { headers } = await auth.call('GET', `/verify${link.search}`);
    expect(headers.get('location')).toContain('#message=Confirmation+link+accepted');
  });

  it('makes an anonymous user permanent, at once where nothing must be confirmed', async () => {
    const { json } = await open.call('POST', '/signup', { body: {} });
    const email = someone();
    const named = await change(open, json.access_token, { email, password });
    expect(named.json).toMatchObject({ email, is_anonymous: false, identities: [{ provider: 'email' }] });
    expect((await signIn(open, email)).json.user.id).toBe(json.user.id);
  });

  it('makes an anonymous user permanent once it is confirmed', async () => {
    const { json } = await anonymous.call('POST', '/signup', { body: {} });
    const email = someone();
    const asked = await change(anonymous, json.access_token, { email });
    expect(asked.json).toMatchObject({ email: '', new_email: email, is_anonymous: true });
    const { code } = await anonymous.nextMail(email);
    const verified = await anonymous.call('POST', '/verify', {
      body: { type: 'email_change', email, token: code },
    });
    expect(verified.json.user).toMatchObject({ id: json.user.id, email, is_anonymous: false });
  });

  it('comes before a password for who is anonymous', async () => {
    const { json } = await open.call('POST', '/signup', { body: {} });
    const refused = await change(open, json.access_token, { password: 'another horse' });
    expect([refused.status, refused.json.msg]).toEqual([
      422,
      'Updating password of an anonymous user without an email or phone is not allowed',
    ]);
  });
});
