import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { type AuthInstance, startAuth } from '../../support/auth.ts';

const auth = await startAuth({
  env: {
    GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED: 'true',
    GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL: '10',
  },
});
const lasting = await startAuth({
  env: {
    GOTRUE_SECURITY_REFRESH_TOKEN_ROTATION_ENABLED: 'false',
    GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL: '10',
  },
});
const strict = await startAuth({ env: { GOTRUE_PASSWORD_MIN_LENGTH: '20' } });

const password = 'correct horse';
let people = 0;
const signUp = async (instance: AuthInstance) =>
  (await instance.call('POST', '/signup', { body: { email: `ses${++people}@example.com`, password } })).json;
const signIn = async (instance: AuthInstance, email: string) =>
  (await instance.call('POST', '/token?grant_type=password', { body: { email, password } })).json;
const refresh = (instance: AuthInstance, refresh_token: string) =>
  instance.call('POST', '/token?grant_type=refresh_token', { body: { refresh_token } });
const isAlive = async (token: string): Promise<boolean> =>
  (await auth.call('GET', '/user', { token })).status === 200;

describe('a sign-in', () => {
  it('begins a session that knows where it was begun', async () => {
    const { user } = await signUp(auth);
    const { headers, json } = await auth.call('POST', '/token?grant_type=password', {
      body: { email: user.email, password },
      headers: { 'user-agent': 'Browser 1.0' },
    });
    const { session_id } = decodeJwt(json.access_token);
    expect(headers.get('sb-auth-user-id')).toBe(user.id);
    expect(headers.get('sb-auth-session-id')).toBe(session_id);
    expect(headers.get('sb-auth-refresh-token-prefix')).toBe(json.refresh_token.slice(0, 5));
    const rows = await auth.database.owner.query(sql`
      select s.user_agent, host(s.ip) as ip, s.aal::text, a.authentication_method as method,
        u.last_sign_in_at = s.created_at as is_noted
      from auth.sessions s join auth.mfa_amr_claims a on a.session_id = s.id join auth.users u on u.id = s.user_id
      where s.id = ${String(session_id)}`);
    expect(rows).toEqual([
      { user_agent: 'Browser 1.0', ip: '127.0.0.1', aal: 'aal1', method: 'password', is_noted: true },
    ]);
  });

  it('tells that a password has become too weak, and lets it in', async () => {
    const email = `weak${++people}@example.com`;
    const body = { email, email_confirm: true, password_hash: '' };
    const { json: hashed } = await auth.call('POST', '/signup', { body: { email, password } });
    const [row] = await auth.database.owner.query<{ hash: string }>(sql`
      select encrypted_password as hash from auth.users where id = ${hashed.user.id}`);
    await strict.call('POST', '/admin/users', {
      token: strict.serviceKey,
      body: { ...body, password_hash: row?.hash },
    });
    const { access_token, weak_password } = await signIn(strict, email);
    expect([access_token, weak_password]).toEqual([
      expect.any(String),
      { reasons: ['length'], message: 'Password should be at least 20 characters.' },
    ]);
  });

  it.each([
    ['who has no password', { encrypted_password: null, is_sso_user: false }],
    ['of a single sign-on', { encrypted_password: 'unchanged', is_sso_user: true }],
  ])('of somebody %s is refused as any other', async (_, columns) => {
    const { user } = await signUp(auth);
    await auth.database.owner.query(
      columns.is_sso_user
        ? sql`update auth.users set is_sso_user = true where id = ${user.id}`
        : sql`update auth.users set encrypted_password = null where id = ${user.id}`,
    );
    expect(await signIn(auth, user.email)).toEqual({
      code: 400,
      error_code: 'invalid_credentials',
      msg: 'Invalid login credentials',
    });
  });

  it('without a name says so in its token', async () => {
    const { json } = await auth.call('POST', '/signup', { body: {} });
    expect(decodeJwt(json.access_token)).toMatchObject({
      is_anonymous: true,
      email: '',
      phone: '',
      role: 'authenticated',
      amr: [{ method: 'anonymous' }],
    });
  });
});

