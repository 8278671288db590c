import { member, newVersion, noId, type Scenario } from './scenario.ts';

/** Endpoints that read a body, with who may ask them. */
const withBody = [
  ['POST', '/signup', 'nobody'],
  ['POST', '/token?grant_type=password', 'nobody'],
  ['POST', '/token?grant_type=refresh_token', 'nobody'],
  ['POST', '/token?grant_type=pkce', 'nobody'],
  ['POST', '/token?grant_type=id_token', 'nobody'],
  ['POST', '/token?grant_type=web3', 'nobody'],
  ['POST', '/otp', 'nobody'],
  ['POST', '/magiclink', 'nobody'],
  ['POST', '/recover', 'nobody'],
  ['POST', '/resend', 'nobody'],
  ['POST', '/verify', 'nobody'],
  ['PUT', '/user', 'user'],
  ['POST', '/factors', 'user'],
  ['POST', '/invite', 'admin'],
  ['POST', '/admin/users', 'admin'],
  ['POST', '/admin/generate_link', 'admin'],
  ['POST', '/passkeys/registration/verify', 'user'],
  ['POST', '/passkeys/authentication/options', 'nobody'],
  ['POST', '/passkeys/authentication/verify', 'nobody'],
] as const;

const bodies = [
  '',
  ' ',
  '{',
  '{"email"',
  '{"email":}',
  "{'email':1}",
  '{"email":"a@b.co",}',
  '[]',
  '"text"',
  '5',
  'true',
  'null',
  'nonsense',
  '{"a":"\u0001"}',
  '{"a":"\\x"}',
  '{"a":01}',
  '{"a":1.}',
  '{"a" 1}',
  '{a:1}',
  '[1 2]',
  '{"a":"\\ud800"}',
] as const;

/** A member of the wrong type, for each type that Go knows. */
const wrongTypes = [
  ['POST', '/signup', { email: 5, password: 'x' }],
  ['POST', '/signup', { email: 'a@b.co', password: ['x'] }],
  ['POST', '/signup', { email: { a: 1 }, password: 'x' }],
  ['POST', '/signup', { email: true }],
  ['POST', '/signup', { email: 'a@b.co', password: 'x', data: 'text' }],
  ['POST', '/signup', { email: 'a@b.co', password: 'x', data: [1] }],
  ['POST', '/signup', { gotrue_meta_security: 'x' }],
  ['POST', '/signup', { gotrue_meta_security: { captcha_token: 5 } }],
  ['POST', '/token?grant_type=password', { email: 5 }],
  ['POST', '/token?grant_type=password', { email: 'a@b.co', password: 5 }],
  ['POST', '/token?grant_type=refresh_token', { refresh_token: 5 }],
  ['POST', '/token?grant_type=refresh_token', { refresh_token: null }],
  ['POST', '/token?grant_type=pkce', { auth_code: 5, code_verifier: 5 }],
  ['POST', '/token?grant_type=id_token', { id_token: 5 }],
  ['POST', '/token?grant_type=web3', { message: 5 }],
  ['POST', '/otp', { email: 5 }],
  ['POST', '/otp', { email: 'a@b.co', create_user: 'yes' }],
  ['POST', '/otp', { phone: 15550001 }],
  ['POST', '/magiclink', { email: 5 }],
  ['POST', '/recover', { email: 5 }],
  ['POST', '/resend', { type: 5 }],
  ['POST', '/resend', { type: 'signup', email: 5 }],
  ['POST', '/verify', { type: 5 }],
  ['POST', '/verify', { type: 'email', token: 123456, email: 'a@b.co' }],
  ['PUT', '/user', { email: 5 }],
  ['PUT', '/user', { password: 5 }],
  ['PUT', '/user', { data: 'x' }],
  ['PUT', '/user', { app_metadata: 'x' }],
  ['PUT', '/user', { nonce: 123456, password: 'Another-horse-1' }],
  ['POST', '/factors', { factor_type: 5 }],
  ['POST', '/factors', { factor_type: 'totp', friendly_name: 5 }],
  ['POST', '/invite', { email: 5 }],
  ['POST', '/invite', { email: 'a@b.co', data: 'x' }],
  ['POST', '/admin/users', { email: 5 }],
  ['POST', '/admin/users', { email: 'x@y.zz', email_confirm: 'yes' }],
  ['POST', '/admin/users', { email: 'x@y.zz', user_metadata: 'x' }],
  ['POST', '/admin/users', { email: 'x@y.zz', ban_duration: 5 }],
  ['POST', '/admin/users', { email: 'x@y.zz', password: 5 }],
  ['POST', '/admin/generate_link', { type: 5 }],
  ['POST', '/admin/generate_link', { type: 'signup', email: 5 }],
] as const;

