import { createClient } from '@supabase/supabase-js';
import { decodeJwt, exportJWK, generateKeyPair } from 'jose';
import * as oauth from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';
import { pkceChallenge, pkceVerifier } from '../../support/pkce.ts';

const { privateKey } = await generateKeyPair('ES256', { extractable: true });
const signingKeys = JSON.stringify([{ ...(await exportJWK(privateKey)), kid: 'one', alg: 'ES256' }]);

const site = 'https://app.example.com';
const redirectUri = 'https://client.example.com/callback';
const password = 'correct horse';
const auth = await startAuth({
  env: {
    JWT_KEYS: signingKeys,
    GOTRUE_SITE_URL: site,
    GOTRUE_MAILER_AUTOCONFIRM: 'true',
    GOTRUE_OAUTH_SERVER_ENABLED: 'true',
    GOTRUE_OAUTH_SERVER_ALLOW_DYNAMIC_REGISTRATION: 'true',
    GOTRUE_OAUTH_SERVER_AUTHORIZATION_PATH: '/consent',
  },
});
const shared = await startAuth({
  env: { GOTRUE_MAILER_AUTOCONFIRM: 'true', GOTRUE_OAUTH_SERVER_ENABLED: 'true' },
});
const off = await startAuth();

let people = 0;
async function signUp(instance = auth) {
  const email = `resource${++people}@example.com`;
  const { json } = await instance.call('POST', '/signup', {
    body: { email, password, data: { name: 'Ada' } },
  });
  return { email, id: json.user.id as string, token: json.access_token as string };
}

async function register(instance = auth, body: object = {}) {
  const answer = await instance.call('POST', '/admin/oauth/clients', {
    token: instance.serviceKey,
    body: { redirect_uris: [redirectUri], client_name: 'A client', ...body },
  });
  expect(answer.status).toBe(201);
  return answer.json as { client_id: string; client_secret: string };
}

const authorizePath = (clientId: string, more: Record<string, string> = {}): string =>
  `/oauth/authorize?${new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid email profile',
    state: 's1',
    code_challenge: pkceChallenge(),
    code_challenge_method: 'S256',
    ...more,
  })}`;

async function open(clientId: string, more: Record<string, string> = {}, instance = auth): Promise<string> {
  const answer = await instance.call('GET', authorizePath(clientId, more));
  expect(answer.status).toBe(302);
  return new URL(answer.headers.get('location') ?? '').searchParams.get('authorization_id') ?? '';
}

async function approve(id: string, token: string, instance = auth): Promise<URL> {
  const shown = await instance.call('GET', `/oauth/authorizations/${id}`, { token });
  if (shown.json.redirect_url !== undefined) return new URL(shown.json.redirect_url);
  const answer = await instance.call('POST', `/oauth/authorizations/${id}/consent`, {
    token,
    body: { action: 'approve' },
  });
  return new URL(answer.json.redirect_url);
}

async function codeFor(clientId: string, token: string, more: Record<string, string> = {}): Promise<string> {
  return (await approve(await open(clientId, more), token)).searchParams.get('code') ?? '';
}

const basic = (client: { client_id: string; client_secret: string }) => ({
  authorization: `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')}`,
  'content-type': 'application/x-www-form-urlencoded',
});

const exchange = (headers: Record<string, string>, body: Record<string, string>) =>
  auth.call('POST', '/oauth/token', {
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code_verifier: pkceVerifier,
      ...body,
    }).toString(),
  });

