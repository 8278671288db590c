import { createHash } from 'node:crypto';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { startAuth } from '../../support/auth.ts';

/*
 * The issuers of the providers, as one key that they all publish. What a request for their documents is answered with
 * lives in this file.
 */
const google = 'https://accounts.google.com';
const apple = 'https://appleid.apple.com';
const azure = 'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0';
const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
const stranger = await generateKeyPair('RS256', { extractable: true });
const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256' };
const documents: typeof fetch = (input) => {
  const url = String(input);
  const path = '/.well-known/openid-configuration';
  if (url.endsWith(path)) {
    const issuer = url.slice(0, -path.length);
    return Promise.resolve(Response.json({ issuer, jwks_uri: `${issuer}/jwks` }));
  }
  return Promise.resolve(Response.json({ keys: [jwk] }));
};

const googleEnv = {
  GOTRUE_EXTERNAL_GOOGLE_ENABLED: 'true',
  GOTRUE_EXTERNAL_GOOGLE_CLIENT_ID: 'web,android',
  GOTRUE_EXTERNAL_GOOGLE_SECRET: 'secret',
};
const confirming = await startAuth({
  env: { ...googleEnv, GOTRUE_MAILER_AUTOCONFIRM: 'false' },
  fetch: documents,
});
const auth = await startAuth({
  env: {
    ...googleEnv,
    GOTRUE_EXTERNAL_APPLE_ENABLED: 'true',
    GOTRUE_EXTERNAL_APPLE_CLIENT_ID: 'com.example.web',
    GOTRUE_EXTERNAL_APPLE_SECRET: 'secret',
    GOTRUE_EXTERNAL_IOS_BUNDLE_ID: 'com.example.ios',
    GOTRUE_EXTERNAL_AZURE_ENABLED: 'true',
    GOTRUE_EXTERNAL_AZURE_CLIENT_ID: 'azure-client',
    GOTRUE_EXTERNAL_AZURE_SECRET: 'secret',
    ...Object.fromEntries(
      ['FACEBOOK', 'KAKAO', 'SNAPCHAT', 'VERCEL_MARKETPLACE', 'KEYCLOAK'].flatMap((name) => [
        [`GOTRUE_EXTERNAL_${name}_ENABLED`, 'true'],
        [`GOTRUE_EXTERNAL_${name}_CLIENT_ID`, `${name.toLowerCase()}-client`],
        [`GOTRUE_EXTERNAL_${name}_SECRET`, 'secret'],
      ]),
    ),
    GOTRUE_EXTERNAL_KEYCLOAK_URL: 'https://keycloak.example.com/realms/shop',
    GOTRUE_SECURITY_MANUAL_LINKING_ENABLED: 'true',
  },
  fetch: documents,
});

