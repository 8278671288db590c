import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';

const auth = await startAuth();
const token = auth.serviceKey;
const create = (body: object) => auth.call('POST', '/admin/users', { token, body });
const signIn = (email: string, password: string) =>
  auth.call('POST', '/token?grant_type=password', { body: { email, password } });

describe('who may administer', () => {
  it.each([
    ['nobody', undefined, 401, 'no_authorization', 'This endpoint requires a valid Bearer token'],
    ['the anon key', auth.anonKey, 403, 'not_admin', 'User not allowed'],
  ])('%s is refused', async (_, given, status, code, message) => {
    const answer = await auth.call('GET', '/admin/users', given === undefined ? {} : { token: given });
    expect([answer.status, answer.json.error_code, answer.json.msg]).toEqual([status, code, message]);
  });

  it('the secret key of the new form is accepted', async () => {
    const headers = { apikey: 'sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz' };
    expect((await auth.call('GET', '/admin/users', { headers })).status).toBe(200);
  });

  it('a bare apikey without Bearer is not a token', async () => {
    const answer = await auth.call('GET', '/admin/users', { headers: { apikey: token } });
    expect(answer.json.msg).toBe('This endpoint requires a valid Bearer token');
  });
});

describe('making users', () => {
  it('with everything', async () => {
    const id = '0a1b2c3d-0000-4000-8000-000000000001';
    const answer = await create({
      id,
      email: 'Full@example.com',
      phone: '+15550001',
      password: 'a password',
      email_confirm: true,
      user_metadata: { a: 1 },
      app_metadata: { plan: 'pro' },
      ban_duration: '24h',
    });
    expect([answer.status, answer.json]).toMatchObject([
      200,
      {
        id,
        email: 'full@example.com',
        phone: '15550001',
        app_metadata: { plan: 'pro', provider: 'email', providers: ['email', 'phone'] },
        user_metadata: { a: 1, email_verified: true },
        banned_until: expect.any(String),
      },
    ]);
    expect(answer.json.identities).toHaveLength(2);
    expect((await signIn('full@example.com', 'a password')).json).toMatchObject({
      error_code: 'user_banned',
    });
    await auth.call('PUT', `/admin/users/${id}`, { token, body: { ban_duration: 'none' } });
    expect((await signIn('full@example.com', 'a password')).status).toBe(200);
  });

  it('with a hash from elsewhere', async () => {
    const made = await create({
      email: 'hash@example.com',
      email_confirm: true,
      password_hash: '$2y$10$SXEz2HeT8PUIGQXo9yeUIem8KzNxgG0d7o/.eGj2rj8KbRgAuRVlq',
    });
    expect(made.status).toBe(200);
    expect((await signIn('hash@example.com', 'test')).status).toBe(200);
    expect((await signIn('hash@example.com', 'tast')).status).toBe(400);
    const bad = await create({ email: 'bad@example.com', password_hash: 'md5:abc' });
    expect([bad.status, bad.json.msg]).toEqual([500, 'Error creating user']);
  });

  it.each([
    [{}, 400, 'Cannot create a user without either an email or phone'],
    [{ email: 'full@example.com' }, 422, 'A user with this email address has already been registered'],
    [{ phone: '15550001' }, 422, 'Phone number already registered by another user'],
    [{ email: 'x@y.zz', id: 'nope' }, 400, 'ID must conform to the uuid v4 format'],
    [{ email: 'x@y.zz', id: '00000000-0000-0000-0000-000000000000' }, 400, 'ID cannot be a nil uuid'],
    [
      { email: 'x@y.zz', password: 'p', password_hash: 'h' },
      400,
      'Only a password or a password hash should be provided',
    ],
    [
      { email: 'x@y.zz', ban_duration: 'soon' },
      400,
      'invalid format for ban duration: time: invalid duration "soon"',
    ],
  ])('%j is refused', async (body, status, message) => {
    const answer = await create(body);
    expect([answer.status, answer.json.msg]).toEqual([status, message]);
  });
});

