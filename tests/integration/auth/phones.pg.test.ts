import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { startAuth } from '../../support/auth.ts';

/** What the provider of messages was asked. */
let messages: { to: string; body: string }[] = [];
let takesMessages = true;
const provider: typeof fetch = (_url, init) => {
  const form = new URLSearchParams(String(init?.body));
  messages.push({ to: form.get('To') ?? '', body: form.get('Body') ?? '' });
  return Promise.resolve(
    takesMessages
      ? Response.json({ sid: `SM${messages.length}`, status: 'queued' }, { status: 201 })
      : Response.json({ code: 21211, message: 'no such number', more_info: 'x' }, { status: 400 }),
  );
};
const env = {
  GOTRUE_EXTERNAL_PHONE_ENABLED: 'true',
  GOTRUE_SMS_AUTOCONFIRM: 'false',
  GOTRUE_MAILER_AUTOCONFIRM: 'false',
  GOTRUE_SMS_PROVIDER: 'twilio',
  GOTRUE_SMS_TWILIO_ACCOUNT_SID: 'AC1',
  GOTRUE_SMS_TWILIO_AUTH_TOKEN: 'token',
  GOTRUE_SMS_TWILIO_MESSAGE_SERVICE_SID: '15550001111',
  GOTRUE_SMS_TEMPLATE: 'Code {{ .Code }}',
  GOTRUE_SMS_OTP_EXP: '60',
  GOTRUE_SMS_MAX_FREQUENCY: '5s',
};
const auth = await startAuth({ env, fetch: provider });
const tests = await startAuth({
  env: {
    ...env,
    GOTRUE_SMS_TEST_OTP: '15550009999:000042',
    GOTRUE_SMS_TEST_OTP_VALID_UNTIL: new Date(Date.now() + 3_600_000).toISOString(),
  },
  fetch: provider,
});
const forever = await startAuth({
  env: { ...env, GOTRUE_SMS_TEST_OTP: '15550008888:000007' },
  fetch: provider,
});
const open = await startAuth({ env: { ...env, GOTRUE_SMS_AUTOCONFIRM: 'true' }, fetch: provider });
const limited = await startAuth({ env: { ...env, GOTRUE_RATE_LIMIT_SMS_SENT: '2' }, fetch: provider });

beforeEach(() => {
  messages = [];
  takesMessages = true;
});

const password = 'correct horse';
let numbers = 15_551_230_000;
const someNumber = (): string => String(++numbers);
const lastCode = (): string => /\d+/.exec(messages.at(-1)?.body ?? '')?.[0] ?? '';
const post = (path: string, body: object, instance = auth) => instance.call('POST', path, { body });
const verify = (phone: string, token: string, type = 'sms', instance = auth) =>
  post('/verify', { type, phone, token }, instance);

/** Somebody with a confirmed number. */
async function member(phone: string) {
  await post('/signup', { phone, password });
  const { json } = await verify(phone, lastCode());
  auth.clock.advance(6);
  return json;
}

