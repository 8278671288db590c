import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';

/** What the provider of messages was asked, and whether it takes them. */
let messages: { to: string; body: string }[] = [];
let takesMessages = true;
const provider: typeof fetch = (_url, init) => {
  const form = new URLSearchParams(String(init?.body));
  messages.push({ to: form.get('To') ?? '', body: form.get('Body') ?? '' });
  return Promise.resolve(
    takesMessages
      ? Response.json({ sid: 'SM1', status: 'queued' }, { status: 201 })
      : Response.json({ message: 'no route' }, { status: 400 }),
  );
};
const twilio = {
  GOTRUE_SMS_PROVIDER: 'twilio',
  GOTRUE_SMS_TWILIO_ACCOUNT_SID: 'AC1',
  GOTRUE_SMS_TWILIO_AUTH_TOKEN: 'token',
  GOTRUE_SMS_TWILIO_MESSAGE_SERVICE_SID: '15550001111',
};
const switches = {
  GOTRUE_MFA_PHONE_ENROLL_ENABLED: 'true',
  GOTRUE_MFA_PHONE_VERIFY_ENABLED: 'true',
};
const auth = await startAuth({
  env: {
    ...twilio,
    ...switches,
    GOTRUE_MFA_PHONE_OTP_LENGTH: '8',
    GOTRUE_MFA_PHONE_TEMPLATE: 'Code {{ .Code }} of Example',
    GOTRUE_MFA_PHONE_MAX_FREQUENCY: '10s',
  },
  fetch: provider,
});
const off = await startAuth({ env: twilio, fetch: provider });

beforeEach(() => {
  messages = [];
  takesMessages = true;
});

const password = 'correct horse';
let people = 0;
const signUp = async () =>
  (await auth.call('POST', '/signup', { body: { email: `sim${++people}@example.com`, password } })).json;
const signIn = async (email: string) =>
  (await auth.call('POST', '/token?grant_type=password', { body: { email, password } })).json;
const enroll = (token: string, phone: string, friendly_name = phone) =>
  auth.call('POST', '/factors', { token, body: { factor_type: 'phone', phone, friendly_name } });
const challenge = (token: string, factor: string, body: object = {}) =>
  auth.call('POST', `/factors/${factor}/challenge`, { token, body });
const answer = (token: string, factor: string, challenge_id: string, code: string) =>
  auth.call('POST', `/factors/${factor}/verify`, { token, body: { challenge_id, code } });
const lastCode = (): string => /\d+/.exec(messages.at(-1)?.body ?? '')?.[0] ?? '';

async function secure(token: string, phone: string) {
  const factor = (await enroll(token, phone)).json;
  const asked = (await challenge(token, factor.id)).json;
  const reply = await answer(token, factor.id, asked.id, lastCode());
  auth.clock.advance(11);
  return { factor, asked, reply };
}

