import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt, exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';
import { afterAll, describe, expect, it } from 'vitest';
import { startAuth } from '../../support/auth.ts';

/*
 * A certified OpenID Connect server on the loopback interface, behind the address of a public host that requests are led
 * from. It plays Keycloak, whose endpoints have its paths, and providers of the project.
 */
const publicIssuer = 'https://203.0.113.9';
let origin = '';
const started = await new Promise<ReturnType<typeof createServer>>((resolve) => {
  const server = createServer((request, response) => handler(request, response));
  server.listen(0, '127.0.0.1', () => resolve(server));
});
origin = `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
afterAll(() => {
  started.close();
});

/** A request as it arrives behind the proxy of a public host. */
const led = (url: string, init: RequestInit = {}): Promise<Response> =>
  url.startsWith(publicIssuer)
    ? fetch(url.replace(publicIssuer, origin), {
        ...init,
        headers: {
          ...Object.fromEntries(new Headers(init.headers)),
          'x-forwarded-proto': 'https',
          'x-forwarded-host': new URL(publicIssuer).host,
        },
      })
    : fetch(url, init);

const auth = await startAuth({
  env: {
    GOTRUE_SITE_URL: 'https://app.example.com',
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
    GOTRUE_EXTERNAL_KEYCLOAK_ENABLED: 'true',
    GOTRUE_EXTERNAL_KEYCLOAK_CLIENT_ID: 'keycloak-client',
    GOTRUE_EXTERNAL_KEYCLOAK_SECRET: 'keycloak-secret',
    GOTRUE_EXTERNAL_KEYCLOAK_URL: publicIssuer,
  },
  fetch: (input, init) => led(String(input), init),
});

const redirect_uris = [`${auth.url}/auth/v1/callback`];
const { privateKey } = await generateKeyPair('RS256', { extractable: true });
const seconds = 600;
const provider = new Provider(publicIssuer, {
  jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: 'k', alg: 'RS256', use: 'sig' }] },
  ttl: { Interaction: seconds, Session: seconds, Grant: seconds, AccessToken: seconds, IdToken: seconds },
  clients: [
    { client_id: 'keycloak-client', client_secret: 'keycloak-secret', redirect_uris },
    { client_id: 'own-client', client_secret: 'own-secret', redirect_uris },
  ],
  routes: {
    authorization: '/protocol/openid-connect/auth',
    token: '/protocol/openid-connect/token',
    userinfo: '/protocol/openid-connect/userinfo',
  },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'] },
  conformIdTokenClaims: false,
  pkce: { required: () => false },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@oidc.test`, email_verified: true, name: `Name ${id}` }),
  }),
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  cookies: { keys: ['a', 'b'] },
});

provider.proxy = true;
const callback = provider.callback();
async function handler(
  request: Parameters<typeof callback>[0],
  response: Parameters<typeof callback>[1],
): Promise<void> {
  if (!request.url?.startsWith('/interaction/')) {
    await callback(request, response);
    return;
  }
  // The user signs in and consents without being asked.
  const { prompt, params, grantId, session } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    await provider.interactionFinished(request, response, { login: { accountId: 'ada' } });
    return;
  }
  const grant =
    grantId === undefined
      ? new provider.Grant({ accountId: session?.accountId ?? '', clientId: String(params.client_id) })
      : await provider.Grant.find(grantId);
  grant?.addOIDCScope(String(params.scope));
  await provider.interactionFinished(request, response, {
    consent: { grantId: (await grant?.save()) ?? '' },
  });
}

/** Follows a browser from a URL until it comes back to the app. */
async function browse(from: string): Promise<URL> {
  const jar = new Map<string, string>();
  let url = from;
  for (let hop = 0; hop < 12; hop++) {
    const reply = await led(url, {
      redirect: 'manual',
      headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const cookie of reply.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      const at = pair.indexOf('=');
      jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const location = reply.headers.get('location');
    if (location === null) throw new Error(`${url} answered ${reply.status}: ${await reply.text()}`);
    url = new URL(location, url).href;
    if (url.startsWith('https://app.example.com')) return new URL(url);
  }
  throw new Error('the browser did not come back');
}

const claimsOf = (url: URL) =>
  decodeJwt(new URLSearchParams(url.hash.slice(1)).get('access_token') ?? url.href);

describe('a real OpenID Connect server', () => {
  it('signs users in as Keycloak', async () => {
    const back = await browse(`${auth.url}/auth/v1/authorize?provider=keycloak&scopes=openid`);
    expect(claimsOf(back)).toMatchObject({
      email: 'ada@oidc.test',
      app_metadata: { provider: 'keycloak' },
      user_metadata: { iss: publicIssuer, sub: 'ada', name: 'Name ada', email_verified: true },
    });
  });

  it.each([
    ['an ID token', { provider_type: 'oidc', issuer: publicIssuer }],
    [
      'a profile',
      {
        provider_type: 'oauth2',
        authorization_url: `${publicIssuer}/protocol/openid-connect/auth`,
        token_url: `${publicIssuer}/protocol/openid-connect/token`,
        userinfo_url: `${publicIssuer}/protocol/openid-connect/userinfo`,
      },
    ],
  ])('signs users in as a provider of the project, by %s and with PKCE', async (_name, kind) => {
    const identifier = `custom:${kind.provider_type}`;
    const made = await auth.call('POST', '/admin/custom-providers', {
      token: auth.serviceKey,
      body: {
        ...kind,
        identifier,
        name: 'Own',
        client_id: 'own-client',
        client_secret: 'own-secret',
        scopes: ['openid', 'email', 'profile'],
      },
    });
    expect([made.status, made.json.msg]).toEqual([201, undefined]);
    const back = await browse(`${auth.url}/auth/v1/authorize?provider=${identifier}`);
    expect(claimsOf(back)).toMatchObject({
      email: 'ada@oidc.test',
      app_metadata: { providers: expect.arrayContaining([identifier]) },
      user_metadata: { sub: 'ada', name: 'Name ada' },
    });
  });

  it('is told of a refusal by redirect', async () => {
    const answer = await auth.call('GET', '/authorize?provider=keycloak');
    const state = new URL(answer.headers.get('location') ?? '').searchParams.get('state');
    const back = await auth.call('GET', `/callback?state=${state}&error=access_denied&error_description=No`);
    const url = new URL(back.headers.get('location') ?? '');
    expect(Object.fromEntries(url.searchParams)).toEqual({ error: 'access_denied', error_description: 'No' });
  });
});
