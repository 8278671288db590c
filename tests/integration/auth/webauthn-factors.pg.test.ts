import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';
import { type Authenticator, type CredentialJson, createAuthenticator } from '../../support/authenticator.ts';

const origin = 'https://app.example.com';
const auth = await startAuth({
  env: {
    GOTRUE_MFA_WEB_AUTHN_ENROLL_ENABLED: 'true',
    GOTRUE_MFA_WEB_AUTHN_VERIFY_ENABLED: 'true',
    GOTRUE_MFA_TOTP_ENROLL_ENABLED: 'true',
    GOTRUE_WEBAUTHN_RP_ID: 'example.com',
    GOTRUE_WEBAUTHN_RP_DISPLAY_NAME: 'Example',
    GOTRUE_WEBAUTHN_RP_ORIGINS: origin,
  },
});
const off = await startAuth();

const password = 'correct horse';
let people = 0;
const signUp = async () =>
  (await auth.call('POST', '/signup', { body: { email: `key${++people}@example.com`, password } })).json;
const signIn = async (email: string) =>
  (await auth.call('POST', '/token?grant_type=password', { body: { email, password } })).json;
const enroll = async (token: string, friendly_name = 'key') =>
  (await auth.call('POST', '/factors', { token, body: { factor_type: 'webauthn', friendly_name } })).json;
const challenge = async (token: string, factor: string) =>
  (
    await auth.call('POST', `/factors/${factor}/challenge`, {
      token,
      body: { webauthn: { rpId: 'example.com' } },
    })
  ).json;
const answer = (token: string, factor: string, challenge_id: string, type: string, response: unknown) =>
  auth.call('POST', `/factors/${factor}/verify`, {
    token,
    body: { challenge_id, webauthn: { type, credential_response: response } },
  });

/** Registers a key with a factor; yields the answer to it. */
async function register(token: string, key: Authenticator, name = 'key') {
  const factor = await enroll(token, name);
  const asked = await challenge(token, factor.id);
  const made = key.create(asked.webauthn.credential_options.publicKey);
  return { factor, reply: await answer(token, factor.id, asked.id, 'create', made) };
}

/** Answers a challenge with a key; `tamper` may change what it says. */
async function use(
  token: string,
  factor: string,
  key: Authenticator,
  tamper = (made: CredentialJson): unknown => made,
) {
  const asked = await challenge(token, factor);
  const made = tamper(key.get(asked.webauthn.credential_options.publicKey));
  return { asked, made, reply: await answer(token, factor, asked.id, 'request', made) };
}

