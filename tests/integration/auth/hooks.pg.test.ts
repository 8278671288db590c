import { createHmac } from 'node:crypto';
import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';

const password = 'correct horse';
let people = 0;
const someone = (): string => `hook${++people}@example.com`;

/** What the project's URL was asked, and what it answers. */
type Asked = { headers: Headers; text: string; body: Record<string, unknown> };
let asked: Asked[] = [];
let answer: () => Response = () => new Response(null, { status: 204 });
const key = Buffer.from('a secret of the project');
const project: typeof fetch = (_url, init) => {
  const text = String(init?.body);
  asked.push({ headers: new Headers(init?.headers), text, body: JSON.parse(text) });
  return Promise.resolve(answer());
};
const hook = (name: string) => ({
  [`GOTRUE_HOOK_${name}_ENABLED`]: 'true',
  [`GOTRUE_HOOK_${name}_URI`]: 'https://project.test/hook',
  [`GOTRUE_HOOK_${name}_SECRETS`]: `v1,whsec_${key.toString('base64')}`,
});

const mailing = await startAuth({
  env: { ...hook('SEND_EMAIL'), GOTRUE_MAILER_AUTOCONFIRM: 'false' },
  fetch: project,
});
const watched = await startAuth({
  env: { ...hook('BEFORE_USER_CREATED'), ...hook('PASSWORD_VERIFICATION_ATTEMPT') },
  fetch: project,
});
const inside = await startAuth({
  env: {
    GOTRUE_HOOK_CUSTOM_ACCESS_TOKEN_ENABLED: 'true',
    GOTRUE_HOOK_CUSTOM_ACCESS_TOKEN_URI: 'pg-functions://postgres/public/claims',
  },
  fixture: `
    create table public.asked (event jsonb);
    create function public.claims(event jsonb) returns jsonb language plpgsql security definer as $$
    begin
      insert into public.asked values (event);
      if event #>> '{claims,email}' like 'no%' then
        return jsonb_build_object('error', jsonb_build_object('http_code', 403, 'message', 'not you'));
      elsif event #>> '{claims,email}' like 'bare%' then
        return jsonb_build_object('claims', jsonb_build_object('sub', event #>> '{claims,sub}'));
      elsif event #>> '{claims,email}' like 'slow%' then
        perform pg_sleep(5);
      end if;
      return jsonb_set(event, '{claims,tenant}', '"acme"');
    end $$;
    grant execute on function public.claims to supabase_auth_admin;
    revoke execute on function public.claims from public;`,
});

beforeEach(() => {
  asked = [];
  answer = () => new Response(null, { status: 204 });
});

const json = (value: unknown, status = 200): Response => Response.json(value, { status });

