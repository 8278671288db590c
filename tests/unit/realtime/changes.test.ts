import { describe, expect, it } from 'vitest';
import { parseArrayText } from '../../../src/realtime/changes/array-text.ts';
import { evaluate } from '../../../src/realtime/changes/compare.ts';
import { parseCompositeText } from '../../../src/realtime/changes/composite-text.ts';
import { commitTimestamp } from '../../../src/realtime/changes/encode.ts';
import { type FilterOp, parseFilters } from '../../../src/realtime/changes/filter.ts';
import { itemId, parseItem } from '../../../src/realtime/changes/item.ts';
import type { TypeInfo } from '../../../src/realtime/changes/model.ts';
import { showsIn } from '../../../src/realtime/changes/snapshot.ts';
import { valueToken } from '../../../src/realtime/changes/values.ts';
import { formatLsn, parseLsn } from '../../../src/realtime/feed/lsn.ts';
import { slotAction } from '../../../src/realtime/feed/slot.ts';

const scalar = (oid: number, name = 'x'): TypeInfo => ({
  oid,
  schema: 'pg_catalog',
  name,
  shape: { kind: 'scalar' },
});
const filter = (column: string, op: FilterOp, value: string, negate = false) => ({
  column,
  op,
  value,
  negate,
});

describe('filters', () => {
  it.each([
    ['', []],
    ['   ', []],
    ['a=eq.1', [filter('a', 'eq', '1')]],
    [' a=eq.1 , b=not.gt.2 ', [filter('a', 'eq', '1'), filter('b', 'gt', '2', true)]],
    ['a=eq.x=y.z', [filter('a', 'eq', 'x=y.z')]],
    ['a=in.(1,2)', [filter('a', 'in', '{1,2}')]],
    ['a=in.("x,)",y),b=eq.1', [filter('a', 'in', '{"x,)",y}'), filter('b', 'eq', '1')]],
    ['a=eq."x,\\"y"', [filter('a', 'eq', 'x,"y')]],
    ['a=eq."x"y', [filter('a', 'eq', '"x"y')]],
    ['a=eq.', [filter('a', 'eq', '')]],
    ['a=is.null', [filter('a', 'is', 'null')]],
  ])('%j are read', (text, expected) => {
    expect(parseFilters(text)).toEqual({ ok: true, value: expected });
  });

  it.each([
    ['a', '["a"]'],
    ['a=b', '["b"]'],
    ['a=foo.1', '["foo", "1"]'],
    ['a=in.1', '`in` filter value must be wrapped by parentheses'],
    ['a=eq.1,,b=eq.2', 'filter must not contain empty segments (check for extra commas)'],
  ])('%j are refused', (text, error) => {
    expect(parseFilters(text)).toEqual({ ok: false, error });
  });
});

describe('items', () => {
  it.each([
    [{ schema: 's' }, { event: '*', schema: 's', table: '*', filters: [], select: null }],
    [{ table: 't' }, { event: '*', schema: 'public', table: 't', filters: [], select: null }],
    [
      { event: 'insert', schema: 's', table: 't', select: ['a', 1] },
      { event: 'INSERT', schema: 's', table: 't', filters: [], select: ['a'] },
    ],
    [
      { event: 'TRUNCATE', schema: 's', table: 't', select: [] },
      { event: '*', schema: 's', table: 't', filters: [], select: null },
    ],
  ])('%j are read', (raw, value) => {
    expect(parseItem(raw)).toEqual({ ok: true, value });
  });

  it.each([
    [{}],
    [{ filter: 'a=eq.1' }],
    [{ schema: 's', filter: 'a=eq.1' }],
    [{ schema: 's', table: 't', filter: null }],
    [{ schema: null, table: 't' }],
  ])('%j ask for nothing', (raw) => {
    const parsed = parseItem(raw);
    expect(parsed.ok ? '' : parsed.error).toMatch(/^No subscription params provided\. /);
  });

  it('do not show tokens in the text of their refusal', () => {
    const parsed = parseItem({ user_token: 'secret' });
    expect(parsed.ok ? '' : parsed.error).toMatch(/<redacted>$/);
  });

  it('that are equal have one number, whatever the order of their members', () => {
    expect(itemId({ a: 1, b: [2] })).toBe(itemId({ b: [2], a: 1 }));
    expect(itemId({})).toBeGreaterThan(0);
  });
});

describe('evaluation', () => {
  const [int4, int8, numeric, text, bool, timestamptz, float8] = [23, 20, 1700, 25, 16, 1184, 701].map(
    (oid) => scalar(oid),
  );
  it.each([
    ['eq', '5', int4, '5', true],
    ['neq', '5', int4, '6', true],
    ['gt', '9', int4, '10', true],
    ['lte', '10', int8, '9223372036854775807', false],
    ['eq', '1.0', numeric, '1', true],
    ['lt', '-1.5', numeric, '-1.49', false],
    ['gt', '-1.5', numeric, '-1.49', true],
    ['eq', 'NaN', numeric, '1', 'ask'],
    ['gt', '1', float8, 'NaN', 'ask'],
    ['lt', '2', float8, '1e-5', true],
    ['eq', 'a', text, 'a', true],
    ['gt', 'a', text, 'b', 'ask'],
    ['like', 'a%', text, 'ab', 'ask'],
    ['in', '{a,"b c",NULL}', text, 'b c', true],
    ['in', '{a,NULL}', text, 'x', null],
    ['in', '{a}', text, 'x', false],
    ['eq', 't', bool, 't', true],
    ['is', 'true', bool, 'f', false],
    ['is', 'unknown', bool, null, true],
    ['is', 'null', text, 'x', false],
    ['gte', '2024-01-02 03:04:05+00', timestamptz, '2024-01-02 03:04:05.1+00', true],
    ['gte', '2024-01-02 03:04:05+00', timestamptz, '0044-01-01 00:00:00+00 BC', 'ask'],
    ['eq', 'x', scalar(1), 'x', true],
    ['eq', 'x', scalar(1), 'y', 'ask'],
    ['eq', '5', int4, null, null],
    ['isdistinct', '5', int4, null, true],
    ['isdistinct', '5', int4, '5', false],
  ] as const)('%s %s', (op, wanted, type, value, expected) => {
    expect(evaluate(filter('c', op, wanted), type ?? scalar(0), value)).toBe(expected);
    const negated = typeof expected === 'boolean' ? !expected : expected;
    expect(evaluate(filter('c', op, wanted, true), type ?? scalar(0), value)).toBe(negated);
  });
});

