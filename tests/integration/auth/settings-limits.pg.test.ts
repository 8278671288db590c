import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { startAuth } from '../../support/auth.ts';

/*
 * The rates of the limits per address: after the first thirty, which always pass, requests pass as fast as the setting
 * says. Each is set to a rate of its own, so that none can be taken for another.
 */
const samlKey = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs1', format: 'der' })
  .toString('base64');
const rates = {
  GOTRUE_RATE_LIMIT_OTP: 20,
  GOTRUE_RATE_LIMIT_TOKEN_REFRESH: 25,
  GOTRUE_RATE_LIMIT_VERIFY: 18,
  GOTRUE_RATE_LIMIT_WEB3: 15,
  GOTRUE_RATE_LIMIT_SSO: 12,
  GOTRUE_SAML_RATE_LIMIT_ASSERTION: 10,
  GOTRUE_RATE_LIMIT_PASSKEY: 6,
  GOTRUE_RATE_LIMIT_O_AUTH_DYNAMIC_CLIENT_REGISTER: 5,
  GOTRUE_MFA_RATE_LIMIT_CHALLENGE_AND_VERIFY: 4,
};
const auth = await startAuth({
  env: {
    ...Object.fromEntries(Object.entries(rates).map(([name, events]) => [name, String(events)])),
    GOTRUE_RATE_LIMIT_HEADER: 'x-real-ip',
    GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED: 'true',
    GOTRUE_SAML_ENABLED: 'true',
    GOTRUE_SAML_PRIVATE_KEY: samlKey,
    GOTRUE_PASSKEY_ENABLED: 'true',
    GOTRUE_WEBAUTHN_RP_ID: 'app.example.com',
    GOTRUE_WEBAUTHN_RP_DISPLAY_NAME: 'App',
    GOTRUE_WEBAUTHN_RP_ORIGINS: 'https://app.example.com',
    GOTRUE_OAUTH_SERVER_ENABLED: 'true',
    GOTRUE_OAUTH_SERVER_ALLOW_DYNAMIC_REGISTRATION: 'true',
    GOTRUE_MFA_TOTP_ENROLL_ENABLED: 'true',
    GOTRUE_MFA_TOTP_VERIFY_ENABLED: 'true',
  },
});

const { access_token: token } = (
  await auth.call('POST', '/signup', { body: { email: 'limit@example.com', password: 'correct horse' } })
).json;
const factor = (
  await auth.call('POST', '/factors', { token, body: { factor_type: 'totp', friendly_name: 'app' } })
).json.id as string;

let addresses = 0;
const perFiveMinutes = (name: keyof typeof rates): number => 300 / rates[name];
const [otp, mfa] = [
  perFiveMinutes('GOTRUE_RATE_LIMIT_OTP'),
  60 / rates.GOTRUE_MFA_RATE_LIMIT_CHALLENGE_AND_VERIFY,
];
const refresh = perFiveMinutes('GOTRUE_RATE_LIMIT_TOKEN_REFRESH');
const verify = perFiveMinutes('GOTRUE_RATE_LIMIT_VERIFY');
const web3 = perFiveMinutes('GOTRUE_RATE_LIMIT_WEB3');
const sso = perFiveMinutes('GOTRUE_RATE_LIMIT_SSO');
const assertion = perFiveMinutes('GOTRUE_SAML_RATE_LIMIT_ASSERTION');
const passkey = perFiveMinutes('GOTRUE_RATE_LIMIT_PASSKEY');
const registration = perFiveMinutes('GOTRUE_RATE_LIMIT_O_AUTH_DYNAMIC_CLIENT_REGISTER');

describe('the rate of', () => {
  it.each<[string, number, string, string, object]>([
    ['sign-ups', otp, 'POST', '/signup', { email: 'none', password: 'x' }],
    ['codes', otp, 'POST', '/otp', { email: 'none' }],
    ['links', otp, 'POST', '/magiclink', { email: 'none' }],
    ['recoveries', otp, 'POST', '/recover', { email: 'none' }],
    ['resends', otp, 'POST', '/resend', { type: 'signup', email: 'none' }],
    ['changes of a user', otp, 'PUT', '/user', {}],
    ['grants', refresh, 'POST', '/token?grant_type=refresh_token', { refresh_token: 'x' }],
    ['verifications', verify, 'POST', '/verify', { type: 'email', email: 'a@example.com', token: '1' }],
    ['wallets', web3, 'POST', '/token?grant_type=web3', { chain: 'solana' }],
    ['single sign-on', sso, 'POST', '/sso', { domain: 'nowhere.example.com' }],
    ['assertions', assertion, 'POST', '/sso/saml/acs', {}],
    ['passkeys', passkey, 'POST', '/passkeys/authentication/options', {}],
    ['registrations of clients', registration, 'POST', '/oauth/clients/register', {}],
    ['challenges', mfa, 'POST', `/factors/${factor}/challenge`, {}],
    ['answers', mfa, 'POST', `/factors/${factor}/verify`, { challenge_id: 'x', code: '1' }],
  ])('%s is the one of its setting', async (_, seconds, method, path, body) => {
    const address = `203.0.113.${++addresses}`;
    const isRefused = async () => {
      const { json } = await auth.call(method, path, { token, body, headers: { 'x-real-ip': address } });
      return json?.error_code === 'over_request_rate_limit';
    };
    expect(await Promise.all(Array.from({ length: 30 }, isRefused))).toEqual(new Array(30).fill(false));
    expect(await isRefused()).toBe(true);
    // The clock runs on while requests are made, by far less than the rest of this.
    auth.clock.advance(0.4 * seconds);
    expect(await isRefused()).toBe(true);
    auth.clock.advance(0.6 * seconds);
    expect([await isRefused(), await isRefused()]).toEqual([false, true]);
  });
});
