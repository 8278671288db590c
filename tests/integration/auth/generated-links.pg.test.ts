import { describe, expect, it } from 'vitest';
import { startAuth } from '../../support/auth.ts';

const auth = await startAuth({
  env: {
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
    GOTRUE_SMTP_MAX_FREQUENCY: '0s',
    GOTRUE_URI_ALLOW_LIST: 'https://app.example.com/**',
  },
});
const password = 'correct horse';
const token = auth.serviceKey;
let people = 0;
const someone = (): string => `linked${++people}@example.com`;
const generate = (body: object) => auth.call('POST', '/admin/generate_link', { token, body });
const invite = (body: object) => auth.call('POST', '/invite', { token, body });
const signIn = (email: string, secret = password) =>
  auth.call('POST', '/token?grant_type=password', { body: { email, password: secret } });
const verifyHash = (type: string, token_hash: unknown) =>
  auth.call('POST', '/verify', { body: { type, token_hash } });
const follow = async (link: string) => {
  const { headers } = await auth.call('GET', `/verify${new URL(link).search}`);
  const location = new URL(headers.get('location') ?? '');
  return { location, fragment: new URLSearchParams(location.hash.slice(1)) };
};

async function member(email = someone()) {
  const body = { email, password, email_confirm: true };
  return (await auth.call('POST', '/admin/users', { token, body })).json;
}

/** A generated link of each type for somebody whom it fits. */
const links: Readonly<Record<string, () => Promise<object>>> = {
  signup: async () => ({ type: 'signup', email: someone(), password }),
  invite: async () => ({ type: 'invite', email: someone() }),
  magiclink: async () => ({ type: 'magiclink', email: (await member()).email }),
  recovery: async () => ({ type: 'recovery', email: (await member()).email }),
};

describe('a link that an app mails by itself', () => {
  it.each(Object.keys(links))('of type %s comes with its code and hash, and signs in', async (type) => {
    const body = (await links[type]?.()) as { email: string };
    const redirect_to = 'https://app.example.com/welcome';
    const made = await generate({ ...body, redirect_to });
    expect([made.status, made.json]).toMatchObject([
      200,
      {
        email: body.email,
        verification_type: type,
        redirect_to,
        email_otp: expect.stringMatching(/^\d{6}$/),
        hashed_token: expect.stringMatching(/^[0-9a-f]{56}$/),
      },
    ]);
    const link = new URL(made.json.action_link);
    expect(link.origin + link.pathname).toBe(`${auth.url}/auth/v1/verify`);
    expect(Object.fromEntries(link.searchParams)).toEqual({
      token: made.json.hashed_token,
      type,
      redirect_to,
    });
    const { location, fragment } = await follow(made.json.action_link);
    expect(location.href.split('#')[0]).toBe(redirect_to);
    expect([fragment.get('type'), fragment.get('access_token')]).toEqual([type, expect.any(String)]);
    expect(await auth.mailCount(body.email)).toBe(0);
  });

  it.each(Object.keys(links))('of type %s may be used by its hash or by its code instead', async (type) => {
    const byHash = (await generate((await links[type]?.()) as object)).json;
    const verified = await verifyHash(type, byHash.hashed_token);
    expect([verified.status, verified.json.user.email]).toEqual([200, byHash.email]);
    const byCode = (await generate((await links[type]?.()) as object)).json;
    const { status } = await auth.call('POST', '/verify', {
      body: { type, email: byCode.email, token: byCode.email_otp },
    });
    expect(status).toBe(200);
    expect((await verifyHash(type, byCode.hashed_token)).json.error_code).toBe('otp_expired');
  });

  it('changes an address when both of its ends are used', async () => {
    const { id, email } = await member();
    const newEmail = someone();
    const current = (await generate({ type: 'email_change_current', email, new_email: newEmail })).json;
    const fresh = (await generate({ type: 'email_change_new', email, new_email: newEmail })).json;
    const first = await verifyHash('email_change', current.hashed_token);
    expect([first.status, first.json.code]).toEqual([200, '200']);
    const second = await verifyHash('email_change', fresh.hashed_token);
    expect(second.json.user).toMatchObject({ id, email: newEmail });
  });

  it('of type magiclink for a stranger makes an account', async () => {
    const made = (await generate({ type: 'magiclink', email: someone(), data: { name: 'Ann' } })).json;
    expect([made.verification_type, made.user_metadata]).toMatchObject(['signup', { name: 'Ann' }]);
  });

  it.each([
    [{ type: 'recovery', email: 'nobody@example.com' }, 404, 'user_not_found'],
    [{ type: 'signup', email: 'weak@example.com', password: 'x' }, 422, 'weak_password'],
    [{ type: 'signup', email: 'none@example.com' }, 400, 'validation_failed'],
    [{ type: 'nonsense', email: 'none@example.com', password }, 400, 'validation_failed'],
    [{ type: 'magiclink', email: 'no address' }, 400, 'validation_failed'],
  ])('is refused for %j', async (body, status, code) => {
    const refused = await generate(body);
    expect([refused.status, refused.json.error_code]).toEqual([status, code]);
  });

  it('leads to no page outside of the list', async () => {
    const { email } = await member();
    const made = (await generate({ type: 'magiclink', email, redirect_to: 'https://evil.example.net' })).json;
    expect(made.redirect_to).toBe('http://127.0.0.1:3000');
  });
});

describe('an invitation', () => {
  it('is accepted by its link, and gives a password later', async () => {
    const email = someone();
    const invited = await invite({ email, data: { team: 'blue' } });
    expect([invited.status, invited.json]).toMatchObject([
      200,
      { email, invited_at: expect.any(String), user_metadata: { team: 'blue' } },
    ]);
    expect((await signIn(email, '')).status).toBe(400);
    const { link } = await auth.nextMail(email);
    expect(link.searchParams.get('type')).toBe('invite');
    const { fragment } = await follow(link.href);
    expect(fragment.get('type')).toBe('invite');
    const session = fragment.get('access_token') ?? '';
    const set = await auth.call('PUT', '/user', { token: session, body: { password } });
    expect(set.status).toBe(200);
    const { json } = await signIn(email);
    expect(json.user).toMatchObject({ email, email_confirmed_at: expect.any(String) });
  });

  it('may be repeated until it is accepted, and only the last one counts', async () => {
    const email = someone();
    const first = (await invite({ email })).json;
    const again = await invite({ email });
    expect([again.status, again.json.id]).toEqual([200, first.id]);
    const [old, fresh] = [await auth.nextMail(email), await auth.nextMail(email)];
    expect((await follow(old.link.href)).fragment.get('error_code')).toBe('otp_expired');
    expect((await follow(fresh.link.href)).fragment.get('type')).toBe('invite');
    const late = await invite({ email });
    expect([late.status, late.json.error_code]).toEqual([422, 'email_exists']);
  });

  it('is for admins to send', async () => {
    const { email } = await member();
    const { access_token } = (await signIn(email)).json;
    const refused = await auth.call('POST', '/invite', { token: access_token, body: { email: someone() } });
    expect([refused.status, refused.json.error_code]).toEqual([403, 'not_admin']);
  });
});
