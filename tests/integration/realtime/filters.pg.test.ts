import { describe, expect, it, onTestFinished } from 'vitest';
import { PhoenixClient } from '../../support/phoenix.ts';
import { testToken } from '../../support/realtime.ts';
import { itemIds, useRealtimeWorld, watchItems } from '../../support/realtime-world.ts';

const fixture = `
  create type public.mood as enum ('sad', 'ok', 'happy');
  create table public.things (
    id int primary key, small int2, big int8, amount numeric, ratio float8, flag bool, body text, short varchar(9),
    uid uuid, day date, at timestamptz, feeling public.mood, tags text[], hidden text, span int4range
  );
  create table public.other (id int primary key, body text);
  create table public.unpublished (id int primary key);
  alter publication supabase_realtime add table public.things, public.other;
  grant select on all tables in schema public to anon;
  revoke select on public.things from anon;
  grant select (id, small, big, amount, ratio, flag, body, short, uid, day, at, feeling, tags, span) on public.things to anon;
`;

const world = useRealtimeWorld(fixture);

const insert = `
  truncate public.things;
  insert into public.things values
    (1, 1, 9007199254740993, 12.50, 1.5, true, 'Apple', 'a,b', '00000000-0000-4000-8000-00000000000a',
      '2024-01-02', '2024-01-02 03:04:05+02', 'sad', '{x,y}', null, '[1,5)'),
    (2, 2, -5, 1e30, 'NaN', false, 'banana', 'x"y', '00000000-0000-4000-8000-00000000000b',
      '0044-03-15 BC', 'infinity', 'happy', '{}', null, '[7,9)'),
    (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null);
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
];

describe('filters', () => {
  it('let through what the same condition lets through in SQL', async () => {
    const found = await passing(table.map(([filter]) => filter));
    expect([...found]).toEqual(table.map(([filter, rows]) => [filter, rows]));
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
