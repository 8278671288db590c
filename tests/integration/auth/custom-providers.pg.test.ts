import { createHash } from 'node:crypto';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';

/*
 * An OpenID Connect provider and a plain OAuth one that live in this file. Their address is one that documents may use
 * (RFC 5737), since the service refuses those of this machine.
 */
const issuer = 'https://203.0.113.7';
const plain = 'https://203.0.113.8';
const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' };
const fresh = () => ({
  document: {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/userinfo`,
    jwks_uri: `${issuer}/jwks`,
    scopes_supported: ['openid'],
  } as Record<string, unknown>,
  idToken: null as string | null,
  profile: {} as Record<string, unknown>,
  asked: [] as { url: string; body: string; authorization: string | null }[],
});
let world = fresh();

const answer: typeof fetch = (input, init) => {
  const url = String(input);
  world.asked.push({
    url,
    body: String(init?.body ?? ''),
    authorization: new Headers(init?.headers).get('authorization'),
  });
  if (url.endsWith('/.well-known/openid-configuration'))
    return Promise.resolve(Response.json(world.document));
  if (url.endsWith('/jwks')) return Promise.resolve(Response.json({ keys: [jwk] }));
  if (url.endsWith('/token')) {
    const idToken = world.idToken === null ? {} : { id_token: world.idToken };
    return Promise.resolve(Response.json({ access_token: 'at', token_type: 'bearer', ...idToken }));
  }
  return Promise.resolve(Response.json(world.profile));
};
const auth = await startAuth({
  env: {
    GOTRUE_SITE_URL: 'https://app.example.com',
    GOTRUE_CUSTOM_OAUTH_MAX_PROVIDERS: '12',
    GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPT: 'true',
    GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY_ID: 'one',
    GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64url'),
    GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS: `one:${Buffer.alloc(32, 7).toString('base64url')}`,
  },
  fetch: answer,
});
const off = await startAuth({ env: { GOTRUE_CUSTOM_OAUTH_ENABLED: 'false' } });

beforeEach(() => {
  world = fresh();
});

const admin = (method: string, path = '', body?: unknown) =>
  auth.call(method, `/admin/custom-providers${path}`, {
    token: auth.serviceKey,
    ...(body === undefined ? {} : { body }),
  });

let count = 0;
const oidcBody = (more: object = {}) => ({
  provider_type: 'oidc',
  identifier: `custom:idp-${++count}`,
  name: 'Our IdP',
  client_id: 'client',
  client_secret: 'secret',
  issuer,
  scopes: ['email'],
  ...more,
});
const oauthBody = (more: object = {}) => ({
  provider_type: 'oauth2',
  identifier: `custom:plain-${++count}`,
  name: 'Plain',
  client_id: 'client',
  client_secret: 'secret',
  authorization_url: `${plain}/authorize`,
  token_url: `${plain}/token`,
  userinfo_url: `${plain}/me`,
  ...more,
});

async function make(body: { identifier: string }) {
  const made = await admin('POST', '', body);
  expect([made.status, made.json]).toMatchObject([201, { identifier: body.identifier }]);
  return body.identifier;
}

async function forget(identifier: string): Promise<void> {
  expect((await admin('DELETE', `/${identifier}`)).status).toBe(204);
}

const idToken = (claims: object, audience = 'client') =>
  new SignJWT({ sub: 'u1', email: 'oidc@corp.test', email_verified: true, department: 'r&d', ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt(1_800_000_000)
    .setExpirationTime('1h')
    .sign(privateKey);

async function begin(identifier: string, query = ''): Promise<URL> {
  const reply = await auth.call('GET', `/authorize?provider=${encodeURIComponent(identifier)}${query}`);
  expect([reply.status, reply.json]).toEqual([302, null]);
  return new URL(reply.headers.get('location') ?? '');
}

async function signIn(identifier: string) {
  const state = (await begin(identifier)).searchParams.get('state');
  const back = await auth.call('GET', `/callback?state=${state}&code=abcd`);
  const location = new URL(back.headers.get('location') ?? '');
  const fragment = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  return fragment.access_token === undefined ? fragment : decodeJwt(fragment.access_token);
}

describe('a provider of the project with OpenID Connect', () => {
  it('is made with its document, and hides its secret', async () => {
    const body = oidcBody({ acceptable_client_ids: ['ios'], custom_claims_allowlist: ['department'] });
    const made = await admin('POST', '', body);
    expect(made.status).toBe(201);
    expect(made.json).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      provider_type: 'oidc',
      identifier: body.identifier,
      name: 'Our IdP',
      client_id: 'client',
      acceptable_client_ids: ['ios'],
      scopes: ['openid', 'email'],
      pkce_enabled: true,
      attribute_mapping: {},
      custom_claims_allowlist: ['department'],
      authorization_params: {},
      enabled: true,
      email_optional: false,
      issuer,
      skip_nonce_check: false,
      discovery_document: world.document,
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
    });
    const [row] = await auth.database.owner.query<{ client_secret: string }>(sql`
      select client_secret from auth.custom_oauth_providers where identifier = ${body.identifier}`);
    expect(JSON.parse(row?.client_secret ?? '')).toMatchObject({ key_id: 'one', alg: 'aes-gcm-hkdf' });
    await forget(body.identifier);
  });

  it('signs users in by the ID token, with PKCE, its own parameters and claims', async () => {
    const identifier = await make(
      oidcBody({
        authorization_params: { prompt: 'login' },
        attribute_mapping: { name: 'preferred_username', slug: 'nothing' },
        custom_claims_allowlist: ['department'],
      }),
    );
    const url = await begin(identifier, '&prompt=none&nonce=n1');
    expect(url.origin + url.pathname).toBe(`${issuer}/authorize`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'client',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      nonce: 'n1',
      prompt: 'login',
      redirect_uri: `${auth.url}/auth/v1/callback`,
      response_type: 'code',
      scope: 'openid email',
      state: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    world.idToken = await idToken({ preferred_username: 'ada', updated_at: 1_700_000_000 });
    expect(await signIn(identifier)).toMatchObject({
      email: 'oidc@corp.test',
      app_metadata: { provider: identifier, providers: [identifier] },
      user_metadata: {
        iss: issuer,
        sub: 'u1',
        aud: ['client'],
        iat: 1_800_000_000,
        name: 'ada',
        preferred_username: 'ada',
        updated_at: '2023-11-14T22:13:20Z',
        custom_claims: { department: 'r&d' },
      },
    });
    const exchange = world.asked.find(({ url: asked }) => asked.endsWith('/token'));
    expect(new URLSearchParams(exchange?.body).get('code_verifier')).toMatch(/^[\w-]{43,}$/);
    expect(exchange?.authorization).toBe(`Basic ${Buffer.from('client:secret').toString('base64')}`);
    await forget(identifier);
  });

  it('takes scopes of the app instead of its own', async () => {
    const identifier = await make(oidcBody());
    expect((await begin(identifier, '&scopes=groups%20phone')).searchParams.get('scope')).toBe(
      'openid groups phone',
    );
    await forget(identifier);
  });

  it('refuses a token for somebody else, and takes one for an acceptable client', async () => {
    const identifier = await make(oidcBody({ acceptable_client_ids: ['ios'] }));
    world.idToken = await idToken({}, 'android');
    expect(await signIn(identifier)).toMatchObject({
      error_description: 'Error getting user profile from external provider',
    });
    world.idToken = await idToken({ sub: 'u2', email: 'ios@corp.test' }, 'ios');
    expect(await signIn(identifier)).toMatchObject({ email: 'ios@corp.test' });
    await forget(identifier);
  });

  it('asks for the profile when there is no ID token', async () => {
    const identifier = await make(oidcBody());
    world.profile = { sub: 'u3', email: 'profile@corp.test', email_verified: true, name: 'P' };
    expect(await signIn(identifier)).toMatchObject({
      email: 'profile@corp.test',
      user_metadata: { name: 'P' },
    });
    await forget(identifier);
  });

  it('signs in by an ID token that the app brings, with its nonce', async () => {
    const identifier = await make(oidcBody());
    const hashed = createHash('sha256').update('raw').digest('hex');
    const token = await idToken({ nonce: hashed, sub: 'u4', email: 'native@corp.test' });
    const good = await auth.call('POST', '/token?grant_type=id_token', {
      body: { provider: identifier, id_token: token, nonce: 'raw' },
    });
    expect(good.json.user.email).toBe('native@corp.test');
    const bad = await auth.call('POST', '/token?grant_type=id_token', {
      body: { provider: identifier, id_token: token, nonce: 'other' },
    });
    expect(bad.json).toEqual({ error: 'invalid nonce', error_description: 'Nonces mismatch' });
    await forget(identifier);
    const gone = await auth.call('POST', '/token?grant_type=id_token', {
      body: { provider: identifier, id_token: token, nonce: 'raw' },
    });
    expect([gone.status, gone.json.msg]).toEqual([400, `Custom provider "${identifier}" not found`]);
  });
});

describe('a provider of the project with plain OAuth', () => {
  it('signs users in by its profile', async () => {
    const identifier = await make(oauthBody({ pkce_enabled: false, scopes: ['read'] }));
    const url = await begin(identifier);
    expect(url.searchParams.get('code_challenge')).toBeNull();
    world.profile = { sub: 'p1', email: 'plain@corp.test', email_verified: true, team: 'x' };
    expect(await signIn(identifier)).toMatchObject({ email: 'plain@corp.test' });
    await forget(identifier);
  });

  it('refuses a profile with claims of the wrong type', async () => {
    const identifier = await make(oauthBody());
    world.profile = { sub: 'p1', email: 'plain@corp.test', email_verified: 'yes' };
    expect(await signIn(identifier)).toMatchObject({
      error_description: 'Error getting user profile from external provider',
    });
    await forget(identifier);
  });

  it('may know no address where that is optional', async () => {
    const identifier = await make(oauthBody({ email_optional: true }));
    world.profile = { sub: 'p2' };
    expect(await signIn(identifier)).toMatchObject({ email: '', user_metadata: { sub: 'p2' } });
    await forget(identifier);
  });

  it('cannot be used while it is disabled', async () => {
    const identifier = await make(oauthBody());
    const changed = await admin('PUT', `/${identifier}`, { enabled: false, name: 'Other' });
    expect(changed.json).toMatchObject({ enabled: false, name: 'Other', client_id: 'client' });
    const reply = await auth.call('GET', `/authorize?provider=${identifier}`);
    expect([reply.status, reply.json.msg]).toEqual([
      400,
      `Unsupported provider: custom provider ${identifier} is disabled`,
    ]);
    await forget(identifier);
  });
});

describe('the provider admin', () => {
  it('lists by type, and shows one', async () => {
    const [one, two] = [await make(oidcBody()), await make(oauthBody())];
    const all = await admin('GET');
    expect(all.json.providers.map((provider: { identifier: string }) => provider.identifier)).toEqual([
      two,
      one,
    ]);
    expect((await admin('GET', '?type=oidc')).json.providers).toHaveLength(1);
    expect((await admin('GET', '?type=saml')).json.msg).toBe("type must be either 'oauth2' or 'oidc'");
    expect((await admin('GET', `/${two}`)).json).not.toHaveProperty('client_secret');
    await forget(one);
    await forget(two);
    expect((await admin('GET', `/${two}`)).json.error_code).toBe('custom_provider_not_found');
    expect((await admin('GET', '/github')).json.msg).toBe(
      "identifier must start with 'custom:' prefix, e.g. 'custom:github'",
    );
  });

  it.each<[object, string]>([
    [{ provider_type: 'saml' }, "provider_type must be either 'oauth2' or 'oidc'"],
    [{ identifier: '' }, 'identifier is required'],
    [{ identifier: 'mine' }, "identifier must start with 'custom:' prefix, e.g. 'custom:mine'"],
    [{ name: '' }, 'name is required'],
    [{ client_secret: '' }, 'client_secret is required'],
    [{ userinfo_url: '' }, 'userinfo_url is required for OAuth2 providers'],
    [{ authorization_params: { state: 'x' } }, 'Cannot override reserved OAuth parameter: state'],
    [{ authorization_params: { a: 1 } }, 'Authorization parameter "a" must be a string'],
    [{ attribute_mapping: { role: 'x' } }, 'Cannot map to protected system field: role'],
    [{ custom_claims_allowlist: [' '] }, 'custom_claims_allowlist entries must be non-empty strings'],
    [{ token_url: 'http://203.0.113.8/t' }, 'URL must use HTTPS'],
    [{ token_url: 'https://localhost/t' }, 'URL cannot point to localhost or loopback addresses'],
    [{ token_url: 'https://127.0.0.2/t' }, 'URL cannot resolve to loopback addresses'],
    [{ token_url: 'https://192.168.1.1/t' }, 'URL cannot resolve to private network addresses'],
    [{ token_url: 'https://169.254.169.254/t' }, 'URL cannot resolve to link-local addresses'],
    [{ token_url: 'https://[fd00::1]/t' }, 'URL cannot resolve to private network addresses'],
    [{ token_url: 'https://nothing.invalid/t' }, 'Unable to resolve hostname'],
  ])('refuses %j', async (more, msg) => {
    const reply = await admin('POST', '', oauthBody(more));
    expect([reply.status, reply.json.error_code, reply.json.msg]).toEqual([400, 'validation_failed', msg]);
  });

  it('refuses what is there, a document of another issuer, and one that says too little', async () => {
    const body = oauthBody();
    await make(body);
    const again = await admin('POST', '', body);
    expect([again.status, again.json.error_code]).toEqual([400, 'conflict']);
    await forget(body.identifier);
    world.document.issuer = 'https://other.test';
    expect((await admin('POST', '', oidcBody())).json.msg).toBe(
      `OIDC discovery from "${issuer}/.well-known/openid-configuration" failed: oidc: issuer mismatch, expected "${issuer}" got "https://other.test"`,
    );
    world = fresh();
    delete world.document.token_endpoint;
    expect((await admin('POST', '', oidcBody())).json.msg).toBe(
      'OIDC discovery document is missing required fields: token_endpoint',
    );
  });

  it('has a limit', async () => {
    const made: string[] = [];
    for (let n = 0; n < 12; n++) made.push(await make(oauthBody()));
    const reply = await admin('POST', '', oauthBody());
    expect([reply.status, reply.json.error_code]).toEqual([400, 'over_custom_provider_quota']);
    for (const identifier of made) await forget(identifier);
  });

  it('may be off', async () => {
    const reply = await off.call('GET', '/admin/custom-providers', { token: off.serviceKey });
    expect([reply.status, reply.json.error_code]).toEqual([404, 'feature_disabled']);
    const begun = await off.call('GET', '/authorize?provider=custom:x');
    expect(begun.json.msg).toBe('Unsupported provider: custom OAuth providers are disabled');
  });
});