describe('an app with a library of its own', () => {
  it('registers, is let in, knows who the user is and refreshes', async () => {
    const issuer = new URL(`${auth.url}/auth/v1`);
    const plain = { [oauth.allowInsecureRequests]: true };
    const server = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...plain }),
    );
    const client = await oauth.processDynamicClientRegistrationResponse(
      await oauth.dynamicClientRegistrationRequest(
        server,
        { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none', client_name: 'Library' },
        plain,
      ),
    );
    const user = await signUp();
    const url = new URL(server.authorization_endpoint ?? '');
    const nonce = oauth.generateRandomNonce();
    const verifier = oauth.generateRandomCodeVerifier();
    for (const [name, value] of Object.entries({
      client_id: client.client_id,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'openid email profile',
      state: 'xyz',
      nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })) {
      url.searchParams.set(name, value);
    }
    const sent = await fetch(url, { redirect: 'manual' });
    const page = new URL(sent.headers.get('location') ?? '');
    expect(page.origin + page.pathname).toBe(`${site}/consent`);
    const back = await approve(page.searchParams.get('authorization_id') ?? '', user.token);
    const params = oauth.validateAuthResponse(server, client, back, 'xyz');
    const reply = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.None(),
      params,
      redirectUri,
      verifier,
      plain,
    );
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, reply, {
      expectedNonce: nonce,
      requireIdToken: true,
    });
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    expect(claims).toMatchObject({
      sub: user.id,
      aud: client.client_id,
      email: user.email,
      email_verified: true,
      phone_number_verified: false,
      name: 'Ada',
      client_id: client.client_id,
    });
    const info = await oauth.processUserInfoResponse(
      server,
      client,
      user.id,
      await oauth.userInfoRequest(server, client, tokens.access_token, plain),
    );
    expect(info).toMatchObject({ sub: user.id, email: user.email, email_verified: true, name: 'Ada' });
    expect(info).not.toHaveProperty('phone_verified');
    const refreshed = await oauth.processRefreshTokenResponse(
      server,
      client,
      await oauth.refreshTokenGrantRequest(server, client, oauth.None(), tokens.refresh_token ?? '', plain),
    );
    expect(decodeJwt(refreshed.access_token)).toMatchObject({
      sub: user.id,
      client_id: client.client_id,
      scope: 'openid email profile',
      amr: [{ method: 'oauth_provider/authorization_code' }],
    });
  });

  it('lets the user answer and take back through supabase-js', async () => {
    const client = await register();
    const user = await signUp();
    const supabase = createClient(auth.url, auth.anonKey, { auth: { persistSession: false } });
    await supabase.auth.signInWithPassword({ email: user.email, password });
    const id = await open(client.client_id);
    const shown = await supabase.auth.oauth.getAuthorizationDetails(id);
    expect(shown.data).toEqual({
      authorization_id: id,
      redirect_uri: redirectUri,
      client: { id: client.client_id, name: 'A client' },
      user: { id: user.id, email: user.email },
      scope: 'openid email profile',
    });
    const approved = await supabase.auth.oauth.approveAuthorization(id, { skipBrowserRedirect: true });
    const code = new URL(approved.data?.redirect_url ?? '').searchParams.get('code') ?? '';
    const tokens = await exchange(basic(client), { code });
    const { data: grants } = await supabase.auth.oauth.listGrants();
    expect(grants).toEqual([
      {
        client: { id: client.client_id, name: 'A client' },
        scopes: ['openid', 'email', 'profile'],
        granted_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      },
    ]);
    const revoked = await supabase.auth.oauth.revokeGrant({ clientId: client.client_id });
    expect(revoked.error).toBeNull();
    expect((await supabase.auth.oauth.listGrants()).data).toEqual([]);
    const dead = await auth.call('GET', '/user', { token: tokens.json.access_token });
    expect(dead.json.error_code).toBe('session_not_found');
    const own = await supabase.auth.getUser();
    expect(own.data.user?.id).toBe(user.id);
  });
});

