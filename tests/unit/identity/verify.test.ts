import { createHmac } from 'node:crypto';
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import { secretKey, type VerificationKey, verificationKey } from '../../../src/identity/key-set.ts';
import { secretSigningKey, signToken } from '../../../src/identity/sign.ts';
import { createTokenVerifier, fixedKeys, type TokenVerifier } from '../../../src/identity/verify.ts';

const secret = 'a-secret-that-is-long-enough-for-hs256';
const nowSeconds = 1_800_000_000;

class HandClock implements Clock {
  seconds = nowSeconds;
  now(): number {
    return this.seconds * 1000;
  }
}

let clock: HandClock;
let verifier: TokenVerifier;
const verifierOf = (keys: readonly VerificationKey[]): TokenVerifier =>
  createTokenVerifier({
    source: fixedKeys(keys),
    clock,
    leewaySeconds: 30,
    checkIssuedAt: true,
    cacheSize: 10,
  });
const sign = (claims: Record<string, unknown>, by = secret): Promise<string> =>
  signToken(claims, secretSigningKey(by));

beforeAll(() => {
  clock = new HandClock();
  verifier = verifierOf([secretKey(secret)]);
});

describe('a token', () => {
  it('yields its claims and their exact text', async () => {
    const result = await verifier.verify(await sign({ role: 'authenticated', sub: 'u1', n: 1 }));
    expect(result).toMatchObject({
      ok: true,
      value: {
        claims: { role: 'authenticated', sub: 'u1' },
        claimsText: '{"role":"authenticated","sub":"u1","n":1}',
      },
    });
  });

  it('is remembered until it expires and refused afterwards', async () => {
    clock.seconds = nowSeconds;
    const token = await sign({ exp: nowSeconds + 60 });
    await verifier.verify(token);
    expect(verifier.known(token)).not.toBeNull();
    clock.seconds = nowSeconds + 60 + 30;
    expect(verifier.known(token)).toBeNull();
    expect(await verifier.verify(token)).toEqual({
      ok: false,
      error: { kind: 'expired', at: nowSeconds + 60 },
    });
    clock.seconds = nowSeconds;
  });

  it.each([
    ['of two parts', async () => 'a.b', { kind: 'malformed', parts: 2 }],
    ['whose header is not JSON', async () => 'YWJj.YWJj.YWJj', { kind: 'undecodable' }],
    [
      'signed with another secret',
      () => sign({}, 'another-secret-of-enough-length-here'),
      { kind: 'bad-signature' },
    ],
    [
      'that is not valid yet',
      () => sign({ nbf: nowSeconds + 31 }),
      { kind: 'not-yet-valid', at: nowSeconds + 31 },
    ],
    [
      'issued in the future',
      () => sign({ iat: nowSeconds + 31 }),
      { kind: 'issued-in-future', at: nowSeconds + 31 },
    ],
    ['whose exp is text', () => sign({ exp: 'soon' }), { kind: 'bad-claim-type', claim: 'exp' }],
  ])('%s is refused for that reason', async (_name, make, error) => {
    expect(await verifier.verify(await make())).toEqual({ ok: false, error });
  });

  it('without a signature is refused whatever it says', async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'none' })}.${part({ role: 'service_role' })}.`;
    expect(await verifier.verify(token)).toMatchObject({
      ok: false,
      error: { kind: 'unsupported-algorithm' },
    });
  });

  it('signed by HMAC with a public key is refused: the algorithm must be the key’s own', async () => {
    const { publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1' };
    const asymmetric = verifierOf([await verificationKey(jwk)]);
    const forged = await new SignJWT({ role: 'service_role' })
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .sign(new TextEncoder().encode(JSON.stringify(jwk)));
    expect(await asymmetric.verify(forged)).toEqual({
      ok: false,
      error: { kind: 'no-suitable-key', kid: 'k1' },
    });
  });

  it('of a key that is not the named one is refused', async () => {
    const one = await generateKeyPair('ES256', { extractable: true });
    const asymmetric = verifierOf([
      await verificationKey({ ...(await exportJWK(one.publicKey)), kid: 'k1' }),
    ]);
    const token = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid: 'k2' }).sign(one.privateKey);
    expect(await asymmetric.verify(token)).toEqual({
      ok: false,
      error: { kind: 'no-suitable-key', kid: 'k2' },
    });
  });

  it.each(['HS256', 'HS384', 'HS512'])('signed by %s elsewhere is known here', async (alg) => {
    const foreign = await new SignJWT({ role: 'anon' })
      .setProtectedHeader({ alg })
      .sign(new TextEncoder().encode(secret));
    expect(await verifier.verify(foreign)).toMatchObject({ ok: true, value: { algorithm: alg } });
  });

  it('signed here is known elsewhere', async () => {
    const { payload, protectedHeader } = await jwtVerify(
      await sign({ role: 'anon' }),
      new TextEncoder().encode(secret),
    );
    expect([payload, protectedHeader]).toEqual([{ role: 'anon' }, { alg: 'HS256', typ: 'JWT' }]);
  });

  it.each([
    ['a stray character in its signature', (token: string) => `${token.slice(0, -1)}!${token.slice(-1)}`],
    ['padding after its signature', (token: string) => `${token}=`],
    ['half of its signature', (token: string) => token.slice(0, -20)],
    ['no signature', (token: string) => token.slice(0, token.lastIndexOf('.') + 1)],
    ['a stray character in its payload', (token: string) => token.replace('.', '.!')],
  ])('with %s is refused', async (_, change) => {
    const changed = change(await sign({ role: 'anon' }));
    expect(await verifier.verify(changed)).toEqual({ ok: false, error: { kind: 'bad-signature' } });
  });

  it('whose header must be understood, and is not, is refused', async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: 'HS256', crit: ['exp'], exp: 1 })}.${part({ role: 'anon' })}`;
    const mac = createHmac('sha256', secret).update(signed).digest('base64url');
    expect(await verifier.verify(`${signed}.${mac}`)).toEqual({
      ok: false,
      error: { kind: 'bad-signature' },
    });
  });

  it('of an empty secret is refused, and none is made', async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: 'HS256' })}.${part({ role: 'service_role' })}`;
    const token = `${signed}.${createHmac('sha256', '').update(signed).digest('base64url')}`;
    expect(await verifierOf([secretKey('')]).verify(token)).toEqual({
      ok: false,
      error: { kind: 'bad-signature' },
    });
    await expect(sign({}, '')).rejects.toThrow(TypeError);
  });
});
