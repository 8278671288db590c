import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeCounterToken, parseCounterToken } from '../../../src/auth/tokens/counter-token.ts';
import { sql } from '../../../src/pg/sql/sql.ts';
import { type AuthInstance, startAuth } from '../../support/auth.ts';

const short = await startAuth();
const counter = await startAuth({ env: { GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION: '2' } });
const upgrading = await startAuth({
  env: {
    GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION: '2',
    GOTRUE_SECURITY_REFRESH_TOKEN_UPGRADE_PERCENTAGE: '100',
  },
});

let people = 0;
const signUp = async (instance: AuthInstance) => {
  const body = { email: `user${++people}@example.com`, password: 'correct horse' };
  return (await instance.call('POST', '/signup', { body })).json;
};
const refresh = (instance: AuthInstance, refresh_token: string) =>
  instance.call('POST', '/token?grant_type=refresh_token', { body: { refresh_token } });

describe.each([
  ['short', short],
  ['counter', counter],
] as const)('refresh tokens of the %s form', (_, instance) => {
  it('rotate, and the parent of the newest gives the newest again at any time', async () => {
    const first = await signUp(instance);
    const second = (await refresh(instance, first.refresh_token)).json;
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(second.user).toMatchObject({ id: first.user.id });
    instance.clock.advance(3000);
    const again = await refresh(instance, first.refresh_token);
    expect([again.status, again.json.refresh_token]).toEqual([200, second.refresh_token]);
  });

  it('that are older still work for some seconds', async () => {
    const first = await signUp(instance);
    const second = (await refresh(instance, first.refresh_token)).json;
    await refresh(instance, second.refresh_token);
    expect((await refresh(instance, first.refresh_token)).status).toBe(200);
  });

  it('that are older end the family later', async () => {
    const first = await signUp(instance);
    const second = (await refresh(instance, first.refresh_token)).json;
    const third = (await refresh(instance, second.refresh_token)).json;
    instance.clock.advance(60);
    const stolen = await refresh(instance, first.refresh_token);
    expect([stolen.status, stolen.json.error_code, stolen.json.msg]).toEqual([
      400,
      'refresh_token_already_used',
      'Invalid Refresh Token: Already Used',
    ]);
    const victim = await refresh(instance, third.refresh_token);
    expect(victim.status).toBe(400);
  });

  it('used by twenty tabs at once leave all of them signed in with one token', async () => {
    const { refresh_token, user } = await signUp(instance);
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(instance, refresh_token)));
    expect(answers.map(({ status }) => status)).toEqual(new Array(20).fill(200));
    expect(new Set(answers.map(({ json }) => json.refresh_token)).size).toBe(1);
    const [{ count } = { count: -1 }] = await instance.database.owner.query<{ count: number }>(sql`
      select count(*)::int from auth.refresh_tokens where user_id = ${user.id} and not revoked`);
    expect(count).toBe(instance === short ? 1 : 0);
  });

  it('that do not exist are told from those that have no shape', async () => {
    const unknown = await refresh(instance, 'abcdefghijkl');
    expect(unknown.json).toMatchObject({
      error_code: 'refresh_token_not_found',
      msg: 'Invalid Refresh Token: Refresh Token Not Found',
    });
    for (const nonsense of ['', 'short', 'ABCDEFGHIJKL', 'x'.repeat(52)]) {
      const answer = await refresh(instance, nonsense);
      expect([answer.status, answer.json.msg]).toEqual([400, 'Refresh token is not valid']);
    }
  });

  it('of banned users are refused', async () => {
    const { user, refresh_token } = await signUp(instance);
    const token = instance.serviceKey;
    await instance.call('PUT', `/admin/users/${user.id}`, { token, body: { ban_duration: '1h' } });
    expect((await refresh(instance, refresh_token)).json).toMatchObject({
      error_code: 'user_banned',
      msg: 'Invalid Refresh Token: User Banned',
    });
  });
});

it('a refresh writes what upstream writes', async () => {
  const first = await signUp(short);
  await refresh(short, first.refresh_token);
  const { owner } = short.database;
  const tokens = await owner.query(sql`
    select revoked, parent = ${first.refresh_token} as is_child from auth.refresh_tokens
    where user_id = ${first.user.id} order by id`);
  expect(tokens).toEqual([
    { revoked: true, is_child: null },
    { revoked: false, is_child: true },
  ]);
  const actions = await owner.query<{ action: string }>(sql`
    select payload ->> 'action' as action from auth.audit_log_entries
    where payload ->> 'actor_id' = ${first.user.id}`);
  expect(actions.map(({ action }) => action).sort()).toEqual([
    'login',
    'token_refreshed',
    'token_revoked',
    'user_signedup',
  ]);
});

it('sessions with short tokens move to the counter form', async () => {
  const { user, refresh_token } = await signUp(upgrading);
  const { owner } = upgrading.database;
  await owner.query(sql`
    insert into auth.refresh_tokens (token, user_id, revoked, session_id, created_at, updated_at)
    select 'oldtoken2345', ${user.id}, false, id, now(), now() from auth.sessions where user_id = ${user.id}`);
  const moved = await refresh(upgrading, 'oldtoken2345');
  expect(moved.json.refresh_token.length).toBeGreaterThan(50);
  expect((await refresh(upgrading, moved.json.refresh_token)).status).toBe(200);
  expect(refresh_token.length).toBeGreaterThan(50);
});

