import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Observation } from '../../../src/core/observe.ts';
import { secretKey } from '../../../src/identity/key-set.ts';
import { secretSigningKey, signToken } from '../../../src/identity/sign.ts';
import { createThirdPartyKeys, joinKeys, thirdPartyIssuer } from '../../../src/identity/third-party.ts';
import { createTokenVerifier, fixedKeys } from '../../../src/identity/verify.ts';
import { createAuthenticator } from '../../../src/rest/jwt/authenticate.ts';
import { defaultRoleClaimPath } from '../../../src/rest/jwt/js-path.ts';

/*
 * An issuer on the loopback interface, which publishes whatever keys a test wants.
 */
const published: { keys: JWK[]; status: number; fetches: number } = { keys: [], status: 200, fetches: 0 };
const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  response.statusCode = published.status;
  if (request.url === '/.well-known/openid-configuration') {
    response.end(JSON.stringify({ issuer: `${issuer.url}/`, jwks_uri: `${issuer.url}/jwks` }));
    return;
  }
  published.fetches += 1;
  response.end(JSON.stringify({ keys: published.keys }));
});
await new Promise<void>((resolve) => {
  server.listen(0, '127.0.0.1', resolve);
});
const { port } = server.address() as AddressInfo;
const issuer = { name: 'workos', url: `http://127.0.0.1:${port}` };
afterAll(() => {
  server.close();
});

const secret = 'a-secret-that-is-long-enough-for-hs256';
let nowMs = Date.now();
const clock = { now: () => nowMs };

type Signer = { readonly jwk: JWK; readonly sign: (claims: object) => Promise<string> };

async function signer(kid: string): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  return {
    jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' },
    sign: (claims) =>
      new SignJWT({ iss: `${issuer.url}/`, role: 'authenticated', sub: 'user_1', ...claims })
        .setProtectedHeader({ alg: 'RS256', kid })
        .setExpirationTime('1h')
        .sign(privateKey),
  };
}
const [first, second] = [await signer('first'), await signer('second')];

function open() {
  const observed: Observation[] = [];
  const keys = createThirdPartyKeys(issuer, { fetch, clock, observer: (seen) => observed.push(seen) });
  const source = joinKeys(fixedKeys([secretKey(secret)]), keys.source);
  const verifier = createTokenVerifier({
    source,
    clock,
    leewaySeconds: 0,
    checkIssuedAt: false,
    cacheSize: 10,
  });
  return { keys, source, verifier, observed };
}

beforeEach(() => {
  published.keys = [first.jwk];
  published.status = 200;
  published.fetches = 0;
});

