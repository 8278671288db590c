import { createHmac } from 'node:crypto';
import { member, newVersion, noId, type Scenario } from './scenario.ts';

const secret = 'super-secret-jwt-token-with-at-least-32-characters-long';
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token of any header and claims, signed by the shared secret. */
export function forge(claims: unknown, header: unknown = { alg: 'HS256', typ: 'JWT' }, key = secret): string {
  const head = `${part(header)}.${part(claims)}`;
  return `${head}.${createHmac('sha256', key).update(head).digest('base64url')}`;
}

const now = (): number => Math.floor(Date.now() / 1000);

/** Every endpoint that wants a token. */
const guarded = [
  ['GET', '/user'],
  ['PUT', '/user'],
  ['POST', '/logout'],
  ['GET', '/reauthenticate'],
  ['POST', '/factors'],
  ['POST', `/factors/${noId}/challenge`],
  ['POST', `/factors/${noId}/verify`],
  ['DELETE', `/factors/${noId}`],
  ['GET', '/user/identities/authorize?provider=github'],
  ['DELETE', `/user/identities/${noId}`],
  ['GET', '/passkeys'],
  ['PATCH', `/passkeys/${noId}`],
  ['DELETE', `/passkeys/${noId}`],
  ['POST', '/passkeys/registration/options'],
  ['POST', '/passkeys/registration/verify'],
  ['POST', '/invite'],
  ['GET', '/admin/users'],
  ['POST', '/admin/users'],
  ['GET', `/admin/users/${noId}`],
  ['PUT', `/admin/users/${noId}`],
  ['DELETE', `/admin/users/${noId}`],
  ['GET', `/admin/users/${noId}/factors`],
  ['PUT', `/admin/users/${noId}/factors/${noId}`],
  ['DELETE', `/admin/users/${noId}/factors/${noId}`],
  ['GET', `/admin/users/${noId}/passkeys`],
  ['DELETE', `/admin/users/${noId}/passkeys/${noId}`],
  ['POST', '/admin/generate_link'],
  ['GET', '/admin/audit'],
] as const;

