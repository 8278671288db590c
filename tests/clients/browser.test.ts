import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createServerClient, parseCookieHeader } from '@supabase/ssr';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAuth } from '../support/auth.ts';
import { type Browser, installedBrowser, type Page, startBrowser } from '../support/browser.ts';
import { createGitHub, gitHubEnv } from '../support/github.ts';

/*
 * An app of another origin in a real browser: its pages sign users in, its server reads who they are from cookies.
 */
const script = await bundled();
const site = createServer((request, response) => {
  const url = new URL(request.url ?? '/', origin);
  void answer(url, request.headers.cookie ?? '').then(({ headers, body }) => {
    response.writeHead('location' in headers ? 302 : 200, headers).end(body);
  });
});

type Answer = { readonly headers: Readonly<Record<string, string>>; readonly body: string };

/** The app's script, its server's word on who somebody is, the page of a provider, or a page of the app. */
async function answer(url: URL, cookie: string): Promise<Answer> {
  if (url.pathname === '/app.js') return { headers: { 'content-type': 'text/javascript' }, body: script };
  if (url.pathname === '/who') {
    return { headers: { 'content-type': 'text/plain' }, body: String(await whoIs(cookie)) };
  }
  if (url.pathname === '/github/login/oauth/authorize') {
    // The user has agreed already.
    const back = new URL(url.searchParams.get('redirect_uri') ?? '');
    back.searchParams.set('code', 'octo');
    back.searchParams.set('state', url.searchParams.get('state') ?? '');
    return { headers: { location: back.href }, body: '' };
  }
  const flow = url.pathname.startsWith('/implicit') ? 'implicit' : 'pkce';
  const app = JSON.stringify({ url: auth.url, key: auth.anonKey, flow });
  const body = `<!doctype html><script>app = ${app}</script><script type="module" src="/app.js"></script>`;
  return { headers: { 'content-type': 'text/html' }, body };
}

await new Promise<void>((resolve) => {
  site.listen(0, '127.0.0.1', resolve);
});
const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
const gitHub = createGitHub();
gitHub.users.set('octo', { id: 1, email: 'octo@example.com', verified: true });
const auth = await startAuth({
  env: {
    ...gitHubEnv,
    GOTRUE_EXTERNAL_GITHUB_URL: `${origin}/github`,
    GOTRUE_SITE_URL: origin,
    GOTRUE_URI_ALLOW_LIST: `${origin}/**`,
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
  },
  fetch: gitHub.fetch,
});

async function bundled(): Promise<string> {
  const input = fileURLToPath(new URL('../fixtures/browser-app.ts', import.meta.url));
  const bundle = await rolldown({ input, platform: 'browser', logLevel: 'silent' });
  const { output } = await bundle.generate({ format: 'esm' });
  return output[0].code;
}

/** What the app's server finds in the cookies of a request. */
async function whoIs(cookie: string): Promise<string> {
  const cookies = parseCookieHeader(cookie).map(({ name, value = '' }) => ({ name, value }));
  const server = createServerClient(auth.url, auth.anonKey, {
    cookies: { getAll: () => cookies, setAll: () => undefined },
  });
  return (await server.auth.getUser()).data.user?.email ?? 'nobody';
}

const password = 'correct horse';
const credentials = (email: string): string => JSON.stringify({ email, password });

describe.skipIf(installedBrowser === undefined)('in a browser', () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await startBrowser(installedBrowser ?? '');
    page = await browser.newWindow();
    await page.open(origin);
  });
  afterAll(async () => {
    await browser.close();
    site.close();
  });

  const who = () => page.run<string>('fetch("/who").then((reply) => reply.text())');
  const until = (expression: string): Promise<void> =>
    expect.poll(() => page.run<boolean>(expression).catch(() => false)).toBe(true);
  const signedIn = '!!window.client && client.auth.getSession().then(({ data }) => data.session !== null)';

  it('a user signs up by the link of a mail, and the app’s server knows them', async () => {
    const email = 'link@example.com';
    const options = `options: { emailRedirectTo: "${origin}/auth/callback" }`;
    const error = await page.run(
      `client.auth.signUp({ ...${credentials(email)}, ${options} }).then(({ error }) => error?.message ?? null)`,
    );
    expect([error, await who()]).toEqual([null, 'nobody']);
    await page.open((await auth.nextMail(email)).link.href);
    await until(signedIn);
    // The code is used up and gone from the address bar.
    expect(await page.url()).toBe(`${origin}/auth/callback`);
    expect(await who()).toBe(email);
  });

  it('a refresh reaches the app’s server', async () => {
    const before = await page.run<string>('document.cookie');
    const error = await page.run('client.auth.refreshSession().then(({ error }) => error?.message ?? null)');
    expect([error, (await page.run<string>('document.cookie')) === before]).toEqual([null, false]);
    expect(await who()).toBe('link@example.com');
  });

  it('a user signs out everywhere', async () => {
    await page.run('client.auth.signOut()');
    expect(await page.run<string>('document.cookie')).toBe('');
    expect([await who(), await page.run('events.at(-1)')]).toEqual(['nobody', 'SIGNED_OUT']);
  });

  it('a user signs in with a password, and is told why not', async () => {
    const signIn = (secret: string) =>
      page.run<string | null>(
        `client.auth.signInWithPassword({ email: "link@example.com", password: "${secret}" }).then(({ error }) => error?.code ?? null)`,
      );
    expect(await signIn('wrong horse')).toBe('invalid_credentials');
    expect(await signIn(password)).toBeNull();
    expect(await who()).toBe('link@example.com');
    await page.run('client.auth.signOut()');
  });

  it('a user comes in through a provider, and comes back', async () => {
    const options = `options: { redirectTo: "${origin}/welcome?from=github" }`;
    const go = `client.auth.signInWithOAuth({ provider: "github", ${options} }).then(() => null)`;
    await page.run(go).catch(() => undefined);
    await until(`location.pathname === "/welcome" && ${signedIn}`);
    expect(await page.url()).toBe(`${origin}/welcome?from=github`);
    expect(await who()).toBe('octo@example.com');
    const token = 'client.auth.getSession().then(({ data }) => data.session.provider_token)';
    expect(await page.run(token)).toBe('at-octo');
    await page.run('client.auth.signOut()');
  });

  it('a user with a link of the implicit flow recovers, and nothing stays in the address bar', async () => {
    page = await browser.newWindow();
    await page.open(`${origin}/implicit`);
    const options = `{ redirectTo: "${origin}/implicit/reset" }`;
    await page.run(`client.auth.resetPasswordForEmail("link@example.com", ${options})`);
    const { link } = await auth.nextMail('link@example.com');
    await page.open(link.href);
    await until('!!window.events && events.includes("PASSWORD_RECOVERY")');
    expect((await page.url()).replace(/#$/, '')).toBe(`${origin}/implicit/reset`);
    const update = 'client.auth.updateUser({ password: "a new horse" }).then(({ error }) => error)';
    expect(await page.run(update)).toBeNull();
    await page.open('about:blank#');
    await page.open(link.href);
    expect(await page.url()).toContain('error_code=otp_expired');
  });
});
