import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type ProviderProfile, providerProfiles, spotifyProfile } from '../../fixtures/provider-profiles.ts';
import { startAuth } from '../../support/auth.ts';

/*
 * Every provider that says who somebody is by a profile, as a loopback server that answers in the shapes of the
 * providers' documents. The first part of a path is the provider's name.
 */
type Asked = { readonly path: string; readonly headers: IncomingMessage['headers']; readonly body: string };

const asked: Asked[] = [];
const server = createServer((request, response) => {
  const [, name = ''] = (request.url ?? '').split('/');
  const path = (request.url ?? '').slice(name.length + 1);
  let body = '';
  request.on('data', (chunk) => {
    body += String(chunk);
  });
  request.on('end', () => {
    asked.push({ path, headers: request.headers, body });
    if (name === 'twitter') {
      answerAsTwitter(path, response);
      return;
    }
    const found = name === 'spotify' ? spotifyProfile : providerProfiles[name];
    response.setHeader('content-type', 'application/json');
    if (found !== undefined && path === found.token) {
      const extra = 'tokenExtra' in found ? found.tokenExtra : {};
      response.end(JSON.stringify({ access_token: 'at', refresh_token: 'rt', ...extra }));
      return;
    }
    const answers: Readonly<Record<string, unknown>> = found?.answers ?? {};
    const answer = answers[decodeURIComponent(path).replace(/[&?]appsecret_proof=[0-9a-f]{64}$/, '')];
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(JSON.stringify(answer ?? {}));
  });
});
await new Promise<void>((resolve) => {
  server.listen(0, '127.0.0.1', resolve);
});
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
afterAll(() => {
  server.close();
});

/** Twitter's OAuth 1.0a: tokens as forms, and a profile for who brings the access token. */
function answerAsTwitter(path: string, response: ServerResponse): void {
  if (path === '/oauth/request_token')
    response.end('oauth_token=rt&oauth_token_secret=rs&oauth_callback_confirmed=true');
  else if (path === '/oauth/access_token')
    response.end('oauth_token=at&oauth_token_secret=as&screen_name=bird');
  else {
    const profile = {
      id_str: '42',
      screen_name: 'bird',
      name: 'A Bird',
      email: 'bird@twitter.test',
      profile_image_url_https: 'https://twitter.test/p.jpg',
    };
    response.end(JSON.stringify(profile));
  }
}

const names = Object.keys(providerProfiles);

const auth = await startAuth({
  env: {
    GOTRUE_SITE_URL: 'https://app.example.com',
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
    ...Object.fromEntries(
      [...names, 'spotify', 'twitter'].flatMap((name) => {
        const prefix = `GOTRUE_EXTERNAL_${name.toUpperCase()}`;
        return [
          [`${prefix}_ENABLED`, 'true'],
          [`${prefix}_CLIENT_ID`, `${name}-client,other`],
          [`${prefix}_SECRET`, `${name}-secret`],
          [`${prefix}_URL`, `${origin}/${name}/`],
        ];
      }),
    ),
  },
});

beforeEach(() => {
  asked.length = 0;
});

async function begin(name: string): Promise<URL> {
  const reply = await auth.call('GET', `/authorize?provider=${name}&scopes=extra&flow_type=x`);
  expect(reply.status).toBe(302);
  return new URL(reply.headers.get('location') ?? '');
}

async function finish(url: URL): Promise<URL> {
  const state = url.searchParams.get('state');
  const reply = await auth.call('GET', `/callback?state=${state}&code=the-code`);
  return new URL(reply.headers.get('location') ?? '');
}

describe.each(names)('%s', (name) => {
  const expected = providerProfiles[name] as ProviderProfile;

  it('is asked to sign somebody in', async () => {
    const url = await begin(name);
    expect(url.origin + url.pathname).toBe(`${origin}/${name}${expected.authorize}`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: `${name}-client`,
      redirect_uri: `${auth.url}/auth/v1/callback`,
      response_type: 'code',
      flow_type: 'x',
      // Some providers are asked for the same whatever an app wants besides.
      ...(expected.scope === '' ? {} : { scope: expected.scope }),
      state: expect.stringMatching(/^[0-9a-f-]{36}$/),
      ...(name === 'x'
        ? { code_challenge: expect.stringMatching(/^[\w-]{43}$/), code_challenge_method: 'S256' }
        : {}),
    });
  });

  it('says who somebody is', async () => {
    const fragment = Object.fromEntries(new URLSearchParams((await finish(await begin(name))).hash.slice(1)));
    expect(fragment).toMatchObject({ provider_token: 'at', provider_refresh_token: 'rt' });
    const { user_metadata, app_metadata } = decodeJwt(fragment.access_token ?? '');
    const base = `${origin}/${name}`;
    const claims = Object.entries(expected.claims).map(([key, value]) => [
      key,
      typeof value === 'string' && key === 'iss' ? value.replace('{}', base) : value,
    ]);
    expect(app_metadata).toEqual({ provider: name, providers: [name] });
    expect(user_metadata).toEqual({
      ...Object.fromEntries(claims),
      email: expected.email,
      email_verified: true,
      phone_verified: false,
    });
    const exchange = asked.find(({ path }) => path === expected.token);
    const form = new URLSearchParams(exchange?.body);
    expect(form.get('code')).toBe('the-code');
    expect(form.get('redirect_uri')).toBe(`${auth.url}/auth/v1/callback`);
    const basic = Buffer.from(`${name}-client:${name}-secret`).toString('base64');
    const isProven =
      exchange?.headers.authorization === `Basic ${basic}` ||
      (form.get('client_id') === `${name}-client` && form.get('client_secret') === `${name}-secret`);
    expect(isProven).toBe(true);
    const profile = asked.filter(({ path }) => path !== expected.token);
    expect(profile.map(({ headers }) => headers.authorization)).toEqual(profile.map(() => 'Bearer at'));
  });
});