describe('a sign-up with a phone', () => {
  it('is confirmed by the code of a message', async () => {
    const phone = someNumber();
    const made = await post('/signup', { phone: `+${phone}`, password, data: { name: 'Ann' } });
    expect([made.status, made.json]).toMatchObject([
      200,
      {
        phone,
        email: '',
        app_metadata: { provider: 'phone', providers: ['phone'] },
        user_metadata: { name: 'Ann', phone_verified: false },
        identities: [{ provider: 'phone' }],
        confirmation_sent_at: expect.any(String),
      },
    ]);
    expect(made.json.access_token).toBeUndefined();
    expect(messages).toEqual([{ to: `+${phone}`, body: expect.stringMatching(/^Code \d{6}$/) }]);
    const early = await post('/token?grant_type=password', { phone, password });
    expect([early.status, early.json.error_code]).toEqual([400, 'phone_not_confirmed']);
    const verified = await verify(`+${phone}`, lastCode());
    expect([verified.status, verified.json.user]).toMatchObject([
      200,
      { phone, phone_confirmed_at: expect.any(String) },
    ]);
    expect(decodeJwt(verified.json.access_token)).toMatchObject({ phone, amr: [{ method: 'otp' }] });
    const again = await verify(phone, lastCode());
    expect([again.status, again.json.error_code]).toEqual([403, 'otp_expired']);
    expect((await post('/token?grant_type=password', { phone, password })).status).toBe(200);
  });

  it('signs in at once where numbers are not confirmed', async () => {
    const phone = someNumber();
    const { json } = await post('/signup', { phone, password }, open);
    expect(json.user).toMatchObject({ phone, phone_confirmed_at: expect.any(String) });
    expect(messages).toEqual([]);
  });

  it('of a number that has an account mails nothing, and tells nothing', async () => {
    const phone = someNumber();
    const { user } = await member(phone);
    messages = [];
    const again = await post('/signup', { phone, password: 'another one' });
    expect([again.status, again.json]).toMatchObject([200, { phone, identities: [] }]);
    expect(again.json.id).not.toBe(user.id);
    expect(messages).toEqual([]);
  });

  it('whose message the provider refuses leaves no account behind', async () => {
    const phone = someNumber();
    takesMessages = false;
    const refused = await post('/signup', { phone, password });
    expect([refused.status, refused.json.error_code]).toEqual([422, 'sms_send_failed']);
    expect(refused.json.msg).toMatch(/^Error sending confirmation OTP to provider: /);
    takesMessages = true;
    expect((await post('/signup', { phone, password })).json.identities).toHaveLength(1);
  });

  it.each([
    [{ phone: '123-456', password }, 'Invalid phone number format (E.164 required)'],
    [
      { phone: '15551239999', password, channel: 'pigeon' },
      "Invalid channel, supported values are 'sms' or 'whatsapp'. 'whatsapp' is only supported if Twilio or Twilio Verify is used as the provider.",
    ],
    [
      { phone: '15551239999', password, code_challenge: 'x'.repeat(43), code_challenge_method: 's256' },
      'PKCE not supported for phone signups',
    ],
  ])('is refused with %j', async (body, message) => {
    const { status, json } = await post('/signup', body);
    expect([status, json.error_code, json.msg]).toEqual([400, 'validation_failed', message]);
    expect(messages).toEqual([]);
  });
});

describe('a code by message', () => {
  it('signs up who is new and in who is known', async () => {
    const phone = someNumber();
    expect((await post('/otp', { phone })).json).toEqual({});
    const first = (await verify(phone, lastCode())).json;
    auth.clock.advance(6);
    const asked = await post('/otp', { phone });
    expect(asked.json).toEqual({ message_id: expect.stringMatching(/^SM\d+$/) });
    const second = (await verify(phone, lastCode())).json;
    expect(second.user.id).toBe(first.user.id);
  });

  it('is not sent to strangers when users may not be created', async () => {
    const { status, json } = await post('/otp', { phone: someNumber(), create_user: false });
    expect([status, json.error_code]).toEqual([422, 'otp_disabled']);
    expect(messages).toEqual([]);
  });

  it('is sent no more often than the project says', async () => {
    const phone = someNumber();
    await post('/otp', { phone });
    const soon = await post('/otp', { phone });
    expect([soon.status, soon.json.error_code]).toEqual([429, 'over_sms_send_rate_limit']);
    expect(soon.json.msg).toMatch(/^For security purposes, you can only request this after \d seconds\.$/);
    expect(messages).toHaveLength(1);
  });

  it('holds for as long as the project says, and no longer', async () => {
    const [first, second] = [someNumber(), someNumber()];
    await post('/otp', { phone: first });
    const code = lastCode();
    auth.clock.advance(55);
    expect((await verify(first, code)).status).toBe(200);
    await post('/otp', { phone: second });
    auth.clock.advance(61);
    const late = await verify(second, lastCode());
    expect([late.status, late.json.error_code]).toEqual([403, 'otp_expired']);
  });

  it('of another number, or a wrong one, is refused', async () => {
    const [mine, hers] = [someNumber(), someNumber()];
    await post('/otp', { phone: mine });
    const code = lastCode();
    await post('/otp', { phone: hers });
    expect((await verify(hers, code === lastCode() ? '000000x' : code)).status).toBe(403);
    expect((await verify(mine, code)).status).toBe(200);
  });

  it('is sent again on request, while something is open', async () => {
    const phone = someNumber();
    expect((await post('/resend', { type: 'sms', phone })).json).toEqual({});
    expect(messages).toEqual([]);
    await post('/signup', { phone, password });
    auth.clock.advance(6);
    expect((await post('/resend', { type: 'sms', phone })).json).toEqual({ message_id: 'SM2' });
    expect((await verify(phone, lastCode())).status).toBe(200);
    auth.clock.advance(6);
    expect((await post('/resend', { type: 'sms', phone })).json).toEqual({});
    auth.clock.advance(6);
    for (const number of [phone, someNumber()]) {
      for (let n = 0; n < 2; n++) {
        expect((await post('/resend', { type: 'phone_change', phone: number })).json).toEqual({});
      }
    }
    expect(messages).toHaveLength(2);
  });

  it('is no longer sent when the whole project has sent too many', async () => {
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push(await post('/otp', { phone: someNumber() }, limited));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers[2]?.json).toMatchObject({
      error_code: 'over_sms_send_rate_limit',
      msg: 'SMS rate limit exceeded',
    });
  });
});