describe('a request of a client', () => {
  it.each([
    ['without a client', {}, '', 'validation_failed', 'client_id is required'],
    [
      'of a client whose id is none',
      { client_id: 'x' },
      '',
      'oauth_client_not_found',
      'invalid client_id format',
    ],
    [
      'of an unknown client',
      { client_id: '00000000-0000-4000-8000-000000000000' },
      '',
      'oauth_client_not_found',
      'invalid client_id',
    ],
    ['with a foreign redirect', {}, 'https://evil.example.com', 'validation_failed', 'invalid redirect_uri'],
  ])('%s is refused without a redirect', async (_name, override, redirect, code, msg) => {
    const client = await register();
    const query = new URLSearchParams(authorizePath(client.client_id).split('?')[1]);
    for (const [name, value] of Object.entries(override)) query.set(name, value);
    if (code === 'validation_failed' && redirect === '') query.delete('client_id');
    if (redirect !== '') query.set('redirect_uri', redirect);
    const answer = await auth.call('GET', `/oauth/authorize?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ error_code: code, msg });
  });

  it.each([
    ['another response', { response_type: 'token' }, 'only response_type=code is supported'],
    ['an unknown scope', { scope: 'openid admin' }, 'unsupported scope: admin'],
    [
      'no challenge',
      { code_challenge: '' },
      'PKCE flow requires both code_challenge and code_challenge_method',
    ],
    [
      'an unknown method',
      { code_challenge_method: 'S512' },
      "code_challenge_method must be 'S256' or 'plain'",
    ],
    ['a short challenge', { code_challenge: 'x' }, 'code_challenge must be between 43 and 128 characters'],
    ['a relative resource', { resource: '/api' }, 'resource must be an absolute URI'],
    [
      'a resource with a fragment',
      { resource: 'https://a/#x' },
      'resource must not include a fragment component',
    ],
    [
      'a resource with a query',
      { resource: 'https://a/?x=1' },
      'resource must not include a query component',
    ],
  ])('with %s goes back to the client', async (_name, more, description) => {
    const client = await register();
    const answer = await auth.call('GET', authorizePath(client.client_id, more));
    expect(answer.status).toBe(302);
    const back = new URL(answer.headers.get('location') ?? '');
    expect(back.origin + back.pathname).toBe(redirectUri);
    expect(Object.fromEntries(back.searchParams)).toEqual({
      error: 'invalid_request',
      error_description: description,
      state: 's1',
    });
  });

  it('whose state does not fit goes back as an error of the server', async () => {
    const client = await register();
    const answer = await auth.call('GET', authorizePath(client.client_id, { state: 'x'.repeat(4097) }));
    const back = new URL(answer.headers.get('location') ?? '');
    expect(back.searchParams.get('error')).toBe('server_error');
  });

  it('belongs to the user who opened it first', async () => {
    const client = await register();
    const [one, two] = [await signUp(), await signUp()];
    const id = await open(client.client_id);
    await auth.call('GET', `/oauth/authorizations/${id}`, { token: one.token });
    const stranger = await auth.call('GET', `/oauth/authorizations/${id}`, { token: two.token });
    expect([stranger.status, stranger.json.error_code]).toEqual([404, 'oauth_authorization_not_found']);
    const answer = await auth.call('POST', `/oauth/authorizations/${id}/consent`, {
      token: two.token,
      body: { action: 'approve' },
    });
    expect([answer.status, answer.json.error_code]).toEqual([404, 'oauth_authorization_not_found']);
  });

  it('cannot be answered before it was opened, twice, or with another word', async () => {
    const client = await register();
    const user = await signUp();
    const id = await open(client.client_id);
    const answer = (body: unknown) =>
      auth.call('POST', `/oauth/authorizations/${id}/consent`, { token: user.token, body });
    expect((await answer({ action: 'approve' })).status).toBe(404);
    await auth.call('GET', `/oauth/authorizations/${id}`, { token: user.token });
    expect((await answer({ action: 'maybe' })).json.msg).toBe("action must be 'approve' or 'deny'");
    expect((await answer('{')).json).toMatchObject({ error_code: 'bad_json', msg: 'invalid JSON body' });
    const denied = new URL((await answer({ action: 'deny' })).json.redirect_url);
    expect(Object.fromEntries(denied.searchParams)).toEqual({
      error: 'access_denied',
      error_description: 'User denied the request',
      state: 's1',
    });
    expect((await answer({ action: 'approve' })).json.msg).toBe('authorization request is no longer pending');
  });

  it('of a page elsewhere is refused by its origin', async () => {
    const client = await register();
    const user = await signUp();
    const id = await open(client.client_id);
    const answer = await auth.call('GET', `/oauth/authorizations/${id}`, {
      token: user.token,
      headers: { origin: 'https://evil.example.com' },
    });
    expect([answer.status, answer.json.msg]).toEqual([400, 'unauthorized request origin']);
  });

  it('is approved at once where an earlier consent covers its scopes', async () => {
    const client = await register();
    const user = await signUp();
    await codeFor(client.client_id, user.token);
    const covered = await open(client.client_id, { scope: 'email' });
    const shown = await auth.call('GET', `/oauth/authorizations/${covered}`, { token: user.token });
    expect(new URL(shown.json.redirect_url).searchParams.get('code')).toMatch(/^[0-9a-f-]{36}$/);
    const wider = await open(client.client_id, { scope: 'email phone' });
    const asked = await auth.call('GET', `/oauth/authorizations/${wider}`, { token: user.token });
    expect(asked.json.scope).toBe('email phone');
  });

  it('expires, and is marked so', async () => {
    const client = await register();
    const user = await signUp();
    const id = await open(client.client_id);
    auth.clock.advance(601);
    const fresh = await auth.call('POST', '/token?grant_type=password', {
      body: { email: user.email, password },
    });
    const answer = await auth.call('GET', `/oauth/authorizations/${id}`, { token: fresh.json.access_token });
    expect(answer.status).toBe(404);
    const rows = await auth.database.owner.query(sql`
      select status from auth.oauth_authorizations where authorization_id = ${id}`);
    expect(rows).toEqual([{ status: 'expired' }]);
  });
});

describe('a code', () => {
  it('works once, for its client, with its verifier and its redirect', async () => {
    const [client, other] = [await register(), await register()];
    const user = await signUp();
    const code = await codeFor(client.client_id, user.token);
    const wrong = [
      [basic(other), { code }, 'Authorization code was not issued for this client'],
      [basic(client), { code, redirect_uri: 'https://client.example.com/other' }, 'Invalid redirect_uri'],
      [
        basic(client),
        { code, code_verifier: 'w'.repeat(64) },
        'PKCE verification failed: code challenge does not match previously saved code verifier',
      ],
      [
        basic(client),
        { code, code_verifier: '' },
        'PKCE verification failed: code_verifier is required when PKCE challenge is present',
      ],
    ] as const;
    for (const [headers, body, description] of wrong) {
      const answer = await exchange(headers, body);
      expect(answer.status).toBe(400);
      expect(answer.json).toEqual({ error: 'invalid_grant', error_description: description });
    }
    const good = await exchange(basic(client), { code, redirect_uri: redirectUri });
    expect(good.status).toBe(200);
    expect(Object.keys(good.json)).toEqual([
      'access_token',
      'expires_in',
      'id_token',
      'refresh_token',
      'token_type',
    ]);
    const again = await exchange(basic(client), { code });
    expect(again.json).toEqual({ error: 'invalid_grant', error_description: 'Invalid authorization code' });
  });

  it('begins a session of the client, with its scopes', async () => {
    const client = await register();
    const user = await signUp();
    const { json } = await exchange(basic(client), {
      code: await codeFor(client.client_id, user.token, { scope: 'email' }),
    });
    expect(json).not.toHaveProperty('id_token');
    const { session_id } = decodeJwt(json.access_token) as { session_id: string };
    const rows = await auth.database.owner.query(sql`
      select oauth_client_id, scopes from auth.sessions where id = ${session_id}`);
    expect(rows).toEqual([{ oauth_client_id: client.client_id, scopes: 'email' }]);
    const outside = await auth.call('POST', '/token?grant_type=refresh_token', {
      body: { refresh_token: json.refresh_token },
    });
    expect(outside.json.error).toBe('invalid_client');
  });

  it('is not spent by two exchanges at once', async () => {
    const client = await register();
    const user = await signUp();
    const code = await codeFor(client.client_id, user.token);
    const answers = await Promise.all([1, 2, 3, 4].map(() => exchange(basic(client), { code })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

describe('a client at the token endpoint', () => {
  it('proves itself in the way that it registered for', async () => {
    const post = await register(auth, { token_endpoint_auth_method: 'client_secret_post' });
    const user = await signUp();
    const viaHeader = await exchange(basic(post), { code: 'x' });
    expect(viaHeader.json).toMatchObject({
      error_code: 'invalid_credentials',
      msg: "invalid authentication method: client is registered for 'client_secret_post' but 'client_secret_basic' was used",
    });
    const code = await codeFor(post.client_id, user.token);
    const good = await auth.call('POST', '/oauth/token', {
      body: {
        grant_type: 'authorization_code',
        client_id: post.client_id,
        client_secret: post.client_secret,
        code,
        code_verifier: pkceVerifier,
      },
    });
    expect(good.status).toBe(200);
  });

  it.each([
    ['no credentials', {}, {}, 'Invalid client credentials: client_id is required'],
    [
      'a broken header',
      { authorization: 'Basic %%%' },
      {},
      'Invalid client credentials: invalid basic auth encoding',
    ],
    [
      'a header without a colon',
      { authorization: 'Basic YQ==' },
      {},
      'Invalid client credentials: invalid basic auth format',
    ],
    ['an id that is none', {}, { client_id: 'x' }, 'Invalid client_id format'],
    [
      'an unknown id',
      {},
      { client_id: '00000000-0000-4000-8000-000000000000' },
      'Invalid client credentials',
    ],
  ])('with %s is refused', async (_name, headers, body, msg) => {
    const answer = await exchange(headers, body);
    expect([answer.status, answer.json.error_code, answer.json.msg]).toEqual([
      400,
      'invalid_credentials',
      msg,
    ]);
  });

  it('with a wrong secret is refused', async () => {
    const client = await register();
    const answer = await exchange(basic({ ...client, client_secret: 'wrong' }), { code: 'x' });
    expect(answer.json).toMatchObject({
      error_code: 'invalid_credentials',
      msg: 'invalid client credentials',
    });
  });

  it('gets only the grants that it registered for', async () => {
    const client = await register(auth, { grant_types: ['authorization_code'] });
    const answer = await exchange(basic(client), { grant_type: 'refresh_token', refresh_token: 'x' });
    expect(answer.json).toEqual({
      error: 'unsupported_grant_type',
      error_description: 'Client is not allowed to use grant type: refresh_token',
    });
  });
});

describe('what is not asymmetric or not on', () => {
  it('gives no ID token for a shared secret, and the code is spent all the same', async () => {
    const client = await register(shared);
    const user = await signUp(shared);
    const code = (
      await approve(await open(client.client_id, {}, shared), user.token, shared)
    ).searchParams.get('code');
    const answer = await shared.call('POST', '/oauth/token', {
      headers: basic(client),
      body: `grant_type=authorization_code&code=${code}&code_verifier=${pkceVerifier}`,
    });
    expect([answer.status, answer.json.msg]).toEqual([500, 'Error generating ID token']);
    const rows = await shared.database.owner.query(sql`
      select count(*)::int as n from auth.oauth_authorizations where authorization_code = ${code}`);
    expect(rows).toEqual([{ n: 0 }]);
  });

  it.each([
    ['GET', '/oauth/authorize'],
    ['GET', '/oauth/authorizations/x'],
    ['POST', '/oauth/token'],
    ['GET', '/oauth/userinfo'],
    ['POST', '/oauth/clients/register'],
    ['GET', '/.well-known/oauth-authorization-server'],
  ])('answers %s %s as disabled', async (method, path) => {
    const answer = await off.call(method, path);
    expect([answer.status, answer.json.error_code]).toEqual([404, 'feature_disabled']);
  });

  it('asks for a user before it says whether there are grants', async () => {
    expect((await off.call('GET', '/user/oauth/grants')).status).toBe(401);
  });
});

it('is found by its document at the root of the origin, without a key', async () => {
  const reply = await fetch(`${auth.url}/.well-known/oauth-authorization-server`);
  expect([reply.status, await reply.json()]).toMatchObject([
    200,
    { issuer: `${auth.url}/auth/v1`, token_endpoint: `${auth.url}/auth/v1/oauth/token` },
  ]);
});

describe('registration', () => {
  const tryRegister = (body: object) =>
    auth.call('POST', '/oauth/clients/register', { body: { redirect_uris: [redirectUri], ...body } });

  it.each([
    [{ redirect_uris: [] }, '400: redirect_uris is required'],
    [
      { redirect_uris: ['http://a.com'] },
      "400: invalid redirect_uri 'http://a.com': HTTP scheme only allowed for localhost",
    ],
    [
      { redirect_uris: ['javascript:x'] },
      "400: invalid redirect_uri 'javascript:x': must have scheme and host",
    ],
    [
      { redirect_uris: ['javascript://x/%0aalert(1)'] },
      "400: invalid redirect_uri 'javascript://x/%0aalert(1)': scheme 'javascript' is not allowed for security reasons",
    ],
    [
      { grant_types: ['password'] },
      "400: grant_types must only contain 'authorization_code' and/or 'refresh_token'",
    ],
    [{ client_type: 'other' }, "400: client_type must be 'public' or 'confidential'"],
    [
      { token_endpoint_auth_method: 'jwt' },
      '400: token_endpoint_auth_method must be one of: [none client_secret_basic client_secret_post]',
    ],
    [
      { client_type: 'public', token_endpoint_auth_method: 'client_secret_basic' },
      "400: client_type 'public' is inconsistent with token_endpoint_auth_method 'client_secret_basic' (expected client_type 'confidential')",
    ],
  ])('of %j is refused', async (body, msg) => {
    const answer = await tryRegister(body);
    expect([answer.status, answer.json.error_code, answer.json.msg]).toEqual([400, 'validation_failed', msg]);
  });

  it('gives a public client no secret', async () => {
    const answer = await tryRegister({ token_endpoint_auth_method: 'none' });
    expect(answer.json).toMatchObject({ client_type: 'public', registration_type: 'dynamic' });
    expect(answer.json).not.toHaveProperty('client_secret');
  });
});