describe('a hook at a URL', () => {
  it('is asked with a signature that the standard verifies', async () => {
    await mailing.call('POST', '/signup', { body: { email: someone(), password } });
    const [first] = asked;
    const id = first?.headers.get('webhook-id');
    const at = first?.headers.get('webhook-timestamp');
    const mac = createHmac('sha256', key).update(`${id}.${at}.${first?.text}`).digest('base64');
    expect(first?.headers.get('webhook-signature')).toBe(`v1,${mac}`);
  });

  it('sends the mail instead of the service, and its code works', async () => {
    const email = someone();
    await mailing.call('POST', '/signup', { body: { email, password } });
    expect(await mailing.mailCount(email)).toBe(0);
    expect(asked[0]?.body).toMatchObject({
      metadata: { name: 'send-email' },
      user: { email },
      email_data: {
        token: expect.stringMatching(/^\d{6}$/),
        token_hash: expect.stringMatching(/^[0-9a-f]{56}$/),
        email_action_type: 'signup',
        token_new: '',
        token_hash_new: '',
      },
    });
    const { token_hash } = (asked[0]?.body.email_data ?? {}) as { token_hash?: string };
    const verified = await mailing.call('POST', '/verify', { body: { type: 'signup', token_hash } });
    expect(verified.json.user.email).toBe(email);
  });

  it('that fails undoes the flow', async () => {
    answer = () => json({ error: { http_code: 500, message: 'no mail today' } });
    const email = someone();
    const refused = await mailing.call('POST', '/signup', { body: { email, password } });
    expect([refused.status, refused.json]).toMatchObject([
      500,
      { code: 500, error_code: 'unexpected_failure', msg: 'no mail today' },
    ]);
    const users = await mailing.database.owner.query(sql`select from auth.users where email = ${email}`);
    expect(users).toEqual([]);
  });

  it.each([
    [
      'no content type',
      () => new Response(new Uint8Array([123, 125])),
      400,
      'hook_payload_invalid_content_type',
    ],
    ['another type', () => new Response('hi'), 400, 'hook_payload_invalid_content_type'],
    ['too much', () => json('x'.repeat(210_000)), 422, 'hook_payload_over_size_limit'],
    [
      'no JSON',
      () => new Response('{', { headers: { 'content-type': 'application/json' } }),
      500,
      'unexpected_failure',
    ],
    ['trouble', () => json({}, 502), 500, 'unexpected_failure'],
  ])('that answers with %s is refused', async (_, reply, status, code) => {
    answer = reply;
    const refused = await mailing.call('POST', '/signup', { body: { email: someone(), password } });
    expect([refused.status, refused.json.error_code]).toEqual([status, code]);
  });

  it('decides who may have an account, but not against admins', async () => {
    answer = () => json({ error: { http_code: 403, message: 'by invitation only' } });
    const email = someone();
    const refused = await watched.call('POST', '/signup', { body: { email, password } });
    expect([refused.status, refused.json.msg]).toEqual([403, 'by invitation only']);
    expect(asked[0]?.body).toMatchObject({ metadata: { name: 'before-user-created' }, user: { email } });
    const made = await watched.call('POST', '/admin/users', {
      token: watched.serviceKey,
      body: { email, password, email_confirm: true },
    });
    expect(made.status).toBe(200);
  });

  it('decides about attempts with a password', async () => {
    const email = someone();
    await watched.call('POST', '/signup', { body: { email, password } });
    answer = () => json({ decision: 'reject', message: 'too often' });
    const refused = await watched.call('POST', '/token?grant_type=password', { body: { email, password } });
    expect([refused.status, refused.json.msg]).toEqual([400, 'too often']);
    expect(asked.at(-1)?.body).toMatchObject({ valid: true, user_id: expect.any(String) });
    answer = () => json({ decision: 'continue' });
    const wrong = await watched.call('POST', '/token?grant_type=password', {
      body: { email, password: 'no' },
    });
    expect(wrong.json.error_code).toBe('invalid_credentials');
    expect(asked.at(-1)?.body).toMatchObject({ valid: false });
  });
});

describe('a hook in the database', () => {
  it('writes claims, at sign-in and at each refresh', async () => {
    const first = (await inside.call('POST', '/signup', { body: { email: someone(), password } })).json;
    expect(decodeJwt(first.access_token)).toMatchObject({ tenant: 'acme', role: 'authenticated' });
    const second = await inside.call('POST', '/token?grant_type=refresh_token', {
      body: { refresh_token: first.refresh_token },
    });
    expect(decodeJwt(second.json.access_token).tenant).toBe('acme');
    const methods = await inside.database.owner.query(sql`
      select event ->> 'authentication_method' as method from public.asked
      where event ->> 'user_id' = ${first.user.id} order by ctid`);
    expect(methods).toEqual([{ method: 'password' }, { method: 'token_refresh' }]);
  });

  it.each([
    ['refuses', 'no@example.com', 403, 'not you'],
    ['leaves out what a token needs', 'bare@example.com', 500, 'output claims do not conform'],
    ['takes too long', 'slow@example.com', 500, 'Error running hook URI'],
  ])('that %s leaves no session behind', async (_, email, status, message) => {
    const refused = await inside.call('POST', '/signup', { body: { email, password } });
    expect([refused.status, refused.json.msg]).toEqual([status, expect.stringContaining(message)]);
    const sessions = await inside.database.owner.query(sql`
      select from auth.sessions s join auth.users u on u.id = s.user_id where u.email = ${email}`);
    expect(sessions).toEqual([]);
  });
});
