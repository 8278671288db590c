import { describe, expect, it } from 'vitest';
import {
  encodeCounterToken,
  isSignedWith,
  parseCounterToken,
} from '../../../src/auth/tokens/counter-token.ts';
import { hashOtp, isOtpValid, makeOtp } from '../../../src/auth/tokens/one-time.ts';
import { isShortToken, makeShortToken } from '../../../src/auth/tokens/short-token.ts';
import { systemRandom } from '../../../src/core/clock.ts';

const key = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
const session = '11111111-2222-4333-8444-555555555555';

describe('a refresh token of the counter form', () => {
  const vectors = [
    [0n, 'ABEREREiIkMzhERVVVVVVVUAI-IcsaseXEKS7q68JAgmU-80L2M'],
    [1n, 'ABEREREiIkMzhERVVVVVVVUBpozOYVM-sPhnYYTBWpQpN52uNiY'],
    [300n, 'ABEREREiIkMzhERVVVVVVVWsAg7ZC0vLuQzqLzMCy_Bbh8fZrB2g'],
  ] as const;

  it.each(vectors)('at %s is the one that upstream makes', (counter, token) => {
    expect(encodeCounterToken(session, counter, key)).toBe(token);
    const parsed = parseCounterToken(token);
    expect(parsed).toMatchObject({ sessionId: session, counter });
    expect(parsed !== null && isSignedWith(parsed, key)).toBe(true);
  });

  it('of another key is not signed', () => {
    const parsed = parseCounterToken(encodeCounterToken(session, 5n, Buffer.alloc(32)));
    expect(parsed !== null && isSignedWith(parsed, key)).toBe(false);
  });

  it('with one bit changed is none', () => {
    const bytes = Buffer.from(encodeCounterToken(session, 300n, key), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(parseCounterToken(changed.toString('base64url'))).toBeNull();
    }
  });

  it.each([
    ['padding', `${vectors[0][1]}=`],
    ['another alphabet', vectors[0][1].replace('_', '/').replace('-', '+')],
    ['a byte more', `${vectors[0][1]}AA`],
    ['nothing', ''],
  ])('with %s is none', (_, token) => {
    expect(parseCounterToken(token)).toBeNull();
  });
});

it('a refresh token of the short form has twelve characters', () => {
  const made = Array.from({ length: 200 }, () => makeShortToken(systemRandom));
  expect(made.every(isShortToken)).toBe(true);
  expect(new Set(made).size).toBe(200);
  expect(['ABCDEFGHIJKL', 'abcdefghijk', 'abcdefghijkla', 'abcdefghijk-'].some(isShortToken)).toBe(false);
});

describe('a code', () => {
  it.each([
    ['user@example.com', 'b507a4ef007e1379d644aa6fe395cf98f1054ac96b63a052dca9a26a'],
    ['15551234567', '2c808f037c26239c5147d936c705c10a604a804181b145320b463f0c'],
  ])('to %s is stored as upstream stores it', (address, hash) => {
    expect(hashOtp(address, '123456')).toBe(hash);
  });

  it('keeps its leading zeros', () => {
    const zero = { ...systemRandom, bytes: (size: number) => Buffer.alloc(size) };
    expect(makeOtp(zero, 6)).toBe('000000');
    expect(makeOtp(zero, 10)).toBe('0000000000');
    expect(makeOtp(zero, 4)).toBe('000000');
  });

  const sent = '2026-01-01T00:00:00Z';
  const sentMs = Date.parse(sent);
  it.each([
    ['in time', 'h', 'h', sent, 3_600_000, true],
    ['for PKCE', 'h', 'pkce_h', sent, 0, true],
    ['a moment late', 'h', 'h', sent, 3_600_001, false],
    ['of another', 'h', 'i', sent, 0, false],
    ['that was used', '', '', sent, 0, false],
    ['that is gone', 'h', null, sent, 0, false],
    ['that was never sent', 'h', 'h', null, 0, false],
  ])('%s', (_, hash, stored, sentAt, laterMs, isValid) => {
    expect(isOtpValid(hash, stored, sentAt, 3600, sentMs + laterMs)).toBe(isValid);
  });
});
