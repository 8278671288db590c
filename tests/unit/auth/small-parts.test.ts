import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { matchesChallenge, readChallenge } from '../../../src/auth/flows/pkce.ts';
import { parseGoDuration } from '../../../src/auth/go-duration.ts';
import { hookKeys, signWebhook } from '../../../src/auth/hooks/signature.ts';
import { createEventQuota } from '../../../src/auth/limits/event-quota.ts';
import { createKeyedLimiter } from '../../../src/auth/limits/token-bucket.ts';
import {
  base32,
  makeTotpSecret,
  matchTotp,
  totpCode,
  totpStep,
  totpUri,
} from '../../../src/auth/mfa/totp.ts';
import { createUsedSteps } from '../../../src/auth/mfa/used-steps.ts';
import { errorParams, withFragment, withQuery } from '../../../src/auth/redirects/location.ts';
import { epochMs, rfc3339 } from '../../../src/auth/timestamp.ts';
import { systemRandom } from '../../../src/core/clock.ts';

function standingClock() {
  let nowMs = 1_000_000;
  return {
    now: () => nowMs,
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe('a duration', () => {
  it.each([
    ['24h', 86_400_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['-2m', -120_000],
    ['0', 0],
    ['10ms', 10],
    ['.5s', 500],
  ])('%s', (text, ms) => {
    expect(parseGoDuration(text)).toBe(ms);
  });

  it.each(['', '10', 'h', '1d', '1h 30m', '1e3s', '--1s'])('is not %j', (text) => {
    expect(() => parseGoDuration(text)).toThrow(RangeError);
  });
});

describe('a moment of the database', () => {
  it.each([
    ['2026-01-02 03:04:05.678900+00', '2026-01-02T03:04:05.6789Z'],
    ['2026-01-02T03:04:05.678901+00:00', '2026-01-02T03:04:05.678901Z'],
    ['2026-01-02 03:04:05', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05.000Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02 03:04:05.5+05:30', '2026-01-01T21:34:05.5Z'],
    ['2026-01-02 03:04:05.000001-08', '2026-01-02T11:04:05.000001Z'],
    ['infinity', '9999-12-31T23:59:59Z'],
  ])('%s is %s to clients', (printed, told) => {
    expect(rfc3339(printed)).toBe(told);
    if (printed !== 'infinity') expect(epochMs(printed)).toBe(Date.parse(told));
  });

  it.each(['', 'now', '2026-01-02', '2026-01-02 03:04:05.1234567+00'])('is not %j', (printed) => {
    expect(() => rfc3339(printed)).toThrow(RangeError);
  });
});

describe('the codes of authenticator apps', () => {
  const secret = base32(Buffer.from('12345678901234567890'));
  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('at %d are those of RFC 6238', (seconds, code) => {
    expect(totpCode(secret, totpStep(seconds * 1000))).toBe(code);
  });

  it('count a step early and late, no more', () => {
    const nowMs = 1_234_567_890_000;
    const step = totpStep(nowMs);
    const found = [-2, -1, 0, 1, 2].map((offset) =>
      matchTotp(secret, totpCode(secret, step + offset), nowMs),
    );
    expect(found).toEqual([null, step - 1, step, step + 1, null]);
    expect(matchTotp(secret, '', nowMs)).toBeNull();
    expect(matchTotp(secret, ` ${totpCode(secret, step)} `, nowMs)).toBe(step);
  });

  it('count once', () => {
    const used = createUsedSteps();
    expect([used.claim('a', 5), used.claim('a', 5), used.claim('a', 4), used.claim('a', 6)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect(used.claim('b', 5)).toBe(true);
  });

  it('come from secrets of 160 bits', () => {
    expect(makeTotpSecret(systemRandom)).toMatch(/^[A-Z2-7]{32}$/);
  });

  it('are announced by a URI', () => {
    expect(totpUri('my app', 'a@example.com', 'ABC')).toBe(
      'otpauth://totp/my%20app:a@example.com?algorithm=SHA1&digits=6&issuer=my%20app&period=30&secret=ABC',
    );
  });
});

describe('the signature of a hook', () => {
  const secret = 'v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  it('is the one of standard webhooks', () => {
    expect(signWebhook(hookKeys(secret), 'msg_1', 1_700_000_000, '{"a":1}')).toBe(
      'v1,hVsFLpmw4Ib/Xm0eZLt3KqYBZdt0U8gdGeuz0EsGv78=',
    );
  });

  it('has a part for every secret', () => {
    const both = hookKeys(`${secret}|v1,whsec_${Buffer.from('other').toString('base64')}`);
    const parts = signWebhook(both, 'm', 1, 'x').split(', ');
    const other = createHmac('sha256', 'other').update('m.1.x').digest('base64');
    expect([parts.length, parts[1]]).toEqual([2, `v1,${other}`]);
  });

  it.each(['whsec_abc', 'v1,abc', 'v1a,whpk_abc', 'v1,whsec_!'])('takes no secret like %s', (wrong) => {
    expect(() => hookKeys(wrong)).toThrow(RangeError);
  });
});

describe('a challenge', () => {
  const verifier = 'a'.repeat(64);
  const hashed = '_-BU_nrgy23GXDr5th1SCfQ5hR20PQulmXM33xVGaOs';
  it.each([
    ['s256', hashed, verifier, true],
    ['s256', hashed, hashed, false],
    ['s256', hashed, '', false],
    ['plain', verifier, verifier, true],
    ['plain', verifier, '', false],
    ['plain', '', '', false],
    ['s256', '', verifier, false],
  ] as const)('%s %s by %s: %s', (method, challenge, given, isMatch) => {
    const state = { code_challenge: challenge, code_challenge_method: method };
    expect(matchesChallenge(state, given)).toBe(isMatch);
  });

  it('needs its method and the other way around', () => {
    expect(readChallenge({ code_challenge: '', code_challenge_method: '' })).toBeNull();
    expect(readChallenge({ code_challenge: hashed, code_challenge_method: 'S256' })).toEqual({
      challenge: hashed,
      method: 's256',
    });
    for (const [code_challenge, code_challenge_method] of [
      [hashed, ''],
      ['', 's256'],
      ['short', 's256'],
      ['a'.repeat(129), 's256'],
      [`${hashed}+`, 's256'],
      [hashed, 'md5'],
    ] as const) {
      expect(() => readChallenge({ code_challenge, code_challenge_method })).toThrow();
    }
  });
});

describe('a redirect', () => {
  it.each([
    ['https://a.com', { b: '2', a: '1' }, 'https://a.com?a=1&b=2'],
    ['https://a.com/x?z=0#f', { a: 'x y' }, 'https://a.com/x?a=x+y&z=0#f'],
    ['https://a.com/?sb_flow_id=1', { code: 'c' }, 'https://a.com/?code=c&sb_flow_id=1'],
  ])('to %s with %j in its query', (url, params, expected) => {
    expect(withQuery(url, params)).toBe(expected);
  });

  it('carries a sorted fragment with a mark', () => {
    expect(withFragment('https://a.com/#old', { z: '1', a: '2' })).toBe('https://a.com/#a=2&sb=&z=1');
    expect(errorParams(403, 'otp_expired', 'gone')).toEqual({
      error: 'access_denied',
      error_code: 'otp_expired',
      error_description: 'gone',
    });
    expect(errorParams(422, 'x', 'y')).toEqual({ error_code: 'x', error_description: 'y' });
  });
});

describe('a limit', () => {
  it('lets a burst through, apart for each key, and refills', () => {
    const clock = standingClock();
    const limiter = createKeyedLimiter(clock, { events: 30, perMs: 300_000, burst: 3 });
    const takes = (key: string, count: number) =>
      Array.from({ length: count }, () => limiter.take(key)).filter(Boolean).length;
    expect([takes('a', 5), takes('b', 5)]).toEqual([3, 3]);
    clock.advance(20_000);
    expect(takes('a', 5)).toBe(2);
    clock.advance(3_600_000);
    expect(takes('a', 5)).toBe(3);
  });

  it('of windows counts from the start of each', () => {
    const clock = standingClock();
    const quota = createEventQuota(clock, { kind: 'fixed', events: 2, overMs: 1000 });
    const takes = () => [quota.take(), quota.take(), quota.take()].filter(Boolean).length;
    expect(takes()).toBe(2);
    clock.advance(999);
    expect(takes()).toBe(0);
    clock.advance(1);
    expect(takes()).toBe(2);
  });
});
