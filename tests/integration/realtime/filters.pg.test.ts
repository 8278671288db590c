import { describe, expect, it, onTestFinished } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { PhoenixClient } from '../../support/phoenix.ts';
import { testToken } from '../../support/realtime.ts';
import { itemIds, useRealtimeWorld, watchItems } from '../../support/realtime-world.ts';

const fixture = `
  create type public.mood as enum ('sad', 'ok', 'happy');
  create domain public.positive as int check (value > 0);
  create table public.things (
    id int primary key, small int2, big int8, amount numeric, ratio float8, flag bool, body text, short varchar(9),
    uid uuid, day date, at timestamptz, feeling public.mood, tags text[], hidden text, span int4range, raw bytea
  );
  create table public.other (id int primary key, body text);
  create table public.unpublished (id int primary key);
  alter publication supabase_realtime add table public.things, public.other;
  grant select on all tables in schema public to anon;
  revoke select on public.things from anon;
  grant select (id, small, big, amount, ratio, flag, body, short, uid, day, at, feeling, tags, span, raw) on public.things to anon;
`;

const world = useRealtimeWorld(fixture);

const insert = `
  truncate public.things;
  insert into public.things values
    (1, 1, 9007199254740993, 12.50, 1.5, true, 'Apple', 'a,b', '00000000-0000-4000-8000-00000000000a',
      '2024-01-02', '2024-01-02 03:04:05+02', 'sad', '{x,y}', null, '[1,5)', '\\x0102'),
    (2, 2, -5, 1e30, 'NaN', false, 'banana', 'x"y', '00000000-0000-4000-8000-00000000000b',
      '0044-03-15 BC', 'infinity', 'happy', '{}', null, '[7,9)', ''),
    (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);
  insert into public.other values (nextval('public.ends'), 'end');
`;

/** Ids of the three rows that pass each filter; a row of another table marks the end. */
async function passing(filters: readonly string[]): Promise<Map<string, number[]>> {
  const items = filters.map((filter) => ({ event: 'INSERT', schema: 'public', table: 'things', filter }));
  const end = { event: 'INSERT', schema: 'public', table: 'other' };
  const { client, reply } = await watchItems(world.realtime, [...items, end]);
  const ids = itemIds(reply);
  await world.db.exec(`create sequence if not exists public.ends; ${insert}`);
  await client.next(
    ({ event, payload }) =>
      event === 'postgres_changes' && (payload.data as { table: string }).table === 'other',
  );
  const found = new Map<string, number[]>(filters.map((filter) => [filter, []]));
  for (const { payload } of client.of('postgres_changes')) {
    const { record } = payload.data as { record: { id: number } };
    for (const id of payload.ids as number[]) found.get(filters[ids.indexOf(id)] ?? '')?.push(record.id);
  }
  return found;
}

