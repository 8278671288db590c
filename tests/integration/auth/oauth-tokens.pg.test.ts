import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { basicProof, oauthPassword, oauthRedirectUri, startOAuth } from '../../support/oauth-server.ts';
import { pkceVerifier } from '../../support/pkce.ts';

const { auth, signUp, register, codeFor, exchange } = await startOAuth();

describe('a code', () => {
  it('works once, for its client, with its verifier and its redirect', async () => {
    const [client, other] = [await register(), await register()];
    const user = await signUp();
    const code = await codeFor(client.client_id, user.token);
    const wrong = [
      [basicProof(other), { code }, 'Authorization code was not issued for this client'],
      [
        basicProof(client),
        { code, redirect_uri: 'https://client.example.com/other' },
        'Invalid redirect_uri',
      ],
      [
        basicProof(client),
        { code, code_verifier: 'w'.repeat(64) },
        'PKCE verification failed: code challenge does not match previously saved code verifier',
      ],
      [
        basicProof(client),
        { code, code_verifier: '' },
        'PKCE verification failed: code_verifier is required when PKCE challenge is present',
      ],
    ] as const;
    for (const [headers, body, description] of wrong) {
      const answer = await exchange(headers, body);
      expect(answer.status).toBe(400);
      expect(answer.json).toEqual({ error: 'invalid_grant', error_description: description });
    }
    const good = await exchange(basicProof(client), { code, redirect_uri: oauthRedirectUri });
    expect(good.status).toBe(200);
    expect(Object.keys(good.json)).toEqual([
      'access_token',
      'expires_in',
      'id_token',
      'refresh_token',
      'token_type',
    ]);
    const again = await exchange(basicProof(client), { code });
    expect(again.json).toEqual({ error: 'invalid_grant', error_description: 'Invalid authorization code' });
  });

  it('begins a session of the client, with its scopes', async () => {
    const client = await register();
    const user = await signUp();
    const { json } = await exchange(basicProof(client), {
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
    const answers = await Promise.all([1, 2, 3, 4].map(() => exchange(basicProof(client), { code })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

describe('a client at the token endpoint', () => {
  it('proves itself in the way that it registered for', async () => {
    const post = await register({ token_endpoint_auth_method: 'client_secret_post' });
    const user = await signUp();
    const viaHeader = await exchange(basicProof(post), { code: 'x' });
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
    const answer = await exchange(basicProof({ ...client, client_secret: 'wrong' }), { code: 'x' });
    expect(answer.json).toMatchObject({
      error_code: 'invalid_credentials',
      msg: 'invalid client credentials',
    });
  });

  it('gets only the grants that it registered for', async () => {
    const client = await register({ grant_types: ['authorization_code'] });
    const answer = await exchange(basicProof(client), { grant_type: 'refresh_token', refresh_token: 'x' });
    expect(answer.json).toEqual({
      error: 'unsupported_grant_type',
      error_description: 'Client is not allowed to use grant type: refresh_token',
    });
  });
});

describe('what a client is told of its user', () => {
  it.each([
    ['openid', ['sub']],
    ['email', ['sub', 'email', 'email_verified']],
    ['profile', ['sub', 'name', 'updated_at', 'user_metadata']],
    ['phone', ['sub']],
    ['email profile', ['sub', 'email', 'email_verified', 'name', 'updated_at', 'user_metadata']],
  ])('with the scopes %s is no more than they say', async (scope, members) => {
    const client = await register();
    const user = await signUp();
    const code = await codeFor(client.client_id, user.token, { scope });
    const { json } = await exchange(basicProof(client), { code });
    const info = await auth.call('GET', '/oauth/userinfo', { token: json.access_token });
    expect([info.status, Object.keys(info.json).sort()]).toEqual([200, [...members].sort()]);
    expect(info.json.sub).toBe(user.id);
  });

  it('is nothing once the user is banned or the session over', async () => {
    const client = await register();
    const user = await signUp();
    const { json } = await exchange(basicProof(client), {
      code: await codeFor(client.client_id, user.token),
    });
    const info = () => auth.call('GET', '/oauth/userinfo', { token: json.access_token });
    expect((await info()).status).toBe(200);
    await auth.call('PUT', `/admin/users/${user.id}`, {
      token: auth.serviceKey,
      body: { ban_duration: '1h' },
    });
    expect((await info()).json.error_code).toBe('user_banned');
  });
});

describe('a refresh token of a client', () => {
  it('is good for that client alone, again and again', async () => {
    const [client, other] = [await register(), await register()];
    const user = await signUp();
    const { json } = await exchange(basicProof(client), {
      code: await codeFor(client.client_id, user.token),
    });
    const refresh = (by: typeof client, refresh_token: string) =>
      exchange(basicProof(by), { grant_type: 'refresh_token', refresh_token });
    const stolen = await refresh(other, json.refresh_token);
    expect([stolen.status, stolen.json.error]).toEqual([400, 'invalid_client']);
    const first = await refresh(client, json.refresh_token);
    expect(first.status).toBe(200);
    const second = await refresh(client, first.json.refresh_token);
    expect(decodeJwt(second.json.access_token)).toMatchObject({ sub: user.id, client_id: client.client_id });
    // And the user's own token is none of a client's.
    const own = (
      await auth.call('POST', '/token?grant_type=password', {
        body: { email: user.email, password: oauthPassword },
      })
    ).json;
    const borrowed = await refresh(client, own.refresh_token);
    expect([borrowed.status, borrowed.json.error]).toEqual([400, 'invalid_client']);
  });
});
