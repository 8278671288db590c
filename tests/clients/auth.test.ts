import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { describe, expect, it } from 'vitest';
import { totpCode, totpStep } from '../../src/auth/mfa/totp.ts';
import { startAuth } from '../support/auth.ts';
import { comeFromGitHub, createGitHub, gitHubEnv } from '../support/github.ts';

const gitHub = createGitHub();
const auth = await startAuth({
  env: {
    ...gitHubEnv,
    GOTRUE_SECURITY_MANUAL_LINKING_ENABLED: 'true',
    GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED: 'true',
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
    GOTRUE_MFA_TOTP_ENROLL_ENABLED: 'true',
    GOTRUE_MFA_TOTP_VERIFY_ENABLED: 'true',
    GOTRUE_URI_ALLOW_LIST: 'myapp://**',
  },
  fetch: gitHub.fetch,
});
const password = 'correct horse';

/** A client with a memory of its own; `events` are what it told its app. */
function newClient(flowType: 'implicit' | 'pkce' = 'implicit') {
  const stored = new Map<string, string>();
  const client = createClient(auth.url, auth.anonKey, {
    auth: {
      flowType,
      autoRefreshToken: false,
      detectSessionInUrl: false,
      persistSession: true,
      storage: {
        getItem: (name: string) => stored.get(name) ?? null,
        setItem: (name: string, value: string) => void stored.set(name, value),
        removeItem: (name: string) => void stored.delete(name),
      },
    },
  });
  const events: string[] = [];
  client.auth.onAuthStateChange((event) => void events.push(event));
  return { client, events, stored };
}

const admin = createClient(auth.url, auth.serviceKey, { auth: { persistSession: false } });

async function someone(email: string): Promise<SupabaseClient> {
  const { error } = await admin.auth.admin.createUser({ email, password, email_confirm: true });
  expect(error).toBeNull();
  const { client } = newClient();
  expect((await client.auth.signInWithPassword({ email, password })).error).toBeNull();
  return client;
}

