import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { afterAll, describe, expect, it } from 'vitest';
import { totpCode, totpStep } from '../../../src/auth/mfa/totp.ts';
import { startAuth } from '../../support/auth.ts';

/*
 * What the settings of mails do, by upstream's names.
 */
const kinds = ['CONFIRMATION', 'INVITE', 'MAGIC_LINK', 'RECOVERY', 'EMAIL_CHANGE', 'REAUTHENTICATION'];
const notices = [
  'PASSWORD_CHANGED',
  'EMAIL_CHANGED',
  'PHONE_CHANGED',
  'MFA_FACTOR_ENROLLED',
  'MFA_FACTOR_UNENROLLED',
  'IDENTITY_LINKED',
  'IDENTITY_UNLINKED',
];
const ofEach = (prefix: string, names: readonly string[], suffix: string, value: (name: string) => string) =>
  Object.fromEntries(names.map((name) => [`${prefix}${name}${suffix}`, value(name)]));

const auth = await startAuth({
  env: {
    GOTRUE_SITE_URL: 'https://app.example.com',
    GOTRUE_API_EXTERNAL_URL: 'https://auth.example.com/base',
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
    GOTRUE_SMTP_MAX_FREQUENCY: '1ns',
    GOTRUE_MAILER_SECURE_EMAIL_CHANGE_ENABLED: 'false',
    GOTRUE_MAILER_OTP_LENGTH: '8',
    GOTRUE_SMTP_ADMIN_EMAIL: 'shop@example.com',
    GOTRUE_SMTP_SENDER_NAME: 'The Shop',
    GOTRUE_EXTERNAL_PHONE_ENABLED: 'true',
    GOTRUE_SMS_AUTOCONFIRM: 'true',
    GOTRUE_SECURITY_MANUAL_LINKING_ENABLED: 'true',
    GOTRUE_MFA_TOTP_ENROLL_ENABLED: 'true',
    GOTRUE_MFA_TOTP_VERIFY_ENABLED: 'true',
    GOTRUE_MAILER_EXTERNAL_HOSTS: 'other.example.com,localhost',
    GOTRUE_MAILER_URLPATHS_CONFIRMATION: '/go/confirm',
    GOTRUE_MAILER_URLPATHS_INVITE: '/go/invite',
    GOTRUE_MAILER_URLPATHS_RECOVERY: 'https://links.example.com/recover',
    GOTRUE_MAILER_URLPATHS_EMAIL_CHANGE: '/go/change',
    ...ofEach('GOTRUE_MAILER_SUBJECTS_', kinds, '', (name) => `${name} of {{ .Email }}`),
    ...ofEach('GOTRUE_MAILER_TEMPLATES_', kinds, '', (name) => `/mails/${name}`),
    ...ofEach('GOTRUE_MAILER_NOTIFICATIONS_', notices, '_ENABLED', () => 'true'),
    ...ofEach('GOTRUE_MAILER_SUBJECTS_', notices, '_NOTIFICATION', (name) => `${name}!`),
    ...ofEach('GOTRUE_MAILER_TEMPLATES_', notices, '_NOTIFICATION', (name) => `/mails/${name}`),
  },
  fetch: (input) =>
    Promise.resolve(new Response(`<p>${input}</p><a href="{{ .ConfirmationURL }}">go</a>{{ .Token }}`)),
});
const choosy = await startAuth({
  env: {
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
    GOTRUE_MAILER_EMAIL_VALIDATION_EXTENDED: 'true',
    GOTRUE_EXTERNAL_EMAIL_AUTHORIZED_ADDRESSES:
      'ann@example.com,bob@gmail.com,someperson@gmail.com,dan@shop.test,eve@single',
    GOTRUE_EXTERNAL_EMAIL_MAGIC_LINK_ENABLED: 'false',
  },
});

