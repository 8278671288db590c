import { describe, expect, it } from 'vitest';
import { bearerToken, effectiveAuthorization } from '../../../src/identity/authorization.ts';

const keys = {
  publishableKey: 'sb_publishable_x',
  secretKey: 'sb_secret_x',
  anonToken: 'anon.jwt',
  serviceToken: 'service.jwt',
};

describe('the authorization that a service sees', () => {
  const cases: [string, string | undefined, string | undefined, string | null][] = [
    [
      'keeps an incoming user token whatever the apikey is',
      'Bearer user.jwt',
      'sb_secret_x',
      'Bearer user.jwt',
    ],
    ['turns a publishable apikey into the anon token', undefined, 'sb_publishable_x', 'Bearer anon.jwt'],
    ['turns a secret apikey into the service token', undefined, 'sb_secret_x', 'Bearer service.jwt'],
    [
      'replaces a new-style key that was sent as bearer',
      'Bearer sb_secret_x',
      'sb_secret_x',
      'Bearer service.jwt',
    ],
    ['copies any other apikey as it is, without a scheme', undefined, 'legacy.jwt', 'legacy.jwt'],
    ['is absent without credentials', undefined, undefined, null],
    ['leaves an unknown new-style bearer to be refused', 'Bearer sb_other', undefined, 'Bearer sb_other'],
  ];
  it.each(cases)('%s', (_name, authorization, apikey, expected) => {
    expect(effectiveAuthorization(authorization, apikey, keys)).toBe(expected);
  });
});

describe('a bearer header', () => {
  it('yields its token whatever the case of the scheme', () => {
    expect(bearerToken('bearer abc')).toBe('abc');
    expect(bearerToken('Bearer abc')).toBe('abc');
  });

  it('is not a header of another scheme', () => {
    expect(bearerToken('Basic abc')).toBeNull();
    expect(bearerToken('abc')).toBeNull();
    expect(bearerToken(null)).toBeNull();
  });
});
