import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';
import { type Authenticator, createAuthenticator } from '../../support/authenticator.ts';

const origin = 'https://app.example.com';
const auth = await startAuth({
  env: {
    GOTRUE_PASSKEY_ENABLED: 'true',
    GOTRUE_PASSKEY_MAX_PASSKEYS_PER_USER: '2',
    GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED: 'true',
    GOTRUE_WEBAUTHN_RP_ID: 'example.com',
    GOTRUE_WEBAUTHN_RP_DISPLAY_NAME: 'Example',
    GOTRUE_WEBAUTHN_RP_ORIGINS: origin,
    GOTRUE_MFA_TOTP_ENROLL_ENABLED: 'true',
    GOTRUE_MFA_TOTP_VERIFY_ENABLED: 'true',
  },
});

const password = 'correct horse';
let people = 0;
const signUp = async () =>
  (await auth.call('POST', '/signup', { body: { email: `pass${++people}@example.com`, password } })).json;
const offer = (token: string) => auth.call('POST', '/passkeys/registration/options', { token, body: {} });
const keep = (token: string, challenge_id: string, credential: unknown) =>
  auth.call('POST', '/passkeys/registration/verify', { token, body: { challenge_id, credential } });
const ask = async () => (await auth.call('POST', '/passkeys/authentication/options', { body: {} })).json;
const enter = (challenge_id: string, credential: unknown) =>
  auth.call('POST', '/passkeys/authentication/verify', { body: { challenge_id, credential } });

async function register(token: string, key: Authenticator) {
  const offered = (await offer(token)).json;
  return keep(token, offered.challenge_id, key.create(offered.options));
}

async function signInWith(key: Authenticator) {
  const asked = await ask();
  return enter(asked.challenge_id, key.get(asked.options));
}

/** Somebody with a passkey. */
async function owner() {
  const key = createAuthenticator(origin);
  const session = await signUp();
  const passkey = (await register(session.access_token, key)).json;
  return { key, session, passkey, token: session.access_token as string, user: session.user };
}

