import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { startAuth } from '../../support/auth.ts';
import { writeProject } from '../../support/project.ts';

/*
 * Every key does what it says in the documents of the Supabase CLI, looked at from outside: two projects, whose files
 * say things that no default says.
 */
const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

let messages: URLSearchParams[] = [];
let hooked: string[] = [];
const outside: typeof fetch = (input, init) => {
  const { host } = new URL(String(input));
  if (host === 'hooks.test') {
    hooked.push(String(init?.body));
    return Promise.resolve(new Response(null, { status: 204 }));
  }
  messages.push(new URLSearchParams(String(init?.body)));
  return Promise.resolve(Response.json({ sid: 'SM1', status: 'queued' }, { status: 201 }));
};
async function project(toml: string) {
  const projectDir = await mkdtemp(join(tmpdir(), 'ownbase-project-'));
  folders.push(projectDir);
  await writeProject(projectDir, { 'supabase/config.toml': toml });
  return startAuth({ projectDir, fetch: outside });
}

const strict = await project(`
  [auth]
  site_url = "https://app.example.com"
  additional_redirect_urls = ["myapp://**"]
  jwt_expiry = 120
  jwt_issuer = "https://issuer.example.com"
  enable_refresh_token_rotation = true
  refresh_token_reuse_interval = 3
  enable_anonymous_sign_ins = true
  enable_manual_linking = true
  minimum_password_length = 9
  password_requirements = "lower_upper_letters_digits"
  [auth.email]
  enable_confirmations = true
  double_confirm_changes = false
  secure_password_change = true
  max_frequency = "40s"
  otp_length = 8
  otp_expiry = 100
  [auth.sms]
  enable_signup = true
  enable_confirmations = true
  template = "Your number is {{ .Code }}"
  max_frequency = "7s"
  [auth.sms.test_otp]
  15550009999 = "424242"
  [auth.sms.twilio]
  enabled = true
  account_sid = "AC1"
  message_service_sid = "MG1"
  auth_token = "token"
  [auth.sessions]
  timebox = "1h"
  inactivity_timeout = "30m"
  [auth.mfa]
  max_enrolled_factors = 1
  [auth.mfa.totp]
  enroll_enabled = true
  verify_enabled = true
  [auth.external.github]
  enabled = true
  client_id = "github-client"
  secret = "github-secret"
  redirect_uri = "https://app.example.com/back"
  url = "https://github.example.com"
  [auth.web3.solana]
  enabled = true
  [auth.passkey]
  enabled = true
  [auth.webauthn]
  rp_id = "example.com"
  rp_display_name = "Example"
  rp_origins = ["https://app.example.com"]
  [auth.hook.before_user_created]
  enabled = true
  uri = "https://hooks.test/before"
  secrets = "v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
  [auth.oauth_server]
  enabled = true
  allow_dynamic_registration = true
`);
const closed = await project(`
  [auth]
  enable_signup = false
  [auth.email]
  enable_signup = true
  [auth.captcha]
  enabled = true
  provider = "hcaptcha"
  secret = "shh"
`);
const noMail = await project('[auth.email]\nenable_signup = false');

beforeEach(() => {
  messages = [];
  hooked = [];
});

const password = 'Correct-horse-1';
let people = 0;
const someone = (): string => `toml${++people}@example.com`;
const post = (path: string, body: object, instance = strict) => instance.call('POST', path, { body });

async function member() {
  const email = someone();
  const body = { email, password, email_confirm: true };
  await strict.call('POST', '/admin/users', { token: strict.serviceKey, body });
  return { email, ...(await post('/token?grant_type=password', { email, password })).json };
}

