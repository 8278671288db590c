import { beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';
import { comeFromGitHub, createGitHub, fragmentOf, gitHubEnv, goToGitHub } from '../../support/github.ts';
import { solanaWallet, walletMessage } from '../../support/wallets.ts';

const gitHub = createGitHub();
const password = 'correct horse';

/** What the project's URL was asked, by the name of the hook, and what it answers. */
type Body = Record<string, unknown> & { readonly metadata: { readonly name: string } };
let asked: Body[] = [];
let answer: (body: Body) => Response = () => new Response(null, { status: 204 });
const hook = (name: string) => ({
  [`GOTRUE_HOOK_${name}_ENABLED`]: 'true',
  [`GOTRUE_HOOK_${name}_URI`]: 'https://project.test/hook',
  [`GOTRUE_HOOK_${name}_SECRETS`]: `v1,whsec_${Buffer.from('a secret of the project').toString('base64')}`,
});
const auth = await startAuth({
  env: {
    GOTRUE_SITE_URL: 'https://app.example.com',
    GOTRUE_MAILER_AUTOCONFIRM: 'true',
    GOTRUE_SMTP_MAX_FREQUENCY: '0s',
    ...gitHubEnv,
    GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED: 'true',
    ...hook('BEFORE_USER_CREATED'),
    ...hook('AFTER_USER_CREATED'),
    ...hook('CUSTOM_ACCESS_TOKEN'),
  },
  fetch: (input, init) => {
    if (!String(input).startsWith('https://project.test/')) return gitHub.fetch(input, init);
    const body = JSON.parse(String(init?.body)) as Body;
    asked.push(body);
    return Promise.resolve(answer(body));
  },
});

const passing = (body: Body): Response =>
  'claims' in body ? Response.json({ claims: body.claims }) : new Response(null, { status: 204 });
const refusing =
  (name: string) =>
  (body: Body): Response =>
    body.metadata.name === name
      ? Response.json({ error: { http_code: 403, message: 'not today' } })
      : passing(body);

beforeEach(() => {
  asked = [];
  answer = passing;
});

const names = (): readonly string[] => asked.map(({ metadata }) => metadata.name);
const userOf = (name: string) => asked.find(({ metadata }) => metadata.name === name)?.user as never;

async function signIn(code: string): Promise<URL> {
  const { state } = await goToGitHub(auth);
  return comeFromGitHub(auth, state, code);
}

describe('somebody who signs in through a provider', () => {
  it('is told of to the hooks of new users, first as the provider spells the address', async () => {
    gitHub.users.set('new', { id: 11, email: 'New@Example.com', verified: true });
    await signIn('new');
    expect(names()).toEqual(['before-user-created', 'customize-access-token', 'after-user-created']);
    expect(userOf('before-user-created')).toMatchObject({
      email: 'new@example.com',
      user_metadata: { email: 'New@Example.com' },
    });
    expect(userOf('after-user-created')).toMatchObject({
      email: 'new@example.com',
      last_sign_in_at: expect.any(String),
      user_metadata: { email: 'new@example.com' },
      identities: [{ email: 'New@Example.com', identity_data: { email: 'new@example.com' } }],
    });
  });

  it('is told of again by every later sign-in, as upstream does', async () => {
    gitHub.users.set('again', { id: 12, email: 'again@example.com', verified: true });
    await signIn('again');
    asked = [];
    await signIn('again');
    expect(names()).toEqual(['customize-access-token', 'after-user-created']);
  });

  it('is sent back with the words of a hook that refuses, and without a code of it', async () => {
    gitHub.users.set('refused', { id: 13, email: 'refused@example.com', verified: true });
    answer = refusing('before-user-created');
    const url = await signIn('refused');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      error: 'access_denied',
      error_code: '',
      error_description: 'not today',
    });
    expect(fragmentOf(url)).toEqual({ error: 'access_denied', error_description: 'not today', sb: '' });
  });

  it('by its name in capitals has an account of its own there', async () => {
    gitHub.users.set('loud', { id: 14, email: 'loud@example.com', verified: true });
    const answered = await auth.call('GET', '/authorize?provider=GITHUB');
    const state = new URL(answered.headers.get('location') ?? '').searchParams.get('state') ?? '';
    const first = fragmentOf(await comeFromGitHub(auth, state, 'loud'));
    const second = fragmentOf(await signIn('loud'));
    const { json } = await auth.call('GET', '/user', { token: second.access_token ?? '' });
    expect(first.access_token).toBeDefined();
    expect(json.identities.map(({ provider }: { provider: string }) => provider).sort()).toEqual([
      'GITHUB',
      'github',
    ]);
  });
});

