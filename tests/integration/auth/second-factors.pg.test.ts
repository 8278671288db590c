import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { totpCode, totpStep } from '../../../src/auth/mfa/totp.ts';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';

const env = {
  GOTRUE_MFA_TOTP_ENROLL_ENABLED: 'true',
  GOTRUE_MFA_TOTP_VERIFY_ENABLED: 'true',
  GOTRUE_MFA_MAX_ENROLLED_FACTORS: '3',
};
const short = await startAuth({ env });
const counter = await startAuth({ env: { ...env, GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION: '2' } });

describe.each([
  ['short', short],
  ['counter', counter],
] as const)('a second factor, with refresh tokens of the %s form,', (_, auth) => {
  let people = 0;
  const password = 'correct horse';
  const signUp = async () =>
    (await auth.call('POST', '/signup', { body: { email: `mfa${++people}@example.com`, password } })).json;
  const signIn = async (email: string) =>
    (await auth.call('POST', '/token?grant_type=password', { body: { email, password } })).json;
  const enroll = (token: string, friendly_name: string) =>
    auth.call('POST', '/factors', { token, body: { factor_type: 'totp', friendly_name } });
  const challenge = (token: string, factor: string) =>
    auth.call('POST', `/factors/${factor}/challenge`, { token, body: { factorId: factor } });
  const codeOf = (secret: string, steps = 0): string => totpCode(secret, totpStep(auth.clock.now()) + steps);

  /** Enrols and verifies a factor. */
  async function secure(token: string, name = 'phone') {
    const factor = (await enroll(token, name)).json;
    const asked = (await challenge(token, factor.id)).json;
    const body = { challenge_id: asked.id, code: codeOf(factor.totp.secret) };
    const answer = await auth.call('POST', `/factors/${factor.id}/verify`, { token, body });
    // The code is spent; what follows needs the next one.
    auth.clock.advance(31);
    return { factor, answer, session: answer.json };
  }

  it('is announced by a picture, a secret and a URI', async () => {
    const { access_token } = await signUp();
    const { status, json } = await enroll(access_token, 'my phone');
    expect([status, json]).toMatchObject([
      200,
      {
        type: 'totp',
        friendly_name: 'my phone',
        totp: {
          qr_code: expect.stringContaining('<svg'),
          secret: expect.stringMatching(/^[A-Z2-7]{32}$/),
          uri: expect.stringMatching(/^otpauth:\/\/totp\//),
        },
      },
    ]);
  });

  it('raises the session, ends the others and makes the old refresh token useless', async () => {
    const first = await signUp();
    const other = await signIn(first.user.email);
    const { session } = await secure(first.access_token);
    expect(decodeJwt(session.access_token)).toMatchObject({
      aal: 'aal2',
      amr: [{ method: 'totp' }, { method: 'password' }],
    });
    expect(session.user.factors).toMatchObject([{ status: 'verified', factor_type: 'totp' }]);
    expect((await auth.call('GET', '/user', { token: other.access_token })).json.error_code).toBe(
      'session_not_found',
    );
    const old = await auth.call('POST', '/token?grant_type=refresh_token', {
      body: { refresh_token: first.refresh_token },
    });
    expect([old.status, old.json.error_code]).toEqual([400, 'refresh_token_not_found']);
    const fresh = await auth.call('POST', '/token?grant_type=refresh_token', {
      body: { refresh_token: session.refresh_token },
    });
    expect(decodeJwt(fresh.json.access_token).aal).toBe('aal2');
  });

  it('takes the place of those that were begun and never verified', async () => {
    const { access_token: token, user } = await signUp();
    const begun = (await enroll(token, 'begun')).json;
    const { factor } = await secure(token, 'done');
    const { json } = await auth.call('GET', `/admin/users/${user.id}/factors`, { token: auth.serviceKey });
    expect(json.map(({ id }: { id: string }) => id)).toEqual([factor.id]);
    expect(begun.id).not.toBe(factor.id);
  });

  it('of others is not found', async () => {
    const [ann, bob] = [await signUp(), await signUp()];
    const factor = (await enroll(ann.access_token, 'x')).json;
    const answer = await challenge(bob.access_token, factor.id);
    expect([answer.status, answer.json.error_code]).toEqual([404, 'mfa_factor_not_found']);
    const asked = (await challenge(ann.access_token, factor.id)).json;
    const own = (await enroll(bob.access_token, 'y')).json;
    const crossed = await auth.call('POST', `/factors/${own.id}/verify`, {
      token: bob.access_token,
      body: { challenge_id: asked.id, code: codeOf(own.totp.secret) },
    });
    expect(crossed.status).toBe(422);
  });

  it('refuses a wrong code, a code again, and a challenge that is too old', async () => {
    const { access_token: token, user } = await signUp();
    const { factor, session } = await secure(token);
    const verify = async (code: string, late = 0) => {
      const asked = (await challenge(session.access_token, factor.id)).json;
      auth.clock.advance(late);
      return auth.call('POST', `/factors/${factor.id}/verify`, {
        token: session.access_token,
        body: { challenge_id: asked.id, code },
      });
    };
    expect((await verify('000000')).json).toMatchObject({
      error_code: 'mfa_verification_failed',
      msg: 'Invalid TOTP code entered',
    });
    const code = codeOf(factor.totp.secret);
    const asked = (await challenge(session.access_token, factor.id)).json;
    const answer = () =>
      auth.call('POST', `/factors/${factor.id}/verify`, {
        token: session.access_token,
        body: { challenge_id: asked.id, code },
      });
    expect((await answer()).status).toBe(200);
    auth.clock.advance(31);
    const twice = await answer();
    expect([twice.status, twice.json.error_code]).toEqual([422, 'mfa_ip_address_mismatch']);
    expect((await verify(code)).json.error_code).toBe('mfa_verification_failed');
    expect((await verify(codeOf(factor.totp.secret, 11), 301)).json.error_code).toBe('mfa_challenge_expired');
    const [row] = await auth.database.owner.query<{ count: number }>(sql`
      select count(*)::int from auth.mfa_factors where user_id = ${user.id}`);
    expect(row?.count).toBe(1);
  });

  it('may be challenged several times at once', async () => {
    const { access_token: token } = await signUp();
    const factor = (await enroll(token, 'phone')).json;
    const asked = await Promise.all(Array.from({ length: 12 }, () => challenge(token, factor.id)));
    expect(asked.map(({ status }) => status)).toEqual(new Array(12).fill(200));
  });

  it('is challenged from one address and answered from the same', async () => {
    const { access_token: token } = await signUp();
    const factor = (await enroll(token, 'phone')).json;
    const asked = (await challenge(token, factor.id)).json;
    await auth.database.owner.query(sql`
      update auth.mfa_challenges set ip_address = '192.0.2.7' where id = ${asked.id}`);
    const elsewhere = await auth.call('POST', `/factors/${factor.id}/verify`, {
      token,
      body: { challenge_id: asked.id, code: codeOf(factor.totp.secret) },
    });
    expect([elsewhere.status, elsewhere.json.error_code]).toEqual([422, 'mfa_ip_address_mismatch']);
  });

  it('cannot be tried out: after ten wrong codes the right one is refused for some minutes', async () => {
    const { access_token: token } = await signUp();
    const { factor, session } = await secure(token);
    const answer = async (code: string) => {
      const asked = (await challenge(session.access_token, factor.id)).json;
      const body = { challenge_id: asked.id, code };
      return auth.call('POST', `/factors/${factor.id}/verify`, { token: session.access_token, body });
    };
    for (let i = 0; i < 10; i++) {
      const { status } = await answer(codeOf(factor.totp.secret, 50 + i));
      expect(status).toBe(422);
    }
    const right = await answer(codeOf(factor.totp.secret));
    expect([right.status, right.json.error_code]).toEqual([422, 'mfa_verification_failed']);
    auth.clock.advance(301);
    expect((await answer(codeOf(factor.totp.secret))).status).toBe(200);
  });

  it('guards its removal, the password and further factors with itself', async () => {
    const { access_token, user } = await signUp();
    const { factor, session } = await secure(access_token);
    const weak = (await signIn(user.email)).access_token;
    const removal = await auth.call('DELETE', `/factors/${factor.id}`, { token: weak });
    expect([removal.status, removal.json.error_code]).toEqual([422, 'insufficient_aal']);
    const change = await auth.call('PUT', '/user', { token: weak, body: { password: 'another horse' } });
    expect([change.status, change.json.error_code]).toEqual([401, 'insufficient_aal']);
    expect((await enroll(weak, 'second')).json.error_code).toBe('insufficient_aal');
    const strong = session.access_token;
    expect((await auth.call('DELETE', `/factors/${factor.id}`, { token: strong })).json).toEqual({
      id: factor.id,
    });
    const after = await auth.call('POST', '/token?grant_type=refresh_token', {
      body: { refresh_token: session.refresh_token },
    });
    expect(decodeJwt(after.json.access_token).aal).toBe('aal1');
  });

  it('has a name of its own, and there is a most', async () => {
    const { access_token: token } = await signUp();
    const { session } = await secure(token, 'one');
    expect((await enroll(session.access_token, 'one')).json.error_code).toBe('mfa_factor_name_conflict');
    expect((await enroll(session.access_token, 'two')).status).toBe(200);
    expect((await enroll(session.access_token, 'three')).status).toBe(200);
    const fourth = await enroll(session.access_token, 'four');
    expect([fourth.status, fourth.json.error_code]).toEqual([422, 'too_many_enrolled_mfa_factors']);
  });

  it('is removed by an admin', async () => {
    const { access_token, user } = await signUp();
    const { factor } = await secure(access_token);
    const token = auth.serviceKey;
    const path = `/admin/users/${user.id}/factors`;
    expect((await auth.call('GET', path, { token })).json).toMatchObject([{ id: factor.id }]);
    expect((await auth.call('DELETE', `${path}/${factor.id}`, { token })).status).toBe(200);
    expect((await auth.call('GET', path, { token })).json).toEqual([]);
  });
});

it('passkeys are off unless they are switched on', async () => {
  const answer = await short.call('POST', '/passkeys/authentication/options', { body: {} });
  expect([answer.status, answer.json.error_code]).toEqual([404, 'passkey_disabled']);
});
