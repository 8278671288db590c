import { exportJWK, generateKeyPair } from 'jose';
import { expect } from 'vitest';
import { type AuthAnswer, type AuthInstance, startAuth } from './auth.ts';
import { pkceChallenge, pkceVerifier } from './pkce.ts';

/** Where apps send users to answer. */
export const oauthSite = 'https://app.example.com';

/** Where clients want their users back. */
export const oauthRedirectUri = 'https://client.example.com/callback';

/** Password of every user. */
export const oauthPassword = 'correct horse';

/** A client with its secret. */
export type OAuthClient = { readonly client_id: string; readonly client_secret: string };

/** A user who may let clients in. */
export type OAuthUser = { readonly email: string; readonly id: string; readonly token: string };

/** An auth service that lets clients in, and the steps of letting them in. */
export type OAuthStage = {
  readonly auth: AuthInstance;
  readonly signUp: () => Promise<OAuthUser>;
  readonly register: (body?: object) => Promise<OAuthClient>;
  /** Opens a request of a client; yields its id. */
  readonly open: (clientId: string, more?: Record<string, string>) => Promise<string>;
  /** Approves a request, or finds it approved; yields where the browser goes. */
  readonly approve: (id: string, token: string) => Promise<URL>;
  /** All of that up to the code. */
  readonly codeFor: (clientId: string, token: string, more?: Record<string, string>) => Promise<string>;
  readonly exchange: (headers: Record<string, string>, body: Record<string, string>) => Promise<AuthAnswer>;
};

/** The path of a request that is good but for what it is given more. */
export const authorizePath = (clientId: string, more: Record<string, string> = {}): string =>
  `/oauth/authorize?${new URLSearchParams({
    client_id: clientId,
    redirect_uri: oauthRedirectUri,
    response_type: 'code',
    scope: 'openid email profile',
    state: 's1',
    code_challenge: pkceChallenge(),
    code_challenge_method: 'S256',
    ...more,
  })}`;

/** How a client proves itself in a header. */
export const basicProof = (client: OAuthClient) => ({
  authorization: `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')}`,
  'content-type': 'application/x-www-form-urlencoded',
});

/** Settings of a service that signs ID tokens and lets clients register themselves. */
async function oauthEnv(): Promise<Readonly<Record<string, string>>> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return {
    JWT_KEYS: JSON.stringify([{ ...(await exportJWK(privateKey)), kid: 'one', alg: 'ES256' }]),
    GOTRUE_SITE_URL: oauthSite,
    GOTRUE_OAUTH_SERVER_ALLOW_DYNAMIC_REGISTRATION: 'true',
    GOTRUE_OAUTH_SERVER_AUTHORIZATION_PATH: '/consent',
  };
}

/** Starts a service that lets clients in. */
export async function startOAuth(env?: Readonly<Record<string, string>>): Promise<OAuthStage> {
  const auth = await startAuth({
    env: {
      GOTRUE_MAILER_AUTOCONFIRM: 'true',
      GOTRUE_OAUTH_SERVER_ENABLED: 'true',
      ...(env ?? (await oauthEnv())),
    },
  });
  let people = 0;
  const stage: OAuthStage = {
    auth,
    async signUp() {
      const email = `resource${++people}@example.com`;
      const { json } = await auth.call('POST', '/signup', {
        body: { email, password: oauthPassword, data: { name: 'Ada' } },
      });
      return { email, id: json.user.id, token: json.access_token };
    },
    async register(body = {}) {
      const answer = await auth.call('POST', '/admin/oauth/clients', {
        token: auth.serviceKey,
        body: { redirect_uris: [oauthRedirectUri], client_name: 'A client', ...body },
      });
      expect(answer.status).toBe(201);
      return answer.json;
    },
    async open(clientId, more) {
      const answer = await auth.call('GET', authorizePath(clientId, more));
      expect(answer.status).toBe(302);
      return new URL(answer.headers.get('location') ?? '').searchParams.get('authorization_id') ?? '';
    },
    async approve(id, token) {
      const shown = await auth.call('GET', `/oauth/authorizations/${id}`, { token });
      if (shown.json.redirect_url !== undefined) return new URL(shown.json.redirect_url);
      const answer = await auth.call('POST', `/oauth/authorizations/${id}/consent`, {
        token,
        body: { action: 'approve' },
      });
      return new URL(answer.json.redirect_url);
    },
    async codeFor(clientId, token, more) {
      const url = await stage.approve(await stage.open(clientId, more), token);
      return url.searchParams.get('code') ?? '';
    },
    exchange: (headers, body) =>
      auth.call('POST', '/oauth/token', {
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          code_verifier: pkceVerifier,
          ...body,
        }).toString(),
      }),
  };
  return stage;
}