describe('a number for tests', () => {
  it('has the code of the configuration, zeros and all, and no message', async () => {
    const phone = '15550009999';
    expect((await post('/otp', { phone }, tests)).json).toEqual({});
    expect(messages).toEqual([]);
    const { status, json } = await verify(phone, '000042', 'sms', tests);
    expect([status, json.user.phone]).toEqual([200, phone]);
    tests.clock.advance(6);
    expect((await post('/otp', { phone }, tests)).json).toEqual({ message_id: 'test-otp' });
    expect((await verify(phone, '42', 'sms', tests)).status).toBe(403);
  });

  it('may be one for good', async () => {
    const phone = '15550008888';
    forever.clock.advance(365 * 86_400);
    await post('/otp', { phone }, forever);
    expect((await verify(phone, '000007', 'sms', forever)).json.user.phone).toBe(phone);
    expect(messages).toEqual([]);
  });

  it('is one like others when its time is over', async () => {
    tests.clock.advance(3_700);
    await post('/otp', { phone: '15550009999' }, tests);
    expect(messages).toHaveLength(1);
    expect((await verify('15550009999', lastCode(), 'sms', tests)).status).toBe(200);
  });
});

describe('a change of number', () => {
  it('is confirmed by a code to the new one', async () => {
    const [before, after] = [someNumber(), someNumber()];
    const { access_token: token } = await member(before);
    const asked = await auth.call('PUT', '/user', { token, body: { phone: `+${after}` } });
    expect([asked.status, asked.json]).toMatchObject([200, { phone: before, new_phone: after }]);
    expect(messages.at(-1)?.to).toBe(`+${after}`);
    const verified = await verify(after, lastCode(), 'phone_change');
    expect(verified.json.user).toMatchObject({ phone: after, identities: [{ provider: 'phone' }] });
    expect(verified.json.user.new_phone).toBeUndefined();
    expect((await post('/token?grant_type=password', { phone: after, password })).status).toBe(200);
    expect((await post('/token?grant_type=password', { phone: before, password })).status).toBe(400);
  });

  it('is asked for again on request', async () => {
    const [before, after] = [someNumber(), someNumber()];
    const { access_token: token } = await member(before);
    await auth.call('PUT', '/user', { token, body: { phone: after } });
    auth.clock.advance(6);
    const again = await post('/resend', { type: 'phone_change', phone: before });
    expect(again.json).toEqual({ message_id: expect.any(String) });
    expect(messages.at(-1)?.to).toBe(`+${after}`);
    expect((await verify(after, lastCode(), 'phone_change')).status).toBe(200);
  });

  it('to one that has an account is refused', async () => {
    const [hers, mine] = [someNumber(), someNumber()];
    await member(hers);
    const { access_token: token } = await member(mine);
    const { status, json } = await auth.call('PUT', '/user', { token, body: { phone: hers } });
    expect([status, json.error_code]).toEqual([422, 'phone_exists']);
  });
});
