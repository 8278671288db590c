import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { totpCode, totpStep } from '../../../src/auth/mfa/totp.ts';
import { samlCertificate } from '../../../src/auth/sso/certificate.ts';
import { sql } from '../../../src/pg/sql/sql.ts';
import { type AuthInstance, startAuth } from '../../support/auth.ts';
import { createAuthenticator } from '../../support/authenticator.ts';
import { comeFromGitHub, createGitHub, gitHubEnv, goToGitHub } from '../../support/github.ts';
import { createIdentityProvider } from '../../support/identity-provider.ts';
import { pkceChallenge } from '../../support/pkce.ts';
import { ethereumWallet, solanaWallet, walletMessage } from '../../support/wallets.ts';

/*
 * What the settings of ways to sign in do, by upstream's names, each set to something that no default says.
 */
const gitHub = createGitHub();
const issuer = 'https://idp.example.org';
const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256' };
const samlKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const origin = 'https://app.example.com';
const answers: typeof fetch = (input, init) => {
  const url = String(input);
  if (url.startsWith('https://github.test') || url.startsWith('https://api.github'))
    return gitHub.fetch(input, init);
  const isDiscovery = url.endsWith('/.well-known/openid-configuration');
  return Promise.resolve(
    Response.json(isDiscovery ? { issuer, jwks_uri: `${issuer}/jwks` } : { keys: [jwk] }),
  );
};
const auth = await startAuth({
  env: {
    ...gitHubEnv,
    GOTRUE_SITE_URL: origin,
    GOTRUE_EXTERNAL_FLOW_STATE_EXPIRY_DURATION: '20m',
    GOTRUE_EXTERNAL_REDIRECT_URL: 'https://elsewhere.example.com/landing',
    GOTRUE_EXTERNAL_ALLOWED_ID_TOKEN_ISSUERS: issuer,
    GOTRUE_CUSTOM_OAUTH_EXTERNAL_URL: 'https://login.example.com/auth/v1',
    GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED: 'true',
    GOTRUE_EXTERNAL_WEB3_ETHEREUM_ENABLED: 'true',
    GOTRUE_EXTERNAL_WEB3_SOLANA_MAXIMUM_VALIDITY_DURATION: '1m',
    GOTRUE_EXTERNAL_WEB3_ETHEREUM_MAXIMUM_VALIDITY_DURATION: '1h',
    GOTRUE_OAUTH_SERVER_ENABLED: 'true',
    GOTRUE_OAUTH_SERVER_AUTHORIZATION_TTL: '30s',
    GOTRUE_OAUTH_SERVER_DEFAULT_SCOPE: 'profile',
    GOTRUE_SAML_ENABLED: 'true',
    GOTRUE_SAML_PRIVATE_KEY: samlKey.export({ type: 'pkcs1', format: 'der' }).toString('base64'),
    GOTRUE_SAML_RELAY_STATE_VALIDITY_PERIOD: '30s',
    GOTRUE_MFA_TOTP_ENROLL_ENABLED: 'true',
    GOTRUE_MFA_TOTP_VERIFY_ENABLED: 'true',
    GOTRUE_MFA_MAX_VERIFIED_FACTORS: '1',
    GOTRUE_MFA_CHALLENGE_EXPIRY_DURATION: '600',
    GOTRUE_MFA_FACTOR_EXPIRY_DURATION: '15m',
    GOTRUE_PASSKEY_ENABLED: 'true',
    GOTRUE_WEBAUTHN_RP_ID: 'app.example.com',
    GOTRUE_WEBAUTHN_RP_DISPLAY_NAME: 'App',
    GOTRUE_WEBAUTHN_RP_ORIGINS: origin,
    GOTRUE_WEBAUTHN_CHALLENGE_EXPIRY_DURATION: '20s',
    GOTRUE_PASSWORD_REQUIRED_CHARACTERS: 'abc:0123\\:',
  },
  fetch: answers,
});
const never: typeof fetch = (_, init) =>
  new Promise((_, reject) => {
    init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
  });
