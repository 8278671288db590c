import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { totpCode, totpStep } from '../../../src/auth/mfa/totp.ts';
import { startAuth } from '../../support/auth.ts';
import { comeFromGitHub, createGitHub, fragmentOf, gitHubEnv, goToGitHub } from '../../support/github.ts';

/*
 * What a project's policies can read from an access token, for each way in: these claims, and no others.
 */
const gitHub = createGitHub();
const auth = await startAuth({
  env: {
    ...gitHubEnv,
    GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED: 'true',
    GOTRUE_MFA_TOTP_ENROLL_ENABLED: 'true',
    GOTRUE_MFA_TOTP_VERIFY_ENABLED: 'true',
  },
  fetch: gitHub.fetch,
});
const password = 'correct horse';
const post = (path: string, body: object, token?: string) =>
  auth.call('POST', path, { body, ...(token === undefined ? {} : { token }) });
const signUp = async (email: string) => (await post('/signup', { email, password })).json;

const moment = expect.any(Number);
const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const common = {
  iss: `${auth.url}/auth/v1`,
  sub: uuid,
  aud: 'authenticated',
  exp: moment,
  iat: moment,
  phone: '',
  role: 'authenticated',
  session_id: uuid,
  is_anonymous: false,
};
const byMail = (email: string, sub: string) => ({
  ...common,
  email,
  app_metadata: { provider: 'email', providers: ['email'] },
  user_metadata: { sub, email, email_verified: true, phone_verified: false },
});

describe('the claims of somebody who came in', () => {
  it('by a password', async () => {
    const email = 'password@example.com';
    const { user } = await signUp(email);
    const { json } = await post('/token?grant_type=password', { email, password });
    expect(decodeJwt(json.access_token)).toEqual({
      ...byMail(email, user.id),
      aal: 'aal1',
      amr: [{ method: 'password', timestamp: moment }],
    });
  });

  it('by a code', async () => {
    const email = 'code@example.com';
    const { user } = await signUp(email);
    await post('/otp', { email });
    const { code } = await auth.nextMail(email);
    const { json } = await post('/verify', { type: 'email', email, token: code });
    expect(decodeJwt(json.access_token)).toEqual({
      ...byMail(email, user.id),
      aal: 'aal1',
      amr: [{ method: 'otp', timestamp: moment }],
    });
  });

  it('through a provider', async () => {
    const email = 'octo@example.com';
    gitHub.users.set('octo', { id: 7, email, verified: true });
    const url = await comeFromGitHub(auth, (await goToGitHub(auth)).state, 'octo');
    expect(decodeJwt(fragmentOf(url).access_token ?? '')).toEqual({
      ...common,
      email,
      app_metadata: { provider: 'github', providers: ['github'] },
      user_metadata: {
        avatar_url: 'https://a/p.png',
        email,
        email_verified: true,
        full_name: 'User 7',
        iss: 'https://github.test/api/v3',
        name: 'User 7',
        phone_verified: false,
        preferred_username: 'user7',
        provider_id: '7',
        sub: '7',
        user_name: 'user7',
      },
      aal: 'aal1',
      amr: [{ method: 'oauth', timestamp: moment }],
    });
  });

  it('without a name', async () => {
    const { json } = await post('/signup', { data: { theme: 'dark' } });
    expect(decodeJwt(json.access_token)).toEqual({
      ...common,
      email: '',
      app_metadata: {},
      user_metadata: { theme: 'dark' },
      is_anonymous: true,
      aal: 'aal1',
      amr: [{ method: 'anonymous', timestamp: moment }],
    });
  });

  it('by a second factor, the newest way in first', async () => {
    const email = 'factor@example.com';
    const { user, access_token: token } = await signUp(email);
    const factor = (await post('/factors', { factor_type: 'totp', friendly_name: 'app' }, token)).json;
    const asked = (await post(`/factors/${factor.id}/challenge`, {}, token)).json;
    auth.clock.advance(5);
    const code = totpCode(factor.totp.secret, totpStep(auth.clock.now()));
    const body = { challenge_id: asked.id, code };
    const { json } = await post(`/factors/${factor.id}/verify`, body, token);
    const claims = decodeJwt<{ amr: { method: string; timestamp: number }[] }>(json.access_token);
    expect(claims).toEqual({
      ...byMail(email, user.id),
      aal: 'aal2',
      amr: [
        { method: 'totp', timestamp: moment },
        { method: 'password', timestamp: moment },
      ],
    });
    expect(claims.amr[0]?.timestamp).toBeGreaterThan(claims.amr[1]?.timestamp ?? 0);
  });

  it('are those of the way in after a refresh too, and end when the answer says', async () => {
    const { refresh_token, user } = await signUp('refresh@example.com');
    const { json } = await post('/token?grant_type=refresh_token', { refresh_token });
    const claims = decodeJwt(json.access_token);
    expect(claims).toEqual({
      ...byMail('refresh@example.com', user.id),
      aal: 'aal1',
      amr: [{ method: 'password', timestamp: moment }],
    });
    expect([claims.exp, Number(claims.exp) - Number(claims.iat)]).toEqual([json.expires_at, 3600]);
  });
});