const table: readonly (readonly [filter: string, rows: number[]])[] = [
  ['id=eq.1', [1]],
  ['id=neq.1', [2, 3]],
  ['id=not.eq.1', [2, 3]],
  ['id=in.(1,3)', [1, 3]],
  ['id=not.in.(1,3)', [2]],
  ['id=gt.1,id=lt.3', [2]],
  ['small=lte.1', [1]],
  ['small=not.lte.1', [2]],
  ['big=eq.9007199254740993', [1]],
  ['big=lt.0', [2]],
  ['amount=eq.12.5', [1]],
  ['amount=gte.1000000000000000000000000000000', [2]],
  ['ratio=gt.1', [1, 2]],
  ['ratio=eq.NaN', [2]],
  ['flag=is.true', [1]],
  ['flag=is.null', [3]],
  ['flag=is.unknown', [3]],
  ['flag=not.is.true', [2, 3]],
  ['flag=eq.yes', [1]],
  ['body=eq.Apple', [1]],
  ['body=gt.b', [2]],
  ['body=like.%pp%', [1]],
  ['body=not.like.%pp%', [2]],
  ['body=ilike.APPLE', [1]],
  ['body=match.^b', [2]],
  ['body=imatch.^A', [1]],
  ['body=isdistinct.Apple', [2, 3]],
  ['body=not.isdistinct.Apple', [1]],
  ['body=is.null', [3]],
  ['short=eq."a,b"', [1]],
  ['short=eq."x\\"y"', [2]],
  ['short=in.("a,b",c)', [1]],
  ['uid=eq.00000000-0000-4000-8000-00000000000A', [1]],
  ['day=eq.2024-01-02', [1]],
  ['day=lt.2024-01-01', [2]],
  ['at=eq.2024-01-02T01:04:05Z', [1]],
  ['at=gt.2030-01-01', [2]],
  ['feeling=eq.sad', [1]],
  ['feeling=gt.ok', [2]],
  ['tags=eq."{x,y}"', [1]],
  ['span=eq."[1,4]"', [1]],
  ['big=in.(-5,null)', [2]],
  ['big=not.in.(-5)', [1]],
  ['big=not.in.(-5,null)', []],
  ['small=eq.-1', []],
  ['small=gt.-1,big=lte.-5', [2]],
  ['amount=in.(12.5,1e30)', [1, 2]],
  ['amount=lt.-0.5', []],
  ['flag=is.false', [2]],
  ['flag=not.is.false', [1, 3]],
  ['flag=not.is.null', [1, 2]],
  ['flag=not.is.unknown', [1, 2]],
  ['flag=in.(t,false)', [1, 2]],
  ['id=is.null', []],
  ['id=not.is.null', [1, 2, 3]],
  ['tags=is.null', [3]],
  ['span=not.is.null', [1, 2]],
  ['body=in.(Apple,"banana")', [1, 2]],
  ['body=in.(null,apple)', []],
  ['body=in.()', []],
  ['body=not.in.()', [1, 2]],
  ['body=eq."Apple"', [1]],
  ['body=eq.', []],
  ['body=neq.', [1, 2]],
  ['short=in.("x\\"y")', [2]],
  ['body=ilike.%AN%', [2]],
  ['body=like.b_n_n_', [2]],
  ['body=like.A\\pple', [1]],
  ['body=not.match.^b', [1]],
  ['body=not.imatch.^b', [1]],
  ['body=match.^(Apple|banana)$', [1, 2]],
  ['short=like.a%', [1]],
  ['uid=in.(00000000-0000-4000-8000-00000000000b)', [2]],
  ['uid=gt.00000000-0000-4000-8000-00000000000a', [2]],
  ['day=in.(2024-01-02,0044-03-15 BC)', [1, 2]],
  ['at=in.(infinity)', [2]],
  ['at=lt.infinity', [1]],
  ['at=isdistinct.infinity', [1, 3]],
  ['feeling=in.(sad,ok)', [1]],
  ['feeling=not.in.(sad,ok)', [2]],
  ['feeling=lte.ok', [1]],
  ['tags=neq."{x,y}"', [2]],
  ['id=isdistinct.1', [2, 3]],
  ['ratio=lt.NaN', [1]],
  // Bytes as records show them.
  ['raw=eq.0102', [1]],
  ['raw=not.in.(0102)', [2]],
  ['raw=like.01%', [1]],
];

describe('filters', () => {
  it('let through what the same condition lets through in SQL', async () => {
    const found = await passing(table.map(([filter]) => filter));
    expect([...found]).toEqual(table.map(([filter, rows]) => [filter, rows]));
  });
});

/** Values of a type, two of them to compare with. */
const typed: readonly (readonly [type: string, values: readonly string[]])[] = [
  ['int2', ['-1', '32767', '-32768']],
  ['int8', ['-9223372036854775808', '9223372036854775807', '0']],
  ['numeric', ['-0.50', '1e20', 'NaN', '00.5']],
  ['float4', ['-1.5', '1e10', 'Infinity']],
  ['float8', ['0.1', '-Infinity', 'NaN']],
  ['boolean', ['true', 'f']],
  ['text', ['a', 'B', 'é', '%_', 'a"b', '{x}']],
  ['varchar', ['10', '9']],
  ['char(4)', ['ab', 'ab  ', 'x']],
  ['name', ['one', 'two']],
  ['citext', ['Ada', 'ADA', 'bob']],
  ['uuid', ['A0000000-0000-4000-8000-00000000000a', '{b0000000-0000-4000-8000-00000000000b}']],
  ['date', ['2024-02-29', '0001-01-01 BC', 'infinity', '12024-01-01']],
  ['time', ['23:59:59.999999', '00:00']],
  ['timestamp', ['2024-01-02T03:04:05.123456', '-infinity', '1999-12-31 23:59']],
  ['timestamptz', ['2024-01-02T03:04:05+02', '2024-01-02T01:04:05Z', '0044-03-15 BC']],
  ['interval', ['1 month', '30 days', '-1 hour']],
  ['inet', ['10.0.0.1', '10.0.0.0/8', '::1']],
  ['macaddr', ['08:00:2b:01:02:03', '08002b010204']],
  ['jsonb', ['{"b": 1, "a": [2]}', '"x"', 'null']],
  ['public.mood', ['sad', 'happy']],
  ['int4range', ['[1,5)', 'empty']],
  ['int4[]', ['{1,2}', '{}', '{NULL}']],
  ['text[]', ['{a,"b c"}', '{"x\\"y"}']],
  ['money', ['1.50', '-2']],
  ['bit varying', ['101', '1']],
  ['public.positive', ['5', '10']],
];