describe('a passkey', () => {
  it('is registered and named', async () => {
    const { access_token: token, user } = await signUp();
    const offered = await offer(token);
    expect(offered.json).toMatchObject({
      challenge_id: expect.any(String),
      options: {
        rp: { id: 'example.com', name: 'Example' },
        user: { id: Buffer.from(user.id).toString('base64url'), name: user.email },
        authenticatorSelection: { residentKey: 'required' },
      },
    });
    const kept = await keep(
      token,
      offered.json.challenge_id,
      createAuthenticator(origin).create(offered.json.options),
    );
    expect([kept.status, kept.json]).toEqual([
      200,
      { id: expect.any(String), friendly_name: 'Passkey', created_at: expect.any(String) },
    ]);
    const path = `/passkeys/${kept.json.id}`;
    const renamed = await auth.call('PATCH', path, { token, body: { friendly_name: 'Laptop' } });
    expect([renamed.status, renamed.json.friendly_name]).toEqual([200, 'Laptop']);
    expect((await auth.call('GET', '/passkeys', { token })).json).toMatchObject([
      { id: kept.json.id, friendly_name: 'Laptop' },
    ]);
  });

  it('signs its owner in, without a second factor', async () => {
    const { key, user, token } = await owner();
    const { status, json, headers } = await signInWith(key);
    expect([status, json.user.id]).toEqual([200, user.id]);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(decodeJwt(json.access_token)).toMatchObject({
      sub: user.id,
      aal: 'aal1',
      amr: [{ method: 'passkey' }],
    });
    const [used] = (await auth.call('GET', '/passkeys', { token })).json;
    expect(used.last_used_at).toEqual(expect.any(String));
  });

  it('answers a challenge once', async () => {
    const { key } = await owner();
    const asked = await ask();
    const credential = key.get(asked.options);
    expect((await enter(asked.challenge_id, credential)).status).toBe(200);
    const again = await enter(asked.challenge_id, credential);
    expect([again.status, again.json.error_code]).toEqual([400, 'webauthn_challenge_not_found']);
    const replayed = await enter((await ask()).challenge_id, credential);
    expect([replayed.status, replayed.json.error_code]).toEqual([400, 'webauthn_verification_failed']);
  });

  it('answers before its challenge ends', async () => {
    const { key } = await owner();
    const asked = await ask();
    auth.clock.advance(asked.expires_at - auth.clock.now() / 1000 + 1);
    const late = await enter(asked.challenge_id, key.get(asked.options));
    expect([late.status, late.json.error_code]).toEqual([400, 'webauthn_challenge_expired']);
  });

  it('cannot sign in by a challenge that was made for a registration, nor the other way round', async () => {
    const { key, token } = await owner();
    const offered = (await offer(token)).json;
    const crossed = await enter(offered.challenge_id, key.get({ ...offered.options, rpId: 'example.com' }));
    expect(crossed.json.error_code).toBe('webauthn_challenge_not_found');
    const asked = await ask();
    const made = createAuthenticator(origin).create({
      ...offered.options,
      challenge: asked.options.challenge,
    });
    expect((await keep(token, asked.challenge_id, made)).json.error_code).toBe(
      'webauthn_challenge_not_found',
    );
  });

  it('cannot be registered by a challenge of somebody else', async () => {
    const [ann, bob] = [await signUp(), await signUp()];
    const offered = (await offer(ann.access_token)).json;
    const made = createAuthenticator(origin).create(offered.options);
    const crossed = await keep(bob.access_token, offered.challenge_id, made);
    expect([crossed.status, crossed.json.error_code]).toEqual([400, 'webauthn_challenge_not_found']);
  });

  it.each([
    ['from another page', () => createAuthenticator('https://evil.example.net')],
    ['that nobody registered', () => createAuthenticator(origin)],
  ])('%s is refused', async (_, make) => {
    const { token } = await owner();
    const stranger = make();
    const offered = (await offer(token)).json;
    stranger.create(offered.options);
    const { status, json } = await signInWith(stranger);
    expect([status, json.error_code, json.msg]).toEqual([
      400,
      'webauthn_verification_failed',
      'Credential verification failed',
    ]);
  });

  it('does not sign in who it is not of, whatever the key says', async () => {
    const { key } = await owner();
    const victim = await owner();
    const asked = await ask();
    const made = key.get(asked.options);
    const handle = Buffer.from(victim.user.id).toString('base64url');
    const { json } = await enter(asked.challenge_id, {
      ...made,
      response: { ...made.response, userHandle: handle },
    });
    expect(json.error_code).toBe('webauthn_verification_failed');
  });

  it('does not sign in somebody who is banned', async () => {
    const { key, user } = await owner();
    await auth.call('PUT', `/admin/users/${user.id}`, {
      token: auth.serviceKey,
      body: { ban_duration: '24h' },
    });
    const { status, json } = await signInWith(key);
    expect([status, json.error_code]).toEqual([403, 'user_banned']);
  });

  it('is registered once, and there is a most', async () => {
    const { key, token } = await owner();
    const offered = (await offer(token)).json;
    expect(offered.options.excludeCredentials).toHaveLength(1);
    const twice = await keep(token, offered.challenge_id, key.create(offered.options));
    expect([twice.status, twice.json.error_code]).toEqual([422, 'webauthn_credential_exists']);
    expect((await register(token, createAuthenticator(origin))).status).toBe(200);
    const third = await offer(token);
    expect([third.status, third.json.error_code]).toEqual([422, 'too_many_passkeys']);
  });

  it('is removed by its owner or an admin, and by nobody else', async () => {
    const { key, token, passkey, user } = await owner();
    const stranger = (await signUp()).access_token;
    const path = `/passkeys/${passkey.id}`;
    expect((await auth.call('DELETE', path, { token: stranger })).status).toBe(404);
    const rename = { token: stranger, body: { friendly_name: 'mine' } };
    expect((await auth.call('PATCH', path, rename)).status).toBe(404);
    const admin = `/admin/users/${user.id}/passkeys`;
    const list = await auth.call('GET', admin, { token: auth.serviceKey });
    expect(list.json).toMatchObject([{ id: passkey.id }]);
    expect((await auth.call('DELETE', `${admin}/${passkey.id}`, { token: auth.serviceKey })).status).toBe(
      204,
    );
    expect((await auth.call('DELETE', path, { token })).status).toBe(404);
    expect((await signInWith(key)).json.error_code).toBe('webauthn_verification_failed');
  });

  it('leaves a trace in the audit log', async () => {
    const { key, token, passkey, user } = await owner();
    await signInWith(key);
    await auth.call('DELETE', `/passkeys/${passkey.id}`, { token });
    const rows = await auth.database.owner.query<{ action: string }>(sql`
      select payload ->> 'action' as action from auth.audit_log_entries
      where payload ->> 'actor_id' = ${user.id} and payload -> 'traits' ->> 'passkey_id' = ${passkey.id}
      order by created_at`);
    expect(rows.map(({ action }) => action)).toEqual(['passkey_created', 'login', 'passkey_deleted']);
  });

  it.each([
    ['', 400, 'friendly_name is required'],
    ['é'.repeat(61), 400, 'friendly_name must be 120 characters or less'],
  ])('is not renamed to %j', async (friendly_name, status, message) => {
    const { token, passkey } = await owner();
    const refused = await auth.call('PATCH', `/passkeys/${passkey.id}`, { token, body: { friendly_name } });
    expect([refused.status, refused.json.msg]).toEqual([status, message]);
  });

  it.each([
    ['no challenge', {}, 'challenge_id is required'],
    ['no credential', { challenge_id: 'x' }, 'credential is required'],
    [
      'a challenge that is no UUID',
      { challenge_id: 'x', credential: {} },
      'challenge_id must be a valid UUID',
    ],
  ])('is not signed in with by %s', async (_, body, message) => {
    const { status, json } = await auth.call('POST', '/passkeys/authentication/verify', { body });
    expect([status, json.error_code, json.msg]).toEqual([400, 'validation_failed', message]);
  });

  it('is not for anonymous users', async () => {
    const { json } = await auth.call('POST', '/signup', { body: {} });
    const refused = await offer(json.access_token);
    expect([refused.status, refused.json.error_code]).toEqual([403, 'no_authorization']);
  });

  it('is managed by a session of two factors where the user has two', async () => {
    const { token, user, passkey } = await owner();
    await auth.database.owner.query(sql`
      insert into auth.mfa_factors (id, user_id, friendly_name, factor_type, status, created_at, updated_at)
      values (gen_random_uuid(), ${user.id}, 'app', 'totp', 'verified', now(), now())`);
    const adding = await offer(token);
    expect([adding.status, adding.json.error_code]).toEqual([403, 'insufficient_aal']);
    const removal = await auth.call('DELETE', `/passkeys/${passkey.id}`, { token });
    expect([removal.status, removal.json.error_code]).toEqual([403, 'insufficient_aal']);
  });
});