describe('a token of an issuer outside', () => {
  it('is accepted by the keys that the issuer publishes', async () => {
    const { verifier } = open();
    const result = await verifier.verify(await first.sign({}));
    expect(result).toMatchObject({ ok: true, value: { claims: { role: 'authenticated', sub: 'user_1' } } });
  });

  it('is accepted beside our own', async () => {
    const { verifier } = open();
    const own = await signToken({ role: 'anon' }, secretSigningKey(secret));
    expect(await verifier.verify(own)).toMatchObject({ ok: true, value: { claims: { role: 'anon' } } });
    expect(published.fetches).toBe(0);
  });

  it('of another issuer is refused, whoever signed it', async () => {
    const { verifier } = open();
    await verifier.verify(await first.sign({}));
    for (const iss of ['https://other.example.com', `${issuer.url}.evil.com`, undefined, 7]) {
      const token = await new SignJWT({
        role: 'authenticated',
        ...(iss === undefined ? {} : { iss }),
      } as object as Record<string, string>)
        .setProtectedHeader({ alg: 'HS256' })
        .sign(new TextEncoder().encode('x'.repeat(32)));
      expect((await verifier.verify(token)).ok).toBe(false);
      const signed = await first.sign({ iss });
      expect(await verifier.verify(signed)).toEqual({ ok: false, error: { kind: 'bad-signature' } });
    }
  });

  it('of a key that is no longer published is refused, and of a new one accepted', async () => {
    const { verifier } = open();
    const old = await first.sign({});
    expect((await verifier.verify(old)).ok).toBe(true);
    published.keys = [second.jwk];
    nowMs += 31_000;
    expect((await verifier.verify(await second.sign({}))).ok).toBe(true);
    expect((await verifier.verify(old)).ok).toBe(false);
  });

  it('does not make the keys be fetched again and again', async () => {
    const { verifier } = open();
    const stranger = await signer('stranger');
    for (let n = 0; n < 5; n++) await verifier.verify(await stranger.sign({ n }));
    expect(published.fetches).toBe(1);
    nowMs += 31_000;
    await Promise.all([1, 2, 3].map(async (n) => verifier.verify(await stranger.sign({ n }))));
    expect(published.fetches).toBe(2);
    nowMs += 31_000;
    await verifier.verify(await stranger.sign({ iss: 'https://other.example.com' }));
    expect(published.fetches).toBe(2);
  });

  it('is refused while the issuer cannot be asked', async () => {
    const { verifier } = open();
    published.status = 500;
    expect((await verifier.verify(await first.sign({}))).ok).toBe(false);
    published.status = 200;
    nowMs += 31_000;
    expect((await verifier.verify(await first.sign({}))).ok).toBe(true);
  });

  it('cannot be signed with a public key as if it were a secret', async () => {
    published.keys = [first.jwk, { kty: 'oct', k: 'c2VjcmV0', kid: 'shared' }];
    const { verifier } = open();
    await verifier.verify(await first.sign({}));
    const token = await new SignJWT({ iss: issuer.url, role: 'service_role' })
      .setProtectedHeader({ alg: 'HS256', kid: 'shared' })
      .sign(Buffer.from('secret'));
    expect((await verifier.verify(token)).ok).toBe(false);
  });

  it('gives REST its role, and anon without one', async () => {
    const { source } = open();
    const authenticate = createAuthenticator({
      keys: () => source,
      rules: () => ({
        anonRole: 'anon',
        jwt: { audience: null, roleClaimPath: defaultRoleClaimPath },
      }),
      clock,
      cacheSize: 10,
    });
    expect(await authenticate(`Bearer ${await first.sign({})}`)).toMatchObject({
      ok: true,
      value: { role: 'authenticated' },
    });
    expect(await authenticate(`Bearer ${await first.sign({ role: undefined })}`)).toMatchObject({
      ok: true,
      value: { role: 'anon' },
    });
  });
});

describe('the service that keeps the keys', () => {
  it('fetches them, tells of it once, and stops', async () => {
    const { keys, observed } = open();
    const stop = new AbortController();
    const running = keys.service.run(stop.signal);
    await expect.poll(() => keys.source.keys().length).toBe(1);
    stop.abort();
    await running;
    expect(observed).toMatchObject([{ kind: 'notice', message: `tokens of ${issuer.url} are accepted` }]);
  });

  it('rejects while it cannot, so that it is started again', async () => {
    published.status = 503;
    const { keys } = open();
    await expect(keys.service.run(new AbortController().signal)).rejects.toThrow('answered 503');
  });
});

describe('an issuer in config.toml', () => {
  it.each([
    ['firebase', { project_id: 'p' }, 'https://securetoken.google.com/p'],
    ['auth0', { tenant: 't', tenant_region: 'us' }, 'https://t.us.auth0.com'],
    ['auth0', { tenant: 't' }, 'https://t.auth0.com'],
    [
      'aws_cognito',
      { user_pool_id: 'u', user_pool_region: 'eu-west-1' },
      'https://cognito-idp.eu-west-1.amazonaws.com/u',
    ],
    ['clerk', { domain: 'x.clerk.accounts.dev' }, 'https://x.clerk.accounts.dev'],
    [
      'workos',
      { issuer_url: 'https://api.workos.com/user_management/c/' },
      'https://api.workos.com/user_management/c',
    ],
  ])('%s is at its URL', (name, members, url) => {
    expect(thirdPartyIssuer({ [name]: { enabled: true, ...members } })).toEqual({ name, url });
  });

  it.each([
    [{ firebase: { enabled: true } }, 'auth.third_party.firebase is enabled but without project_id'],
    [{ clerk: { enabled: true, domain: 'example.com' } }, 'auth.third_party.clerk has an invalid domain'],
    [{ other: { enabled: true } }, 'auth.third_party.other is not known'],
    [
      { firebase: { enabled: true, project_id: 'p' }, auth0: { enabled: true, tenant: 't' } },
      'only one issuer of auth.third_party may be enabled at a time',
    ],
  ])('%j stops the start', (settings, message) => {
    expect(() => thirdPartyIssuer(settings)).toThrow(message);
  });

  it('that is off is none', () => {
    expect(thirdPartyIssuer({ firebase: { enabled: false } })).toBeNull();
  });
});
