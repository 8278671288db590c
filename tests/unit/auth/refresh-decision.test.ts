import { describe, expect, it } from 'vitest';
import type { RefreshToken } from '../../../src/auth/store/rows.ts';
import { decideCounter, decideShort } from '../../../src/auth/tokens/refresh-decision.ts';

const policy = { reuseSeconds: 10, rotation: true, allowReuse: false };
const revokedAt = '2026-01-01T00:00:00Z';
const start = Date.parse(revokedAt);

const token = (name: string, revoked: boolean, parent: string | null): RefreshToken =>
  ({ id: '1', token: name, revoked, parent, updated_at: revokedAt }) as RefreshToken;

describe('a token of the short form', () => {
  const live = token('live', false, 'parent');
  const parent = token('parent', true, 'grandparent');
  const grandparent = token('grandparent', true, null);

  it.each([
    ['that is live is swapped', live, live, false, 0, { kind: 'swap' }],
    ['whose child is live yields the child', parent, live, false, 0, { kind: 'hand-out', token: 'live' }],
    [
      'whose child is live yields it after years',
      parent,
      live,
      false,
      1e11,
      { kind: 'hand-out', token: 'live' },
    ],
    ['that is older works at once', grandparent, live, false, 10_000, { kind: 'swap' }],
    [
      'that is older is theft later',
      grandparent,
      live,
      false,
      10_001,
      { kind: 'refuse', revokeFamily: true },
    ],
    [
      'of a revoked family is refused at once',
      grandparent,
      null,
      false,
      0,
      { kind: 'refuse', revokeFamily: true },
    ],
    ['of a session that moved to counters works at once', parent, null, true, 10_000, { kind: 'swap' }],
    ['of such a session not later', parent, null, true, 10_001, { kind: 'refuse', revokeFamily: true }],
  ])('%s', (_, used, newest, hasCounter, laterMs, decision) => {
    expect(decideShort(used, newest, hasCounter, policy, start + laterMs)).toEqual(decision);
  });

  it('that is theft leaves the family when tokens are not rotated', () => {
    const decision = decideShort(grandparent, live, false, { ...policy, rotation: false }, start + 11_000);
    expect(decision).toEqual({ kind: 'refuse', revokeFamily: false });
  });
});

describe('a token of the counter form', () => {
  it.each([
    ['of the session', 5n, 0, policy, { kind: 'advance' }],
    ['of the future', 6n, 0, policy, { kind: 'not-issued-here' }],
    ['one behind', 4n, 1e9, policy, { kind: 'repeat', causes: ['fail-to-save'] }],
    ['one behind at once', 4n, 1, policy, { kind: 'repeat', causes: ['concurrent-refresh', 'fail-to-save'] }],
    ['far behind at once', 1n, 9999, policy, { kind: 'repeat', causes: ['concurrent-refresh'] }],
    ['two behind later', 3n, 10_000, policy, { kind: 'refuse', endSession: true }],
    [
      'two behind, without rotation',
      3n,
      10_000,
      { ...policy, rotation: false },
      { kind: 'refuse', endSession: false },
    ],
    [
      'two behind, when reuse is allowed',
      3n,
      10_000,
      { ...policy, allowReuse: true },
      { kind: 'repeat', causes: ['always-allow'] },
    ],
  ])('%s', (_, counter, laterMs, rules, decision) => {
    expect(decideCounter(counter, 5n, start, rules, start + laterMs)).toEqual(decision);
  });
});