describe('values as JSON', () => {
  it.each([
    [16, 't', 'true'],
    [17, '\\x00ff', '"00ff"'],
    [20, '9223372036854775807', '9223372036854775807'],
    [1700, '12.50', '12.50'],
    [1700, 'NaN', 'null'],
    [701, '-Infinity', 'null'],
    [701, '1e+20', '1e+20'],
    [1114, '2024-01-02 03:04:05.6', '"2024-01-02T03:04:05.6"'],
    [1114, 'infinity', '"infinity"'],
    [1184, '2024-01-02 03:04:05+00', '"2024-01-02T03:04:05+00:00"'],
    [1184, '0044-03-15 00:00:00+00 BC', '"0044-03-15T00:00:00+00:00 BC"'],
    [3802, '{"a": 1}', '{"a": 1}'],
    [25, 'a"b\n', '"a\\"b\\n"'],
  ])('of type %i: %s', (oid, text, token) => {
    expect(valueToken(scalar(oid), text)).toBe(token);
  });

  it('nest arrays, rows and domains', () => {
    const domain: TypeInfo = { oid: 9, schema: 'p', name: 'd', shape: { kind: 'domain', base: scalar(23) } };
    const row: TypeInfo = {
      oid: 8,
      schema: 'p',
      name: 'r',
      shape: {
        kind: 'composite',
        attributes: [
          { name: 'a', type: domain },
          { name: 'b', type: scalar(25) },
        ],
      },
    };
    const rows: TypeInfo = {
      oid: 7,
      schema: 'p',
      name: '_r',
      shape: { kind: 'array', element: row, delimiter: ',' },
    };
    expect(valueToken(rows, '{"(1,\\"x, y\\")",NULL,"(,)"}')).toBe(
      '[{"a":1,"b":"x, y"},null,{"a":null,"b":null}]',
    );
  });

  it('read arrays with bounds, depth and odd delimiters', () => {
    expect(parseArrayText('[0:1]={1,2}', ',')).toEqual(['1', '2']);
    expect(parseArrayText('{{a,"}"},{"\\\\",NULL}}', ',')).toEqual([
      ['a', '}'],
      ['\\', null],
    ]);
    expect(parseArrayText('{(1,1),(0,0);(2,2),(1,1)}', ';')).toEqual(['(1,1),(0,0)', '(2,2),(1,1)']);
    expect(parseArrayText('{}', ',')).toEqual([]);
    expect(() => parseArrayText('{1', ',')).toThrow(RangeError);
  });

  it('read rows with nulls, quotes and nothing at all', () => {
    expect(parseCompositeText('(1,,"","a ""b"" \\\\")')).toEqual(['1', null, '', 'a "b" \\']);
    expect(() => parseCompositeText('1')).toThrow(RangeError);
  });
});

describe('positions, snapshots, times', () => {
  it('print log positions as the server does', () => {
    expect(formatLsn(parseLsn('16/B374D848'))).toBe('16/B374D848');
    expect(parseLsn('1/0')).toBe(2n ** 32n);
  });

  it.each([
    ['10:20:', 9, true],
    ['10:20:', 20, false],
    ['10:20:12,15', 15, false],
    ['10:20:12,15', 14, true],
    ['4294967295:4294967300:', 3, true],
    ['4294967295:4294967300:', 4, false],
  ])('snapshot %s shows %i: %s', (snapshot, xid, shows) => {
    expect(showsIn(snapshot, xid)).toBe(shows);
  });

  it('cut commit times to milliseconds', () => {
    expect(commitTimestamp(1_704_164_645_678_999n)).toBe('2024-01-02T03:04:05.678Z');
  });
});

describe('the slot', () => {
  const state = { plugin: 'pgoutput', isActive: false, confirmed: 0n, isLost: false, lagBytes: 0 };
  it.each([
    ['is made when there is none', null, 'create'],
    ['is used when it is there', state, 'use'],
    ['is waited for when another holds it', { ...state, isActive: true }, 'wait'],
    ['is made anew when the server lost it', { ...state, isLost: true }, 'recreate'],
    ['is made anew when it speaks another format', { ...state, plugin: 'wal2json' }, 'recreate'],
    ['is made anew when too much has gathered', { ...state, lagBytes: 101 }, 'recreate'],
  ] as const)('%s', (_, slot, action) => {
    expect(slotAction(slot, 100)).toBe(action);
  });
});