const impatient = await startAuth({
  env: {
    ...gitHubEnv,
    GOTRUE_INTERNAL_HTTP_TIMEOUT: '50ms',
    GOTRUE_EXTERNAL_PHONE_ENABLED: 'true',
    GOTRUE_SMS_AUTOCONFIRM: 'false',
    GOTRUE_SMS_PROVIDER: 'textlocal',
    GOTRUE_SMS_TEXTLOCAL_API_KEY: 'key',
    GOTRUE_SMS_TEXTLOCAL_SENDER: 'sender',
  },
  fetch: never,
});
const [oldKey, newKey] = [1, 2].map((byte) => Buffer.alloc(32, byte).toString('base64url'));
const encryption = (id: string, key: string | undefined) => ({
  GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION: '2',
  GOTRUE_MFA_TOTP_ENROLL_ENABLED: 'true',
  GOTRUE_MFA_TOTP_VERIFY_ENABLED: 'true',
  GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPT: 'true',
  GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY_ID: id,
  GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY: key ?? '',
  GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS: `old:${oldKey},new:${newKey}`,
});
const before = await startAuth({ env: encryption('old', oldKey) });
const after = await startAuth({ env: encryption('new', newKey) });

const password = 'correct horse 1a:';
let people = 0;
async function signUp(instance: AuthInstance = auth) {
  const body = { email: `sign${++people}@example.com`, password };
  return (await instance.call('POST', '/signup', { body })).json;
}
const as = (token: string) => (method: string, path: string, body?: object) =>
  auth.call(method, path, { token, ...(body === undefined ? {} : { body }) });

describe('settings of providers', () => {
  it('say where sign-ins end, and how long they may take', async () => {
    gitHub.users.set('slow', { id: 1, email: 'slow@example.com', verified: true });
    const { state } = await goToGitHub(auth);
    auth.clock.advance(1100);
    const url = await comeFromGitHub(auth, state, 'slow');
    expect([url.origin + url.pathname, url.hash]).toEqual([
      'https://elsewhere.example.com/landing',
      expect.stringContaining('access_token='),
    ]);
    const late = (await goToGitHub(auth)).state;
    auth.clock.advance(1300);
    expect((await comeFromGitHub(auth, late, 'slow')).searchParams.get('error_code')).toBe('bad_oauth_state');
  });

  it('say whose ID tokens are taken without a provider of their own', async () => {
    const enter = async (iss: string) => {
      const id_token = await new SignJWT({ sub: 'u1', email: 'id@example.com', email_verified: true })
        .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
        .setIssuer(iss)
        .setAudience('app')
        .setIssuedAt(Math.floor(auth.clock.now() / 1000))
        .setExpirationTime(Math.floor(auth.clock.now() / 1000) + 60)
        .sign(privateKey);
      const body = { issuer: iss, client_id: 'app', id_token };
      return (await auth.call('POST', '/token?grant_type=id_token', { body })).json;
    };
    expect((await enter(issuer)).user?.email).toBe('id@example.com');
    expect((await enter('https://other.example.org')).error_code).toBe('validation_failed');
  });

  it('say by which URL custom providers send users back', async () => {
    const body = {
      provider_type: 'oauth2',
      identifier: 'custom:shop',
      name: 'Shop',
      client_id: 'client',
      client_secret: 'secret',
      authorization_url: 'https://203.0.113.8/authorize',
      token_url: 'https://203.0.113.8/token',
      userinfo_url: 'https://203.0.113.8/me',
    };
    const made = await auth.call('POST', '/admin/custom-providers', { token: auth.serviceKey, body });
    expect(made.status).toBe(201);
    const { headers } = await auth.call('GET', '/authorize?provider=custom:shop');
    expect(new URL(headers.get('location') ?? '').searchParams.get('redirect_uri')).toBe(
      'https://login.example.com/auth/v1/callback',
    );
  });

  it.each([
    ['Solana', solanaWallet, 50, 70],
    ['Ethereum', ethereumWallet, 3500, 3700],
  ] as const)('say how old the message of a wallet of %s may be', async (name, make, good, old) => {
    const enter = async (age: number) => {
      const wallet = make();
      const message = walletMessage(wallet, { issuedAt: auth.clock.now() - age * 1000 });
      const body = { chain: wallet.chain, message, signature: wallet.sign(message) };
      return (await auth.call('POST', '/token?grant_type=web3', { body })).json;
    };
    expect((await enter(good)).user?.app_metadata.provider).toBe('web3');
    expect((await enter(old)).error_description).toBe(`${name} message was issued too long ago`);
  });

  it('say how long providers, and senders of messages, are waited for', async () => {
    const begun = Date.now();
    const url = await comeFromGitHub(impatient, (await goToGitHub(impatient)).state, 'code');
    expect(url.searchParams.get('error_description')).toContain('Unable to exchange external code');
    const { json } = await impatient.call('POST', '/otp', { body: { phone: '15551230000' } });
    expect(json.error_code).toBe('sms_send_failed');
    expect(Date.now() - begun).toBeLessThan(5000);
  });
});

