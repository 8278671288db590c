import { describe, expect, it } from 'vitest';
import { startAuth } from '../../support/auth.ts';

/*
 * Rows as they are found in databases that moved in: seeded by hand, half filled, or older than some column.
 */
const bcrypt = '$2a$04$VYLJ0Dzy4l8X3mE3HvEYQOZb0pSkfR5Q0T6VJ7b2s8B3tJ0kP3o7K';
const ids = {
  bare: '10000000-0000-4000-8000-000000000001',
  nulls: '10000000-0000-4000-8000-000000000002',
  jsonNull: '10000000-0000-4000-8000-000000000003',
  banned: '10000000-0000-4000-8000-000000000004',
  sso: '10000000-0000-4000-8000-000000000005',
  session: '20000000-0000-4000-8000-000000000001',
};
const auth = await startAuth({
  fixture: `
    insert into auth.users (id, email, encrypted_password, aud, role, confirmation_token, recovery_token,
      email_change_token_new, email_change_token_current, email_change, email_confirmed_at, raw_app_meta_data,
      raw_user_meta_data, created_at, updated_at, banned_until, is_sso_user)
    values
      ('${ids.bare}', 'bare@example.com', '${bcrypt}', 'authenticated', 'authenticated', '', '', '', '', '', now(),
        '{}', '{}', now(), now(), null, false),
      ('${ids.nulls}', 'nulls@example.com', null, null, null, null, null, null, null, null, null, null, null, null,
        null, null, false),
      ('${ids.jsonNull}', 'jsonnull@example.com', '', '', '', '', '', '', '', '', now(), 'null', 'null', now(), now(),
        null, false),
      ('${ids.banned}', 'banned@example.com', '', 'authenticated', 'authenticated', '', '', '', '', '', now(), '{}',
        '{}', now(), now(), 'infinity', false),
      ('${ids.sso}', 'bare@example.com', null, 'authenticated', 'authenticated', '', '', '', '', '', now(), '{}', '{}',
        now(), now(), null, true);
    insert into auth.sessions (id, user_id, created_at, updated_at) values
      ('${ids.session}', '${ids.bare}', now(), now());
    insert into auth.refresh_tokens (token, user_id, revoked, session_id, created_at, updated_at) values
      ('-sQkw9LW3Kvv', '${ids.bare}', false, null, now(), now()),
      ('abcdefghijkl', '${ids.bare}', false, '${ids.session}', now(), now());`,
});
const token = auth.serviceKey;

describe('a row that moved in', () => {
  it('never breaks the list', async () => {
    const { status, json } = await auth.call('GET', '/admin/users', { token });
    expect(status).toBe(200);
    expect(json.users.length).toBeGreaterThanOrEqual(3);
  });

  it.each(Object.entries(ids).filter(([name]) => name !== 'session'))(
    '%s can be looked at and changed',
    async (_, id) => {
      const one = await auth.call('GET', `/admin/users/${id}`, { token });
      expect(one.status).toBeLessThan(500);
      const changed = await auth.call('PUT', `/admin/users/${id}`, {
        token,
        body: { user_metadata: { a: 1 } },
      });
      expect(changed.status).toBeLessThan(500);
    },
  );

  it.each(['bare', 'nulls', 'jsonnull', 'banned'])('%s can ask for mails and try passwords', async (name) => {
    const email = `${name}@example.com`;
    for (const [path, body] of [
      ['/recover', { email }],
      ['/otp', { email }],
      ['/magiclink', { email }],
      ['/resend', { email, type: 'signup' }],
      ['/token?grant_type=password', { email, password: 'wrong horse' }],
      ['/signup', { email, password: 'correct horse' }],
      ['/verify', { email, type: 'email', token: '123456' }],
    ] as const) {
      const answer = await auth.call('POST', path, { body });
      expect([path, answer.status < 500]).toEqual([path, true]);
    }
  });

  it('may have a refresh token without a session', async () => {
    const answer = await auth.call('POST', '/token?grant_type=refresh_token', {
      body: { refresh_token: '-sQkw9LW3Kvv' },
    });
    expect(answer.status).toBe(400);
  });

  it('keeps its session', async () => {
    const answer = await auth.call('POST', '/token?grant_type=refresh_token', {
      body: { refresh_token: 'abcdefghijkl' },
    });
    expect([answer.status, answer.json.user?.id]).toEqual([200, ids.bare]);
    const user = await auth.call('GET', '/user', { token: answer.json.access_token });
    expect([user.status, user.json.identities]).toEqual([200, []]);
  });
});
