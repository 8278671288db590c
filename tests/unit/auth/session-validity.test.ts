import { describe, expect, it } from 'vitest';
import type { Session } from '../../../src/auth/store/rows.ts';
import { levelOf } from '../../../src/auth/tokens/assurance.ts';
import { lastActiveMs, sessionTag, sessionValidity } from '../../../src/auth/tokens/session-validity.ts';

const begin = '2026-01-01T00:00:00Z';
const start = Date.parse(begin);
const none = { timeboxMs: null, inactivityMs: null, lowAalMs: null };
const at = (ms: number): string => new Date(start + ms).toISOString();
const session = (changes: Partial<Session> = {}): Session =>
  ({ created_at: begin, refreshed_at: null, not_after: null, aal: 'aal1', tag: null, ...changes }) as Session;

describe('a session', () => {
  it.each([
    ['without limits', {}, none, 'aal2', 1e12, 'valid'],
    ['at the end that was set', { not_after: at(1000) }, none, 'aal1', 1000, 'valid'],
    ['after the end that was set', { not_after: at(1000) }, none, 'aal1', 1001, 'expired'],
    ['in its box of time', {}, { ...none, timeboxMs: 1000 }, 'aal1', 1000, 'valid'],
    ['out of its box of time', {}, { ...none, timeboxMs: 1000 }, 'aal1', 1001, 'expired'],
    [
      'refreshed, out of its box of time',
      { refreshed_at: at(900) },
      { ...none, timeboxMs: 1000 },
      'aal1',
      1001,
      'expired',
    ],
    ['idle', {}, { ...none, inactivityMs: 1000 }, 'aal1', 1001, 'inactive'],
    [
      'idle since its refresh',
      { refreshed_at: at(900) },
      { ...none, inactivityMs: 1000 },
      'aal1',
      1900,
      'valid',
    ],
    ['of one factor where two are set up', {}, { ...none, lowAalMs: 1000 }, 'aal2', 1001, 'low-aal'],
    ['of one factor for a while', {}, { ...none, lowAalMs: 1000 }, 'aal2', 1000, 'valid'],
    ['of one factor where there is one', {}, { ...none, lowAalMs: 1000 }, 'aal1', 1001, 'valid'],
    ['of two factors', { aal: 'aal2' }, { ...none, lowAalMs: 1000 }, 'aal2', 1001, 'valid'],
    ['limited by zero', {}, { timeboxMs: 0, inactivityMs: 0, lowAalMs: 0 }, 'aal2', 1e9, 'valid'],
  ] as const)('%s', (_, changes, limits, highest, nowMs, validity) => {
    expect(sessionValidity(session(changes), limits, start + nowMs, highest)).toBe(validity);
  });

  it('was last active at its refresh, else with its newest token, else at its beginning', () => {
    const token = { updated_at: at(500) };
    expect(lastActiveMs(session({ refreshed_at: at(900) }), token)).toBe(start + 900);
    expect(lastActiveMs(session(), token)).toBe(start + 500);
    expect(lastActiveMs(session(), { updated_at: null })).toBe(start);
    expect(lastActiveMs(session())).toBe(start);
  });

  it('counts as the first kind unless it is of another', () => {
    expect(sessionTag(session({ tag: 'web' }), ['ios', 'web'])).toBe('web');
    expect(sessionTag(session({ tag: 'tv' }), ['ios', 'web'])).toBe('ios');
    expect(sessionTag(session(), [])).toBe('');
  });
});

it.each([
  [['password'], 'aal1'],
  [['password', 'totp'], 'aal2'],
  [['otp', 'mfa/phone'], 'aal2'],
  [['password', 'otp', 'oauth'], 'aal1'],
  [[], 'aal1'],
])('the methods %j amount to %s', (methods, level) => {
  expect(levelOf(methods.map((method) => ({ method })))).toBe(level);
});
