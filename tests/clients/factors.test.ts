import { createClient } from '@supabase/supabase-js';
import { describe, expect, it } from 'vitest';
import { startAuth } from '../support/auth.ts';
import { createAuthenticator } from '../support/authenticator.ts';

const origin = 'https://app.example.com';
let lastMessage = '';
const provider: typeof fetch = (_url, init) => {
  lastMessage = new URLSearchParams(String(init?.body)).get('Body') ?? '';
  return Promise.resolve(Response.json({ sid: 'SM1', status: 'queued' }, { status: 201 }));
};
const auth = await startAuth({
  env: {
    GOTRUE_MFA_WEB_AUTHN_ENROLL_ENABLED: 'true',
    GOTRUE_MFA_WEB_AUTHN_VERIFY_ENABLED: 'true',
    GOTRUE_MFA_PHONE_ENROLL_ENABLED: 'true',
    GOTRUE_MFA_PHONE_VERIFY_ENABLED: 'true',
    GOTRUE_WEBAUTHN_RP_ID: 'example.com',
    GOTRUE_WEBAUTHN_RP_ORIGINS: origin,
    GOTRUE_SMS_PROVIDER: 'twilio',
    GOTRUE_SMS_TWILIO_ACCOUNT_SID: 'AC1',
    GOTRUE_SMS_TWILIO_AUTH_TOKEN: 'token',
    GOTRUE_SMS_TWILIO_MESSAGE_SERVICE_SID: '15550001111',
  },
  fetch: provider,
});

const password = 'correct horse';
const newClient = () =>
  createClient(auth.url, auth.anonKey, { auth: { persistSession: false, autoRefreshToken: false } }).auth;

async function signedUp(email: string) {
  const client = newClient();
  expect((await client.signUp({ email, password })).error).toBeNull();
  return client;
}

/** A browser hands options over as bytes, and credentials back with a `toJSON`. */
const text = (bytes: ArrayBuffer | ArrayBufferView): string =>
  Buffer.from(bytes instanceof ArrayBuffer ? bytes : bytes.buffer).toString('base64url');
// The client's types ask for a browser's credential, of which it uses nothing but this.
const fromBrowser = (credential: object): never => ({ ...credential, toJSON: () => credential }) as never;

describe('supabase-js', () => {
  it('registers a security key, and asks for it after the next sign-in', async () => {
    const key = createAuthenticator(origin);
    const client = await signedUp('key@example.com');
    const enrolled = await client.mfa.enroll({ factorType: 'webauthn', friendlyName: 'key' });
    if (enrolled.data === null) throw enrolled.error;
    const factorId = enrolled.data.id;
    const webauthn = { rpId: 'example.com', rpOrigins: [origin] };
    const made = await client.mfa.challenge({ factorId, webauthn });
    if (made.data === null || made.data.webauthn.type !== 'create') throw made.error;
    const { challenge, user } = made.data.webauthn.credential_options.publicKey;
    const created = key.create({
      challenge: text(challenge),
      rp: { id: 'example.com' },
      user: { id: text(user.id) },
    });
    const registered = await client.mfa.verify({
      factorId,
      challengeId: made.data.id,
      webauthn: { ...webauthn, type: 'create', credential_response: fromBrowser(created) },
    });
    expect(registered.error).toBeNull();
    expect((await client.mfa.listFactors()).data?.webauthn).toMatchObject([{ id: factorId }]);

    const later = newClient();
    await later.signInWithPassword({ email: 'key@example.com', password });
    expect((await later.mfa.getAuthenticatorAssuranceLevel()).data).toMatchObject({
      currentLevel: 'aal1',
      nextLevel: 'aal2',
    });
    const asked = await later.mfa.challenge({ factorId, webauthn });
    if (asked.data === null || asked.data.webauthn.type !== 'request') throw asked.error;
    const used = key.get({
      challenge: text(asked.data.webauthn.credential_options.publicKey.challenge),
      rpId: 'example.com',
    });
    const verified = await later.mfa.verify({
      factorId,
      challengeId: asked.data.id,
      webauthn: { ...webauthn, type: 'request', credential_response: fromBrowser(used) },
    });
    expect(verified.error).toBeNull();
    expect((await later.mfa.getAuthenticatorAssuranceLevel()).data).toMatchObject({
      currentLevel: 'aal2',
      nextLevel: 'aal2',
      currentAuthenticationMethods: [{ method: 'mfa/webauthn' }, { method: 'password' }],
    });
  });

  it('adds a phone as second factor, and removes it', async () => {
    const client = await signedUp('sim@example.com');
    const enrolled = await client.mfa.enroll({ factorType: 'phone', phone: '+15551112222' });
    if (enrolled.data === null) throw enrolled.error;
    const factorId = enrolled.data.id;
    const asked = await client.mfa.challenge({ factorId, channel: 'sms' });
    if (asked.data === null) throw asked.error;
    const code = /\d{6}/.exec(lastMessage)?.[0] ?? '';
    const wrong = await client.mfa.verify({ factorId, challengeId: asked.data.id, code: '1' });
    expect(wrong.error?.code).toBe('mfa_verification_failed');
    expect((await client.mfa.verify({ factorId, challengeId: asked.data.id, code })).error).toBeNull();
    expect((await client.mfa.listFactors()).data?.phone).toMatchObject([{ id: factorId }]);
    expect((await client.mfa.getAuthenticatorAssuranceLevel()).data?.currentLevel).toBe('aal2');
    expect((await client.mfa.unenroll({ factorId })).error).toBeNull();
    expect((await client.refreshSession()).error).toBeNull();
    expect((await client.mfa.getAuthenticatorAssuranceLevel()).data).toMatchObject({
      currentLevel: 'aal1',
      nextLevel: 'aal1',
    });
  });
});
