import { createHmac } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { encodeCounterToken } from '../../../src/auth/tokens/counter-token.ts';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';

/*
 * What users bring along from where they were: passwords in whatever form, sessions, and tokens that are on their way.
 */
const auth = await startAuth();
const token = auth.serviceKey;
const signIn = (email: string, password: string) =>
  auth.call('POST', '/token?grant_type=password', { body: { email, password } });
const refresh = (refresh_token: string) =>
  auth.call('POST', '/token?grant_type=refresh_token', { body: { refresh_token } });

// Made by other programs: the bcrypt of PHP and of the system's library, the Argon2 reference, Firebase's own tool.
const hashes: readonly [form: string, password: string, hash: string][] = [
  ['bcrypt', 'U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['bcrypt in its newer form', 'U*U', '$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['bcrypt of PHP', 'test', '$2y$10$SXEz2HeT8PUIGQXo9yeUIem8KzNxgG0d7o/.eGj2rj8KbRgAuRVlq'],
  ['bcrypt of the least cost', 'test', '$2a$04$abcdefghijklmnopqrstuuoD8yw7MmybLKVooaTGGZAt3HXugv2.a'],
  ['bcrypt of more cost', 'test', '$2a$12$zyxwvutsrqponmlkjihgfeHpuDp4KRf6QprNSaYAiSmsAMeFiGF4u'],
  [
    'argon2i',
    'password',
    '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA',
  ],
  [
    'argon2id',
    'test',
    '$argon2id$v=19$m=32,t=3,p=2$SFVpOWJ0eXhjRzVkdGN1RQ$RXnb8rh7LaDcn07xsssqqulZYXOM/EUCEFMVcAcyYVk',
  ],
  [
    'Firebase scrypt',
    'mytestpassword',
    '$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=ou9tdYTGyYm8kuR6Dt0Bp0kDuAYoXrK16mbZO4yGwAn3oLspjnN0/c41v8xZnO1n14J3MjKj1b2g6AUCAlFwMw==$C0sHCg9ek77hsg==$zKVTMvnWVw5BBOZNUdnsalx4c4c7y/w7IS5p6Ut2+CfEFFlz37J9huyQfov4iizN8dbjvEJlM5tQaJP84+hfTw==',
  ],
];

describe('a password that was hashed elsewhere', () => {
  it.each(hashes)('by %s opens its account, and nothing else does', async (form, password, password_hash) => {
    const email = `${form.replace(/\W/g, '').toLowerCase()}@example.com`;
    const made = await auth.call('POST', '/admin/users', {
      token,
      body: { email, email_confirm: true, password_hash },
    });
    expect(made.status).toBe(200);
    expect((await signIn(email, password)).json.user?.email).toBe(email);
    for (const wrong of [`${password}x`, '']) {
      expect((await signIn(email, wrong)).json.error_code).toBe('invalid_credentials');
    }
    const [row] = await auth.database.owner.query<{ hash: string }>(sql`
      select encrypted_password as hash from auth.users where email = ${email}`);
    expect(row?.hash).toBe(password_hash);
  });
});

describe('somebody who was signed in elsewhere', () => {
  const user = async (email: string): Promise<string> =>
    (await auth.call('POST', '/admin/users', { token, body: { email, email_confirm: true } })).json.id;

  it('with a refresh token of the short form stays signed in', async () => {
    const id = await user('short@example.com');
    await auth.database.owner.exec(`
      insert into auth.sessions (id, user_id, aal, created_at, updated_at)
        values ('20000000-0000-4000-8000-000000000001', '${id}', 'aal1', now(), now());
      insert into auth.refresh_tokens (token, user_id, revoked, session_id, created_at, updated_at, instance_id)
        values ('movedinshort', '${id}', false, '20000000-0000-4000-8000-000000000001', now(), now(),
          '00000000-0000-0000-0000-000000000000');`);
    const { status, json } = await refresh('movedinshort');
    expect([status, json.user?.id]).toEqual([200, id]);
    expect((await refresh(json.refresh_token)).status).toBe(200);
  });

  it('with a refresh token of the counter form stays signed in', async () => {
    const id = await user('counter@example.com');
    const session = '20000000-0000-4000-8000-000000000002';
    const key = Buffer.alloc(32, 9);
    await auth.database.owner.query(sql`
      insert into auth.sessions (id, user_id, aal, created_at, updated_at, refresh_token_hmac_key, refresh_token_counter)
      values (${session}, ${id}, 'aal1', now(), now(), ${key.toString('base64url')}, 41)`);
    const { status, json } = await refresh(encodeCounterToken(session, 41n, key));
    expect([status, json.user?.id]).toEqual([200, id]);
    expect(json.refresh_token).toBe(encodeCounterToken(session, 42n, key));
    expect((await refresh(json.refresh_token)).status).toBe(200);
  });

  it('with an access token of the same secret may use it until it ends, and not a second longer', async () => {
    const id = await user('access@example.com');
    const session = '20000000-0000-4000-8000-000000000003';
    await auth.database.owner.query(sql`
      insert into auth.sessions (id, user_id, aal, created_at, updated_at)
      values (${session}, ${id}, 'aal1', now(), now())`);
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(auth.clock.now() / 1000);
    const claims = {
      iss: 'https://old.example.co/auth/v1',
      sub: id,
      aud: 'authenticated',
      session_id: session,
    };
    const head = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ ...claims, role: 'authenticated', exp: now + 60 })}`;
    const secret = 'super-secret-jwt-token-with-at-least-32-characters-long';
    const access = `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
    expect(decodeProtectedHeader(access).kid).toBeUndefined();
    expect((await auth.call('GET', '/user', { token: access })).json.id).toBe(id);
    auth.clock.advance(61);
    const late = await auth.call('GET', '/user', { token: access });
    expect([late.status, late.json.error_code, decodeJwt(access).exp]).toEqual([403, 'bad_jwt', now + 60]);
  });
});