describe('settings of second factors and passkeys', () => {
  const enroll = async (token: string, friendly_name: string) =>
    (await as(token)('POST', '/factors', { factor_type: 'totp', friendly_name })).json;
  const challenge = async (token: string, id: string) =>
    (await as(token)('POST', `/factors/${id}/challenge`, {})).json;
  const answer = (token: string, factor: { id: string; totp: { secret: string } }, challenge_id: string) =>
    as(token)('POST', `/factors/${factor.id}/verify`, {
      challenge_id,
      code: totpCode(factor.totp.secret, totpStep(auth.clock.now())),
    });

  it('say how long a challenge may be answered, and how many factors may be in use', async () => {
    const { access_token: token } = await signUp();
    const factor = await enroll(token, 'one');
    const tooLate = await challenge(token, factor.id);
    auth.clock.advance(610);
    expect((await answer(token, factor, tooLate.id)).json.error_code).toBe('mfa_challenge_expired');
    const asked = await challenge(token, factor.id);
    auth.clock.advance(590);
    const raised = (await answer(token, factor, asked.id)).json;
    expect(decodeJwt(raised.access_token).aal).toBe('aal2');
    expect((await enroll(raised.access_token, 'two')).error_code).toBe('too_many_enrolled_mfa_factors');
  });

  it('say how long a factor that nobody verified is kept', async () => {
    const { access_token: token } = await signUp();
    const first = await enroll(token, 'first');
    const kept = async () =>
      ((await as(token)('GET', '/user')).json.factors ?? []).map(({ id }: { id: string }) => id);
    auth.clock.advance(800);
    const second = await enroll(token, 'second');
    expect(await kept()).toEqual([first.id, second.id]);
    auth.clock.advance(200);
    const third = await enroll(token, 'third');
    expect(await kept()).toEqual([second.id, third.id]);
  });

  it('say how long a passkey may take to answer', async () => {
    const { access_token: token } = await signUp();
    const register = async (seconds: number) => {
      const offered = (await as(token)('POST', '/passkeys/registration/options', {})).json;
      auth.clock.advance(seconds);
      const credential = createAuthenticator(origin).create(offered.options);
      const body = { challenge_id: offered.challenge_id, credential };
      return (await as(token)('POST', '/passkeys/registration/verify', body)).json;
    };
    expect((await register(15)).id).toEqual(expect.any(String));
    expect((await register(25)).error_code).toBe('webauthn_challenge_expired');
  });
});

describe('settings of an OAuth server', () => {
  async function ask(more: Record<string, string> = {}) {
    const redirect_uri = 'https://client.example.com/callback';
    const { json: client } = await auth.call('POST', '/admin/oauth/clients', {
      token: auth.serviceKey,
      body: { redirect_uris: [redirect_uri], client_name: 'A client' },
    });
    const query = new URLSearchParams({
      client_id: client.client_id,
      redirect_uri,
      response_type: 'code',
      code_challenge: pkceChallenge(),
      code_challenge_method: 'S256',
      ...more,
    });
    const { headers } = await auth.call('GET', `/oauth/authorize?${query}`);
    const id = new URL(headers.get('location') ?? '').searchParams.get('authorization_id') ?? '';
    return { id, client };
  }

  it('say what a client that asks for no scope may do', async () => {
    const { access_token: token } = await signUp();
    const { id } = await ask();
    expect((await as(token)('GET', `/oauth/authorizations/${id}`)).json.scope).toBe('profile');
  });

  it('say how long a request may be answered', async () => {
    const { access_token: token } = await signUp();
    const { id } = await ask();
    auth.clock.advance(31);
    const { status } = await as(token)('POST', `/oauth/authorizations/${id}/consent`, { action: 'approve' });
    expect(status).toBe(404);
  });
});

it('a sign-in at an identity provider may take as long as the settings say', async () => {
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const idp = createIdentityProvider('https://idp.test/saml', {
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: samlCertificate(key, 'idp.test', false).toString('base64'),
  });
  const body = { type: 'saml', metadata_xml: idp.metadata, domains: ['corp.test'] };
  await auth.call('POST', '/admin/sso/providers', { token: auth.serviceKey, body });
  const { json } = await auth.call('POST', '/sso', {
    body: { domain: 'corp.test', skip_http_redirect: true },
  });
  const RelayState = new URL(json.url).searchParams.get('RelayState') ?? '';
  auth.clock.advance(31);
  const { headers } = await auth.call('POST', '/sso/saml/acs', {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ SAMLResponse: 'PHg+', RelayState }).toString(),
  });
  expect(new URL(headers.get('location') ?? '').searchParams.get('error_code')).toBe(
    'saml_relay_state_expired',
  );
});

