import { describe, expect, it } from 'vitest';
import { createFuzzySet, defaultMinScore } from '../../../src/catalog/fuzzy-set.ts';

describe('a fuzzy set', () => {
  const tables = createFuzzySet(['factories', 'articles', 'Clients', 'authors_only']);

  it('finds the name that a typing error meant', () => {
    expect(tables.closest('factoriess', 0.75)).toBe('factories');
    expect(tables.closest('article', 0.75)).toBe('articles');
  });

  it('ignores case, and calls that the same name', () => {
    expect(tables.matches('CLIENTS', 0.75)).toEqual([{ score: 1, name: 'Clients' }]);
  });

  it('offers nothing below the score', () => {
    expect(tables.closest('fac', 0.75)).toBeNull();
    expect(tables.closest('fac', defaultMinScore)).toBe('factories');
    expect(tables.matches('xyz', defaultMinScore)).toEqual([]);
  });

  it('ranks by edit distance', () => {
    const parameters = createFuzzySet(['(name, param, val)', '(attr, id)']);
    expect(parameters.matches('(nam, pqaram, vall)', defaultMinScore)[0]?.name).toBe('(name, param, val)');
    expect(parameters.closest('(attrs, id)', defaultMinScore)).toBe('(attr, id)');
  });

  it('finds nothing in an empty set', () => {
    expect(createFuzzySet([]).closest('anything', 0)).toBeNull();
  });
});
