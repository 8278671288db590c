import { describe, expect, it } from 'vitest';
import { parseQueryParams, type QueryParams } from '../../../../src/rest/parse/query-params.ts';

const parse = (query: string, isCall = false): QueryParams => {
  const outcome = parseQueryParams(query, isCall);
  if (!outcome.ok) throw new Error(`${outcome.error.message}: ${String(outcome.error.details)}`);
  return outcome.value;
};

const condition = (value: string) => {
  const [filter] = parse(`a=${encodeURIComponent(value)}`).filters;
  return { negated: filter?.value.negated, ...filter?.value.operation };
};

const selected = (select: string) => parse(`select=${encodeURIComponent(select)}`).select;

const field = (name: string, extras: object = {}) => ({
  kind: 'field',
  field: { name, path: [] },
  aggregate: null,
  aggregateCast: null,
  cast: null,
  alias: null,
  ...extras,
});

const relation = (name: string, extras: object = {}) => ({
  kind: 'relation',
  isSpread: false,
  name,
  alias: null,
  hint: null,
  join: null,
  items: [],
  ...extras,
});

const key = (text: string, arrow = '->') => ({ arrow, kind: 'key', text });
const index = (text: string, arrow = '->') => ({ arrow, kind: 'index', text });

describe('the canonical query', () => {
  it.each([
    ['a=1&c=3&b=2&d', 'a=1&b=2&c=3&d='],
    ['select=id,name&id=eq.1', 'id=eq.1&select=id%2Cname'],
    ['b=1&a=2&b=3', 'a=2&b=1,3'],
    ['name=eq.%D8%B3+x', 'name=eq.%D8%B3%20x'],
    ['', ''],
  ])('of %s is %s', (query, canonical) => {
    expect(parse(query, true).canonical).toBe(canonical);
  });
});

describe('select lists', () => {
  it.each<[string, readonly object[]]>([
    ['', []],
    ['*', [field('*')]],
    ['id, name ,last name', [field('id'), field('name'), field('last name')]],
    ['"a,b"', [field('a,b')]],
    ['"say \\"x\\""', [field('say "x"')]],
    ['with-dash', [field('with-dash')]],
    ['n:name::text', [field('name', { alias: 'n', cast: 'text' })]],
    ['data->a->>0', [field('data', { field: { name: 'data', path: [key('a'), index('+0', '->>')] } })]],
    ['data->-1', [field('data', { field: { name: 'data', path: [index('-1')] } })]],
    ['data->!@#$%^&*_a', [field('data', { field: { name: 'data', path: [key('!@#$%^&*_a')] } })]],
    ['count()', [field('*', { aggregate: 'count' })]],
    ['c:count()::text', [field('*', { aggregate: 'count', aggregateCast: 'text', alias: 'c' })]],
    ['count', [field('count')]],
    ['cost::int.sum()::text', [field('cost', { cast: 'int', aggregate: 'sum', aggregateCast: 'text' })]],
    ['max', [field('max')]],
  ])('%s', (select, items) => {
    expect(selected(select)).toEqual(items);
  });

  it.each<[string, object]>([
    ['client()', relation('client')],
    [
      'c:client!fk!inner(id)',
      relation('client', { alias: 'c', hint: 'fk', join: 'inner', items: [field('id')] }),
    ],
    ['client!left!fk(id)', relation('client', { hint: 'fk', join: 'left', items: [field('id')] })],
    ['...client(id)', relation('client', { isSpread: true, items: [field('id')] })],
    ['a(b(c))', relation('a', { items: [relation('b', { items: [field('c')] })] })],
  ])('%s', (select, item) => {
    expect(selected(select)).toEqual([item]);
  });

  it('end at text that no item goes on with', () => {
    expect(selected('id)whatever')).toEqual([field('id')]);
  });
});

