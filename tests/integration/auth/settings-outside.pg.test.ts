import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { startAuth } from '../../support/auth.ts';

/*
 * What the settings of services that the instance asks do, by upstream's names, each set to something that no default
 * says. The services live in this file.
 */
const google = 'https://accounts.google.com';
const checker = 'https://check.example.dev/verdict';
const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256' };

let asked: { readonly url: string; readonly headers: Headers; readonly body: string }[] = [];
let isUp = true;
let template = '';
let verdict: () => Response = () => Response.json({ valid: true });
const world: typeof fetch = (input, init) => {
  const url = String(input);
  asked.push({ url, headers: new Headers(init?.headers), body: String(init?.body ?? '') });
  if (!isUp) return Promise.reject(new TypeError('no network'));
  if (url === checker) return Promise.resolve(verdict());
  if (url.endsWith('/mail.html')) return Promise.resolve(new Response(template));
  const isDiscovery = url.endsWith('/.well-known/openid-configuration');
  const document = isDiscovery ? { issuer: google, jwks_uri: `${google}/jwks` } : { keys: [jwk] };
  return Promise.resolve(Response.json(document));
};
const askedOf = (part: string) => asked.filter(({ url }) => url.includes(part));

const auth = await startAuth({
  env: {
    GOTRUE_SITE_URL: 'https://app.example.com',
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
    GOTRUE_SMTP_MAX_FREQUENCY: '1ns',
    GOTRUE_MAILER_EMAIL_VALIDATION_SERVICE_URL: checker,
    GOTRUE_MAILER_EMAIL_VALIDATION_SERVICE_HEADERS: '{"X-Key":["former","present"]}',
    GOTRUE_MAILER_SUBJECTS_RECOVERY: 'Ours',
    GOTRUE_MAILER_TEMPLATES_RECOVERY: '/mail.html',
    GOTRUE_MAILER_TEMPLATE_MAX_SIZE: '40',
    GOTRUE_MAILER_TEMPLATE_MAX_AGE: '2m',
    GOTRUE_MAILER_TEMPLATE_RETRY_INTERVAL: '30s',
    GOTRUE_EXTERNAL_GOOGLE_ENABLED: 'true',
    GOTRUE_EXTERNAL_GOOGLE_CLIENT_ID: 'web',
    GOTRUE_EXTERNAL_GOOGLE_SECRET: 'secret',
    GOTRUE_EXTERNAL_OIDC_PROVIDER_CACHE_TTL: '5m',
  },
  fetch: world,
});

beforeEach(() => {
  asked = [];
  isUp = true;
  verdict = () => Response.json({ valid: true });
});

const password = 'correct horse';
const signUp = (email: string) => auth.call('POST', '/signup', { body: { email, password } });

describe('a service that knows addresses', () => {
  it('is asked about each that mail goes to, with the headers of the settings', async () => {
    expect((await signUp('ann@shop.dev')).status).toBe(200);
    const [question] = askedOf(checker);
    expect(JSON.parse(question?.body ?? '')).toEqual({ email: 'ann@shop.dev' });
    expect(question?.headers.get('x-key')).toBe('present');
  });

  it('refuses those that it calls invalid, of which no user is made', async () => {
    verdict = () => Response.json({ valid: false });
    const { status, json } = await signUp('bounces@shop.dev');
    expect([status, json.error_code]).toEqual([400, 'email_address_invalid']);
    const { json: list } = await auth.call('GET', '/admin/users', { token: auth.serviceKey });
    expect(list.users.map((user: { email: string }) => user.email)).not.toContain('bounces@shop.dev');
  });

  it.each([
    ['is in trouble', () => Response.json({ valid: false }, { status: 503 })],
    ['says something else', () => Response.json({ verdict: 'bad' })],
    ['says no JSON', () => new Response('no')],
  ])('that %s keeps nobody from signing up', async (name, reply) => {
    verdict = reply;
    expect((await signUp(`${name.replaceAll(' ', '')}@shop.dev`)).status).toBe(200);
  });

  it('that is gone keeps nobody from signing up', async () => {
    isUp = false;
    expect((await signUp('gone@shop.dev')).status).toBe(200);
  });
});

describe('a mail whose body is fetched', () => {
  const email = 'ann@shop.dev';
  const recover = async () => {
    await auth.call('POST', '/recover', { body: { email } });
    return auth.nextMail(email);
  };

  it('is the built-in one, subject and all, while it cannot be had, and is looked for again after a pause', async () => {
    template = `<p>${'x'.repeat(40)}</p>`;
    await auth.nextMail(email);
    expect((await recover()).subject).not.toBe('Ours');
    template = '<a href="{{ .ConfirmationURL }}">one</a>';
    expect((await recover()).subject).not.toBe('Ours');
    expect(askedOf('/mail.html')).toHaveLength(1);
    auth.clock.advance(31);
    const own = await recover();
    expect([own.subject, own.html]).toEqual(['Ours', expect.stringContaining('one')]);
  });

  it('is kept for as long as the settings say, and longer while nothing newer can be had', async () => {
    template = '<a href="{{ .ConfirmationURL }}">two</a>';
    auth.clock.advance(100);
    expect((await recover()).html).toContain('one');
    auth.clock.advance(21);
    isUp = false;
    expect((await recover()).html).toContain('one');
    isUp = true;
    auth.clock.advance(31);
    expect((await recover()).html).toContain('two');
  });
});

describe('what an issuer says of itself', () => {
  const enter = async () => {
    const id_token = await new SignJWT({ sub: 'u1', email: 'gus@shop.dev', email_verified: true })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
      .setIssuer(google)
      .setAudience('web')
      .setIssuedAt(Math.floor(auth.clock.now() / 1000))
      .setExpirationTime(Math.floor(auth.clock.now() / 1000) + 60)
      .sign(privateKey);
    return auth.call('POST', '/token?grant_type=id_token', { body: { provider: 'google', id_token } });
  };

  it('is kept for as long as the settings say, and longer while it cannot be asked', async () => {
    const discoveries = () => askedOf('openid-configuration').length;
    expect([(await enter()).status, (await enter()).status, discoveries()]).toEqual([200, 200, 1]);
    auth.clock.advance(301);
    expect([(await enter()).status, discoveries()]).toEqual([200, 2]);
    auth.clock.advance(3700);
    isUp = false;
    expect([(await enter()).status, discoveries()]).toEqual([200, 3]);
  });
});