describe('supabase-js', () => {
  it('signs up by a code from the mail, signs out and in again', async () => {
    const { client, events } = newClient();
    const email = 'code@example.com';
    const signUp = await client.auth.signUp({ email, password, options: { data: { name: 'Ann' } } });
    expect([signUp.error, signUp.data.session]).toEqual([null, null]);
    const { code } = await auth.nextMail(email);
    const verified = await client.auth.verifyOtp({ email, token: code, type: 'signup' });
    expect(verified.data.session?.user.user_metadata.name).toBe('Ann');
    expect((await client.auth.getUser()).data.user?.email).toBe(email);
    expect((await client.auth.getClaims()).data?.claims.email).toBe(email);
    expect((await client.auth.signOut()).error).toBeNull();
    expect((await client.auth.getSession()).data.session).toBeNull();
    expect((await client.auth.signInWithPassword({ email, password })).error).toBeNull();
    expect(events).toContain('SIGNED_OUT');
  });

  it('tells its app why it could not sign in', async () => {
    const { client } = newClient();
    const { error } = await client.auth.signInWithPassword({ email: 'nobody@example.com', password });
    expect([error?.name, error?.status, error?.code]).toEqual(['AuthApiError', 400, 'invalid_credentials']);
    const weak = await client.auth.signUp({ email: 'weak@example.com', password: 'abc' });
    expect(weak.error).toMatchObject({ name: 'AuthWeakPasswordError', reasons: ['length'] });
  });

  it('recovers by PKCE, and sets a new password', async () => {
    await someone('forgot@example.com');
    const { client } = newClient('pkce');
    const asked = await client.auth.resetPasswordForEmail('forgot@example.com', {
      redirectTo: 'myapp://reset',
    });
    expect(asked.error).toBeNull();
    const { link } = await auth.nextMail('forgot@example.com');
    const reply = await fetch(link, { redirect: 'manual' });
    const target = new URL(reply.headers.get('location') ?? '');
    expect(target.protocol).toBe('myapp:');
    const code = target.searchParams.get('code') ?? '';
    const { data, error } = await client.auth.exchangeCodeForSession(code);
    expect([error, 'redirectType' in data && data.redirectType]).toEqual([null, 'PASSWORD_RECOVERY']);
    expect((await client.auth.updateUser({ password: 'a new horse' })).error).toBeNull();
    const again = newClient().client;
    const signedIn = await again.auth.signInWithPassword({
      email: 'forgot@example.com',
      password: 'a new horse',
    });
    expect(signedIn.error).toBeNull();
  });

  it('tells its app of a recovery by a code', async () => {
    const email = 'code-forgot@example.com';
    await someone(email);
    const { client, events } = newClient();
    expect((await client.auth.resetPasswordForEmail(email)).error).toBeNull();
    const { code } = await auth.nextMail(email);
    const { error } = await client.auth.verifyOtp({ email, token: code, type: 'recovery' });
    expect([error, events.at(-1)]).toEqual([null, 'PASSWORD_RECOVERY']);
    expect((await client.auth.updateUser({ password: 'a newer horse' })).error).toBeNull();
  });

  it('forgets a session that was ended elsewhere', async () => {
    const email = 'elsewhere@example.com';
    await someone(email);
    const { client, events, stored } = newClient();
    await client.auth.signInWithPassword({ email, password });
    expect([...stored.keys()]).toEqual(['sb-127-auth-token']);
    const other = newClient().client;
    await other.auth.signInWithPassword({ email, password });
    expect((await other.auth.signOut({ scope: 'others' })).error).toBeNull();
    const { data, error } = await client.auth.getUser();
    expect([data.user, error?.name]).toEqual([null, 'AuthSessionMissingError']);
    expect([stored.size, events.at(-1)]).toEqual([0, 'SIGNED_OUT']);
    expect((await other.auth.getUser()).data.user?.email).toBe(email);
  });

  it('links an account of a provider and parts from it again', async () => {
    const client = await someone('linking@example.com');
    const begun = await client.auth.linkIdentity({
      provider: 'github',
      options: { skipBrowserRedirect: true, redirectTo: 'myapp://linked' },
    });
    const state = new URL(begun.data.url ?? '').searchParams.get('state') ?? '';
    gitHub.users.set('linked', { id: 99, email: 'octo@example.com', verified: true });
    const back = await comeFromGitHub(auth, state, 'linked');
    expect([back.protocol, back.searchParams.get('error')]).toEqual(['myapp:', null]);
    const { data } = await client.auth.getUserIdentities();
    expect(data?.identities.map(({ provider }) => provider).sort()).toEqual(['email', 'github']);
    const linked = data?.identities.find(({ provider }) => provider === 'github');
    if (linked === undefined) throw new Error('not linked');
    expect((await client.auth.unlinkIdentity(linked)).error).toBeNull();
    const left = (await client.auth.getUserIdentities()).data?.identities ?? [];
    expect(left.map(({ provider }) => provider)).toEqual(['email']);
    const last = left[0];
    if (last === undefined) throw new Error('nothing left');
    expect((await client.auth.unlinkIdentity(last)).error?.code).toBe('single_identity_not_deletable');
  });

  it('refreshes its session', async () => {
    const client = await someone('fresh@example.com');
    const before = (await client.auth.getSession()).data.session;
    const { data } = await client.auth.refreshSession();
    expect(data.session?.refresh_token).not.toBe(before?.refresh_token);
    expect((await client.auth.getUser()).error).toBeNull();
  });

  it('makes somebody permanent who began without a name', async () => {
    const { client } = newClient();
    const { data } = await client.auth.signInAnonymously();
    expect(data.user?.is_anonymous).toBe(true);
    const email = 'named@example.com';
    expect((await client.auth.updateUser({ email })).error).toBeNull();
    const { code } = await auth.nextMail(email);
    const verified = await client.auth.verifyOtp({ email, token: code, type: 'email_change' });
    expect(verified.data.user).toMatchObject({ id: data.user?.id, email, is_anonymous: false });
  });

  it('adds a second factor', async () => {
    const client = await someone('careful@example.com');
    const enrolled = await client.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'phone' });
    if (enrolled.data === null) throw enrolled.error;
    const { id, totp } = enrolled.data;
    const code = totpCode(totp.secret, totpStep(auth.clock.now()));
    expect((await client.auth.mfa.challengeAndVerify({ factorId: id, code })).error).toBeNull();
    const { data } = await client.auth.mfa.getAuthenticatorAssuranceLevel();
    expect(data).toMatchObject({ currentLevel: 'aal2', nextLevel: 'aal2' });
    expect((await client.auth.mfa.listFactors()).data?.totp).toMatchObject([{ id, status: 'verified' }]);
  });

  it('administers', async () => {
    const { data } = await admin.auth.admin.generateLink({ type: 'magiclink', email: 'linked@example.com' });
    expect(data.properties?.verification_type).toBe('signup');
    const { client } = newClient();
    const signedIn = await client.auth.verifyOtp({
      token_hash: data.properties?.hashed_token ?? '',
      type: 'email',
    });
    expect(signedIn.data.user?.email).toBe('linked@example.com');
    const invited = await admin.auth.admin.inviteUserByEmail('guest@example.com');
    expect(invited.error).toBeNull();
    expect(await auth.mailCount('guest@example.com')).toBe(1);
    const id = signedIn.data.user?.id ?? '';
    expect((await admin.auth.admin.deleteUser(id)).error).toBeNull();
    expect((await client.auth.getUser()).error?.code).toBe('user_not_found');
  });

  it('is led through the pages of users', async () => {
    for (const n of [1, 2, 3]) {
      await admin.auth.admin.createUser({ email: `listed${n}@example.com`, email_confirm: true });
    }
    const page = async (number: number, perPage: number) => {
      const { data } = await admin.auth.admin.listUsers({ page: number, perPage });
      if (!('lastPage' in data)) throw new Error('no users');
      return data;
    };
    const { total } = await page(1, 1000);
    const perPage = Math.ceil(total / 3);
    const pages = [await page(1, perPage), await page(2, perPage), await page(3, perPage)];
    expect(pages.map(({ nextPage, lastPage }) => [nextPage, lastPage])).toEqual([
      [2, 3],
      [3, 3],
      [null, 3],
    ]);
    expect(pages.map((part) => part.total)).toEqual([total, total, total]);
    const ids = pages.flatMap(({ users }) => users.map(({ id }) => id));
    expect([ids.length, new Set(ids).size]).toEqual([total, total]);
  });
});
