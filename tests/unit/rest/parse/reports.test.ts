import { describe, expect, it } from 'vitest';
import { parseQueryParams } from '../../../../src/rest/parse/query-params.ts';

const report = (query: string): readonly [message: string, details: unknown] => {
  const outcome = parseQueryParams(new URLSearchParams(query).toString(), false);
  if (outcome.ok) throw new Error(`${query} was understood`);
  return [outcome.error.message, outcome.error.details];
};

const filter = (value: string) => report(`id=${value}`);
const place = (name: string, shown: string, column: number) =>
  `"failed to parse ${name} (${shown})" (line 1, column ${column})`;

describe('reports of filters', () => {
  it.each([
    ['noop.0', 1, 'unexpected "o" expecting "not" or operator (eq, gt, ...)'],
    ['val', 1, 'unexpected "v" expecting "not" or operator (eq, gt, ...)'],
    ['fts().value', 5, 'unexpected ")" expecting operator (eq, gt, ...)'],
    ['eq().value', 4, 'unexpected ")" expecting operator (eq, gt, ...)'],
    ['is().value', 3, 'unexpected "(" expecting operator (eq, gt, ...)'],
    ['in().value', 3, 'unexpected "(" expecting operator (eq, gt, ...)'],
    ['is.nope', 6, 'unexpected "p" expecting isVal: (null, not_null, true, false, unknown)'],
    ['in.5', 4, 'unexpected "5" expecting "("'],
  ])('%s is wrong at column %i', (value, column, details) => {
    expect(filter(value)).toEqual([place('filter', value, column), details]);
  });
});

describe('reports of select lists', () => {
  const afterName = 'expecting letter, digit, "-", "->>", "->", "::", ".", ")", "," or end of input';
  it.each([
    ['id,clients(name[])', 16, `unexpected '[' ${afterName}`],
    ['data->>-78xy', 11, `unexpected 'x' expecting digit, "->", "::", ".", "," or end of input`],
    ['name!hint', 5, `unexpected '!' ${afterName}`],
    ['name::', 7, 'unexpected end of input expecting letter or digit'],
  ])('%s is wrong at column %i', (select, column, details) => {
    expect(report(`select=${select}`)).toEqual([place('select parameter', select, column), details]);
  });
});

describe('reports of order lists', () => {
  const nulls = 'expecting "nullsfirst" or "nullslast"';
  const anyWord = 'expecting "asc", "desc", "nullsfirst" or "nullslast"';
  it.each([
    [
      'clients(name,id)',
      8,
      `unexpected '(' expecting letter, digit, "-", "->>", "->", delimiter (.), "," or end of input`,
    ],
    ['id.ac', 4, `unexpected "c" ${anyWord}`],
    ['id.descc', 8, `unexpected 'c' expecting delimiter (.), "," or end of input`],
    ['id.nulsfist', 4, `unexpected "n" ${anyWord}`],
    ['id.nullslasttt', 13, `unexpected 't' expecting "," or end of input`],
    ['id.smth34', 4, `unexpected "s" ${anyWord}`],
    ['id.asc.nlsfst', 8, `unexpected "l" ${nulls}`],
    ['id.asc.smth34', 8, `unexpected "s" ${nulls}`],
  ])('%s is wrong at column %i', (order, column, details) => {
    expect(report(`order=${order}`)).toEqual([place('order', order, column), details]);
  });
});

describe('reports of logic trees', () => {
  it.each([
    [
      'or',
      '()',
      4,
      'unexpected ")" expecting field name (* or [a..z0..9_$]), negation operator (not) or logic operator (and, or)',
    ],
    ['or', '(id.in.1,2,id.eq.3)', 10, 'unexpected "1" expecting "("'],
    ['or', ')(', 3, 'unexpected ")" expecting "("'],
    ['and', '(ord(id.eq.1,id.eq.1),id.eq.2)', 7, 'unexpected "d" expecting "("'],
    ['or', '(id.eq.1,not.xor(id.eq.2,id.eq.3))', 16, 'unexpected "x" expecting logic operator (and, or)'],
  ])('%s=%s is wrong at column %i', (operator, tree, column, details) => {
    expect(report(`${operator}=${tree}`)).toEqual([place('logic tree', tree, column), details]);
  });
});

describe('reports in general', () => {
  it('name what a quoted name waits for', () => {
    expect(report('select="open')).toEqual([
      place('select parameter', '"open', 6),
      'unexpected end of input expecting "\\\\" or "\\""',
    ]);
  });

  it('write characters beyond ASCII by their number', () => {
    expect(filter('ö')).toEqual([
      place('filter', 'ö', 1),
      'unexpected "\\246" expecting "not" or operator (eq, gt, ...)',
    ]);
  });

  it('count a tab as the columns up to the next stop', () => {
    expect(report('select=a,\t%')[0]).toContain('(line 1, column 9)');
  });

  it('refuse nesting that would exhaust the stack', () => {
    const [, details] = report(`select=${'a('.repeat(5_000)}`);
    expect(details).toContain('nesting of so many levels');
  });
});