describe('a security key as second factor', () => {
  it('is asked to make a credential for the project', async () => {
    const { access_token: token, user } = await signUp();
    const factor = await enroll(token, 'my key');
    expect(factor).toEqual({ id: factor.id, type: 'webauthn', friendly_name: 'my key' });
    const asked = await challenge(token, factor.id);
    expect(asked).toMatchObject({ type: 'webauthn', webauthn: { type: 'create' } });
    expect(asked.expires_at - auth.clock.now() / 1000).toBeCloseTo(300, -1);
    expect(asked.webauthn.credential_options.publicKey).toMatchObject({
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      rp: { id: 'example.com', name: 'Example' },
      user: { id: Buffer.from(user.id).toString('base64url'), name: user.email, displayName: user.email },
    });
  });

  it('raises the session that registers it', async () => {
    const first = await signUp();
    const other = await signIn(first.user.email);
    const { factor, reply } = await register(first.access_token, createAuthenticator(origin));
    expect(reply.status).toBe(200);
    expect(decodeJwt(reply.json.access_token)).toMatchObject({
      aal: 'aal2',
      amr: [{ method: 'mfa/webauthn' }, { method: 'password' }],
    });
    expect(reply.json.user.factors).toMatchObject([
      { id: factor.id, factor_type: 'webauthn', status: 'verified' },
    ]);
    expect(JSON.stringify(reply.json.user)).not.toContain('web_authn_credential');
    const gone = await auth.call('GET', '/user', { token: other.access_token });
    expect([gone.status, gone.json.error_code]).toEqual([403, 'session_not_found']);
  });

  it('raises later sessions, and those of refreshes after them', async () => {
    const key = createAuthenticator(origin);
    const { access_token, user } = await signUp();
    const { factor } = await register(access_token, key);
    const weak = await signIn(user.email);
    expect(decodeJwt(weak.access_token).aal).toBe('aal1');
    const { asked, reply } = await use(weak.access_token, factor.id, key);
    expect(asked.webauthn).toMatchObject({
      type: 'request',
      credential_options: { publicKey: { rpId: 'example.com', allowCredentials: [{ type: 'public-key' }] } },
    });
    expect(decodeJwt(reply.json.access_token)).toMatchObject({
      aal: 'aal2',
      amr: [{ method: 'mfa/webauthn' }, { method: 'password' }],
    });
    const fresh = await auth.call('POST', '/token?grant_type=refresh_token', {
      body: { refresh_token: reply.json.refresh_token },
    });
    expect(decodeJwt(fresh.json.access_token).aal).toBe('aal2');
  });

  it('shows what it answered last, in the words of upstream', async () => {
    const key = createAuthenticator(origin);
    const { access_token, user } = await signUp();
    const { factor, reply } = await register(access_token, key);
    const [made] = reply.json.user.factors;
    const { challenge: asked, type, credential_response: first } = made.last_webauthn_challenge_data;
    expect([type, asked]).toMatchObject([
      'create',
      {
        factor_id: factor.id,
        ip_address: '127.0.0.1',
        web_authn_session_data: {
          rpId: 'example.com',
          user_id: Buffer.from(user.id).toString('base64'),
          credParams: expect.arrayContaining([{ type: 'public-key', alg: -7 }]),
        },
      },
    ]);
    const clientData = { type: 'webauthn.create', origin, challenge: asked.web_authn_session_data.challenge };
    expect(first).toMatchObject({
      ID: first.Raw.id,
      Type: 'public-key',
      rawId: Buffer.from(first.ID, 'base64url').toString('base64'),
      Response: {
        CollectedClientData: clientData,
        AttestationObject: {
          fmt: 'none',
          AuthData: { sign_count: 0, att_data: { credential_id: first.rawId }, ext_data: null },
        },
      },
      Raw: { type: 'public-key', response: { clientDataJSON: expect.any(String) } },
    });
    await use(reply.json.access_token, factor.id, key);
    const { json } = await auth.call('GET', '/user', { token: reply.json.access_token });
    const last = json.factors[0].last_webauthn_challenge_data;
    expect([last.type, last.challenge.web_authn_session_data.allowed_credentials]).toEqual([
      'request',
      [first.rawId],
    ]);
    expect(last.credential_response.Response).toMatchObject({
      CollectedClientData: { type: 'webauthn.get', origin },
      AuthenticatorData: { att_data: { credential_id: null } },
      Signature: expect.any(String),
    });
  });

  it('that is another one does not answer for a factor that has its own', async () => {
    const { access_token } = await signUp();
    const { factor, reply } = await register(access_token, createAuthenticator(origin));
    const weak = await signIn(reply.json.user.email);
    const asked = await challenge(weak.access_token, factor.id);
    const made = createAuthenticator(origin).create(asked.webauthn.credential_options.publicKey);
    const refused = await answer(weak.access_token, factor.id, asked.id, 'create', made);
    expect([refused.status, refused.json.msg]).toEqual([400, 'Invalid credential_response']);
    const { json } = await auth.call('GET', '/user', { token: weak.access_token });
    expect(json.factors[0].status).toBe('verified');
  });

  it('answers a challenge once', async () => {
    const key = createAuthenticator(origin);
    const { access_token } = await signUp();
    const { factor, reply } = await register(access_token, key);
    const token = reply.json.access_token;
    const { asked, made } = await use(token, factor.id, key);
    const again = await answer(token, factor.id, asked.id, 'request', made);
    expect([again.status, again.json.error_code]).toEqual([422, 'mfa_factor_not_found']);
    const newer = await challenge(token, factor.id);
    const replayed = await answer(token, factor.id, newer.id, 'request', made);
    expect([replayed.status, replayed.json.msg]).toEqual([500, 'Failed to validate WebAuthn MFA response']);
  });

  it('answers within five minutes', async () => {
    const key = createAuthenticator(origin);
    const { access_token: token } = await signUp();
    const factor = await enroll(token);
    const asked = await challenge(token, factor.id);
    const made = key.create(asked.webauthn.credential_options.publicKey);
    auth.clock.advance(301);
    const late = await answer(token, factor.id, asked.id, 'create', made);
    expect([late.status, late.json.error_code]).toEqual([422, 'mfa_challenge_expired']);
  });

  it.each([
    ['of another page', createAuthenticator('https://evil.example.net')],
    ['that is not the registered one', createAuthenticator(origin)],
  ])('%s is refused', async (_, stranger) => {
    const { access_token, user } = await signUp();
    const { factor } = await register(access_token, createAuthenticator(origin));
    const weak = await signIn(user.email);
    const { reply } = await use(weak.access_token, factor.id, stranger);
    expect(reply.status).toBe(500);
    expect((await auth.call('GET', '/user', { token: weak.access_token })).status).toBe(200);
    const rows = await auth.database.owner.query<{ aal: string }>(sql`
      select aal::text from auth.sessions where id = ${String(decodeJwt(weak.access_token).session_id)}`);
    expect(rows).toEqual([{ aal: 'aal1' }]);
  });

  it('with a signature of something else is refused', async () => {
    const key = createAuthenticator(origin);
    const { access_token } = await signUp();
    const { factor, reply } = await register(access_token, key);
    const { reply: refused } = await use(reply.json.access_token, factor.id, key, (made) => ({
      ...made,
      response: { ...made.response, signature: Buffer.from('no signature').toString('base64url') },
    }));
    expect(refused.status).toBe(500);
  });

  it('cannot be registered by what answers another user’s challenge', async () => {
    const [ann, bob] = [await signUp(), await signUp()];
    const [hers, his] = [await enroll(ann.access_token), await enroll(bob.access_token)];
    const asked = await challenge(ann.access_token, hers.id);
    const made = createAuthenticator(origin).create(asked.webauthn.credential_options.publicKey);
    const crossed = await answer(bob.access_token, his.id, asked.id, 'create', made);
    expect([crossed.status, crossed.json.error_code]).toEqual([422, 'mfa_factor_not_found']);
    const foreign = await answer(bob.access_token, hers.id, asked.id, 'create', made);
    expect([foreign.status, foreign.json.error_code]).toEqual([404, 'mfa_factor_not_found']);
  });

  it.each([
    ['nothing', undefined, 'WebAuthn config required'],
    ['no type', { credential_response: {} }, 'WebAuthn type must be create or request'],
    ['no credential', { type: 'create' }, 'credential_response required'],
    [
      'no credential that is one',
      { type: 'create', credential_response: { id: 1 } },
      'Invalid credential_response',
    ],
  ])('that answers %s is told so', async (_, webauthn, message) => {
    const { access_token: token } = await signUp();
    const factor = await enroll(token);
    const { id } = await challenge(token, factor.id);
    const { status, json } = await auth.call('POST', `/factors/${factor.id}/verify`, {
      token,
      body: { challenge_id: id, webauthn },
    });
    expect([status, json.error_code, json.msg]).toEqual([400, 'validation_failed', message]);
  });

  it('is removed by a session that it raised, and no other', async () => {
    const key = createAuthenticator(origin);
    const { access_token, user } = await signUp();
    const { factor, reply } = await register(access_token, key);
    const weak = (await signIn(user.email)).access_token;
    const refused = await auth.call('DELETE', `/factors/${factor.id}`, { token: weak });
    expect([refused.status, refused.json.error_code]).toEqual([422, 'insufficient_aal']);
    const { access_token: token, refresh_token } = reply.json;
    expect((await auth.call('DELETE', `/factors/${factor.id}`, { token })).status).toBe(200);
    const after = await auth.call('POST', '/token?grant_type=refresh_token', { body: { refresh_token } });
    expect(decodeJwt(after.json.access_token)).toMatchObject({
      aal: 'aal1',
      amr: [{ method: 'password' }],
    });
  });

  it('leaves other kinds of unverified factors alone when it is registered', async () => {
    const { access_token: token } = await signUp();
    await auth.call('POST', '/factors', { token, body: { factor_type: 'totp', friendly_name: 'app' } });
    await enroll(token, 'forgotten');
    const { reply } = await register(token, createAuthenticator(origin));
    const { json } = await auth.call('GET', '/user', { token: reply.json.access_token });
    expect(json.factors.map((factor: { friendly_name: string }) => factor.friendly_name).sort()).toEqual([
      'app',
      'key',
    ]);
  });

  it('is off unless it is switched on', async () => {
    const { json } = await off.call('POST', '/signup', { body: { email: 'off@example.com', password } });
    const refused = await off.call('POST', '/factors', {
      token: json.access_token,
      body: { factor_type: 'webauthn', friendly_name: 'key' },
    });
    expect([refused.status, refused.json.error_code]).toEqual([422, 'mfa_webauthn_enroll_not_enabled']);
  });
});