describe('a filter on any type', () => {
  const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  const symbols = { eq: '=', neq: '<>', lt: '<', lte: '<=', gt: '>', gte: '>=' } as const;

  it.each(typed)('of %s lets through what SQL lets through', async (type, values) => {
    await world.owner.exec('create extension if not exists citext');
    await world.db.exec(`drop table if exists public.typed;
      create table public.typed (id int primary key, v ${type});
      grant select on public.typed to anon; alter publication supabase_realtime add table public.typed`);
    const conditions = new Map<string, string>();
    const add = (filter: string, condition: string): void => {
      conditions.set(`v=${filter}`, condition);
      conditions.set(`v=not.${filter}`, `not (${condition})`);
    };
    for (const value of values.slice(0, 2)) {
      for (const [op, symbol] of Object.entries(symbols)) {
        add(`${op}.${quoted(value)}`, `v ${symbol} ${literal(value)}::${type}`);
      }
      add(`isdistinct.${quoted(value)}`, `v is distinct from ${literal(value)}::${type}`);
    }
    // Arrays of arrays are no lists of arrays.
    if (!type.endsWith('[]')) {
      const list = values.slice(0, 2).map((value) => `${literal(value)}::${type}`);
      add(`in.(${values.slice(0, 2).map(quoted).join(',')})`, `v in (${list.join(', ')})`);
    }
    add('is.null', 'v is null');
    const filters = [...conditions.keys()];
    const items = filters.map((filter) => ({ event: 'INSERT', schema: 'public', table: 'typed', filter }));
    const all = { event: 'INSERT', schema: 'public', table: 'typed' };
    const { client, reply } = await watchItems(world.realtime, [...items, all]);
    const ids = itemIds(reply);
    const rows = [...values.map(literal), 'null'].map((value, i) => `(${i}, ${value})`);
    await world.db.exec(`insert into public.typed values ${rows.join(', ')}`);
    await client.until(() => client.of('postgres_changes').length === rows.length);
    const passed = new Map(filters.map((filter) => [filter, [] as number[]]));
    for (const { payload } of client.of('postgres_changes')) {
      const { record } = payload.data as { record: { id: number } };
      for (const id of payload.ids as number[]) passed.get(filters[ids.indexOf(id)] ?? '')?.push(record.id);
    }
    for (const [filter, condition] of conditions) {
      const found = await world.db.query<{ id: number }>(
        sql`select id from public.typed where ${sql.fromServer(condition)} order by id`,
      );
      expect([filter, passed.get(filter)]).toEqual([filter, found.map(({ id }) => id)]);
    }
  });
});

const unable = 'Unable to subscribe to changes with given parameters.';