describe('a sign-out', () => {
  async function three() {
    const { access_token: here, user, refresh_token } = await signUp(auth);
    const there = await signIn(auth, user.email);
    const stranger = await signUp(auth);
    return { here, there: there.access_token, stranger: stranger.access_token, refresh_token };
  }

  it.each([
    ['global', [false, false, true]],
    ['local', [false, true, true]],
    ['others', [true, false, true]],
  ])('of scope %s ends what it says', async (scope, alive) => {
    const { here, there, stranger } = await three();
    const { status, text } = await auth.call('POST', `/logout?scope=${scope}`, { token: here });
    expect([status, text]).toEqual([204, '']);
    expect([await isAlive(here), await isAlive(there), await isAlive(stranger)]).toEqual(alive);
  });

  it('without a scope, or without a session in the token, is global', async () => {
    for (const prepare of [
      (token: string) => Promise.resolve(token),
      (token: string) => {
        const { session_id, ...claims } = decodeJwt(token);
        return auth.sign(claims);
      },
    ]) {
      const { here, there, refresh_token } = await three();
      expect((await auth.call('POST', '/logout', { token: await prepare(here) })).status).toBe(204);
      expect([await isAlive(here), await isAlive(there)]).toEqual([false, false]);
      expect((await refresh(auth, refresh_token)).json.error_code).toBe('refresh_token_not_found');
    }
  });

  it('of another scope is refused, and ends nothing', async () => {
    const { here } = await three();
    const { status, json } = await auth.call('POST', '/logout?scope=all', { token: here });
    expect([status, json.error_code, json.msg]).toEqual([
      400,
      'validation_failed',
      'Unsupported logout scope "all"',
    ]);
    expect(await isAlive(here)).toBe(true);
  });
});

describe('a refresh token', () => {
  it('that is two behind gives a child for some seconds, and ends the family after them', async () => {
    const replaced = async () => {
      const first = await signUp(auth);
      const second = (await refresh(auth, first.refresh_token)).json;
      return { first, third: (await refresh(auth, second.refresh_token)).json };
    };
    const [quick, slow] = [await replaced(), await replaced()];
    auth.clock.advance(8);
    expect((await refresh(auth, quick.first.refresh_token)).status).toBe(200);
    auth.clock.advance(3);
    const late = await refresh(auth, slow.first.refresh_token);
    expect([late.status, late.json.error_code]).toEqual([400, 'refresh_token_already_used']);
    expect((await refresh(auth, slow.third.refresh_token)).status).toBe(400);
    const live = await auth.database.owner.query(sql`
      select from auth.refresh_tokens where user_id = ${slow.first.user.id} and not revoked`);
    expect(live).toEqual([]);
  });

  it('that is stolen does not end the family where tokens are not rotated', async () => {
    const first = await signUp(lasting);
    const second = (await refresh(lasting, first.refresh_token)).json;
    const third = (await refresh(lasting, second.refresh_token)).json;
    lasting.clock.advance(60);
    expect((await refresh(lasting, first.refresh_token)).json.error_code).toBe('refresh_token_already_used');
    expect((await refresh(lasting, third.refresh_token)).status).toBe(200);
  });

  it('counts sessions of one kind against each other only', async () => {
    const tagged = await startAuth({
      env: { GOTRUE_SESSIONS_SINGLE_PER_USER: 'true', GOTRUE_SESSIONS_TAGS: 'web,phone' },
    });
    const first = await signUp(tagged);
    tagged.clock.advance(5);
    const second = await signIn(tagged, first.user.email);
    await tagged.database.owner.query(sql`
      update auth.sessions set tag = 'phone' where id = ${String(decodeJwt(second.access_token).session_id)}`);
    expect((await refresh(tagged, first.refresh_token)).status).toBe(200);
    tagged.clock.advance(5);
    await signIn(tagged, first.user.email);
    expect((await refresh(tagged, second.refresh_token)).status).toBe(200);
  });

  it('of a session whose end has come is refused', async () => {
    const { refresh_token, access_token } = await signUp(auth);
    await auth.database.owner.query(sql`
      update auth.sessions set not_after = now() - interval '1 second'
      where id = ${String(decodeJwt(access_token).session_id)}`);
    const { json } = await refresh(auth, refresh_token);
    expect([json.error_code, json.msg]).toEqual([
      'session_expired',
      'Invalid Refresh Token: Session Expired',
    ]);
  });
});

it('a second factor that is not used in time ends the session', async () => {
  const patient = await startAuth({
    env: { GOTRUE_SESSIONS_ALLOW_LOW_AAL: '10m', GOTRUE_MFA_TOTP_ENROLL_ENABLED: 'true' },
  });
  const { user } = await signUp(patient);
  await patient.database.owner.query(sql`
    insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status, created_at, updated_at)
    values (gen_random_uuid(), ${user.id}, 'app', 'totp', 'verified', now(), now())`);
  const session = await signIn(patient, user.email);
  expect(session.expires_in).toBeLessThanOrEqual(600);
  patient.clock.advance(601);
  const { json } = await refresh(patient, session.refresh_token);
  expect(json.msg).toBe('Invalid Refresh Token: Session Expired (Low AAL: User Needs MFA Verification)');
});