it('a new user by a wallet is told of as signed in, and an old one not again', async () => {
  const wallet = solanaWallet();
  const enter = () => {
    const message = walletMessage(wallet, { issuedAt: auth.clock.now() });
    const body = { chain: wallet.chain, message, signature: wallet.sign(message) };
    return auth.call('POST', '/token?grant_type=web3', { body });
  };
  await enter();
  expect(userOf('after-user-created')).toMatchObject({ last_sign_in_at: expect.any(String) });
  asked = [];
  await enter();
  expect(names()).toEqual(['customize-access-token']);
});

describe('a hook that refuses', () => {
  it('is quoted without a code in the header', async () => {
    answer = refusing('before-user-created');
    const body = { email: 'unwanted@example.com', password };
    const refused = await auth.call('POST', '/signup', { body });
    expect([refused.status, refused.json.error_code]).toEqual([403, 'unknown']);
    expect(refused.headers.get('x-sb-error-code')).toBeNull();
  });

  it('claims leaves headers that name the session which nobody got', async () => {
    answer = refusing('customize-access-token');
    const refused = await auth.call('POST', '/signup', { body: { email: 'nobody@example.com', password } });
    expect(refused.status).toBe(403);
    expect(refused.headers.get('sb-auth-session-id')).toMatch(/^[0-9a-f-]{36}$/);
    const sessions = await auth.database.owner.query(sql`
      select from auth.sessions where id = ${refused.headers.get('sb-auth-session-id') ?? ''}`);
    expect(sessions).toEqual([]);
  });
});

describe('a hook that refuses the claims of a refresh', () => {
  it('leaves the token as it was', async () => {
    const email = 'again-later@example.com';
    const { json } = await auth.call('POST', '/signup', { body: { email, password } });
    const refresh = () =>
      auth.call('POST', '/token?grant_type=refresh_token', { body: { refresh_token: json.refresh_token } });
    const rows = () =>
      auth.database.owner.query(sql`
        select token, revoked from auth.refresh_tokens where user_id = ${json.user.id} order by id`);
    answer = refusing('customize-access-token');
    const refused = await refresh();
    expect([refused.status, refused.headers.get('sb-auth-refresh-token-reuse')]).toEqual([403, 'false']);
    expect(await rows()).toEqual([{ token: json.refresh_token, revoked: false }]);
    answer = passing;
    const accepted = await refresh();
    expect([accepted.status, accepted.headers.get('sb-auth-refresh-token-reuse')]).toEqual([200, 'false']);
    expect(await rows()).toEqual([
      { token: json.refresh_token, revoked: true },
      { token: accepted.json.refresh_token, revoked: false },
    ]);
  });
});

describe('a link asked for by a new address, without confirmations', () => {
  it('signs up as a sign-up does, and sends the link besides', async () => {
    const email = 'silent@example.com';
    const asking = await auth.call('POST', '/otp', { body: { email } });
    expect([asking.status, asking.json]).toEqual([200, {}]);
    expect(asking.headers.get('sb-auth-session-id')).toBeNull();
    expect(names()).toEqual(['before-user-created', 'customize-access-token']);
    const { link } = await auth.nextMail(email);
    expect(link.searchParams.get('type')).toBe('magiclink');
    const actions = await auth.database.owner.query(sql`
      select payload ->> 'action' as action from auth.audit_log_entries
      where payload ->> 'actor_username' = ${email} order by created_at`);
    expect(actions.map(({ action }) => action)).toEqual([
      'user_signedup',
      'login',
      'user_recovery_requested',
    ]);
  });
});
