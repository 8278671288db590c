import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { totpCode, totpStep } from '../../../src/auth/mfa/totp.ts';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';

/** What the project's URLs were asked, by the name of the hook, and what they answer. */
type Body = Record<string, unknown> & { readonly metadata: { readonly name: string } };
let asked: Body[] = [];
let answer: (body: Body) => Response | Promise<Response> = () => new Response(null, { status: 204 });
const project: typeof fetch = (_url, init) => {
  const body = JSON.parse(String(init?.body)) as Body;
  asked.push(body);
  return Promise.resolve(answer(body));
};
const hook = (name: string) => ({
  [`GOTRUE_HOOK_${name}_ENABLED`]: 'true',
  [`GOTRUE_HOOK_${name}_URI`]: `https://project.test/${name}`,
  [`GOTRUE_HOOK_${name}_SECRETS`]: `v1,whsec_${Buffer.from('a secret of the project').toString('base64')}`,
});
const auth = await startAuth({
  env: {
    ...hook('SEND_EMAIL'),
    ...hook('SEND_SMS'),
    ...hook('AFTER_USER_CREATED'),
    ...hook('MFA_VERIFICATION_ATTEMPT'),
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
    GOTRUE_SMTP_MAX_FREQUENCY: '0s',
    GOTRUE_EXTERNAL_PHONE_ENABLED: 'true',
    GOTRUE_SMS_AUTOCONFIRM: 'false',
    GOTRUE_SMS_MAX_FREQUENCY: '0s',
    GOTRUE_MFA_TOTP_ENROLL_ENABLED: 'true',
    GOTRUE_MFA_TOTP_VERIFY_ENABLED: 'true',
  },
  fetch: project,
});
const claims = await startAuth({ env: hook('CUSTOM_ACCESS_TOKEN'), fetch: project });

beforeEach(() => {
  asked = [];
  answer = () => new Response(null, { status: 204 });
});

const password = 'correct horse';
let people = 0;
const someone = (): string => `kind${++people}@example.com`;
const post = (path: string, body: object) => auth.call('POST', path, { body });
const of = (name: string): Body[] => asked.filter(({ metadata }) => metadata.name === name);
type Mail = {
  readonly token: string;
  readonly token_hash: string;
  readonly token_new: string;
  readonly token_hash_new: string;
};
const mails = () =>
  of('send-email').map(({ email_data }) => email_data as Mail & { email_action_type: string });

async function member() {
  const email = someone();
  const body = { email, password, email_confirm: true };
  await auth.call('POST', '/admin/users', { token: auth.serviceKey, body });
  const { json } = await post('/token?grant_type=password', { email, password });
  asked = [];
  return { email, token: json.access_token as string, user: json.user };
}

describe('the hook for mails', () => {
  it('is told what each mail is for', async () => {
    const { email, token } = await member();
    const stranger = someone();
    await post('/signup', { email: stranger, password });
    await post('/recover', { email });
    await post('/magiclink', { email });
    await auth.call('GET', '/reauthenticate', { token });
    await auth.call('POST', '/invite', { token: auth.serviceKey, body: { email: someone() } });
    expect(mails().map(({ email_action_type }) => email_action_type)).toEqual([
      'signup',
      'recovery',
      'magiclink',
      'reauthentication',
      'invite',
    ]);
    expect(await auth.mailCount(stranger)).toBe(0);
  });

  it('is given both codes of a change, the hashes crossed over', async () => {
    const { email, token } = await member();
    const next = someone();
    await auth.call('PUT', '/user', { token, body: { email: next } });
    const [mail] = mails();
    expect(mail).toMatchObject({ email_action_type: 'email_change' });
    const verify = (token_hash: string | undefined) => post('/verify', { type: 'email_change', token_hash });
    const byCode = await post('/verify', { type: 'email_change', email, token: mail?.token });
    expect([byCode.status, byCode.json.code]).toEqual([200, '200']);
    // What is called the new hash belongs to the current address, and that one is spent.
    expect((await verify(mail?.token_hash_new)).status).toBe(403);
    expect((await verify(mail?.token_hash)).json.user.email).toBe(next);
  });
});

describe('the hook for messages', () => {
  it('sends them instead of a provider, and its code works', async () => {
    const phone = '15551230042';
    const made = await post('/signup', { phone, password });
    expect(made.status).toBe(200);
    const [message] = of('send-sms');
    expect(message).toMatchObject({ user: { phone }, sms: { otp: expect.stringMatching(/^\d{6}$/), phone } });
    const { otp } = (message?.sms ?? {}) as { otp?: string };
    expect((await post('/verify', { type: 'sms', phone, token: otp })).status).toBe(200);
  });

  it('that refuses leaves no account behind', async () => {
    answer = () => Response.json({ error: { http_code: 400, message: 'no such number' } });
    const phone = '15551230043';
    const refused = await post('/signup', { phone, password });
    expect([refused.status, refused.json.msg]).toEqual([400, 'no such number']);
    expect(await auth.database.owner.query(sql`select from auth.users where phone = ${phone}`)).toEqual([]);
  });
});