describe('changing users', () => {
  it('takes effect at once, and merges metadata', async () => {
    const { json: user } = await create({
      email: 'change@example.com',
      email_confirm: true,
      password: 'first password',
      user_metadata: { keep: 1, drop: 2 },
    });
    const session = (await signIn('change@example.com', 'first password')).json;
    const changed = await auth.call('PUT', `/admin/users/${user.id}`, {
      token,
      body: {
        email: 'changed@example.com',
        email_confirm: true,
        password: 'second password',
        user_metadata: { drop: null, add: 3 },
        app_metadata: { role: 'x' },
        role: 'authenticated',
      },
    });
    expect(changed.json).toMatchObject({
      email: 'changed@example.com',
      user_metadata: { keep: 1, add: 3 },
      app_metadata: { role: 'x', provider: 'email' },
      // The answer shows identities as they were read, as upstream's does.
      identities: [{ email: 'change@example.com' }],
    });
    expect((await auth.call('GET', `/admin/users/${user.id}`, { token })).json.identities).toMatchObject([
      { email: 'changed@example.com', identity_data: { email_verified: true } },
    ]);
    expect(changed.json.user_metadata.drop).toBeUndefined();
    expect((await auth.call('GET', '/user', { token: session.access_token })).json.error_code).toBe(
      'session_not_found',
    );
    expect((await signIn('changed@example.com', 'second password')).status).toBe(200);
    const weak = await auth.call('PUT', `/admin/users/${user.id}`, { token, body: { password: 'x' } });
    expect(weak.json.error_code).toBe('weak_password');
  });

  it('answers for ids that are none or unknown', async () => {
    const bad = await auth.call('GET', '/admin/users/nope', { token });
    expect([bad.status, bad.json.msg]).toEqual([404, 'user_id must be an UUID']);
    const gone = await auth.call('GET', '/admin/users/0a1b2c3d-0000-4000-8000-0000000000ff', { token });
    expect([gone.status, gone.json.error_code]).toEqual([404, 'user_not_found']);
  });
});

describe('deleting users', () => {
  it('removes all that hangs on them', async () => {
    const { json: user } = await create({
      email: 'gone@example.com',
      password: 'a password',
      email_confirm: true,
    });
    const session = (await signIn('gone@example.com', 'a password')).json;
    expect((await auth.call('DELETE', `/admin/users/${user.id}`, { token })).text).toBe('{}');
    const answer = await auth.call('GET', '/user', { token: session.access_token });
    expect([answer.status, answer.json.error_code]).toEqual([403, 'user_not_found']);
    const left = await auth.database.owner.query(sql`
      select 1 from auth.identities where user_id = ${user.id} union all
      select 1 from auth.sessions where user_id = ${user.id}`);
    expect(left).toEqual([]);
  });

  it('softly leaves a row that says nothing, and frees the address', async () => {
    const email = 'soft@example.com';
    const { json: user } = await create({ email, password: 'a password', email_confirm: true });
    await auth.call('DELETE', `/admin/users/${user.id}`, { token, body: { should_soft_delete: true } });
    const { json: left } = await auth.call('GET', `/admin/users/${user.id}`, { token });
    expect(left).toMatchObject({ deleted_at: expect.any(String), user_metadata: {}, app_metadata: {} });
    expect(JSON.stringify(left)).not.toContain('soft@');
    expect((await signIn(email, 'a password')).json.error_code).toBe('invalid_credentials');
    expect((await create({ email })).status).toBe(200);
  });
});

describe('listing users', () => {
  it('leads through the pages', async () => {
    const instance = await startAuth();
    for (let i = 0; i < 5; i++) {
      await instance.call('POST', '/admin/users', {
        token: instance.serviceKey,
        body: { email: `n${i}@example.com`, user_metadata: { full_name: `Nr ${i}` } },
      });
    }
    const list = (query: string) =>
      instance.call('GET', `/admin/users${query}`, { token: instance.serviceKey });
    const first = await list('?page=&per_page=2');
    expect(first.headers.get('link')).toBe(
      '</admin/users?page=2&per_page=2>; rel="next", </admin/users?page=3&per_page=2>; rel="last"',
    );
    expect(first.headers.get('x-total-count')).toBe('5');
    expect(first.json.users.map(({ email }: { email: string }) => email)).toEqual([
      'n4@example.com',
      'n3@example.com',
    ]);
    expect(first.json.aud).toBe('authenticated');
    expect((await list('?page=3&per_page=2')).headers.get('link')).toBe(
      '</admin/users?page=3&per_page=2>; rel="last"',
    );
    expect((await list('?filter=n3%40')).json.users).toHaveLength(1);
    expect((await list('?filter=nr%204')).json.users).toHaveLength(1);
    expect((await list('?page=x')).json.error_code).toBe('validation_failed');
  });
});

it('keeps an audit log that can be read', async () => {
  const answer = await auth.call('GET', '/admin/audit?query=action:user_deleted', { token });
  expect(answer.json[0]).toMatchObject({
    payload: { action: 'user_deleted', log_type: 'team', actor_username: 'service_role' },
    ip_address: '',
  });
  expect((await auth.call('GET', '/admin/audit?query=nonsense:x', { token })).status).toBe(400);
});
