import { describe, expect, it } from 'vitest';
import { StatementCache, statementName } from '../../../src/pg/statement-cache.ts';

describe('the statement cache of a connection', () => {
  it('asks for a parse until the server has confirmed one', () => {
    const cache = new StatementCache(2);
    expect(cache.prepare('a')).toEqual({ parse: true, evict: null });
    expect(cache.prepare('a')).toEqual({ parse: true, evict: null });
    cache.parsed('a');
    expect(cache.prepare('a')).toEqual({ parse: false, evict: null });
  });

  it('evicts the statement that was used longest ago', () => {
    const cache = new StatementCache(2);
    cache.parsed('a');
    cache.parsed('b');
    cache.prepare('a');
    expect(cache.prepare('c')).toEqual({ parse: true, evict: 'b' });
  });

  it('names the same text apart for each scope, since a plan belongs to one role', () => {
    expect(statementName('select 1', 'anon')).toBe(statementName('select 1', 'anon'));
    expect(statementName('select 1', 'anon')).not.toBe(statementName('select 1', 'authenticated'));
  });
});
