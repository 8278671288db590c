import { createClient } from '@supabase/supabase-js';
import { decodeJwt } from 'jose';
import * as oauth from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';
import {
  basicProof,
  oauthPassword,
  oauthRedirectUri,
  oauthSite,
  startOAuth,
} from '../../support/oauth-server.ts';
import { pkceVerifier } from '../../support/pkce.ts';

const { auth, signUp, register, open, approve, exchange } = await startOAuth();
const shared = await startOAuth({});
const off = await startAuth();

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
        { redirect_uris: [oauthRedirectUri], token_endpoint_auth_method: 'none', client_name: 'Library' },
        plain,
      ),
    );
    const user = await signUp();
    const url = new URL(server.authorization_endpoint ?? '');
    const nonce = oauth.generateRandomNonce();
    const verifier = oauth.generateRandomCodeVerifier();
    for (const [name, value] of Object.entries({
      client_id: client.client_id,
      redirect_uri: oauthRedirectUri,
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
    expect(page.origin + page.pathname).toBe(`${oauthSite}/consent`);
    const back = await approve(page.searchParams.get('authorization_id') ?? '', user.token);
    const params = oauth.validateAuthResponse(server, client, back, 'xyz');
    const reply = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.None(),
      params,
      oauthRedirectUri,
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
    await supabase.auth.signInWithPassword({ email: user.email, password: oauthPassword });
    const id = await open(client.client_id);
    const shown = await supabase.auth.oauth.getAuthorizationDetails(id);
    expect(shown.data).toEqual({
      authorization_id: id,
      redirect_uri: oauthRedirectUri,
      client: { id: client.client_id, name: 'A client' },
      user: { id: user.id, email: user.email },
      scope: 'openid email profile',
    });
    const approved = await supabase.auth.oauth.approveAuthorization(id, { skipBrowserRedirect: true });
    const code = new URL(approved.data?.redirect_url ?? '').searchParams.get('code') ?? '';
    const tokens = await exchange(basicProof(client), { code });
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

describe('what is not asymmetric or not on', () => {
  it('gives no ID token for a shared secret, and the code is spent all the same', async () => {
    const client = await shared.register();
    const user = await shared.signUp();
    const code = (await shared.approve(await shared.open(client.client_id), user.token)).searchParams.get(
      'code',
    );
    const answer = await shared.auth.call('POST', '/oauth/token', {
      headers: basicProof(client),
      body: `grant_type=authorization_code&code=${code}&code_verifier=${pkceVerifier}`,
    });
    expect([answer.status, answer.json.msg]).toEqual([500, 'Error generating ID token']);
    const rows = await shared.auth.database.owner.query(sql`
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