describe('the hook after a user is made', () => {
  it('is told of the user, whom it cannot undo', async () => {
    answer = ({ metadata }) =>
      metadata.name === 'after-user-created'
        ? Response.json({ error: { http_code: 500, message: 'too late' } })
        : new Response(null, { status: 204 });
    const email = someone();
    await post('/signup', { email, password });
    expect(of('after-user-created')).toMatchObject([
      { user: { email, app_metadata: { provider: 'email' } } },
    ]);
    const users = await auth.database.owner.query(sql`select from auth.users where email = ${email}`);
    expect(users).toHaveLength(1);
  });

  it.each([
    ['/otp', (email: string) => ({ email })],
    ['/magiclink', (email: string) => ({ email })],
    ['/signup', (email: string) => ({ email, password })],
  ])('is told of those whom POST %s makes', async (path, body) => {
    const email = someone();
    await post(path, body(email));
    expect(of('after-user-created')).toMatchObject([{ user: { email } }]);
  });
});

describe('the hook about second factors', () => {
  async function attempt(isRight: boolean) {
    const { token, user } = await member();
    const enrolled = await auth.call('POST', '/factors', {
      token,
      body: { factor_type: 'totp', friendly_name: 'app' },
    });
    const { id, totp } = enrolled.json;
    const { json } = await auth.call('POST', `/factors/${id}/challenge`, { token });
    const code = totpCode(totp.secret, totpStep(auth.clock.now()) + (isRight ? 0 : 20));
    const reply = await auth.call('POST', `/factors/${id}/verify`, {
      token,
      body: { challenge_id: json.id, code },
    });
    return { reply, token, user, id };
  }

  it('is told whether the answer was right', async () => {
    answer = () => Response.json({ decision: 'continue' });
    const right = await attempt(true);
    expect(of('mfa-verification')).toMatchObject([
      { user_id: right.user.id, factor_id: right.id, factor_type: 'totp', valid: true },
    ]);
    expect(right.reply.status).toBe(200);
    const wrong = await attempt(false);
    expect(of('mfa-verification')).toMatchObject([{ valid: false }]);
    expect(wrong.reply.json.error_code).toBe('mfa_verification_failed');
  });

  it('that rejects ends every session of the user', async () => {
    answer = () => Response.json({ decision: 'reject', message: 'too many tries' });
    const { reply, token } = await attempt(true);
    expect([reply.status, reply.json]).toEqual([
      403,
      { code: 403, error_code: 'mfa_verification_rejected', msg: 'too many tries' },
    ]);
    expect((await auth.call('GET', '/user', { token })).json.error_code).toBe('session_not_found');
  });
});

describe('the hook for claims, at a URL', () => {
  it('replaces them', async () => {
    answer = (body) => Response.json({ claims: { ...(body.claims as object), plan: 'gold' } });
    const body = { email: someone(), password };
    const { json } = await claims.call('POST', '/signup', { body });
    expect(decodeJwt(json.access_token)).toMatchObject({ plan: 'gold', sub: json.user.id });
    expect(asked).toMatchObject([{ user_id: json.user.id, authentication_method: 'password' }]);
  });

  it.each<[string, (claims: Record<string, unknown>) => unknown, string]>([
    [
      'that lack what a token needs',
      ({ email, role, ...claims }) => ({ claims }),
      'output claims do not conform to the expected schema: \n- (root): email is required\n- (root): role is required\n',
    ],
    [
      'of the wrong type',
      (claims) => ({ claims: { ...claims, exp: 'soon' } }),
      'output claims do not conform to the expected schema: \n- exp: Invalid type. Expected: integer, given: string\n',
    ],
    ['that are none', () => ({}), 'output claims field is missing'],
    ['that are text', () => ({ claims: 'all' }), 'Error unmarshaling JSON output.'],
    ['in a list', (claims) => [claims], 'Error unmarshaling JSON output.'],
  ])('that answers with claims %s makes no token', async (_, reply, message) => {
    answer = (body) => Response.json(reply(body.claims as Record<string, unknown>));
    const refused = await claims.call('POST', '/signup', { body: { email: someone(), password } });
    expect([refused.status, refused.json.error_code, refused.json.msg]).toEqual([
      500,
      'unexpected_failure',
      message,
    ]);
  });

  it('that does not answer in time, or not at all, leaves nobody signed in', async () => {
    const body = { email: someone(), password };
    answer = () => {
      throw new TypeError('no network');
    };
    const gone = await claims.call('POST', '/signup', { body });
    expect([gone.status, gone.json.error_code]).toEqual([422, 'hook_timeout_after_retry']);
    expect(asked).toHaveLength(3);
    const sessions = await claims.database.owner.query(sql`
      select from auth.sessions s join auth.users u on u.id = s.user_id where u.email = ${body.email}`);
    expect(sessions).toEqual([]);
  });

  it('is asked again when it asks for that', async () => {
    let isBusy = true;
    answer = (body) => {
      if (!isBusy) return Response.json({ claims: body.claims });
      isBusy = false;
      return new Response(null, { status: 503, headers: { 'retry-after': 'true' } });
    };
    const { status } = await claims.call('POST', '/signup', { body: { email: someone(), password } });
    expect([status, asked.length]).toEqual([200, 2]);
  });
});