describe('subscriptions are refused', () => {
  it.each([
    ['an unknown operator', { filter: 'id=foo.1' }, 'Error parsing `filter` params: ["foo", "1"]'],
    ['a filter without an operator', { filter: 'undefined' }, 'Error parsing `filter` params: ["undefined"]'],
    [
      'an empty condition',
      { filter: 'id=eq.1,' },
      'Error parsing `filter` params: filter must not contain empty segments (check for extra commas)',
    ],
    [
      'a list without parentheses',
      { filter: 'id=in.1' },
      'Error parsing `filter` params: `in` filter value must be wrapped by parentheses',
    ],
    [
      'a filter that is null',
      { filter: null },
      /^No subscription params provided\. Please provide at least a `schema` or `table` to subscribe to: /,
    ],
    [
      'a selection that is text',
      { select: 'id' },
      'Error parsing `select` params: expected a list of column name strings, e.g. select: ["col1", "col2"]',
    ],
    [
      'a selection of all tables',
      { table: '*', select: ['id'] },
      'Column selection is not supported for wildcard subscriptions. Provide an explicit schema and table name.',
    ],
    [
      'a table that is not published',
      { table: 'unpublished' },
      `${unable} Please check Realtime is enabled for the given connect parameters: [event: *, schema: public, table: unpublished, filters: [], select: nil]`,
    ],
    [
      'a column that does not exist',
      { filter: 'nope=eq.1' },
      `${unable} An exception happened so please check your connect parameters: [event: *, schema: public, table: things, filters: [{"nope", "eq", "1", false}], select: nil]. Exception: ERROR P0001 (raise_exception) invalid column for filter nope`,
    ],
    [
      'a column that the role may not read',
      { filter: 'hidden=eq.1' },
      /Exception: .*invalid column for filter hidden$/,
    ],
    [
      'a selected column that the role may not read',
      { select: ['hidden'] },
      /Exception: .*invalid column for select hidden$/,
    ],
    [
      'a value of another type',
      { filter: 'id=eq.abc' },
      /Exception: ERROR 22P02 \(invalid_text_representation\) invalid input syntax for type integer: "abc"$/,
    ],
    [
      'too many values',
      { filter: `id=in.(${Array.from({ length: 101 }, (_, i) => i)})` },
      /too many values for `in` filter\. Maximum 100$/,
    ],
    ['a broken expression', { filter: 'body=match.(' }, /invalid regular expression for match filter: /],
    [
      'a pattern on a number',
      { filter: 'id=like.1%' },
      /operator like requires a text-compatible column type, got integer$/,
    ],
    [
      'a pattern on a list',
      { filter: 'tags=ilike.x%' },
      /operator ilike requires a text-compatible column type, got text\[\]$/,
    ],
    [
      'an expression on a feeling',
      { filter: 'feeling=imatch.x' },
      /operator imatch requires a text-compatible column type, got mood$/,
    ],
    [
      'a number that is too large',
      { filter: 'small=eq.40000' },
      /Exception: ERROR 22003 \(numeric_value_out_of_range\) value "40000" is out of range for type smallint$/,
    ],
    [
      'a date that there is not',
      { filter: 'day=eq.2023-02-29' },
      /Exception: ERROR 22008 \(datetime_field_overflow\) date\/time field value out of range: "2023-02-29"$/,
    ],
    [
      'a list that is not closed',
      { filter: 'body=in.("a)' },
      /Error parsing `filter` params: `in` filter value must be wrapped by parentheses$|Exception: .*malformed array literal/,
    ],
    [
      'a truth value of a number',
      { filter: 'id=is.true' },
      /is true filter requires a boolean column, got integer$/,
    ],
    [
      'an odd keyword',
      { filter: 'id=is.maybe' },
      /invalid value for is filter: must be null, true, false, or unknown$/,
    ],
  ])('for %s', async (_, item, expected) => {
    const client = await PhoenixClient.connect(world.realtime.url, world.realtime.anonToken);
    onTestFinished(() => client.close());
    await client.join('bad', {
      postgres_changes: [{ event: '*', schema: 'public', table: 'things', ...item }],
    });
    const status = await client.next(({ event }) => event === 'system');
    expect(status.payload).toEqual({
      extension: 'postgres_changes',
      status: 'error',
      channel: 'bad',
      message: typeof expected === 'string' ? expected : expect.stringMatching(expected),
    });
  });

  it('for a role that does not exist', async () => {
    const client = await PhoenixClient.connect(world.realtime.url, world.realtime.anonToken);
    onTestFinished(() => client.close());
    const items = [{ event: '*', schema: 'public', table: 'things' }];
    await client.join('bad', { postgres_changes: items }, await testToken({ role: 'ghost' }));
    const status = await client.next(({ event }) => event === 'system');
    expect(status.payload.message).toMatch(/role "ghost" does not exist$/);
  });
});