describe('a refresh token of the counter form', () => {
  const checked = (bytes: Buffer): string =>
    Buffer.concat([bytes, createHash('sha256').update(bytes).digest().subarray(0, 4)]).toString('base64url');
  const checksumBytes = 4;

  it('with a tampered checksum is none', async () => {
    const { refresh_token } = await signUp(counter);
    const bytes = Buffer.from(refresh_token, 'base64url');
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    const { status, json } = await refresh(counter, bytes.toString('base64url'));
    expect([status, json.error_code, json.msg]).toEqual([
      400,
      'validation_failed',
      'Refresh token is not valid',
    ]);
  });

  it('with a tampered signature is not there, and ends nothing', async () => {
    const { refresh_token } = await signUp(counter);
    const bytes = Buffer.from(refresh_token, 'base64url').subarray(0, -checksumBytes);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    const { status, json } = await refresh(counter, checked(bytes));
    expect([status, json.error_code]).toEqual([400, 'refresh_token_not_found']);
    expect((await refresh(counter, refresh_token)).status).toBe(200);
  });

  it('of the future, though well signed, was not issued here', async () => {
    const { refresh_token, user } = await signUp(counter);
    const { sessionId } = parseCounterToken(refresh_token) ?? { sessionId: '' };
    const [row] = await counter.database.owner.query<{ key: string }>(sql`
      select refresh_token_hmac_key as key from auth.sessions where user_id = ${user.id}`);
    const future = encodeCounterToken(sessionId, 7n, Buffer.from(row?.key ?? '', 'base64url'));
    const { status, json } = await refresh(counter, future);
    expect([status, json.error_code, json.msg]).toEqual([
      400,
      'validation_failed',
      'Invalid Refresh Token: Not Issued By This Server',
    ]);
  });

  it('that is stolen ends the session itself', async () => {
    const first = await signUp(counter);
    const second = (await refresh(counter, first.refresh_token)).json;
    const third = (await refresh(counter, second.refresh_token)).json;
    counter.clock.advance(60);
    expect((await refresh(counter, first.refresh_token)).json.error_code).toBe('refresh_token_already_used');
    const user = await counter.call('GET', '/user', { token: third.access_token });
    expect([user.status, user.json.error_code]).toEqual([403, 'session_not_found']);
  });
});

it('a database that is away answers 5xx, so that clients keep their session', async () => {
  const instance = await startAuth();
  const { refresh_token } = await signUp(instance);
  await instance.database.owner.query(sql`alter table auth.refresh_tokens rename to refresh_tokens_away`);
  const answer = await refresh(instance, refresh_token);
  expect(answer.status).toBe(500);
  expect(answer.json.msg).toBe('Unexpected failure, please check server logs for more information');
});

it.each([
  ['short', '0', 'refresh_tokens'],
  ['counter', '2', 'sessions'],
])(
  'a token of the %s form that others are always quicker to use answers 5xx too',
  async (_, version, table) => {
    const instance = await startAuth({ env: { GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION: version } });
    const { refresh_token } = await signUp(instance);
    await instance.database.owner.exec(`
    create function public.keep() returns trigger language plpgsql as 'begin return null; end';
    create trigger keep before update on auth.${table} for each row execute function public.keep();`);
    const { status, json } = await refresh(instance, refresh_token);
    expect([status, json.error_code]).toEqual([503, 'conflict']);
    await instance.database.owner.exec(`drop trigger keep on auth.${table}`);
    expect((await refresh(instance, refresh_token)).status).toBe(200);
  },
);

describe('limits of sessions', () => {
  it.each([
    ['GOTRUE_SESSIONS_TIMEBOX', 'Invalid Refresh Token: Session Expired'],
    ['GOTRUE_SESSIONS_INACTIVITY_TIMEOUT', 'Invalid Refresh Token: Session Expired (Inactivity)'],
  ])('%s ends them', async (name, message) => {
    const instance = await startAuth({ env: { [name]: '1h' } });
    const { refresh_token } = await signUp(instance);
    instance.clock.advance(3000);
    const inTime = await refresh(instance, refresh_token);
    expect(inTime.status).toBe(200);
    instance.clock.advance(3700);
    const late = await refresh(instance, inTime.json.refresh_token);
    expect([late.status, late.json.error_code, late.json.msg]).toEqual([400, 'session_expired', message]);
  });

  it('a single session per user is the newest', async () => {
    const instance = await startAuth({ env: { GOTRUE_SESSIONS_SINGLE_PER_USER: 'true' } });
    const first = await signUp(instance);
    instance.clock.advance(5);
    const body = { email: first.user.email, password: 'correct horse' };
    const second = (await instance.call('POST', '/token?grant_type=password', { body })).json;
    expect((await refresh(instance, first.refresh_token)).json.msg).toBe(
      'Invalid Refresh Token: Session Expired (Revoked by Newer Login)',
    );
    expect((await refresh(instance, second.refresh_token)).status).toBe(200);
  });
});
