import { describe, expect, it } from 'vitest';
import { usualCost } from '../../../src/auth/passwords/bcrypt.ts';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';

/*
 * What somebody learns who asks about addresses that are not theirs: nothing.
 */
const auth = await startAuth({ env: { GOTRUE_MAILER_AUTOCONFIRM: 'false' }, hashCost: usualCost });
const password = 'correct horse';
const known = 'known@example.com';
const member = (email: string) =>
  auth.call('POST', '/admin/users', {
    token: auth.serviceKey,
    body: { email, password, email_confirm: true },
  });
await member(known);

/** A body with what differs by nature taken out. */
const shapeOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return [];
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shapeOf(member)]));
};

/** What the quicker half of some times took on average: what else runs on the machine only ever adds. */
const quickHalf = (times: readonly number[]): number => {
  const half = times.toSorted((a, b) => a - b).slice(0, times.length / 2);
  return half.reduce((sum, ms) => sum + ms, 0) / half.length;
};

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
    auth.clock.advance(2);
    const [mine, nobodys] = [
      await auth.call('POST', '/signup', { body: { email: known, password } }),
      await auth.call('POST', '/signup', { body: { email: 'fresh@example.com', password } }),
    ];
    expect(mine.status).toBe(nobodys.status);
    expect(Object.keys(mine.json).sort()).toEqual(Object.keys(nobodys.json).sort());
    expect(shapeOf(mine.json.app_metadata)).toEqual(shapeOf(nobodys.json.app_metadata));
    auth.clock.advance(2);
    const again = await auth.call('POST', '/signup', { body: { email: known, password } });
    expect([again.status, again.json.id === mine.json.id]).toEqual([200, false]);
  });

  it.each([
    ['/recover', (email: string) => ({ email })],
    ['/resend', (email: string) => ({ email, type: 'signup' })],
    ['/signup', (email: string) => ({ email, password })],
  ])('from how often %s may be asked', async (path, body) => {
    const ask = async (email: string) => {
      const { status, json } = await auth.call('POST', path, { body: body(email) });
      return [status, json.error_code, json.msg];
    };
    const tooSoon = [
      429,
      'over_email_send_rate_limit',
      'For security purposes, you can only request this after 0 seconds.',
    ];
    for (const [name, isKnown] of [
      ['here', true],
      ['away', false],
    ] as const) {
      const email = `${name}${path.slice(1)}@example.com`;
      if (isKnown) await member(email);
      expect((await ask(email))[0]).toBe(200);
      expect(await ask(email)).toEqual(tooSoon);
    }
    auth.clock.advance(2);
    expect((await ask(`away${path.slice(1)}@example.com`))[0]).toBe(200);
  });

  it('from how many mails there may be', async () => {
    const few = await startAuth({
      env: {
        GOTRUE_MAILER_AUTOCONFIRM: 'false',
        GOTRUE_SMTP_HOST: '127.0.0.1',
        GOTRUE_SMTP_MAX_FREQUENCY: '1ns',
        GOTRUE_RATE_LIMIT_EMAIL_SENT: '2',
      },
    });
    const ask = async () =>
      (await few.call('POST', '/recover', { body: { email: 'nobody@example.com' } })).json.error_code;
    expect([await ask(), await ask(), await ask()]).toEqual([
      undefined,
      undefined,
      'over_email_send_rate_limit',
    ]);
  });

  const pairs = 100;
  type Asked = (email: string) => object;

  /** How long an endpoint takes for members, in proportion to how long it takes for strangers. */
  async function timesOf(path: string, body: Asked): Promise<number> {
    const name = path.replace(/\W/g, '');
    await auth.database.owner.query(sql`
      insert into auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at,
        raw_app_meta_data, raw_user_meta_data, created_at, updated_at)
      select instance_id, gen_random_uuid(), aud, role, 'member' || n || ${name} || '@example.com', encrypted_password,
        now(), raw_app_meta_data, raw_user_meta_data, now(), now()
      from auth.users, generate_series(1, ${pairs}) n where email = ${known}`);
    const time = async (email: string): Promise<number> => {
      const start = performance.now();
      await auth.call('POST', path, { body: body(email) });
      return performance.now() - start;
    };
    await time(`first${name}@example.com`);
    const members: number[] = [];
    const strangers: number[] = [];
    for (let n = 1; n <= pairs; n++) {
      // At the same moment, so that whatever else slows one of them slows the other.
      const [mine, nobodys] = await Promise.all([
        time(`member${n}${name}@example.com`),
        time(`nobody${n}${name}@example.com`),
      ]);
      members.push(mine);
      strangers.push(nobodys);
    }
    return quickHalf(members) / quickHalf(strangers);
  }

  it.each<[string, Readonly<Record<string, Asked>>]>([
    ['a sign-in', { '/token?grant_type=password': (email: string) => ({ email, password: 'wrong horse' }) }],
    ['a sign-up', { '/signup': (email: string) => ({ email, password }) }],
    [
      'a mail, or of a wrong code',
      {
        '/recover': (email: string) => ({ email }),
        '/otp': (email: string) => ({ email }),
        '/magiclink': (email: string) => ({ email }),
        '/resend': (email: string) => ({ email, type: 'signup' }),
        '/verify': (email: string) => ({ email, type: 'recovery', token: '123456' }),
      },
    ],
  ])('from the time of %s, over two hundred tries', { timeout: 120_000 }, async (_, asked) => {
    const ratios = await Promise.all(Object.entries(asked).map(([path, body]) => timesOf(path, body)));
    for (const ratio of ratios) {
      expect(ratio).toBeGreaterThan(0.8);
      expect(ratio).toBeLessThan(1.25);
    }
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
