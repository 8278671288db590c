import { createHmac, generateKeyPairSync } from 'node:crypto';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { usualCost } from '../../../src/auth/passwords/bcrypt.ts';
import { createLog } from '../../../src/observe/log.ts';
import { sql } from '../../../src/pg/sql/sql.ts';
import { type AuthInstance, startAuth } from '../../support/auth.ts';
import { pkceChallenge, pkceVerifier } from '../../support/pkce.ts';

const password = 'correct horse';
const confirming = { GOTRUE_MAILER_AUTOCONFIRM: 'false', GOTRUE_SMTP_MAX_FREQUENCY: '1ns' };
const auth = await startAuth({ env: confirming, hashCost: usualCost });
const signingKey = {
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
  ...{ kid: 'rsa-key', alg: 'RS256', key_ops: ['sign', 'verify'] },
};
const asymmetric = await startAuth({ env: { GOTRUE_JWT_KEYS: JSON.stringify([signingKey]) } });

async function confirmed(instance: AuthInstance, email: string) {
  const made = await instance.call('POST', '/admin/users', {
    token: instance.serviceKey,
    body: { email, password, email_confirm: true },
  });
  const session = await instance.call('POST', '/token?grant_type=password', { body: { email, password } });
  return { id: String(made.json.id), session: session.json };
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const forge = (header: unknown, claims: unknown, key: string): string => {
  const head = `${part(header)}.${part(claims)}`;
  return `${head}.${createHmac('sha256', key).update(head).digest('base64url')}`;
};

describe('a token is refused', () => {
  const now = Math.floor(Date.now() / 1000);
  const good = { sub: '0a1b2c3d-0000-4000-8000-000000000000', role: 'service_role', exp: now + 3600 };
  const secret = 'super-secret-jwt-token-with-at-least-32-characters-long';
  const { d, p, q, dp, dq, qi, ...publicKey } = signingKey as Record<string, unknown>;
  const pem = JSON.stringify(publicKey);

  it.each([
    ['without an algorithm', `${part({ alg: 'none' })}.${part(good)}.`],
    ['signed by the public key as a shared secret', forge({ alg: 'HS256', kid: 'rsa-key' }, good, pem)],
    [
      'signed by the shared secret in the name of the public key',
      forge({ alg: 'RS256', kid: 'rsa-key' }, good, secret),
    ],
    ['of an algorithm that is not permitted', forge({ alg: 'HS512' }, good, secret)],
    ['with the kid of no key', forge({ alg: 'RS256', kid: 'x' }, good, secret)],
    ['that is expired', forge({ alg: 'HS256' }, { ...good, exp: now - 1 }, secret)],
    ['that is valid later', forge({ alg: 'HS256' }, { ...good, nbf: now + 3600 }, secret)],
    ['that brings its own key', forge({ alg: 'HS256', jwk: publicKey }, good, pem)],
  ])('%s', async (_, token) => {
    for (const path of ['/user', '/admin/users']) {
      const { status, json } = await asymmetric.call('GET', path, { token });
      expect([status, json.error_code]).toEqual([403, 'bad_jwt']);
    }
  });

  it('but not a good one of the shared secret', async () => {
    const token = forge({ alg: 'HS256' }, good, secret);
    expect((await asymmetric.call('GET', '/admin/users', { token })).status).toBe(200);
  });
});

describe('a code by mail', () => {
  it('cannot be tried out: after ten wrong ones the right one is refused, until the next is sent', async () => {
    await confirmed(auth, 'guessed@example.com');
    const ask = () => auth.call('POST', '/otp', { body: { email: 'guessed@example.com' } });
    const verify = async (token: string) =>
      (await auth.call('POST', '/verify', { body: { type: 'email', email: 'guessed@example.com', token } }))
        .status;
    await ask();
    const { code } = await auth.nextMail('guessed@example.com');
    const wrong = code === '000000' ? '111111' : '000000';
    for (let i = 0; i < 10; i++) expect(await verify(wrong)).toBe(403);
    expect(await verify(code)).toBe(403);
    await ask();
    expect(await verify((await auth.nextMail('guessed@example.com')).code)).toBe(200);
  });
});

describe('a code for a new password', () => {
  it('cannot be tried out by whoever holds the session', async () => {
    const careful = await startAuth({
      env: { ...confirming, GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION: 'true' },
    });
    const email = 'nonce@example.com';
    const { session } = await confirmed(careful, email);
    const claims = decodeJwt(session.access_token);
    careful.clock.advance(86_401);
    const token = await careful.sign({ ...claims, exp: 9e9 });
    const change = async (nonce: string) =>
      (await careful.call('PUT', '/user', { token, body: { password: 'another horse', nonce } })).status;
    await careful.call('GET', '/reauthenticate', { token });
    const { code } = await careful.nextMail(email);
    const wrong = code === '000000' ? '111111' : '000000';
    for (let i = 0; i < 10; i++) expect(await change(wrong)).toBe(422);
    expect(await change(code)).toBe(422);
    await careful.call('GET', '/reauthenticate', { token });
    expect(await change((await careful.nextMail(email)).code)).toBe(200);
  });
});

describe('an address', () => {
  it('is not taken over by whoever holds one of the two links, nor by one link used twice', async () => {
    const { session } = await confirmed(auth, 'owner@example.com');
    const token = session.access_token;
    await auth.call('PUT', '/user', { token, body: { email: 'thief@example.com' } });
    const { link } = await auth.nextMail('thief@example.com');
    for (let i = 0; i < 2; i++) {
      await auth.call('GET', `/verify${link.search}`);
      expect((await auth.call('GET', '/user', { token })).json.email).toBe('owner@example.com');
    }
  });

  it('keeps no change that waited when the password is changed', async () => {
    const { session } = await confirmed(auth, 'careful@example.com');
    const token = session.access_token;
    await auth.call('PUT', '/user', { token, body: { email: 'elsewhere@example.com' } });
    const [old, fresh] = [
      await auth.nextMail('careful@example.com'),
      await auth.nextMail('elsewhere@example.com'),
    ];
    await auth.call('PUT', '/user', { token, body: { password: 'another horse' } });
    for (const { link } of [old, fresh]) await auth.call('GET', `/verify${link.search}`);
    expect((await auth.call('GET', '/user', { token })).json.email).toBe('careful@example.com');
  });
});

describe('a flow with PKCE', () => {
  it('hands out no tokens to whoever opens its link, and none without the verifier', async () => {
    await confirmed(auth, 'pkce-only@example.com');
    const body = {
      email: 'pkce-only@example.com',
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 's256',
    };
    await auth.call('POST', '/otp', { body });
    const { link } = await auth.nextMail('pkce-only@example.com');
    // Without its mark the link would be one of the implicit flow.
    const bare = link.search.replace('token=pkce_', 'token=');
    const { headers: refused } = await auth.call('GET', `/verify${bare}`);
    expect(refused.get('location')).toContain('error_code=otp_expired');
    const { headers } = await auth.call('GET', `/verify${link.search}`);
    const location = new URL(headers.get('location') ?? '');
    expect([location.hash, [...location.searchParams.keys()]]).toEqual(['', ['code']]);
    for (const code_verifier of ['', 'c'.repeat(43)]) {
      const { status } = await auth.call('POST', '/token?grant_type=pkce', {
        body: { auth_code: location.searchParams.get('code'), code_verifier },
      });
      expect(status).toBe(400);
    }
  });
});

describe('whoever is banned or signed out', () => {
  it('is out at once, with every token', async () => {
    const { id, session } = await confirmed(auth, 'banned@example.com');
    const admin = (ban_duration: string) =>
      auth.call('PUT', `/admin/users/${id}`, { token: auth.serviceKey, body: { ban_duration } });
    await admin('1h');
    const refresh = { body: { refresh_token: session.refresh_token } };
    expect((await auth.call('GET', '/user', { token: session.access_token })).json.error_code).toBe(
      'user_banned',
    );
    expect((await auth.call('POST', '/token?grant_type=refresh_token', refresh)).json.error_code).toBe(
      'user_banned',
    );
    await admin('none');
    expect((await auth.call('GET', '/user', { token: session.access_token })).status).toBe(200);
    await auth.call('POST', '/logout', { token: session.access_token });
    expect((await auth.call('GET', '/user', { token: session.access_token })).json.error_code).toBe(
      'session_not_found',
    );
    expect((await auth.call('POST', '/token?grant_type=refresh_token', refresh)).json.error_code).toBe(
      'refresh_token_not_found',
    );
  });
});

describe('whoever is banned meanwhile', () => {
  it.each([
    [
      'by a link that was on its way',
      async (email: string) => {
        await auth.call('POST', '/otp', { body: { email } });
        const { link } = await auth.nextMail(email);
        return async () => {
          const { headers } = await auth.call('GET', `/verify${link.search}`);
          return new URLSearchParams(headers.get('location')?.split('#')[1]).get('error_code');
        };
      },
    ],
    [
      'by a code that was on its way',
      async (email: string) => {
        await auth.call('POST', '/otp', { body: { email } });
        const { code: token } = await auth.nextMail(email);
        const body = { type: 'email', email, token };
        return async () => (await auth.call('POST', '/verify', { body })).json.error_code;
      },
    ],
    [
      'by the code of PKCE',
      async (email: string) => {
        const challenge = { code_challenge: pkceChallenge(), code_challenge_method: 's256' };
        await auth.call('POST', '/otp', { body: { email, ...challenge } });
        const { headers } = await auth.call('GET', `/verify${(await auth.nextMail(email)).link.search}`);
        const auth_code = new URL(headers.get('location') ?? '').searchParams.get('code');
        const body = { auth_code, code_verifier: pkceVerifier };
        return async () => (await auth.call('POST', '/token?grant_type=pkce', { body })).json.error_code;
      },
    ],
  ])('does not come in %s', async (way, prepare) => {
    const email = `${way.replace(/\W/g, '')}@example.com`;
    const { id } = await confirmed(auth, email);
    const enter = await prepare(email);
    await auth.call('PUT', `/admin/users/${id}`, { token: auth.serviceKey, body: { ban_duration: '1h' } });
    expect(await enter()).toBe('user_banned');
  });
});

describe('what is kept and what is told', () => {
  it('is a bcrypt hash of a password and a digest of a code, as upstream stores them', async () => {
    await auth.call('POST', '/signup', { body: { email: 'kept@example.com', password } });
    const { code } = await auth.nextMail('kept@example.com');
    const [row] = await auth.database.owner.query<{ encrypted_password: string; confirmation_token: string }>(
      sql`select encrypted_password, confirmation_token from auth.users where email = 'kept@example.com'`,
    );
    expect(row?.encrypted_password).toMatch(/^\$2a\$10\$[./A-Za-z0-9]{53}$/);
    expect(row?.confirmation_token).toMatch(/^[0-9a-f]{56}$/);
    expect(row?.confirmation_token).not.toContain(code);
  });

  it('keeps secrets out of the log, also when something fails, and rows out of answers', async () => {
    const lines: string[] = [];
    const log = createLog('debug', { write: (line) => void lines.push(line) });
    const { id, session } = await confirmed(auth, 'quiet@example.com');
    await auth.call('POST', '/otp', { body: { email: 'quiet@example.com' } });
    const { code, link } = await auth.nextMail('quiet@example.com');
    await auth.call('GET', `/verify${link.search}`);
    await auth.call('PUT', '/user', { token: session.access_token, body: { password: 'a new horse' } });
    const [row] = await auth.database.owner.query<{ hash: string }>(sql`
      select encrypted_password as hash from auth.users where id = ${id}`);
    await auth.database.owner.exec(
      `alter table auth.users add constraint quiet check (email <> 'quiet@example.com') not valid`,
    );
    const failed = await auth.call('POST', '/recover', { body: { email: 'quiet@example.com' } });
    await auth.call('PUT', '/user', { token: session.access_token, body: { password: 'a third horse' } });
    await auth.database.owner.exec('alter table auth.users drop constraint quiet');
    expect([failed.status, failed.text.includes(row?.hash ?? '')]).toEqual([500, false]);
    for (const observation of auth.observed) log(observation);
    const told = lines.join('');
    expect(told).toContain('"route":"/verify"');
    expect(told).toContain('violates check constraint');
    for (const secret of [
      password,
      'a new horse',
      'a third horse',
      session.access_token,
      session.refresh_token,
      link.searchParams.get('token') ?? '',
      row?.hash ?? '',
    ]) {
      expect(secret.length).toBeGreaterThan(5);
      expect(told).not.toContain(secret);
    }
    // Within an id the same digits are no code.
    expect(told).not.toMatch(new RegExp(`(?<![\\w-])${code}(?![\\w-])`));
  });
});