describe('a phone as second factor', () => {
  it('is sent a code in the words of the project', async () => {
    const { access_token: token } = await signUp();
    const enrolled = await enroll(token, '+1 555 111 2222', 'my phone');
    expect([enrolled.status, enrolled.json]).toEqual([
      200,
      {
        id: expect.any(String),
        type: 'phone',
        friendly_name: 'my phone',
        phone: '+1 555 111 2222',
      },
    ]);
    expect(messages).toEqual([]);
    const asked = await challenge(token, enrolled.json.id);
    expect([asked.status, asked.json.type]).toEqual([200, 'phone']);
    expect(messages).toEqual([
      { to: '+15551112222', body: expect.stringMatching(/^Code \d{8} of Example$/) },
    ]);
  });

  it('raises the session, which then says how', async () => {
    const { access_token, user } = await signUp();
    const { factor, reply } = await secure(access_token, '15551112201');
    expect(reply.status).toBe(200);
    expect(decodeJwt(reply.json.access_token)).toMatchObject({
      aal: 'aal2',
      amr: [{ method: 'mfa/phone' }, { method: 'password' }],
    });
    expect(reply.json.user.factors).toMatchObject([
      { id: factor.id, factor_type: 'phone', status: 'verified', phone: '15551112201' },
    ]);
    const weak = (await signIn(user.email)).access_token;
    expect(decodeJwt(weak).aal).toBe('aal1');
    const asked = (await challenge(weak, factor.id)).json;
    const raised = await answer(weak, factor.id, asked.id, lastCode());
    expect(decodeJwt(raised.json.access_token).aal).toBe('aal2');
  });

  it('is asked no more often than the project says', async () => {
    const { access_token: token } = await signUp();
    const factor = (await enroll(token, '15551112202')).json;
    expect((await challenge(token, factor.id)).status).toBe(200);
    const soon = await challenge(token, factor.id);
    expect([soon.status, soon.json.error_code]).toEqual([429, 'over_sms_send_rate_limit']);
    expect(soon.json.msg).toMatch(/^For security purposes, you can only request this after \d+ seconds\.$/);
    auth.clock.advance(11);
    expect((await challenge(token, factor.id)).status).toBe(200);
    expect(messages).toHaveLength(2);
  });

  it('refuses a wrong code, and one that was used', async () => {
    const { access_token } = await signUp();
    const { factor, asked, reply } = await secure(access_token, '15551112203');
    const token = reply.json.access_token;
    const used = await answer(token, factor.id, asked.id, lastCode());
    expect([used.status, used.json.error_code]).toEqual([422, 'mfa_ip_address_mismatch']);
    const newer = (await challenge(token, factor.id)).json;
    const code = lastCode();
    const wrong = await answer(token, factor.id, newer.id, code === '00000000' ? '11111111' : '00000000');
    expect([wrong.status, wrong.json.error_code, wrong.json.msg]).toEqual([
      422,
      'mfa_verification_failed',
      'Invalid MFA Phone code entered',
    ]);
    expect((await answer(token, factor.id, newer.id, '')).json.msg).toBe('Code needs to be non-empty');
    expect((await answer(token, factor.id, newer.id, code)).status).toBe(200);
  });

  it('refuses a code that is too old', async () => {
    const { access_token: token } = await signUp();
    const factor = (await enroll(token, '15551112204')).json;
    const asked = (await challenge(token, factor.id)).json;
    auth.clock.advance(301);
    const late = await answer(token, factor.id, asked.id, lastCode());
    expect([late.status, late.json.error_code]).toEqual([422, 'mfa_challenge_expired']);
  });

  it('is a factor of its number once; a number that was not verified makes room', async () => {
    const { access_token: token } = await signUp();
    const first = (await enroll(token, '15551112205', 'first')).json;
    const second = (await enroll(token, '15551112205', 'second')).json;
    expect((await challenge(token, first.id)).status).toBe(404);
    const asked = (await challenge(token, second.id)).json;
    const raised = await answer(token, second.id, asked.id, lastCode());
    const again = await enroll(raised.json.access_token, '15551112205', 'third');
    expect([again.status, again.json.error_code]).toEqual([422, 'mfa_verified_factor_exists']);
  });

  it.each([
    ['', 'Phone number required to enroll Phone factor'],
    ['no phone', 'Invalid phone number format (E.164 required)'],
  ])('is none when its number is %j', async (phone, message) => {
    const { access_token: token } = await signUp();
    const { status, json } = await enroll(token, phone, 'x');
    expect([status, json.error_code, json.msg]).toEqual([400, 'validation_failed', message]);
  });

  it('is not asked by a channel that the provider lacks', async () => {
    const { access_token: token } = await signUp();
    const factor = (await enroll(token, '15551112206')).json;
    const { status, json } = await challenge(token, factor.id, { channel: 'pigeon' });
    expect([status, json.error_code]).toEqual([400, 'validation_failed']);
    expect(messages).toEqual([]);
  });

  it('has no challenge when the provider does not take the message', async () => {
    const { access_token: token } = await signUp();
    const factor = (await enroll(token, '15551112207')).json;
    takesMessages = false;
    const failed = await challenge(token, factor.id);
    expect([failed.status, failed.json.error_code]).toEqual([500, 'unexpected_failure']);
    expect(failed.text).not.toContain('no route');
    const rows = await auth.database.owner.query(sql`
      select from auth.mfa_challenges where factor_id = ${factor.id}`);
    expect(rows).toEqual([]);
    takesMessages = true;
    expect((await challenge(token, factor.id)).status).toBe(200);
  });

  it('is challenged from one address and answered from the same', async () => {
    const { access_token: token } = await signUp();
    const factor = (await enroll(token, '15551112208')).json;
    const asked = (await challenge(token, factor.id)).json;
    await auth.database.owner.query(sql`
      update auth.mfa_challenges set ip_address = '192.0.2.7' where id = ${asked.id}`);
    const elsewhere = await answer(token, factor.id, asked.id, lastCode());
    expect([elsewhere.status, elsewhere.json.error_code]).toEqual([422, 'mfa_ip_address_mismatch']);
  });

  it('is off unless it is switched on', async () => {
    const { json } = await off.call('POST', '/signup', { body: { email: 'off@example.com', password } });
    const refused = await off.call('POST', '/factors', {
      token: json.access_token,
      body: { factor_type: 'phone', phone: '15551112209', friendly_name: 'x' },
    });
    expect([refused.status, refused.json.error_code]).toEqual([422, 'mfa_phone_enroll_not_enabled']);
  });
});