/** Who asks, and how endpoints say no. */
export const tokens: readonly Scenario[] = [
  {
    name: 'guards of every endpoint',
    profiles: ['confirmations'],
    async run(target) {
      const { token } = await member(target, 'one@example.com');
      const callers = {
        nobody: undefined,
        'the anonymous key': forge({ role: 'anon', iss: 'supabase-demo', exp: now() + 60 }),
        'a user': token,
        'nobody known': forge({ sub: noId, role: 'authenticated', aud: 'authenticated', exp: now() + 60 }),
      };
      for (const [method, path] of guarded) {
        for (const [who, given] of Object.entries(callers)) {
          if (who === 'a user' && !path.startsWith('/admin') && path !== '/invite') continue;
          for (const headers of [{}, newVersion]) {
            const version = headers === newVersion ? 'new' : 'old';
            const ask = { token: given, headers, ...(method === 'GET' ? {} : { body: {} }) };
            await target.ask(`${method} ${path} as ${who}, ${version}`, method, path, ask);
          }
        }
      }
    },
  },
  {
    name: 'tokens of every kind',
    profiles: ['confirmations'],
    async run(target) {
      const { id, session } = await member(target, 'one@example.com');
      const claims = JSON.parse(
        Buffer.from(session.access_token.split('.')[1] ?? '', 'base64url').toString(),
      ) as Record<string, unknown>;
      const good = { sub: id, role: 'authenticated', aud: 'authenticated', exp: now() + 60 };
      const kinds: Readonly<Record<string, string>> = {
        'of one part': 'x',
        'of two parts': 'x.y',
        'of three parts': 'x.y.z',
        'of four parts': 'a.b.c.d',
        'without payload': `${part({ alg: 'HS256' })}..x`,
        'with a payload that is no JSON': `${part({ alg: 'HS256' })}.${Buffer.from('{').toString('base64url')}.x`,
        'with a payload that is a list': forge([]),
        'with a header that is no JSON': `${Buffer.from('{').toString('base64url')}.${part(good)}.x`,
        'with base64 that is none': `${part({ alg: 'HS256' })}.${part(good)}.***`,
        'without alg': forge(good, { typ: 'JWT' }),
        'with alg none': `${part({ alg: 'none' })}.${part(good)}.`,
        'with alg None': `${part({ alg: 'None' })}.${part(good)}.`,
        'with alg RS256': forge(good, { alg: 'RS256', typ: 'JWT' }),
        'with alg HS512': forge(good, { alg: 'HS512', typ: 'JWT' }),
        'with alg nonsense': forge(good, { alg: 'nonsense', typ: 'JWT' }),
        'with a kid that is unknown': forge(good, { alg: 'HS256', typ: 'JWT', kid: 'x' }),
        'with a kid that is no text': forge(good, { alg: 'HS256', typ: 'JWT', kid: 5 }),
        'with a kid that is unknown, RS256': forge(good, { alg: 'RS256', typ: 'JWT', kid: 'x' }),
        'of another key': forge(good, undefined, 'another'),
        'that is expired': forge({ ...good, exp: now() - 1 }),
        'that expired long ago': forge({ ...good, exp: 1 }),
        'that does not expire': forge({ ...good, exp: undefined }),
        'with an exp that is text': forge({ ...good, exp: 'x' }),
        'with an exp that is a fraction': forge({ ...good, exp: now() + 60.5 }),
        'that is valid later': forge({ ...good, nbf: now() + 60 }),
        'that is expired and valid later': forge({ ...good, exp: 1, nbf: now() + 60 }),
        'issued later': forge({ ...good, iat: now() + 600 }),
        'with a list of audiences': forge({ ...good, aud: ['authenticated', 'x'] }),
        'with another audience': forge({ ...good, aud: 'x' }),
        'without an audience': forge({ ...good, aud: undefined }),
        'with an audience that is a number': forge({ ...good, aud: 5 }),
        'without sub': forge({ ...good, sub: undefined }),
        'with an empty sub': forge({ ...good, sub: '' }),
        'with a sub that is no UUID': forge({ ...good, sub: 'x' }),
        'with a sub that is a number': forge({ ...good, sub: 5 }),
        'with a sub without dashes': forge({ ...good, sub: id?.replaceAll('-', '') }),
        'with a sub in capitals': forge({ ...good, sub: id?.toUpperCase() }),
        'with the nil sub': forge({ ...good, sub: '00000000-0000-0000-0000-000000000000' }),
        'with an empty session': forge({ ...good, session_id: '' }),
        'with a session that is no UUID': forge({ ...good, session_id: 'x' }),
        'with a session that is none': forge({ ...good, session_id: noId }),
        'with the nil session': forge({ ...good, session_id: '00000000-0000-0000-0000-000000000000' }),
        'with a role that is a number': forge({ ...good, role: 5 }),
        'of an admin': forge({ role: 'supabase_admin' }),
        'of an admin with a sub': forge({ ...good, role: 'service_role' }),
        'of an admin with a session': forge({ ...claims, role: 'service_role' }),
        'of an admin with a session that is none': forge({
          ...claims,
          role: 'service_role',
          session_id: noId,
        }),
        'that is good': forge(good),
        'that is good and an anonymous': forge({ ...good, is_anonymous: true }),
      };
      for (const [kind, token] of Object.entries(kinds)) {
        await target.ask(`user by a token ${kind}`, 'GET', '/user', { token });
        await target.ask(`users by a token ${kind}`, 'GET', '/admin/users', { token });
      }
      for (const authorization of [
        '',
        'Bearer',
        'Bearer ',
        `bearer ${kinds['that is good']}`,
        `BEARER ${kinds['that is good']}`,
        `Bearer  ${kinds['that is good']}`,
        `Bearer ${kinds['that is good']} x`,
        `Basic ${kinds['that is good']}`,
        `${kinds['that is good']}`,
      ]) {
        await target.ask(`user by ${authorization.slice(0, 9)}`, 'GET', '/user', {
          headers: { authorization },
        });
      }
      const token = kinds['that is good'];
      await target.ask('another audience asked', 'GET', '/user', { token, headers: { 'x-jwt-aud': 'x' } });
      await target.ask('the audience asked', 'GET', '/user', {
        token,
        headers: { 'x-jwt-aud': 'authenticated' },
      });
    },
  },
  {
    name: 'versions of errors',
    profiles: ['confirmations'],
    async run(target) {
      for (const version of [
        '2024-01-01',
        '2025-12-31',
        '2023-12-31',
        '2024-1-1',
        '2024-02-30',
        'x',
        '',
        ' 2024-01-01',
        '2024-01-01T00:00:00Z',
      ]) {
        const headers = { 'x-supabase-api-version': version };
        const ask = (step: string, method: string, path: string, body?: unknown) =>
          target.ask(`${version}: ${step}`, method, path, {
            headers,
            ...(body === undefined ? {} : { body }),
          });
        await ask('no token', 'GET', '/user');
        await ask('weak', 'POST', '/signup', { email: 'a@b.co', password: 'x' });
        await ask('bad json', 'POST', '/signup', '{');
        await ask('oauth', 'POST', '/token?grant_type=id_token', {});
        await ask('settings', 'GET', '/settings');
        await ask('no path', 'GET', '/nonsense');
        await ask('no method', 'PUT', '/signup');
        await ask('redirect', 'GET', '/verify?type=signup&token=x');
      }
    },
  },
];