describe('spotify', () => {
  it('vouches for no address, so that a mail has to', async () => {
    const back = await finish(await begin('spotify'));
    expect(Object.fromEntries(back.searchParams)).toEqual({
      error: 'access_denied',
      error_code: 'provider_email_needs_verification',
      error_description:
        'Unverified email with spotify. A confirmation email has been sent to your spotify email',
    });
    const { link } = await auth.nextMail('user@spotify.test');
    const confirmed = await fetch(link, { redirect: 'manual' });
    const fragment = new URLSearchParams(new URL(confirmed.headers.get('location') ?? '').hash.slice(1));
    expect(decodeJwt(fragment.get('access_token') ?? '').user_metadata).toMatchObject({
      iss: `${origin}/spotify`,
      sub: 'sp1',
      picture: 'https://spotify.test/large',
    });
  });
});

describe('twitter', () => {
  /** The members of a signed Authorization header. */
  const headerOf = ({ headers }: Asked): Record<string, string> =>
    Object.fromEntries(
      (headers.authorization ?? '')
        .replace(/^OAuth /, '')
        .split(',')
        .map((part) => /^(\w+)="(.*)"$/.exec(part)?.slice(1).map(decodeURIComponent) ?? []),
    );
  const encode = (text: string): string =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

  /** The signature that RFC 5849 asks for, by a second reading of it. */
  function signatureOf(asking: Asked, tokenSecret: string): string {
    const { oauth_signature, ...members } = headerOf(asking);
    const url = new URL(`${origin}/twitter${asking.path}`);
    const pairs = [...Object.entries(members), ...url.searchParams].map(
      ([name, value]) => `${encode(name)}=${encode(value)}`,
    );
    const base = ['GET', encode(url.origin + url.pathname), encode(pairs.sort().join('&'))].join('&');
    return createHmac('sha1', `twitter-secret&${tokenSecret}`).update(base).digest('base64');
  }

  it('signs users in by OAuth 1.0a', async () => {
    const reply = await auth.call('GET', '/authorize?provider=twitter');
    const page = new URL(reply.headers.get('location') ?? '');
    expect(page.href).toBe(`${origin}/twitter/oauth/authenticate?oauth_token=rt`);
    const [asking] = asked;
    const members = headerOf(asking as Asked);
    const callback = new URL(members.oauth_callback ?? '');
    expect(callback.origin + callback.pathname).toBe(`${auth.url}/auth/v1/callback`);
    const back = await auth.call('GET', `/callback${callback.search}&oauth_token=rt&oauth_verifier=v`);
    const fragment = Object.fromEntries(
      new URLSearchParams(new URL(back.headers.get('location') ?? '').hash.slice(1)),
    );
    expect(fragment.provider_token).toBe('at');
    expect(decodeJwt(fragment.access_token ?? '')).toMatchObject({
      email: 'bird@twitter.test',
      app_metadata: { provider: 'twitter' },
      user_metadata: {
        iss: `${origin}/twitter/1.1/account/verify_credentials.json`,
        sub: '42',
        provider_id: '42',
        name: 'A Bird',
        user_name: 'bird',
        preferred_username: 'bird',
        picture: 'https://twitter.test/p.jpg',
      },
    });
    expect(asked.map((one) => headerOf(one).oauth_signature)).toEqual([
      signatureOf(asked[0] as Asked, ''),
      signatureOf(asked[1] as Asked, ''),
      signatureOf(asked[2] as Asked, 'as'),
    ]);
    expect(headerOf(asked[1] as Asked)).toMatchObject({ oauth_token: 'rt', oauth_verifier: 'v' });
  });
});
