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

/*
 * Whose account somebody from a provider gets, for everything that may be known of them.
 */
const gitHub = createGitHub();
const env = { GOTRUE_MAILER_AUTOCONFIRM: 'false', ...gitHubEnv };
const auth = await startAuth({ env, fetch: gitHub.fetch });
const withoutMail = await startAuth({
  env: { ...env, GOTRUE_EXTERNAL_GITHUB_EMAIL_OPTIONAL: 'true' },
  fetch: gitHub.fetch,
});
const apart = await startAuth({
  env: { ...env, GOTRUE_EXPERIMENTAL_PROVIDER_LINKING_DOMAINS: 'github=social,custom:shop=social' },
  fetch: gitHub.fetch,
});
const unverified = await startAuth({
  env: { ...env, GOTRUE_MAILER_ALLOW_UNVERIFIED_EMAIL_SIGN_INS: 'true' },
  fetch: gitHub.fetch,
});

let people = 0;
async function enter(user: Omit<GitHubUser, 'id'> & { readonly id?: number }, instance = auth) {
  const code = `code${++people}`;
  gitHub.users.set(code, { id: people, ...user });
  const url = await comeFromGitHub(instance, (await goToGitHub(instance)).state, code);
  const { access_token: token } = fragmentOf(url);
  const entered = token === undefined ? null : (await instance.call('GET', '/user', { token })).json;
  return { url, user: entered };
}
const problemOf = (url: URL) => [
  url.searchParams.get('error_code'),
  url.searchParams.get('error_description'),
];

/** A user with a confirmed address and a password. */
async function member(email: string, instance = auth, more: object = {}) {
  const body = { email, password: 'correct horse', email_confirm: true, ...more };
  return (await instance.call('POST', '/admin/users', { token: instance.serviceKey, body })).json;
}
const providersOf = (user: { identities: { provider: string }[] }) =>
  user.identities.map(({ provider }) => provider);

describe('somebody from a provider', () => {
  it('whose account there is known is the same user, whatever the address is now', async () => {
    const first = await enter({ id: 900, email: 'known@example.com', verified: true });
    await member('newer@example.com');
    const second = await enter({ id: 900, email: 'newer@example.com', verified: true });
    expect(second.user.id).toBe(first.user.id);
    expect(second.user.email).toBe('known@example.com');
  });

  it('whose verified address a user has is that user', async () => {
    const { id } = await member('same@example.com');
    const { user } = await enter({ email: 'SAME@example.com', verified: true });
    expect([user.id, providersOf(user)]).toEqual([id, ['email', 'github']]);
  });

  it('whose address nobody verified gets no account of others, and none without a mail', async () => {
    await member('taken@example.com');
    const taken = await enter({ email: 'taken@example.com', verified: false });
    expect([taken.user, taken.url.searchParams.get('error')]).toEqual([null, 'access_denied']);
    const free = await enter({ email: 'free@example.com', verified: false });
    expect(problemOf(free.url)).toEqual([
      'provider_email_needs_verification',
      'Unverified email with github. A confirmation email has been sent to your github email',
    ]);
    expect(await auth.mailCount('free@example.com')).toBe(1);
  });

  it('whose address two users prove is refused', async () => {
    const [one, two] = [await member('one@example.com'), await member('two@example.com')];
    for (const { id } of [one, two]) {
      await auth.database.owner.query(sql`
        insert into auth.identities (provider_id, user_id, provider, identity_data, created_at, updated_at)
        values (${id}, ${id}::uuid, 'gitlab', '{"email":"shared@example.com"}', now(), now())`);
    }
    const { user, url } = await enter({ email: 'shared@example.com', verified: true });
    expect([user, ...problemOf(url)]).toEqual([
      null,
      'unexpected_failure',
      'Multiple accounts with the same email address in the same linking domain detected: default',
    ]);
  });

  it('whose address a user of single sign-on has is somebody else', async () => {
    const { id } = await member('sso@example.com');
    await auth.database.owner.query(sql`update auth.users set is_sso_user = true where id = ${id}::uuid`);
    await auth.database.owner.query(
      sql`update auth.identities set provider = 'sso:1' where user_id = ${id}::uuid`,
    );
    const { user } = await enter({ email: 'sso@example.com', verified: true });
    expect([user.id === id, user.email, providersOf(user)]).toEqual([false, 'sso@example.com', ['github']]);
  });

  it('who has no address is refused, unless the project can do without', async () => {
    const refused = await enter({ email: null, verified: false });
    expect([refused.user, ...problemOf(refused.url)]).toEqual([
      null,
      'unexpected_failure',
      'Error getting user email from external provider',
    ]);
    const { user } = await enter({ email: null, verified: false }, withoutMail);
    expect([user.email, providersOf(user)]).toEqual(['', ['github']]);
  });

  it('of a domain apart shares no account with users outside of it', async () => {
    const { id } = await member('apart@example.com', apart);
    const { user } = await enter({ email: 'apart@example.com', verified: true }, apart);
    expect([user.id === id, providersOf(user)]).toEqual([false, ['github']]);
  });

  it('may come in with an address that nobody verified, where the project lets it', async () => {
    const { url, user } = await enter({ email: 'soon@example.com', verified: false }, unverified);
    expect(problemOf(url)).toEqual([null, null]);
    expect(user.email_confirmed_at).toBeUndefined();
    expect(await unverified.mailCount('soon@example.com')).toBe(1);
  });
});