const received: { readonly mail: Email; readonly login: string }[] = [];
const server = new SMTPServer({
  authOptional: false,
  allowInsecureAuth: true,
  disabledCommands: ['STARTTLS'],
  onAuth: ({ username, password }, _, done) => done(null, { user: `${username}:${password}` }),
  onData: async (stream, session, done) => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    received.push({ mail: await PostalMime.parse(Buffer.concat(chunks)), login: String(session.user) });
    done();
  },
});
server.listen(0, '127.0.0.1');
await once(server.server, 'listening');
afterAll(() => new Promise<void>((resolve) => server.close(resolve)));
const smtp = await startAuth({
  env: {
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
    GOTRUE_SMTP_HOST: '127.0.0.1',
    GOTRUE_SMTP_PORT: String((server.server.address() as AddressInfo).port),
    GOTRUE_SMTP_USER: 'login',
    GOTRUE_SMTP_PASS: 'pass word',
    GOTRUE_SMTP_ADMIN_EMAIL: 'shop@example.com',
    GOTRUE_SMTP_SENDER_NAME: 'The Shop',
    GOTRUE_SMTP_HEADERS: '{"X-Kind":["$messageType"],"X-Tag":["a","b"]}',
  },
});

const password = 'correct horse';
let people = 0;
const someone = (): string => `mail${++people}@example.com`;
const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  auth.call('POST', path, { body, headers });

async function member() {
  const email = someone();
  const body = { email, password, email_confirm: true };
  await auth.call('POST', '/admin/users', { token: auth.serviceKey, body });
  const { json } = await post('/token?grant_type=password', { email, password });
  return { email, token: json.access_token as string };
}

describe('settings of mails with a link', () => {
  const links: readonly [kind: string, page: string, (email: string) => Promise<unknown>][] = [
    ['CONFIRMATION', 'https://auth.example.com/go/confirm', (email) => post('/signup', { email, password })],
    [
      'INVITE',
      'https://auth.example.com/go/invite',
      (email) => auth.call('POST', '/invite', { token: auth.serviceKey, body: { email } }),
    ],
  ];
  it.each(links)('give %s its subject, its body, its path and a long code', async (kind, page, ask) => {
    const email = someone();
    await ask(email);
    const { subject, html, link } = await auth.nextMail(email);
    expect(subject).toBe(`${kind} of ${email}`);
    expect(html).toContain(`<p>https://app.example.com/mails/${kind}</p>`);
    expect(html).toMatch(/(?<!\d)\d{8}(?!\d)/);
    expect(link.origin + link.pathname).toBe(page);
  });

  const known: readonly [
    kind: string,
    page: string | null,
    (member: { email: string; token: string }) => Promise<unknown>,
  ][] = [
    ['MAGIC_LINK', 'https://links.example.com/recover', ({ email }) => post('/magiclink', { email })],
    ['RECOVERY', 'https://links.example.com/recover', ({ email }) => post('/recover', { email })],
    ['REAUTHENTICATION', null, ({ token }) => auth.call('GET', '/reauthenticate', { token })],
  ];
  it.each(known)('give %s its subject, its body and its path', async (kind, page, ask) => {
    const who = await member();
    await ask(who);
    const { subject, html, link } = await auth.nextMail(who.email);
    expect([subject, html]).toEqual([`${kind} of ${who.email}`, expect.stringContaining(`/mails/${kind}<`)]);
    if (page !== null) expect(link.origin + link.pathname).toBe(page);
  });

  it('give a change of address its subject, its body and its path, and the new address alone', async () => {
    const { email, token } = await member();
    const next = someone();
    await auth.call('PUT', '/user', { token, body: { email: next } });
    const { subject, link } = await auth.nextMail(next);
    expect([subject, link.pathname]).toEqual([`EMAIL_CHANGE of ${email}`, '/go/change']);
    expect(await auth.mailCount(email)).toBe(0);
  });

  it.each([
    ['other.example.com', 'https://other.example.com'],
    ['localhost:8080', 'https://localhost:8080'],
    ['evil.example.net', 'https://auth.example.com'],
  ])('lead to the host %s only where that is listed', async (host, origin) => {
    const email = someone();
    await post('/signup', { email, password }, { 'x-forwarded-host': host });
    expect((await auth.nextMail(email)).link.origin).toBe(
      origin.replace('https://localhost', 'http://localhost'),
    );
  });
});

