import { exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { startAuth } from '../../support/auth.ts';

const { privateKey } = await generateKeyPair('ES256', { extractable: true });
const standby = await generateKeyPair('ES256', { extractable: true });
const signing = { ...(await exportJWK(privateKey)), kid: 'today', alg: 'ES256', key_ops: ['sign', 'verify'] };
const next = {
  ...(await exportJWK(standby.privateKey)),
  kid: 'tomorrow',
  alg: 'ES256',
  key_ops: ['verify'],
};
const shared = {
  kty: 'oct',
  kid: 'shared',
  alg: 'HS256',
  k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA',
  key_ops: ['verify'],
};
const auth = await startAuth();
const keyed = await startAuth({ env: { GOTRUE_JWT_KEYS: JSON.stringify([signing, next, shared]) } });

const password = 'correct horse';
const admin = { role: 'service_role' };
const newer = { 'x-supabase-api-version': '2024-01-01' };

describe('an error', () => {
  const wrong = { email: 'nobody@example.com', password };
  const ask = (headers: Record<string, string>) =>
    auth.call('POST', '/token?grant_type=password', { body: wrong, headers });

  it.each([
    ['no version', {}],
    ['an old version', { 'x-supabase-api-version': '2023-12-31' }],
    ['a version that is none', { 'x-supabase-api-version': 'today' }],
  ])('has the old form for %s', async (_, headers) => {
    const { json, headers: replied } = await ask(headers);
    expect(json).toEqual({ code: 400, error_code: 'invalid_credentials', msg: 'Invalid login credentials' });
    expect(replied.get('x-supabase-api-version')).toBeNull();
    expect(replied.get('x-sb-error-code')).toBe('invalid_credentials');
  });

  it('has the new form for a newer version, which only errors echo', async () => {
    const { json, headers } = await ask({ 'x-supabase-api-version': '2030-06-01' });
    expect(json).toEqual({ code: 'invalid_credentials', message: 'Invalid login credentials' });
    expect(headers.get('x-supabase-api-version')).toBe('2024-01-01');
    const good = await auth.call('GET', '/health', { headers: newer });
    expect([good.status, good.headers.get('x-supabase-api-version')]).toEqual([200, null]);
  });

  it('of OAuth has one form whatever the version', async () => {
    const body = { provider: 'google', id_token: 'x', client_id: 'y', issuer: 'z' };
    for (const headers of [{}, newer]) {
      const { status, json } = await keyed.call('POST', '/token?grant_type=id_token', {
        body: { ...body, provider: 'google', link_identity: true },
        headers,
      });
      expect([status, Object.keys(json).sort()]).toEqual([400, ['error', 'error_description']]);
    }
  });

  it('without a path, or of another method, is plain', async () => {
    const missing = await auth.call('GET', '/nowhere');
    expect([missing.status, missing.text]).toEqual([404, '404 page not found\n']);
    expect((await auth.call('PUT', '/signup')).status).toBe(405);
  });
});

describe('a script of another origin', () => {
  it('may send what clients send, and read the headers that they read', async () => {
    const wanted = 'apikey, authorization, content-type, x-client-info, x-supabase-api-version';
    const preflight = await auth.call('OPTIONS', '/token?grant_type=password', {
      headers: {
        origin: 'https://app.example.com',
        'access-control-request-method': 'POST',
        'access-control-request-headers': wanted,
      },
    });
    expect(preflight.status).toBe(200);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    const allowed = preflight.headers.get('access-control-allow-headers')?.toLowerCase() ?? '';
    for (const name of wanted.split(', ')) expect(allowed).toContain(name);
    const { headers } = await auth.call('GET', '/admin/users', {
      token: auth.serviceKey,
      headers: { origin: 'https://app.example.com' },
    });
    const exposed = headers.get('access-control-expose-headers')?.split(', ');
    expect(exposed).toEqual(expect.arrayContaining(['Link', 'X-Total-Count', 'X-Supabase-Api-Version']));
  });
});

describe('a body', () => {
  it('may have nulls and strangers among its members', async () => {
    const { status, json } = await auth.call('POST', '/signup', {
      body: { email: 'nulls@example.com', phone: null, password, data: null, channel: null, stranger: [1] },
    });
    expect([status, json.user.email]).toEqual([200, 'nulls@example.com']);
  });

  it.each([
    ['nothing', ''],
    ['half of one', '{"email":'],
    ['a member of the wrong type', '{"email":1}'],
  ])('that is %s is refused as bad JSON', async (_, body) => {
    const { status, json } = await auth.call('POST', '/signup', { body });
    expect([status, json.error_code]).toEqual([400, 'bad_json']);
    expect(json.msg).toMatch(/^Could not parse request body as JSON: /);
  });
});

describe('what the service says of itself', () => {
  it('is its health', async () => {
    const { status, json } = await auth.call('GET', '/health');
    expect([status, json]).toEqual([
      200,
      {
        version: 'test',
        name: 'GoTrue',
        description: 'GoTrue is a user registration and authentication API',
      },
    ]);
  });

  it('is which ways in there are', async () => {
    const { json } = await auth.call('GET', '/settings');
    const { external, ...rest } = json;
    const names = Object.keys(external).sort().join(' ');
    expect(names).toBe(
      'anonymous_users apple azure bitbucket discord email facebook figma fly github gitlab google kakao keycloak linkedin linkedin_oidc notion phone slack slack_oidc snapchat spotify twitch twitter workos zoom',
    );
    const on = Object.keys(external).filter((name) => external[name] !== false);
    expect([on, external.email]).toEqual([['email'], true]);
    expect(rest).toEqual({
      disable_signup: false,
      mailer_autoconfirm: true,
      phone_autoconfirm: true,
      sms_provider: '',
      saml_enabled: false,
      saml_private_key_next_configured: true,
      passkeys_enabled: false,
    });
  });

  it('is its public keys, and no others', async () => {
    const { json, headers } = await keyed.call('GET', '/.well-known/jwks.json');
    expect(headers.get('cache-control')).toBe('public, max-age=600');
    expect(json.keys.map(({ kid }: { kid: string }) => kid)).toEqual(['today', 'tomorrow']);
    for (const key of json.keys) expect(key).not.toHaveProperty('d');
    expect((await auth.call('GET', '/.well-known/jwks.json')).json).toEqual({ keys: [] });
  });
});

describe('an instance with keys of its own', () => {
  it('signs by the key of today, which everybody can check', async () => {
    const { json } = await keyed.call('POST', '/signup', { body: { email: 'keyed@example.com', password } });
    const [published] = (await keyed.call('GET', '/.well-known/jwks.json')).json.keys;
    const { protectedHeader, payload } = await jwtVerify(
      json.access_token,
      await importJWK(published, 'ES256'),
    );
    expect([protectedHeader, payload.email]).toEqual([
      { alg: 'ES256', kid: 'today', typ: 'JWT' },
      'keyed@example.com',
    ]);
    expect((await keyed.call('GET', '/user', { token: json.access_token })).status).toBe(200);
  });

  it.each([
    [
      'the key of tomorrow',
      () => new SignJWT(admin).setProtectedHeader({ alg: 'ES256', kid: 'tomorrow' }).sign(standby.privateKey),
    ],
    ['the shared secret of before', () => keyed.sign(admin)],
  ])('takes tokens that %s signed', async (_, make) => {
    expect((await keyed.call('GET', '/admin/users', { token: await make() })).status).toBe(200);
  });

  it.each([
    ['another kid', { alg: 'ES256', kid: 'yesterday' }],
    ['the kid of another key', { alg: 'ES256', kid: 'today' }],
  ])('takes none with %s', async (_, header) => {
    const token = await new SignJWT(admin).setProtectedHeader(header).sign(standby.privateKey);
    const { status, json } = await keyed.call('GET', '/admin/users', { token });
    expect([status, json.error_code]).toEqual([403, 'bad_jwt']);
  });
});

describe('a token that is not valid now', () => {
  const now = Math.floor(Date.now() / 1000);
  it.each([
    ['is expired', { exp: now - 1 }, 'token is expired'],
    ['is for later', { nbf: now + 60 }, 'token is not valid yet'],
  ])('because it %s is refused', async (_, times, reason) => {
    const token = await auth.sign({ ...admin, ...times });
    const { status, json } = await auth.call('GET', '/admin/users', { token });
    expect([status, json.error_code]).toEqual([403, 'bad_jwt']);
    expect(json.msg).toContain(reason);
  });
});

describe('a slash at the end of a path', () => {
  it.each([
    ['GET', '/user/', 401],
    ['GET', '/verify/', 400],
    ['DELETE', '/factors/0a1b2c3d-0000-4000-8000-000000000000/', 401],
    ['GET', '/admin/users/', 401],
    ['PUT', '/signup/', 405],
  ])('belongs to it where a group of endpoints begins: %s %s', async (method, path, status) => {
    expect((await auth.call(method, path)).status).toBe(status);
  });

  it('has no parameter before it', async () => {
    const { status } = await auth.call('DELETE', '/admin/users/', { token: auth.serviceKey });
    expect(status).toBe(405);
  });

  it.each([
    ['GET', '/health/'],
    ['POST', '/token/'],
    ['POST', '/otp/'],
  ])('makes another path of any other: %s %s', async (method, path) => {
    const { status, text } = await auth.call(method, path);
    expect([status, text]).toEqual([404, '404 page not found\n']);
  });
});