it('sets of characters are told apart by colons, unless a backslash stands before one', async () => {
  const reasons = async (secret: string) =>
    (await auth.call('POST', '/signup', { body: { email: `set${++people}@example.com`, password: secret } }))
      .json.weak_password?.reasons;
  expect([await reasons('zzzzzz1'), await reasons('zzzzzza'), await reasons('zzzza:')]).toEqual([
    ['characters'],
    ['characters'],
    undefined,
  ]);
});

describe('a value that was encrypted with a former key', () => {
  const keyOf = async (column: string, table: string, id: string) => {
    const [row] = await after.database.owner.query<{ value: string }>(
      sql`select ${sql.ident(column)} as value from ${sql.ident('auth', table)} where id = ${id}::uuid`,
    );
    return JSON.parse(row?.value ?? '').key_id;
  };
  /** Brings rows of the instance with the former key to the one with the new key. */
  const move = async (table: string, condition: string) => {
    const client = after.database.owner;
    const rows = await before.database.owner.query<{ row: unknown }>(
      sql`select to_jsonb(t) - 'confirmed_at' as row from ${sql.ident('auth', table)} t where user_id::text = ${condition}`,
    );
    for (const { row } of rows) {
      await client.query(sql`
        insert into ${sql.ident('auth', table)}
        select * from jsonb_populate_record(null::${sql.ident('auth', table)}, ${sql.value(row)}::jsonb)`);
    }
  };

  it('is read, and written with the new one when it is used', async () => {
    const { user, access_token: token, refresh_token } = await signUp(before);
    const factor = (
      await before.call('POST', '/factors', { token, body: { factor_type: 'totp', friendly_name: 'app' } })
    ).json;
    const [{ hash } = { hash: '' }] = await before.database.owner.query<{ hash: string }>(
      sql`select encrypted_password as hash from auth.users where id = ${user.id}::uuid`,
    );
    expect(JSON.parse(hash).key_id).toBe('old');
    const body = { id: user.id, email: user.email, email_confirm: true };
    await after.call('POST', '/admin/users', { token: after.serviceKey, body });
    await after.database.owner.query(
      sql`update auth.users set encrypted_password = ${hash} where id = ${user.id}::uuid`,
    );
    for (const table of ['sessions', 'mfa_factors']) await move(table, user.id);

    const entered = await after.call('POST', '/token?grant_type=password', {
      body: { email: user.email, password },
    });
    expect(entered.status).toBe(200);
    expect(await keyOf('encrypted_password', 'users', user.id)).toBe('new');

    const refreshed = await after.call('POST', '/token?grant_type=refresh_token', {
      body: { refresh_token },
    });
    const bearer = refreshed.json.access_token;
    const session = String(decodeJwt(bearer).session_id);
    expect(await keyOf('refresh_token_hmac_key', 'sessions', session)).toBe('new');

    const asked = (await after.call('POST', `/factors/${factor.id}/challenge`, { token: bearer, body: {} }))
      .json;
    const code = totpCode(factor.totp.secret, totpStep(after.clock.now()));
    const verified = await after.call('POST', `/factors/${factor.id}/verify`, {
      token: bearer,
      body: { challenge_id: asked.id, code },
    });
    expect(verified.status).toBe(200);
    expect(await keyOf('secret', 'mfa_factors', factor.id)).toBe('new');
  });
});

it('the code of a message has as many digits as the settings say', async () => {
  const sent: string[] = [];
  const texting = await startAuth({
    env: {
      GOTRUE_EXTERNAL_PHONE_ENABLED: 'true',
      GOTRUE_SMS_OTP_LENGTH: '9',
      GOTRUE_SMS_PROVIDER: 'textlocal',
      GOTRUE_SMS_TEXTLOCAL_API_KEY: 'key',
      GOTRUE_SMS_TEXTLOCAL_SENDER: 'sender',
      GOTRUE_SMS_AUTOCONFIRM: 'false',
    },
    fetch: (_, init) => {
      sent.push(new URLSearchParams(String(init?.body)).get('message') ?? '');
      return Promise.resolve(Response.json({ status: 'success', messages: [{ id: '1' }] }));
    },
  });
  await texting.call('POST', '/otp', { body: { phone: '15551230001' } });
  expect(sent).toEqual([expect.stringMatching(/^Your code is \d{9}$/)]);
});