const nonce = 'a nonce of the app';
const hashed = createHash('sha256').update(nonce).digest('hex');
let people = 0;
const token = (issuer: string, audience: string | string[], claims: object = {}, key = privateKey) =>
  new SignJWT({ sub: `u${++people}`, email: `id${people}@example.com`, email_verified: true, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(key);
const enter = (body: object, bearer?: string) =>
  auth.call('POST', '/token?grant_type=id_token', {
    body,
    ...(bearer === undefined ? {} : { token: bearer }),
  });

describe('an ID token', () => {
  it.each([
    ['of Google, for the web', 'google', google, 'web'],
    ['of Google, for another of the project’s clients', 'google', google, 'android'],
    ['of Apple, for the web', 'apple', apple, 'com.example.web'],
    ['of Apple, for the app', 'apple', apple, 'com.example.ios'],
    ['of Microsoft', 'azure', azure, 'azure-client'],
    ['of Facebook', 'facebook', 'https://www.facebook.com', 'facebook-client'],
    ['of Kakao', 'kakao', 'https://kauth.kakao.com', 'kakao-client'],
    ['of Snapchat', 'snapchat', 'https://accounts.snapchat.com/accounts/oauth2/token', 'snapchat-client'],
    ['of Keycloak', 'keycloak', 'https://keycloak.example.com/realms/shop', 'keycloak-client'],
  ])('%s signs its user in', async (_, provider, issuer, audience) => {
    const { status, json } = await enter({ provider, id_token: await token(issuer, audience) });
    expect([status, json.user]).toMatchObject([
      200,
      {
        email: `id${people}@example.com`,
        app_metadata: { provider, providers: [provider] },
        identities: [{ provider, id: `u${people}` }],
      },
    ]);
    expect(decodeJwt(json.access_token)).toMatchObject({ amr: [{ method: 'oauth' }] });
  });

  it('is known by its issuer where the app names no provider', async () => {
    const id_token = await token(google, 'web');
    const { json } = await enter({ client_id: 'web', issuer: google, id_token });
    expect(json.user.app_metadata.provider).toBe('google');
  });

  it('may be for several clients, of which one is ours', async () => {
    const id_token = await token(google, ['someone-else', 'web']);
    expect((await enter({ provider: 'google', id_token })).status).toBe(200);
  });

  it('holds the hash of the nonce that the app has', async () => {
    const id_token = await token(google, 'web', { nonce: hashed });
    expect((await enter({ provider: 'google', id_token, nonce })).status).toBe(200);
    const wrong = await enter({ provider: 'google', id_token, nonce: 'another' });
    expect([wrong.status, wrong.json]).toEqual([
      400,
      { error: 'invalid nonce', error_description: 'Nonces mismatch' },
    ]);
    const none = await enter({ provider: 'google', id_token });
    const needless = await enter({ provider: 'google', id_token: await token(google, 'web'), nonce });
    for (const { json } of [none, needless]) {
      expect(json.error_description).toBe(
        'Passed nonce and nonce in id_token should either both exist or not.',
      );
    }
  });

  it.each<[string, () => Promise<string>, string]>([
    [
      'for somebody else’s client',
      () => token(google, 'someone-else'),
      'Unacceptable audience in id_token: [someone-else]',
    ],
    ['of another issuer', () => token('https://evil.example.net', 'web'), 'Bad ID token'],
    ['signed by another key', () => token(google, 'web', {}, stranger.privateKey), 'Bad ID token'],
    [
      'that is expired',
      () =>
        new SignJWT({ sub: 'u' })
          .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
          .setIssuer(google)
          .setAudience('web')
          .setExpirationTime(1_600_000_000)
          .sign(privateKey),
      'Bad ID token',
    ],
    [
      'without a signature',
      async () => {
        const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
        return `${part({ alg: 'none' })}.${part({ iss: google, aud: 'web', sub: 'u', exp: 9e9 })}.`;
      },
      'Bad ID token',
    ],
    ['that is none', async () => 'hello', 'Bad ID token'],
    ['without a subject', () => token(google, 'web', { sub: '' }), 'Missing sub claim in id_token'],
  ])('%s is refused', async (_, make, description) => {
    const { status, json } = await enter({ provider: 'google', id_token: await make() });
    expect([status, json]).toEqual([400, { error: 'invalid request', error_description: description }]);
  });

  it('of Google is none of Apple’s', async () => {
    const { status, json } = await enter({
      provider: 'apple',
      id_token: await token(google, 'com.example.web'),
    });
    expect([status, json.error_code, json.msg]).toEqual([
      400,
      'validation_failed',
      'Detected ID token issuer is not an Apple ID token issuer',
    ]);
  });

  it('that goes with another access token is refused', async () => {
    const id_token = await token(google, 'web', { at_hash: 'bm90IHRoaXMgb25l' });
    const { json } = await enter({ provider: 'google', id_token, access_token: 'at' });
    expect(json.error_description).toBe('Bad ID token');
  });

  it('of a provider that is off is refused', async () => {
    const { status, json } = await confirming.call('POST', '/token?grant_type=id_token', {
      body: { provider: 'facebook', id_token: await token('https://www.facebook.com', 'x') },
    });
    expect([status, json.error_code]).toEqual([400, 'provider_disabled']);
  });

  it('of an unverified address does not enter the account that has it', async () => {
    const email = 'victim@example.com';
    const admin = { token: confirming.serviceKey, body: { email, email_confirm: true } };
    const victim = (await confirming.call('POST', '/admin/users', admin)).json;
    const id_token = await token(google, 'web', { email, email_verified: false });
    const { status, json } = await confirming.call('POST', '/token?grant_type=id_token', {
      body: { provider: 'google', id_token },
    });
    expect([status, json.access_token]).toEqual([expect.toSatisfy((code: number) => code >= 400), undefined]);
    const { json: after } = await confirming.call('GET', `/admin/users/${victim.id}`, {
      token: confirming.serviceKey,
    });
    expect(after.identities).toMatchObject([{ provider: 'email' }]);
  });

  it('of a verified address enters the account that has it', async () => {
    const email = 'same@example.com';
    const first = await auth.call('POST', '/signup', { body: { email, password: 'correct horse' } });
    const { json } = await enter({ provider: 'google', id_token: await token(google, 'web', { email }) });
    expect(json.user).toMatchObject({
      id: first.json.user.id,
      app_metadata: { providers: ['email', 'google'] },
    });
  });

  it('is linked to the account of whoever is signed in, once', async () => {
    const email = 'linker@example.com';
    const { json: mine } = await auth.call('POST', '/signup', { body: { email, password: 'correct horse' } });
    const id_token = await token(google, 'web');
    const body = { provider: 'google', id_token, link_identity: true };
    const linked = await enter(body, mine.access_token);
    expect([linked.status, linked.json.user]).toMatchObject([
      200,
      { id: mine.user.id, email, app_metadata: { providers: ['email', 'google'] } },
    ]);
    // The answer shows the identities of before, as upstream's does; whoever asks for the user sees both.
    const providersOf = (user: { readonly identities: readonly { readonly provider: string }[] }) =>
      user.identities.map(({ provider }) => provider).sort();
    const { json: asked } = await auth.call('GET', '/user', { token: mine.access_token });
    expect([providersOf(linked.json.user), providersOf(asked)]).toEqual([['email'], ['email', 'google']]);
    const { json: other } = await auth.call('POST', '/signup', {
      body: { email: 'other@example.com', password: 'correct horse' },
    });
    const taken = await enter(body, other.access_token);
    expect([taken.status, taken.json.error_code]).toEqual([422, 'identity_already_exists']);
    const nobody = await enter(body);
    expect([nobody.status, nobody.json.error_description]).toEqual([
      400,
      'Linking requires a valid user access token in Authorization',
    ]);
  });
});
