import { describe, expect, it } from 'vitest';
import { startAuth } from '../../support/auth.ts';

/*
 * What somebody learns who asks about addresses that are not theirs: nothing.
 */
const auth = await startAuth({ env: { GOTRUE_MAILER_AUTOCONFIRM: 'false' } });
const password = 'correct horse';
const known = 'known@example.com';
await auth.call('POST', '/admin/users', {
  token: auth.serviceKey,
  body: { email: known, password, email_confirm: true },
});

/** A body with what differs by nature taken out. */
const shapeOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return [];
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shapeOf(member)]));
};

const median = (times: number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;

describe('a stranger cannot tell who has an account', () => {
  it.each([
    ['/recover', (email: string) => ({ email })],
    ['/token?grant_type=password', (email: string) => ({ email, password: 'wrong horse' })],
    ['/verify', (email: string) => ({ email, type: 'recovery', token: '123456' })],
    ['/resend', (email: string) => ({ email, type: 'signup' })],
  ])('from the answer of %s', async (path, body) => {
    const [mine, nobodys] = [
      await auth.call('POST', path, { body: body(known) }),
      await auth.call('POST', path, { body: body('nobody@example.com') }),
    ];
    expect([mine.status, mine.text]).toEqual([nobodys.status, nobodys.text]);
  });

  it('from the answer of a sign-up', async () => {
    const [mine, nobodys] = [
      await auth.call('POST', '/signup', { body: { email: known, password } }),
      await auth.call('POST', '/signup', { body: { email: 'fresh@example.com', password } }),
    ];
    expect(mine.status).toBe(nobodys.status);
    expect(Object.keys(mine.json).sort()).toEqual(Object.keys(nobodys.json).sort());
    expect(shapeOf(mine.json.app_metadata)).toEqual(shapeOf(nobodys.json.app_metadata));
    const [again, other] = [
      await auth.call('POST', '/signup', { body: { email: known, password } }),
      await auth.call('POST', '/signup', { body: { email: known, password } }),
    ];
    expect(again.json.id).not.toBe(other.json.id);
  });

  it.each([
    ['/token?grant_type=password', (email: string) => ({ email, password: 'wrong horse' })],
    ['/signup', (email: string) => ({ email, password })],
  ])('from the time of %s', async (path, body) => {
    const time = async (email: string): Promise<number> => {
      const start = performance.now();
      await auth.call('POST', path, { body: body(email) });
      return performance.now() - start;
    };
    await time(known);
    const mine: number[] = [];
    const nobodys: number[] = [];
    for (let i = 0; i < 7; i++) {
      mine.push(await time(known));
      nobodys.push(await time(`nobody${i}@example.com`));
    }
    // Both hash once, which takes far longer than anything else that differs.
    expect(median(mine) / median(nobodys)).toBeGreaterThan(0.5);
    expect(median(mine) / median(nobodys)).toBeLessThan(2);
  });
});

describe('a client cannot give itself more than its own', () => {
  const signIn = async () =>
    (await auth.call('POST', '/token?grant_type=password', { body: { email: known, password } })).json;

  it('by members that are not for it', async () => {
    const { access_token: token, user } = await signIn();
    await auth.call('PUT', '/user', {
      token,
      body: {
        data: { a: 1 },
        role: 'service_role',
        aud: 'other',
        id: '11111111-2222-4333-8444-555555555555',
        banned_until: 'none',
        is_super_admin: true,
        is_sso_user: true,
      },
    });
    const after = (await auth.call('GET', '/user', { token })).json;
    expect([after.role, after.aud, after.id]).toEqual([user.role, user.aud, user.id]);
    const app = await auth.call('PUT', '/user', { token, body: { app_metadata: { role: 'admin' } } });
    expect((await auth.call('GET', '/user', { token })).json.app_metadata.role).toBeUndefined();
    expect(app.status).toBeLessThan(500);
  });

  it('by a sign-up that says what it is', async () => {
    const email = 'climber@example.com';
    await auth.call('POST', '/signup', {
      body: { email, password, role: 'service_role', app_metadata: { admin: true }, email_confirm: true },
    });
    const { json } = await auth.call('GET', '/admin/users', { token: auth.serviceKey });
    const made = json.users.find((user: { email: string }) => user.email === email);
    expect(made).toMatchObject({ role: 'authenticated', app_metadata: { provider: 'email' } });
    expect(made.email_confirmed_at).toBeUndefined();
  });

  it.each(['__proto__', 'constructor'])('by metadata named %s', async (name) => {
    const { access_token: token } = await signIn();
    const body = `{"data": {"${name}": {"polluted": true}}}`;
    const answer = await auth.call('PUT', '/user', { token, body });
    expect(answer.status).toBeLessThan(500);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
