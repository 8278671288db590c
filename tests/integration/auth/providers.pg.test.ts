import { createHash } from 'node:crypto';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';
import {
  comeFromGitHub,
  createGitHub,
  fragmentOf,
  type GitHubUser,
  gitHubEnv,
  goToGitHub,
} from '../../support/github.ts';

const gitHub = createGitHub();
const env = {
  GOTRUE_SITE_URL: 'https://app.example.com',
  GOTRUE_URI_ALLOW_LIST: 'https://app.example.com/**,myapp://**',
  ...gitHubEnv,
  GOTRUE_SECURITY_MANUAL_LINKING_ENABLED: 'true',
  GOTRUE_MAILER_AUTOCONFIRM: 'false',
};
const auth = await startAuth({ env, fetch: gitHub.fetch });

const hashed = (verifier: string): string => createHash('sha256').update(verifier).digest('base64url');
const verifier = 'v'.repeat(64);

const begin = (query = '') => goToGitHub(auth, query);
const comeBack = (state: string, code: string) => comeFromGitHub(auth, state, code);

async function signInAs(code: string, profile: GitHubUser, query = ''): Promise<URL> {
  gitHub.users.set(code, profile);
  return comeBack((await begin(query)).state, code);
}

const userOf = async (url: URL) =>
  (await auth.call('GET', '/user', { token: fragmentOf(url).access_token ?? '' })).json;