describe('settings of notices', () => {
  it('tell of every kind of change to an account, each in its own words', async () => {
    const { email, token } = await member();
    const user = (method: string, path: string, body?: object, bearer = token) =>
      auth.call(method, path, { token: bearer, ...(body === undefined ? {} : { body }) });
    await user('PUT', '/user', { password: 'another horse' });
    await user('PUT', '/user', { phone: '15551239999' });
    await user('PUT', '/user', { phone: '15551238888' });
    const { identities } = (await user('GET', '/user')).json;
    const phone = identities.find(({ provider }: { provider: string }) => provider === 'phone');
    await user('DELETE', `/user/identities/${phone.identity_id}`);
    const factor = (await user('POST', '/factors', { factor_type: 'totp', friendly_name: 'app' })).json;
    const asked = (await user('POST', `/factors/${factor.id}/challenge`, {})).json;
    const code = totpCode(factor.totp.secret, totpStep(auth.clock.now()));
    const body = { challenge_id: asked.id, code };
    const raised = (await user('POST', `/factors/${factor.id}/verify`, body)).json.access_token;
    await user('DELETE', `/factors/${factor.id}`, undefined, raised);
    const next = someone();
    await user('PUT', '/user', { email: next }, raised);
    await auth.call('GET', `/verify${(await auth.nextMail(next)).link.search}`);
    const told = [];
    for (let left = await auth.mailCount(email); left > 0; left--) told.push(await auth.nextMail(email));
    expect(told.map(({ subject, html }) => [subject, /mails\/(\w+)/.exec(html)?.[1]]).sort()).toEqual(
      [...notices].sort().map((name) => [`${name}!`, name]),
    );
  });
});

describe('settings of who is written to', () => {
  const signUp = async (email: string) =>
    (await choosy.call('POST', '/signup', { body: { email, password } })).json;

  it('refuse addresses that are not listed', async () => {
    expect(await signUp('stranger@shop.example.dev')).toMatchObject({
      error_code: 'email_address_not_authorized',
      msg: 'Email address "stranger@shop.example.dev" cannot be used as it is not authorized',
    });
  });

  it.each(['ann@example.com', 'bob@gmail.com', 'dan@shop.test', 'eve@single'])(
    'refuse %s, where no mail arrives, and make no user',
    async (email) => {
      expect(await signUp(email)).toMatchObject({
        error_code: 'email_address_invalid',
        msg: `Email address ${JSON.stringify(email)} is invalid`,
      });
      const { json } = await choosy.call('GET', '/admin/users', { token: choosy.serviceKey });
      expect(json.users.map((user: { email: string }) => user.email)).not.toContain(email);
    },
  );

  it('let others sign up, with or without a label', async () => {
    expect((await signUp('SomePerson+shop@gmail.com')).email).toBe('someperson+shop@gmail.com');
  });

  it('may turn links off', async () => {
    const { status, json } = await choosy.call('POST', '/magiclink', { body: { email: 'ann@example.com' } });
    expect([status, json.error_code, json.msg]).toEqual([
      422,
      'email_provider_disabled',
      'Login with magic link is disabled',
    ]);
  });
});

it('mail goes through the SMTP server of the settings, by its login, from their sender, with their headers', async () => {
  await smtp.call('POST', '/signup', { body: { email: 'buyer@example.com', password } });
  await smtp.drain();
  expect(received).toHaveLength(1);
  const { mail, login } = received[0] ?? { mail: null, login: '' };
  expect([login, mail?.from, mail?.to?.[0]?.address]).toEqual([
    'login:pass word',
    expect.objectContaining({ address: 'shop@example.com', name: 'The Shop' }),
    'buyer@example.com',
  ]);
  const values = (name: string) =>
    mail?.headers.filter(({ key }) => key === name).map(({ value }) => value) ?? [];
  expect([values('x-kind'), values('x-tag')]).toEqual([['confirmation'], ['a', 'b']]);
});