describe('conditions', () => {
  it.each<[string, object]>([
    ['eq.5', { kind: 'quantified', operator: 'eq', quantifier: null, value: '5' }],
    ['eq.', { kind: 'quantified', operator: 'eq', quantifier: null, value: '' }],
    ['like(any).{a*,b*}', { kind: 'quantified', operator: 'like', quantifier: 'any', value: '{a*,b*}' }],
    ['gte(all).{1,2}', { kind: 'quantified', operator: 'gte', quantifier: 'all', value: '{1,2}' }],
    ['neq.a.b,c', { kind: 'simple', operator: 'neq', value: 'a.b,c' }],
    ['cs.{1,2}', { kind: 'simple', operator: 'cs', value: '{1,2}' }],
    ['in.(1,2)', { kind: 'in', values: ['1', '2'] }],
    ['in.()', { kind: 'in', values: [''] }],
    ['in.("a,b","c\\"d",e"f)', { kind: 'in', values: ['a,b', 'c"d', 'e"f'] }],
    ['in.("a"b,c)', { kind: 'in', values: ['"a"b', 'c'] }],
    ['is.NULL', { kind: 'is', operand: 'null' }],
    ['is.not_null', { kind: 'is', operand: 'not_null' }],
    ['isdistinct.5', { kind: 'isdistinct', value: '5' }],
    ['fts(english).cat', { kind: 'search', operator: 'fts', language: 'english', value: 'cat' }],
    ['wfts.cat', { kind: 'search', operator: 'wfts', language: null, value: 'cat' }],
  ])('%s', (value, operation) => {
    expect(condition(value)).toEqual({ negated: false, ...operation });
    expect(condition(`not.${value}`)).toEqual({ negated: true, ...operation });
  });
});

describe('keys of filters', () => {
  it.each([
    ['a', [], 'a', []],
    ['a.b.c', ['a', 'b'], 'c', []],
    ['"a.b".c', ['a.b'], 'c', []],
    ['data->x->>1', [], 'data', [key('x'), index('+1', '->>')]],
  ])('%s', (text, path, name, steps) => {
    const [filter] = parse(`${encodeURIComponent(text)}=eq.1`).filters;
    expect(filter?.path).toEqual(path);
    expect(filter?.value.field).toEqual({ name, path: steps });
  });
});

describe('logic parameters', () => {
  it('keep their nesting, their negation and their path', () => {
    const [logic] = parse('films.not.or=(id.eq.1,and(name.in.(a,"b,c"),tags.cs.{x,y}))').logic;
    expect(logic?.path).toEqual(['films']);
    expect(logic?.value).toMatchObject({
      kind: 'group',
      negated: true,
      operator: 'or',
      trees: [
        { kind: 'filter', field: { name: 'id' } },
        {
          kind: 'group',
          negated: false,
          operator: 'and',
          trees: [
            { operation: { kind: 'in', values: ['a', 'b,c'] } },
            { operation: { kind: 'simple', operator: 'cs', value: '{x,y}' } },
          ],
        },
      ],
    });
  });

  it('take quoted values with reserved characters', () => {
    const [logic] = parse(`or=(${encodeURIComponent('a.eq."x,)y",b.eq.z')})`).logic;
    expect(logic?.value).toMatchObject({
      trees: [{ operation: { value: 'x,)y' } }, { operation: { value: 'z' } }],
    });
  });
});

describe('order parameters', () => {
  it('keep direction, nulls, JSON paths and relations', () => {
    const [order] = parse('order=name.desc.nullslast,data-%3Ea.asc,client(name)').order;
    expect(order?.value).toEqual([
      { relation: null, field: { name: 'name', path: [] }, direction: 'desc', nulls: 'last' },
      { relation: null, field: { name: 'data', path: [key('a')] }, direction: 'asc', nulls: null },
      { relation: 'client', field: { name: 'name', path: [] }, direction: null, nulls: null },
    ]);
  });
});

describe('arguments of a call', () => {
  it('are what does not begin as a condition', () => {
    const { arguments: given, filters } = parse('a=5&b=eq.5&c=eq5', true);
    expect(given).toEqual([
      ['a', '5'],
      ['c', 'eq5'],
    ]);
    expect(filters.map(({ value }) => value.field.name)).toEqual(['b']);
  });
});

describe('limits', () => {
  const ranges = (query: string) => Object.fromEntries(parse(query).ranges);

  it('join the offset of the same relation', () => {
    expect(ranges('limit=5&offset=10&films.limit=2')).toEqual({
      limit: { first: 10n, last: 14n },
      'films.limit': { first: 0n, last: 1n },
    });
  });

  it('that are no number do not restrict', () => {
    expect(ranges('limit=many')).toEqual({ limit: { first: 0n, last: null } });
  });
});