const paths = [
  '/',
  '/nonsense',
  '/admin',
  '/admin/',
  '/admin/nonsense',
  '/admin/users/',
  `/admin/users/${noId}/nonsense`,
  '/user/nonsense',
  '/user/',
  '/signup/',
  '/signup/nonsense',
  '/verify/',
  '/verify/nonsense',
  '/callback/',
  '/reauthenticate/',
  '/factors/',
  `/factors/${noId}/nonsense`,
  '/passkeys/',
  '/passkeys/nonsense/nonsense',
  '/.well-known/nonsense',
  '//signup',
  '/SIGNUP',
] as const;

const known = [
  '/health',
  '/settings',
  '/.well-known/jwks.json',
  '/.well-known/openid-configuration',
  '/signup',
  '/token',
  '/otp',
  '/magiclink',
  '/recover',
  '/resend',
  '/verify',
  '/user',
  '/logout',
  '/reauthenticate',
  '/authorize',
  '/invite',
  '/factors',
  `/factors/${noId}`,
  `/factors/${noId}/challenge`,
  `/factors/${noId}/verify`,
  '/passkeys',
  `/passkeys/${noId}`,
  '/passkeys/registration/options',
  '/passkeys/authentication/options',
  '/user/identities/authorize',
  `/user/identities/${noId}`,
  '/admin/users',
  `/admin/users/${noId}`,
  `/admin/users/${noId}/factors`,
  '/admin/generate_link',
  '/admin/audit',
  '/health/',
  '/token/',
  '/logout/',
  '/signup/',
  '/user/',
  '/user/oauth/grants/',
  `/user/identities/${noId}/`,
  `/factors/${noId}/`,
  `/factors/${noId}/verify/`,
  '/sso/',
  '/oauth/token/',
  '/admin/users/',
  `/admin/users/${noId}/`,
  '/admin/sso/providers/',
  '/admin/generate_link/',
] as const;

/** Requests that are wrong before their meaning matters. */
export const malformed: readonly Scenario[] = [
  {
    name: 'bodies that are not JSON',
    profiles: ['confirmations'],
    async run(target) {
      const { token } = await member(target, 'one@example.com');
      const tokens = { nobody: undefined, user: token, admin: target.serviceKey };
      for (const [method, path, who] of withBody) {
        for (const body of bodies) {
          const headers = { 'content-type': 'application/json' };
          const ask = { token: tokens[who], body, headers };
          await target.ask(`${method} ${path} ${body}`, method, path, ask);
        }
      }
    },
  },
  {
    name: 'members of the wrong type',
    profiles: ['confirmations'],
    async run(target) {
      const { token } = await member(target, 'one@example.com');
      for (const [method, path, body] of wrongTypes) {
        const isUser = path === '/user' || path === '/factors';
        const ask = { token: isUser ? token : target.serviceKey, body };
        await target.ask(`${method} ${path} ${JSON.stringify(body)}`, method, path, ask);
      }
      await target.ask('new version', 'POST', '/signup', { body: { email: 5 }, headers: newVersion });
    },
  },
  {
    name: 'paths that are none, and methods that a path has not',
    profiles: ['confirmations', 'closed'],
    async run(target) {
      for (const path of paths) {
        for (const token of [undefined, target.serviceKey]) {
          for (const method of ['GET', 'POST']) {
            await target.ask(`${method} ${path} ${token === undefined ? '' : 'as admin'}`, method, path, {
              token,
            });
          }
        }
      }
      for (const path of known) {
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
          await target.ask(`${method} ${path}`, method, path);
        }
      }
    },
  },
];
