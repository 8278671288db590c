import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { startAuth } from '../../support/auth.ts';

/*
 * Every provider that says who somebody is by a profile, as a loopback server that answers in the shapes of the
 * providers' documents. The first part of a path is the provider's name.
 */
type Asked = { readonly path: string; readonly headers: IncomingMessage['headers']; readonly body: string };
type Case = {
  /** Path of the authorize URL, and its scopes. */
  readonly authorize: string;
  readonly scope: string;
  /** Path of the token endpoint; its answer beside the tokens. */
  readonly token: string;
  readonly tokenExtra?: object;
  /** Answers by path and query. */
  readonly answers: Readonly<Record<string, unknown>>;
  readonly email: string;
  /** What the identity holds, beside the address; `{}` stands for the provider's URL. */
  readonly claims: Readonly<Record<string, unknown>>;
};

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
    const found = name === 'spotify' ? spotify : cases[name];
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

const spotify = {
  token: '/api/token',
  answers: {
    '/me': {
      id: 'sp1',
      display_name: 'Spot Ify',
      email: 'user@spotify.test',
      images: [
        { url: 'https://spotify.test/small', height: 64, width: 64 },
        { url: 'https://spotify.test/large', height: 300, width: 300 },
      ],
    },
  },
};

const cases: Readonly<Record<string, Case>> = {
  bitbucket: {
    authorize: '/site/oauth2/authorize',
    scope: 'account email',
    token: '/site/oauth2/access_token',
    answers: {
      '/2.0/user': {
        uuid: '{b-1}',
        display_name: 'Bit Bucket',
        links: {},
        avatar: { href: 'https://bitbucket.test/a.png' },
      },
      '/2.0/user/emails': {
        values: [
          { email: 'second@bitbucket.test', is_primary: false, is_confirmed: true },
          { email: 'user@bitbucket.test', is_primary: true, is_confirmed: true },
        ],
      },
    },
    email: 'user@bitbucket.test',
    claims: {
      iss: '{}/2.0',
      sub: '{b-1}',
      provider_id: '{b-1}',
      name: 'Bit Bucket',
      full_name: 'Bit Bucket',
      picture: 'https://bitbucket.test/a.png',
      avatar_url: 'https://bitbucket.test/a.png',
    },
  },
  discord: {
    authorize: '/api/oauth2/authorize',
    scope: 'email identify extra',
    token: '/api/oauth2/token',
    answers: {
      '/api/users/@me': {
        id: '80351110224678912',
        username: 'nelly',
        discriminator: '1337',
        global_name: 'Nelly',
        avatar: 'a_8342729096ea3675442027381ff50dfe',
        verified: true,
        email: 'nelly@discord.test',
      },
    },
    email: 'nelly@discord.test',
    claims: {
      iss: '{}/api',
      sub: '80351110224678912',
      provider_id: '80351110224678912',
      name: 'nelly#1337',
      full_name: 'nelly',
      picture: 'https://cdn.discordapp.com/avatars/80351110224678912/a_8342729096ea3675442027381ff50dfe.gif',
      avatar_url:
        'https://cdn.discordapp.com/avatars/80351110224678912/a_8342729096ea3675442027381ff50dfe.gif',
      custom_claims: { global_name: 'Nelly' },
    },
  },
  facebook: {
    authorize: '/dialog/oauth',
    scope: 'email extra',
    token: '/oauth/access_token',
    answers: {
      '/me?fields=email,first_name,last_name,name,picture': {
        id: '1001',
        email: 'user@facebook.test',
        first_name: 'Face',
        last_name: 'Book',
        name: 'Face Q. Book',
        picture: { data: { url: 'https://facebook.test/p.jpg', width: 50 } },
      },
    },
    email: 'user@facebook.test',
    claims: {
      iss: '{}/me?fields=email,first_name,last_name,name,picture',
      sub: '1001',
      provider_id: '1001',
      name: 'Face Book',
      full_name: 'Face Book',
      nickname: 'Face Q. Book',
      slug: 'Face Q. Book',
      picture: 'https://facebook.test/p.jpg',
      avatar_url: 'https://facebook.test/p.jpg',
    },
  },
  figma: {
    authorize: '/oauth',
    scope: 'current_user:read extra',
    token: '/v1/oauth/token',
    answers: {
      '/v1/me': { id: 'f1', email: 'user@figma.test', handle: 'Fig Ma', img_url: 'https://figma.test/i.png' },
    },
    email: 'user@figma.test',
    claims: {
      iss: '{}',
      sub: 'f1',
      provider_id: 'f1',
      name: 'Fig Ma',
      full_name: 'Fig Ma',
      avatar_url: 'https://figma.test/i.png',
    },
  },
  fly: {
    authorize: '/oauth/authorize',
    scope: 'read extra',
    token: '/oauth/token',
    answers: {
      '/oauth/token/info': {
        resource_owner_id: 'r1',
        scope: ['read'],
        expires_in: 7200,
        application: { uid: 'app' },
        created_at: 1696003692,
        user_id: 'u1',
        user_name: 'Fly Er',
        email: 'user@fly.test',
        organizations: [{ id: 'o1', role: 'member' }],
      },
    },
    email: 'user@fly.test',
    claims: {
      iss: '{}',
      sub: 'u1',
      provider_id: 'u1',
      full_name: 'Fly Er',
      custom_claims: {
        resource_owner_id: 'r1',
        organizations: [{ id: 'o1', role: 'member' }],
        application: { uid: 'app' },
        scope: ['read'],
        created_at: 1696003692,
      },
    },
  },
  github: {
    authorize: '/login/oauth/authorize',
    scope: 'user:email extra',
    token: '/login/oauth/access_token',
    answers: {
      '/api/v3/user': {
        id: 123,
        login: 'octocat',
        name: 'Octo Cat',
        email: null,
        avatar_url: 'https://github.test/a',
      },
      '/api/v3/user/emails': [
        { email: 'user@github.test', primary: true, verified: true, visibility: 'private' },
      ],
    },
    email: 'user@github.test',
    claims: {
      iss: '{}/api/v3',
      sub: '123',
      provider_id: '123',
      name: 'Octo Cat',
      full_name: 'Octo Cat',
      preferred_username: 'octocat',
      user_name: 'octocat',
      avatar_url: 'https://github.test/a',
    },
  },
  gitlab: {
    authorize: '/oauth/authorize',
    scope: 'read_user extra',
    token: '/oauth/token',
    answers: {
      '/api/v4/user': {
        id: 7,
        email: 'user@gitlab.test',
        name: 'Git Lab',
        avatar_url: 'https://gitlab.test/a',
        confirmed_at: '2012-05-23T09:05:22Z',
      },
      '/api/v4/user/emails': [{ id: 1, email: 'more@gitlab.test' }],
    },
    email: 'user@gitlab.test',
    claims: {
      iss: '{}',
      sub: '7',
      provider_id: '7',
      name: 'Git Lab',
      full_name: 'Git Lab',
      picture: 'https://gitlab.test/a',
      avatar_url: 'https://gitlab.test/a',
    },
  },
  kakao: {
    authorize: '/oauth/authorize',
    scope: 'account_email profile_image profile_nickname extra',
    token: '/oauth/token',
    answers: {
      '/v2/user/me': {
        id: 999,
        kakao_account: {
          profile: { nickname: 'Ka Kao', profile_image_url: 'https://kakao.test/i.jpg' },
          email: 'user@kakao.test',
          is_email_valid: true,
          is_email_verified: true,
        },
      },
    },
    email: 'user@kakao.test',
    claims: {
      iss: '{}',
      sub: '999',
      provider_id: '999',
      name: 'Ka Kao',
      full_name: 'Ka Kao',
      preferred_username: 'Ka Kao',
      user_name: 'Ka Kao',
      avatar_url: 'https://kakao.test/i.jpg',
    },
  },
  keycloak: {
    authorize: '/protocol/openid-connect/auth',
    scope: 'profile email extra',
    token: '/protocol/openid-connect/token',
    answers: {
      '/protocol/openid-connect/userinfo': {
        sub: 'k1',
        name: 'Key Cloak',
        email: 'user@keycloak.test',
        email_verified: true,
        groups: ['/staff'],
        preferred_username: 'key',
      },
    },
    email: 'user@keycloak.test',
    claims: {
      iss: '{}',
      sub: 'k1',
      provider_id: 'k1',
      name: 'Key Cloak',
      full_name: 'Key Cloak',
      custom_claims: { groups: ['/staff'], preferred_username: 'key' },
    },
  },
  linkedin: {
    authorize: '/oauth/v2/authorization',
    scope: 'r_emailaddress r_liteprofile extra',
    token: '/oauth/v2/accessToken',
    answers: {
      '/v2/me?projection=(id,firstName,lastName,profilePicture(displayImage~:playableStreams))': {
        id: 'li1',
        firstName: { localized: { en_US: 'Linked' }, preferredLocale: { country: 'US', language: 'en' } },
        lastName: { localized: { en_US: 'In' }, preferredLocale: { country: 'US', language: 'en' } },
        profilePicture: {
          'displayImage~': { elements: [{ identifiers: [{ identifier: 'https://linkedin.test/p' }] }] },
        },
      },
      '/v2/emailAddress?q=members&projection=(elements*(handle~))': {
        elements: [{ handle: 'urn:li:emailAddress:1', 'handle~': { emailAddress: 'user@linkedin.test' } }],
      },
    },
    email: 'user@linkedin.test',
    claims: {
      iss: '{}',
      sub: 'li1',
      provider_id: 'li1',
      name: 'Linked In',
      full_name: 'Linked In',
      picture: 'https://linkedin.test/p',
      avatar_url: 'https://linkedin.test/p',
    },
  },
  notion: {
    authorize: '/v1/oauth/authorize',
    scope: '',
    token: '/v1/oauth/token',
    answers: {
      '/v1/users/me': {
        bot: {
          owner: {
            user: {
              id: 'n1',
              name: 'No Tion',
              avatar_url: 'https://notion.test/a',
              person: { email: 'user@notion.test' },
            },
          },
        },
      },
    },
    email: 'user@notion.test',
    claims: {
      iss: '{}',
      sub: 'n1',
      provider_id: 'n1',
      name: 'No Tion',
      full_name: 'No Tion',
      picture: 'https://notion.test/a',
      avatar_url: 'https://notion.test/a',
    },
  },
  slack: {
    authorize: '/oauth/authorize',
    scope: 'profile email openid extra',
    token: '/api/oauth.access',
    answers: {
      '/api/openid.connect.userInfo': {
        ok: true,
        sub: 'U0R7JM',
        'https://slack.com/user_id': 'U0R7JM',
        'https://slack.com/team_id': 'T0R7GR',
        email: 'user@slack.test',
        name: 'Sla Ck',
        picture: 'https://slack.test/p.jpg',
      },
    },
    email: 'user@slack.test',
    claims: {
      iss: '{}/api',
      sub: 'U0R7JM',
      provider_id: 'U0R7JM',
      name: 'Sla Ck',
      full_name: 'Sla Ck',
      picture: 'https://slack.test/p.jpg',
      avatar_url: 'https://slack.test/p.jpg',
      custom_claims: { 'https://slack.com/team_id': 'T0R7GR' },
    },
  },
  slack_oidc: {
    authorize: '/openid/connect/authorize',
    scope: 'profile email openid extra',
    token: '/api/openid.connect.token',
    answers: {
      '/api/openid.connect.userInfo': {
        ok: true,
        'https://slack.com/user_id': 'U1',
        'https://slack.com/team_id': 'T1',
        email: 'user@slackoidc.test',
        email_verified: true,
        name: 'Sla Ck',
        picture: 'https://slack.test/p.jpg',
      },
    },
    email: 'user@slackoidc.test',
    claims: {
      iss: '{}/api',
      sub: 'U1',
      provider_id: 'U1',
      name: 'Sla Ck',
      full_name: 'Sla Ck',
      picture: 'https://slack.test/p.jpg',
      avatar_url: 'https://slack.test/p.jpg',
      custom_claims: { 'https://slack.com/team_id': 'T1' },
    },
  },
  snapchat: {
    authorize: '/accounts/oauth2/auth',
    scope:
      'https://auth.snapchat.com/oauth2/api/user.external_id https://auth.snapchat.com/oauth2/api/user.display_name https://auth.snapchat.com/oauth2/api/user.bitmoji.avatar extra',
    token: '/accounts/oauth2/token',
    answers: {
      '/v1/me?query={me { externalId displayName bitmoji { avatar id } email } }': {
        data: {
          me: {
            externalId: 's1',
            displayName: 'Snap Chat',
            bitmoji: { avatar: 'https://snap.test/a', id: 'b' },
            email: 'user@snapchat.test',
          },
        },
      },
    },
    email: 'user@snapchat.test',
    claims: {
      iss: 'https://accounts.snapchat.com/accounts/oauth2/token',
      sub: 's1',
      provider_id: 's1',
      name: 'Snap Chat',
      full_name: 'Snap Chat',
      slug: 'Snap Chat',
      picture: 'https://snap.test/a',
      avatar_url: 'https://snap.test/a',
    },
  },
  twitch: {
    authorize: '/oauth2/authorize',
    scope: 'user:read:email extra',
    token: '/oauth2/token',
    answers: {
      '/helix/users': {
        data: [
          {
            id: '141981764',
            login: 'twitchdev',
            display_name: 'TwitchDev',
            type: '',
            broadcaster_type: 'partner',
            description: 'Dev',
            profile_image_url: 'https://twitch.test/p.png',
            offline_image_url: 'https://twitch.test/o.png',
            view_count: 12,
            email: 'user@twitch.test',
            created_at: '2016-12-14T20:32:28Z',
          },
        ],
      },
    },
    email: 'user@twitch.test',
    claims: {
      iss: '{}',
      sub: '141981764',
      provider_id: '141981764',
      name: 'twitchdev',
      full_name: 'twitchdev',
      nickname: 'TwitchDev',
      slug: 'TwitchDev',
      picture: 'https://twitch.test/p.png',
      avatar_url: 'https://twitch.test/p.png',
      custom_claims: {
        broadcaster_type: 'partner',
        description: 'Dev',
        type: '',
        offline_image_url: 'https://twitch.test/o.png',
        view_count: 12,
      },
    },
  },
  workos: {
    authorize: '/sso/authorize',
    scope: '',
    token: '/sso/token',
    tokenExtra: {
      profile: {
        id: 'prof_1',
        connection_id: 'conn_1',
        organization_id: 'org_1',
        connection_type: 'GoogleOAuth',
        email: 'user@workos.test',
        first_name: 'Work',
        last_name: 'Os',
        raw_attributes: {},
      },
    },
    answers: {},
    email: 'user@workos.test',
    claims: {
      iss: '{}',
      sub: 'prof_1',
      provider_id: 'prof_1',
      name: 'Work Os',
      full_name: 'Work Os',
      custom_claims: { connection_id: 'conn_1', organization_id: 'org_1' },
    },
  },
  x: {
    authorize: '/i/oauth2/authorize',
    scope: 'users.email tweet.read users.read offline.access extra',
    token: '/2/oauth2/token',
    answers: {
      '/2/users/me?user.fields=id,name,username,confirmed_email,profile_image_url,url,created_at': {
        data: {
          id: '2244994945',
          name: 'X Dev',
          username: 'xdev',
          confirmed_email: 'user@x.test',
          profile_image_url: 'https://x.test/p.jpg',
          url: 'https://t.co/1',
          created_at: '2013-12-14T04:35:55.000Z',
        },
      },
    },
    email: 'user@x.test',
    claims: {
      iss: '{}',
      sub: '2244994945',
      provider_id: '2244994945',
      name: 'X Dev',
      full_name: 'X Dev',
      preferred_username: 'xdev',
      user_name: 'xdev',
      profile: 'https://x.com/xdev',
      website: 'https://t.co/1',
      picture: 'https://x.test/p.jpg',
      avatar_url: 'https://x.test/p.jpg',
      custom_claims: { created_at: '2013-12-14T04:35:55.000Z' },
    },
  },
  zoom: {
    authorize: '/oauth/authorize',
    scope: '',
    token: '/oauth/token',
    answers: {
      '/v2/users/me': {
        id: 'z1',
        first_name: 'Zo',
        last_name: 'Om',
        email: 'user@zoom.test',
        verified: 1,
        login_type: '100',
        pic_url: 'https://zoom.test/p',
      },
    },
    email: 'user@zoom.test',
    claims: {
      iss: '{}/v2',
      sub: 'z1',
      provider_id: 'z1',
      name: 'Zo Om',
      full_name: 'Zo Om',
      picture: 'https://zoom.test/p',
      avatar_url: 'https://zoom.test/p',
    },
  },
};
const names = Object.keys(cases);

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
  const expected = cases[name] as Case;

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