describe('config.toml', () => {
  it('says how long tokens live and who issued them', async () => {
    const { access_token, expires_in } = await member();
    expect(expires_in).toBe(120);
    expect(decodeJwt(access_token).iss).toBe('https://issuer.example.com');
  });

  it('says which passwords are good enough', async () => {
    const reasons = async (secret: string) =>
      (await post('/signup', { email: someone(), password: secret })).json.weak_password?.reasons;
    expect(await reasons('Abcdef12')).toEqual(['length']);
    expect(await reasons('abcdefg12')).toEqual(['characters']);
    expect(await reasons('Abcdefg12')).toBeUndefined();
  });

  it('says how mails are confirmed, how often, for how long and by how many digits', async () => {
    const email = someone();
    expect((await post('/signup', { email, password })).json.access_token).toBeUndefined();
    const { html } = await strict.nextMail(email);
    const code = /(?<!\d)\d{8}(?!\d)/.exec(html.replace(/<style[\s\S]*?<\/style>/g, ''))?.[0];
    expect(code).toHaveLength(8);
    const soon = await post('/resend', { type: 'signup', email });
    expect(soon.json.error_code).toBe('over_email_send_rate_limit');
    strict.clock.advance(41);
    expect((await post('/resend', { type: 'signup', email })).status).toBe(200);
    strict.clock.advance(101);
    const { link } = await strict.nextMail(email);
    const late = await strict.call('GET', `/verify${link.search}`);
    expect(late.headers.get('location')).toMatch(
      /^https:\/\/app\.example\.com\/?#error=access_denied&error_code=otp_expired/,
    );
  });

  it('says where links may lead', async () => {
    const email = someone();
    await post('/signup?redirect_to=myapp%3A%2F%2Fopen', { email, password });
    expect((await strict.nextMail(email)).link.searchParams.get('redirect_to')).toBe('myapp://open');
    const other = someone();
    await post('/signup?redirect_to=https%3A%2F%2Fevil.example.net', { email: other, password });
    expect((await strict.nextMail(other)).link.searchParams.get('redirect_to')).toBe(
      'https://app.example.com',
    );
  });

  it('says that one address confirms a change, and that old sessions need a code for a new password', async () => {
    const { email, access_token: token } = await member();
    const next = someone();
    await strict.call('PUT', '/user', { token, body: { email: next } });
    expect([await strict.mailCount(email), await strict.mailCount(next)]).toEqual([0, 1]);
    strict.clock.advance(86_401);
    const fresh = await strict.sign({ ...decodeJwt(token), exp: 9e9 });
    const refused = await strict.call('PUT', '/user', {
      token: fresh,
      body: { password: 'Another-horse-1' },
    });
    expect(refused.json.error_code).toBe('reauthentication_needed');
  });

  it('says when sessions end, and how long a used refresh token works again', async () => {
    const refresh = (refresh_token: string) => post('/token?grant_type=refresh_token', { refresh_token });
    const first = await member();
    const second = (await refresh(first.refresh_token)).json;
    await refresh(second.refresh_token);
    strict.clock.advance(4);
    expect((await refresh(first.refresh_token)).json.error_code).toBe('refresh_token_already_used');
    const idle = await member();
    strict.clock.advance(1801);
    expect((await refresh(idle.refresh_token)).json.msg).toContain('Inactivity');
    let { refresh_token } = await member();
    for (const _ of [1, 2]) {
      strict.clock.advance(1500);
      refresh_token = (await refresh(refresh_token)).json.refresh_token;
    }
    strict.clock.advance(1500);
    expect((await refresh(refresh_token)).json.msg).toBe('Invalid Refresh Token: Session Expired');
  });

  it('says who sends messages, in which words, how often, and which numbers are for tests', async () => {
    const phone = '15551230077';
    await post('/otp', { phone });
    expect(messages.map((form) => [form.get('From'), form.get('Body')])).toEqual([
      ['MG1', expect.stringMatching(/^Your number is \d{6}$/)],
    ]);
    expect((await post('/otp', { phone })).json.error_code).toBe('over_sms_send_rate_limit');
    strict.clock.advance(8);
    expect((await post('/otp', { phone })).status).toBe(200);
    await post('/otp', { phone: '15550009999' });
    const verified = await post('/verify', { type: 'sms', phone: '15550009999', token: '424242' });
    expect([verified.status, messages.length]).toEqual([200, 2]);
  });

  it('says which factors there are, and how many', async () => {
    const { access_token: token } = await member();
    const enroll = (friendly_name: string, factor_type = 'totp') =>
      strict.call('POST', '/factors', { token, body: { factor_type, friendly_name } });
    expect((await enroll('one')).status).toBe(200);
    expect((await enroll('two')).json.error_code).toBe('too_many_enrolled_mfa_factors');
    expect((await enroll('three', 'webauthn')).json.error_code).toBe('mfa_webauthn_enroll_not_enabled');
    const options = (await strict.call('POST', '/passkeys/registration/options', { token, body: {} })).json;
    expect(options.options.rp).toEqual({ id: 'example.com', name: 'Example' });
  });

  it('says which providers there are, and where they are', async () => {
    const { headers } = await strict.call('GET', '/authorize?provider=github');
    const url = new URL(headers.get('location') ?? '');
    expect(url.origin).toBe('https://github.example.com');
    expect(url.searchParams.get('client_id')).toBe('github-client');
    expect(url.searchParams.get('redirect_uri')).toBe('https://app.example.com/back');
    const { json } = await strict.call('GET', '/settings');
    expect(json.external).toMatchObject({ github: true, gitlab: false, anonymous_users: true, phone: true });
    const wallet = await post('/token?grant_type=web3', { chain: 'ethereum', message: '', signature: '' });
    expect(wallet.json.msg).toBe('Ethereum Web3 provider is disabled');
  });

  it('says which hooks are asked, and that clients may register', async () => {
    await post('/signup', {});
    expect(hooked.map((body) => JSON.parse(body).metadata.name)).toEqual(['before-user-created']);
    const client = { redirect_uris: ['https://client.example.com/cb'], client_name: 'Client' };
    expect((await post('/oauth/clients/register', client)).status).toBe(201);
  });

  it('says whether anybody may sign up, or by mail, and whether a captcha is asked for', async () => {
    const body = { email: someone(), password };
    expect((await post('/signup', body, closed)).json.error_code).toBe('captcha_failed');
    expect((await closed.call('GET', '/settings')).json.disable_signup).toBe(true);
    expect((await post('/signup', body, noMail)).json.error_code).toBe('email_provider_disabled');
    expect((await post('/token?grant_type=password', body, noMail)).json.error_code).toBe(
      'email_provider_disabled',
    );
  });
});
