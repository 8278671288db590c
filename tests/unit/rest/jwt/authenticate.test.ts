import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { fixedKeys } from '../../../../src/identity/verify.ts';
import {
  type Authenticate,
  type AuthenticationRules,
  createAuthenticator,
} from '../../../../src/rest/jwt/authenticate.ts';
import { defaultRoleClaimPath, type JsPath } from '../../../../src/rest/jwt/js-path.ts';
import { keysOfSecret } from '../../../../src/rest/jwt/secret.ts';

const secret = 'a secret of at least thirty-two bytes';
const now = 1_700_000_000;

const authenticator = async (
  given: { anonRole?: string | null; audience?: string; path?: JsPath; secret?: string | null } = {},
): Promise<Authenticate> => {
  const keys =
    given.secret === null ? null : fixedKeys(await keysOfSecret(Buffer.from(given.secret ?? secret)));
  const rules: AuthenticationRules = {
    anonRole: given.anonRole === undefined ? 'anon' : given.anonRole,
    jwt: { audience: given.audience ?? null, roleClaimPath: given.path ?? defaultRoleClaimPath },
  };
  return createAuthenticator({
    keys: () => keys,
    rules: () => rules,
    clock: { now: () => now * 1000 },
    cacheSize: 10,
  });
};

const sign = (claims: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256', ...header }).sign(new TextEncoder().encode(secret));

const bearer = async (claims: Record<string, unknown>): Promise<string> => `Bearer ${await sign(claims)}`;

describe('a request without a token', () => {
  it('acts as the anonymous role', async () => {
    const authenticate = await authenticator();
    const expected = { ok: true, value: { role: 'anon', claimsText: '{"role":"anon"}' } };
    expect(authenticate(null)).toEqual(expected);
    expect(authenticate('Basic dXNlcjpwYXNz')).toEqual(expected);
  });

  it('is refused where there is no anonymous role', async () => {
    const authenticate = await authenticator({ anonRole: null });
    expect(authenticate(null)).toMatchObject({ error: { code: 'PGRST302', status: 401 } });
  });
});

describe('a request with a token', () => {
  it('acts as the role of the token, the second time without verifying it again', async () => {
    const authenticate = await authenticator();
    const header = await bearer({ role: 'writer', sub: 'x' });
    const expected = { ok: true, value: { role: 'writer', claimsText: '{"role":"writer","sub":"x"}' } };
    expect(await authenticate(header)).toEqual(expected);
    expect(authenticate(header)).toEqual(expected);
  });

  it('acts as the anonymous role when the token names none, and its claims say so', async () => {
    const authenticate = await authenticator();
    expect(await authenticate(await bearer({ sub: 'x' }))).toMatchObject({
      value: { role: 'anon', claimsText: '{"sub":"x","role":"anon"}' },
    });
  });

  it('takes the role from the configured claim', async () => {
    const path: JsPath = [
      { kind: 'key', key: 'app' },
      { kind: 'key', key: 'level' },
    ];
    const authenticate = await authenticator({ path });
    expect(await authenticate(await bearer({ role: 'a', app: { level: 'b' } }))).toMatchObject({
      value: { role: 'b', claimsText: '{"role":"b","app":{"level":"b"}}' },
    });
  });

  it.each([
    ['Bearer', 'PGRST301', 'Empty JWT is sent in Authorization header', null],
    ['Bearer ', 'PGRST301', 'Empty JWT is sent in Authorization header', null],
    ['bearer a.b', 'PGRST301', 'Expected 3 parts in JWT; got 2', null],
    ['Bearer a.b.c', 'PGRST301', 'JWT cryptographic operation failed', null],
    [
      'Bearer eyJhbGciOiJub25lIn0.e30.',
      'PGRST301',
      'Wrong or unsupported encoding algorithm',
      "JWT is unsecured but expected 'alg' was not 'none'",
    ],
    [
      'Bearer eyJhbGciOiJSUzI1NiJ9.e30.AAAA',
      'PGRST301',
      'No suitable key or wrong key type',
      'No suitable key was found to decode the JWT',
    ],
    [
      'Bearer eyJhbGciOiJIUzI1NiJ9.e30.AAAA',
      'PGRST301',
      'No suitable key or wrong key type',
      'None of the keys was able to decode the JWT',
    ],
  ])('%s is refused', async (header, code, message, details) => {
    const authenticate = await authenticator();
    expect(await authenticate(header)).toMatchObject({ error: { status: 401, code, message, details } });
  });

  it('is refused when the token names a key that is not there', async () => {
    const authenticate = await authenticator();
    expect(await authenticate(`Bearer ${await sign({ role: 'a' }, { kid: 'other' })}`)).toMatchObject({
      error: { details: 'No suitable key was found to decode the JWT' },
    });
  });

  it.each([
    [{ exp: now - 31 }, 'JWT expired'],
    [{ exp: now - 30 }, null],
    [{ exp: 1.5 }, 'JWT expired'],
    [{ exp: null }, null],
    [{ exp: 'soon' }, "The JWT 'exp' claim must be a number"],
    [{ nbf: now + 31 }, 'JWT not yet valid'],
    [{ nbf: now + 30 }, null],
    [{ iat: now + 31 }, 'JWT issued at future'],
    [{ aud: 'else' }, 'JWT not in audience'],
    [{ aud: ['else', 'mine'] }, null],
    [{ aud: [] }, null],
    [{ aud: 5 }, "The JWT 'aud' claim must be a string or an array of strings"],
  ])('with %j is judged: %s', async (claims, message) => {
    const authenticate = await authenticator({ audience: 'mine' });
    const outcome = await authenticate(await bearer({ role: 'a', ...claims }));
    expect(outcome).toMatchObject(
      message === null ? { ok: true } : { error: { status: 401, code: 'PGRST303', message } },
    );
  });

  it('is an error of the server that has no secret', async () => {
    const authenticate = await authenticator({ secret: null });
    expect(authenticate(await bearer({ role: 'a' }))).toMatchObject({
      error: { status: 500, code: 'PGRST300' },
    });
  });
});

describe('a secret', () => {
  it('must be long enough unless it is a key', async () => {
    await expect(keysOfSecret(Buffer.from('short'))).rejects.toThrow('at least 32 characters');
    const jwk = { kty: 'oct', k: Buffer.from(secret).toString('base64url'), kid: 'one' };
    expect(await keysOfSecret(Buffer.from(JSON.stringify(jwk)))).toMatchObject([{ kid: 'one' }]);
    expect(await keysOfSecret(Buffer.from(JSON.stringify({ keys: [jwk, { kty: 'strange' }] })))).toHaveLength(
      1,
    );
  });
});