describe('somebody on the way to a provider', () => {
  it('carries what the provider needs', async () => {
    const { location } = await begin(
      '&scopes=repo&redirect_to=https%3A%2F%2Fapp.example.com%2Fa&access_type=x',
    );
    expect(location.origin + location.pathname).toBe('https://github.test/login/oauth/authorize');
    expect(Object.fromEntries(location.searchParams)).toEqual({
      access_type: 'x',
      client_id: 'client',
      redirect_to: 'https://app.example.com/a',
      redirect_uri: `${auth.url}/auth/v1/callback`,
      response_type: 'code',
      scope: 'user:email repo',
      state: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it('cannot change who the client is', async () => {
    const { location } = await begin(
      '&client_id=evil&redirect_uri=https%3A%2F%2Fevil.com&state=1&response_type=token',
    );
    expect(location.searchParams.get('client_id')).toBe('client');
    expect(location.searchParams.get('redirect_uri')).toBe(`${auth.url}/auth/v1/callback`);
    expect(location.searchParams.get('response_type')).toBe('code');
  });

  it('is told of providers that are off', async () => {
    const answer = await auth.call('GET', '/authorize?provider=gitlab');
    expect([answer.status, answer.json]).toMatchObject([
      400,
      { error_code: 'validation_failed', msg: 'Unsupported provider: provider is not enabled' },
    ]);
  });
});

describe('somebody who comes back', () => {
  it('is signed in, with the tokens of the provider', async () => {
    const url = await signInAs('new', { id: 1, email: 'new@example.com', verified: true });
    expect(fragmentOf(url)).toMatchObject({
      provider_token: 'at-new',
      provider_refresh_token: 'rt-new',
      token_type: 'bearer',
      expires_in: '3600',
    });
    const claims = decodeJwt(fragmentOf(url).access_token ?? '');
    expect(claims).toMatchObject({
      amr: [{ method: 'oauth' }],
      app_metadata: { provider: 'github', providers: ['github'] },
      user_metadata: { user_name: 'user1', full_name: 'User 1', avatar_url: 'https://a/p.png', sub: '1' },
    });
    expect((await userOf(url)).email_confirmed_at).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  it('is the same the second time', async () => {
    const [one, two] = [
      await signInAs('again', { id: 2, email: 'again@example.com', verified: true }),
      await signInAs('again', { id: 2, email: 'changed@example.com', verified: true }),
    ];
    expect((await userOf(two)).id).toBe((await userOf(one)).id);
  });

  it('can only once', async () => {
    gitHub.users.set('once', { id: 3, email: 'once@example.com', verified: true });
    const { state } = await begin();
    await comeBack(state, 'once');
    const again = await comeBack(state, 'once');
    expect(again.searchParams.get('error_code')).toBe('bad_oauth_state');
    expect(again.origin).toBe('https://app.example.com');
    expect(again.href).not.toContain('access_token');
  });

  it.each([
    ['nothing', ''],
    ['nonsense', 'state=abc'],
    ['somebody else’s state', 'state=11111111-2222-4333-8444-555555555555&code=new'],
  ])('with %s goes to the site with an error', async (_, query) => {
    const answer = await auth.call('GET', `/callback?${query}`);
    const url = new URL(answer.headers.get('location') ?? '');
    expect([url.origin, url.searchParams.get('error') !== null]).toEqual(['https://app.example.com', true]);
  });

  it('too late is refused', async () => {
    gitHub.users.set('late', { id: 4, email: 'late@example.com', verified: true });
    const { state } = await begin();
    auth.clock.advance(3601);
    expect((await comeBack(state, 'late')).searchParams.get('error_code')).toBe('bad_oauth_state');
  });

  it('without consent is told so, in query and fragment', async () => {
    const { state } = await begin('&redirect_to=https%3A%2F%2Fapp.example.com%2Fin');
    const answer = await auth.call(
      'GET',
      `/callback?state=${state}&error=access_denied&error_description=no`,
    );
    const url = new URL(answer.headers.get('location') ?? '');
    expect(url.pathname).toBe('/in');
    expect(url.searchParams.get('error')).toBe('access_denied');
    expect(fragmentOf(url)).toMatchObject({ error: 'access_denied', error_description: 'no' });
  });

  it('never lands elsewhere', async () => {
    const url = await signInAs(
      'astray',
      { id: 5, email: 'astray@example.com', verified: true },
      '&redirect_to=https%3A%2F%2Fevil.com',
    );
    expect(url.origin).toBe('https://app.example.com');
  });
});

describe('with PKCE', () => {
  const query = `&code_challenge=${hashed(verifier)}&code_challenge_method=s256`;
  const exchange = (auth_code: string, code_verifier: string) =>
    auth.call('POST', '/token?grant_type=pkce', { body: { auth_code, code_verifier } });

  it('a code comes back, which only the verifier exchanges, once', async () => {
    const url = await signInAs('pkce', { id: 6, email: 'pkce@example.com', verified: true }, query);
    expect(url.hash).toBe('');
    const code = url.searchParams.get('code') ?? '';
    expect((await exchange(code, 'w'.repeat(64))).json.error_code).toBe('bad_code_verifier');
    expect((await exchange(code, '')).status).toBe(400);
    const answer = await exchange(code, verifier);
    expect(answer.json).toMatchObject({
      provider_token: 'at-pkce',
      provider_refresh_token: 'rt-pkce',
      user: { email: 'pkce@example.com' },
    });
    expect((await exchange(code, verifier)).json.error_code).toBe('flow_state_not_found');
    const refreshed = await auth.call('POST', '/token?grant_type=refresh_token', {
      body: { refresh_token: answer.json.refresh_token },
    });
    expect([refreshed.status, 'provider_token' in refreshed.json]).toEqual([200, false]);
    const states = await auth.database.owner.query(sql`
      select from auth.flow_state where provider_access_token = 'at-pkce'`);
    expect(states).toEqual([]);
  });
});

describe('accounts', () => {
  const signUp = async (email: string) =>
    auth.call('POST', '/signup', { body: { email, password: 'correct horse', data: { planted: 'yes' } } });
  const confirm = async (email: string) => {
    await signUp(email);
    const { link } = await auth.nextMail(email);
    const answer = await auth.call('GET', `/verify${link.search}`);
    return fragmentOf(new URL(answer.headers.get('location') ?? ''));
  };

  it('of a verified address are one', async () => {
    const mine = await confirm('one@example.com');
    const url = await signInAs('one', { id: 7, email: 'One@example.com', verified: true });
    const user = await userOf(url);
    expect(user.id).toBe(decodeJwt(mine.access_token ?? '').sub);
    expect(user.app_metadata.providers).toEqual(['email', 'github']);
  });

  it('that wait for their confirmation lose what a stranger put there', async () => {
    await signUp('victim@example.com');
    const url = await signInAs('victim', { id: 8, email: 'victim@example.com', verified: true });
    const user = await userOf(url);
    expect(user.identities.map((identity: { provider: string }) => identity.provider)).toEqual(['github']);
    expect(user.user_metadata.planted).toBeUndefined();
    const attacker = await auth.call('POST', '/token?grant_type=password', {
      body: { email: 'victim@example.com', password: 'correct horse' },
    });
    expect(attacker.json.error_code).toBe('invalid_credentials');
  });

  it('are not taken over by an address that nobody verified', async () => {
    const mine = await confirm('mine@example.com');
    const url = await signInAs('thief', { id: 9, email: 'mine@example.com', verified: false });
    expect(url.href).not.toContain('access_token');
    const [row] = await auth.database.owner.query<{ count: number }>(sql`
      select count(*)::int from auth.identities where user_id = ${String(decodeJwt(mine.access_token ?? '').sub)}`);
    expect(row?.count).toBe(1);
  });

  it('whose address is unverified wait for a mail', async () => {
    const url = await signInAs('unsure', { id: 10, email: 'unsure@example.com', verified: false });
    expect(url.searchParams.get('error_code')).toBe('provider_email_needs_verification');
    expect(await auth.mailCount('unsure@example.com')).toBe(1);
  });

  it('without an address are refused', async () => {
    const url = await signInAs('bare', { id: 11, email: null, verified: false });
    expect(url.searchParams.get('error_description')).toContain('email');
  });

  it('are linked by hand and parted again, but not the last', async () => {
    const mine = await confirm('linker@example.com');
    const token = mine.access_token ?? '';
    const answer = await auth.call(
      'GET',
      '/user/identities/authorize?provider=github&skip_http_redirect=true',
      { token },
    );
    const state = new URL(answer.json.url).searchParams.get('state') ?? '';
    gitHub.users.set('link', { id: 12, email: 'other@example.com', verified: true });
    await comeBack(state, 'link');
    const user = (await auth.call('GET', '/user', { token })).json;
    expect(user.app_metadata.providers).toEqual(['email', 'github']);
    const [email, github] = ['email', 'github'].map((name) =>
      user.identities.find((identity: { provider: string }) => identity.provider === name),
    );
    const unlink = (id: string) => auth.call('DELETE', `/user/identities/${id}`, { token });
    expect((await unlink(github.identity_id)).status).toBe(200);
    expect((await unlink(email.identity_id)).json.error_code).toBe('single_identity_not_deletable');
    expect((await unlink(github.identity_id)).status).toBe(422);
  });

  it('of others cannot be linked', async () => {
    await signInAs('owned', { id: 13, email: 'owned@example.com', verified: true });
    const token = (await confirm('wants@example.com')).access_token ?? '';
    const answer = await auth.call(
      'GET',
      '/user/identities/authorize?provider=github&skip_http_redirect=true',
      { token },
    );
    const state = new URL(answer.json.url).searchParams.get('state') ?? '';
    const url = await comeBack(state, 'owned');
    expect(url.searchParams.get('error_code')).toBe('identity_already_exists');
  });
});

it('the provider is told the secret, and where the browser came from', () => {
  expect(gitHub.exchanges[0]?.get('redirect_uri')).toBe(`${auth.url}/auth/v1/callback`);
});
