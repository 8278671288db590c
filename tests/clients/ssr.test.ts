import { createServerClient, parseCookieHeader, serializeCookieHeader } from '@supabase/ssr';
import { describe, expect, it } from 'vitest';
import { startAuth } from '../support/auth.ts';

const site = 'https://app.example.com';
const auth = await startAuth({
  env: {
    GOTRUE_SITE_URL: site,
    GOTRUE_URI_ALLOW_LIST: `${site}/**`,
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
    GOTRUE_EXTERNAL_GITHUB_ENABLED: 'true',
    GOTRUE_EXTERNAL_GITHUB_CLIENT_ID: 'client',
    GOTRUE_EXTERNAL_GITHUB_SECRET: 'secret',
  },
  fetch: (input) => {
    const { pathname } = new URL(String(input));
    if (pathname.endsWith('/access_token')) return Promise.resolve(Response.json({ access_token: 'gh' }));
    if (pathname.endsWith('/emails')) {
      return Promise.resolve(Response.json([{ email: 'octo@example.com', primary: true, verified: true }]));
    }
    return Promise.resolve(Response.json({ id: 1, login: 'octo', name: 'Octo' }));
  },
});
const password = 'correct horse';

/** A browser's cookies, as a server reads them from a request and sets them with its answer. */
function browser() {
  const jar = new Map<string, string>();
  const set: string[] = [];
  /** One request to the app's server: a client of its own each time, with nothing but the cookies in common. */
  const request = () =>
    createServerClient(auth.url, auth.anonKey, {
      cookies: {
        getAll: () =>
          parseCookieHeader([...jar].map(([name, value]) => `${name}=${value}`).join('; ')).map(
            ({ name, value }) => ({ name, value: value ?? '' }),
          ),
        setAll: (cookies) => {
          for (const { name, value, options } of cookies) {
            set.push(serializeCookieHeader(name, value, options));
            if (value === '') jar.delete(name);
            else jar.set(name, value);
          }
        },
      },
    });
  return { jar, set, request };
}

describe('an app that renders on its server', () => {
  it('signs up by a link from the mail, whose code only the same browser can use', async () => {
    const [one, other] = [browser(), browser()];
    const email = 'link@example.com';
    const signUp = await one.request().auth.signUp({
      email,
      password,
      options: { emailRedirectTo: `${site}/auth/callback` },
    });
    expect([signUp.error, signUp.data.session]).toEqual([null, null]);
    expect([...one.jar.keys()]).toEqual([expect.stringMatching(/^sb-127-auth-token-code-verifier/)]);
    const { link } = await auth.nextMail(email);
    const opened = await fetch(link, { redirect: 'manual' });
    const back = new URL(opened.headers.get('location') ?? '');
    expect(back.origin + back.pathname).toBe(`${site}/auth/callback`);
    const code = back.searchParams.get('code') ?? '';
    const stolen = await other.request().auth.exchangeCodeForSession(code);
    expect(stolen.data.session).toBeNull();
    const exchanged = await one.request().auth.exchangeCodeForSession(code);
    expect(exchanged.error).toBeNull();
    expect(exchanged.data.user?.email).toBe(email);
    expect([...one.jar.keys()].every((name) => /^sb-127-auth-token(\.\d+)?$/.test(name))).toBe(true);
    expect((await one.request().auth.getUser()).data.user?.email).toBe(email);
    expect((await other.request().auth.getUser()).data.user).toBeNull();
  });

  it('confirms by the hash of a token, as the documents of the framework do', async () => {
    const { request } = browser();
    const email = 'hash@example.com';
    await request().auth.signUp({ email, password });
    const { link } = await auth.nextMail(email);
    const confirmed = await request().auth.verifyOtp({
      type: 'email',
      token_hash: link.searchParams.get('token') ?? '',
    });
    expect(confirmed.error).toBeNull();
    expect((await request().auth.getClaims()).data?.claims.email).toBe(email);
  });

  it('signs in through a provider, with the provider token', async () => {
    const { jar, request } = browser();
    const begun = await request().auth.signInWithOAuth({
      provider: 'github',
      options: { redirectTo: `${site}/auth/callback`, skipBrowserRedirect: true },
    });
    const sent = await fetch(begun.data.url ?? '', { redirect: 'manual' });
    const state = new URL(sent.headers.get('location') ?? '').searchParams.get('state');
    const returned = await fetch(`${auth.url}/auth/v1/callback?state=${state}&code=abcd`, {
      redirect: 'manual',
    });
    const code = new URL(returned.headers.get('location') ?? '').searchParams.get('code') ?? '';
    const { data, error } = await request().auth.exchangeCodeForSession(code);
    expect(error).toBeNull();
    expect([data.session?.provider_token, data.user?.email]).toEqual(['gh', 'octo@example.com']);
    expect(jar.size).toBeGreaterThan(0);
  });

  it('refreshes a session that is over and sets the new one as cookies', async () => {
    const { jar, set, request } = browser();
    const email = 'refresh@example.com';
    await request().auth.signUp({ email, password });
    const { link } = await auth.nextMail(email);
    await request().auth.verifyOtp({ type: 'email', token_hash: link.searchParams.get('token') ?? '' });
    const before = new Map(jar);
    set.length = 0;
    const client = request();
    const { data } = await client.auth.refreshSession();
    expect(data.session?.user.email).toBe(email);
    expect(jar).not.toEqual(before);
    expect(set.join('\n')).toMatch(/Path=\/; SameSite=Lax/i);
    const pair = await Promise.all([request().auth.getUser(), request().auth.getUser()]);
    expect(pair.map(({ data: found }) => found.user?.email)).toEqual([email, email]);
  });

  it('forgets everything when the user signs out', async () => {
    const { jar, request } = browser();
    const email = 'out@example.com';
    await request().auth.signUp({ email, password });
    const { link } = await auth.nextMail(email);
    await request().auth.verifyOtp({ type: 'email', token_hash: link.searchParams.get('token') ?? '' });
    const token = (await request().auth.getSession()).data.session?.access_token ?? '';
    expect((await request().auth.signOut()).error).toBeNull();
    expect([...jar.keys()]).toEqual([]);
    expect((await auth.call('GET', '/user', { token })).json.error_code).toBe('session_not_found');
  });
});
