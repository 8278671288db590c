import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { describe, expect, it } from 'vitest';
import { totpCode, totpStep } from '../../src/auth/mfa/totp.ts';
import { startAuth } from '../support/auth.ts';

const auth = await startAuth({
  env: {
    GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED: 'true',
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
    GOTRUE_MFA_TOTP_ENROLL_ENABLED: 'true',
    GOTRUE_MFA_TOTP_VERIFY_ENABLED: 'true',
    GOTRUE_URI_ALLOW_LIST: 'myapp://**',
  },
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
  return { client, events };
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
    const list = await admin.auth.admin.listUsers({ page: 1, perPage: 1 });
    expect(list.data).toMatchObject({ nextPage: 2, total: expect.any(Number) });
    const id = signedIn.data.user?.id ?? '';
    expect((await admin.auth.admin.deleteUser(id)).error).toBeNull();
    expect((await client.auth.getUser()).error?.code).toBe('user_not_found');
  });
});
