import { describe, expect, it } from 'vitest';
import { fill, fillString, totp, UnknownVariable } from '../../../src/compat/run/template.ts';

const variables = new Map<string, unknown>([
  ['p', 'compat_'],
  ['n', 7],
  ['text', 'a b'],
]);

describe('names in braces', () => {
  it('are filled in at every depth, in keys too', () => {
    const key = `\${p}films`;
    expect(fill({ [key]: [`\${p}x`, { deep: `\${p}\${n}` }] }, variables)).toEqual({
      compat_films: ['compat_x', { deep: 'compat_7' }],
    });
  });

  it('keep the type of a value that stands alone', () => {
    expect(fill(`\${n}`, variables)).toBe(7);
    expect(fillString(`\${n}`, variables)).toBe('7');
  });

  it('may pass through a function', () => {
    expect(fillString(`\${base64:text} \${url:text}`, variables)).toBe('YSBi a%20b');
  });

  it('that nothing has set are told', () => {
    expect(() => fill(`\${nobody}`, variables)).toThrow(UnknownVariable);
    expect(() => fill(`\${shout:text}`, variables)).toThrow(UnknownVariable);
  });

  it('leave other values alone', () => {
    expect(fill([null, true, 1.5, undefined], variables)).toEqual([null, true, 1.5, undefined]);
  });
});

describe('a TOTP', () => {
  // RFC 6238, appendix B, cut to six digits: the ASCII secret 12345678901234567890.
  it.each([
    [59_000, '287082'],
    [1_111_111_109_000, '081804'],
    [2_000_000_000_000, '279037'],
  ])('at %i ms is %s', (nowMs, code) => {
    expect(totp('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', nowMs)).toBe(code);
  });
});
