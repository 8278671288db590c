import { describe, expect, it } from 'vitest';
import {
  mismatches,
  missingElements,
  savedValue,
  unorderedMismatches,
} from '../../../src/compat/run/match.ts';

describe('a value', () => {
  it.each([
    ['<uuid>', '6f1b1a3e-55d0-4c36-9f0c-6ac1d4f6e2a1', 'no uuid'],
    ['<timestamp>', '2026-01-02T03:04:05.678901Z', '2026-01-02'],
    ['<jwt>', 'a.b.c', 'a.b'],
    ['<string>', 'x', ''],
    ['<integer>', 7, 7.5],
    ['<number>', 7.5, '7.5'],
    ['<object>', {}, []],
    ['<array>', [], {}],
    ['<absent>', undefined, null],
    ['<any>', null, undefined],
    ['~ ^a+$', 'aaa', 'ab'],
    ['plain', 'plain', 'other'],
  ])('%s fits %j and not %j', (expected, good, bad) => {
    expect(mismatches(expected, good, 'exact')).toEqual([]);
    expect(mismatches(expected, bad, 'exact')).toHaveLength(1);
  });

  it('null is no absence, and 0 is no false', () => {
    expect(mismatches(null, undefined, 'exact')).toHaveLength(1);
    expect(mismatches(0, false, 'exact')).toHaveLength(1);
  });
});

describe('an object', () => {
  it('may have no further keys, unless a part is asked for', () => {
    expect(mismatches({ a: 1 }, { a: 1, b: 2 }, 'exact')).toEqual([
      { at: 'b', expected: undefined, actual: 2 },
    ]);
    expect(mismatches({ a: 1 }, { a: 1, b: 2 }, 'subset')).toEqual([]);
  });

  it('is compared in depth, and the place is told', () => {
    expect(mismatches({ a: [{ b: 1 }] }, { a: [{ b: 2 }] }, 'subset')).toEqual([
      { at: 'a[0].b', expected: 1, actual: 2 },
    ]);
  });
});

describe('an array', () => {
  it('has the same length and order', () => {
    expect(mismatches([1, 2], [1, 2, 3], 'subset')).toHaveLength(1);
    expect(mismatches([1, 2], [2, 1], 'exact')).toHaveLength(2);
  });

  it('may be compared without order, each element once', () => {
    expect(unorderedMismatches([1, 2], [2, 1], 'exact')).toEqual([]);
    expect(unorderedMismatches([1, 1], [1, 2], 'exact')).toHaveLength(1);
  });

  it('may be searched for elements', () => {
    expect(missingElements([{ a: 1 }], [{ a: 2 }, { a: 1, b: 1 }])).toEqual([]);
    expect(missingElements([{ a: 1 }], 'no array')).toHaveLength(1);
  });
});

describe('a saved value', () => {
  it('is found by its path, or is the part that a pattern captures', () => {
    const answer = { body: [{ url: '/a?token=xyz' }], headers: { location: '/b' } };
    expect(savedValue(answer, 'headers.location')).toBe('/b');
    expect(savedValue(answer, 'body.0.url ~ token=(.+)$')).toBe('xyz');
    expect(savedValue(answer, 'body.1.url')).toBeUndefined();
  });
});
