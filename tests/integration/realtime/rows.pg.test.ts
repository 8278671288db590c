import { describe, expect, it, onTestFinished } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { PhoenixClient } from '../../support/phoenix.ts';
import {
  itemIds,
  type ToldChange,
  toldChanges,
  useRealtimeWorld,
  watchItems,
  watchTable,
} from '../../support/realtime-world.ts';

const world = useRealtimeWorld();

async function publish(name: string, definition: string): Promise<void> {
  // Tried again, a test finds the table that it made.
  await world.db.exec(`drop table if exists public.${name}; create table public.${name} (${definition}); grant select on public.${name} to anon;
    alter publication supabase_realtime add table public.${name}`);
}

async function watch(table: string, extra: Record<string, unknown> = {}) {
  const client = await watchTable(world.realtime, table, { subTopic: 'rows' }, extra);
  return {
    client,
    async changes(count: number): Promise<ToldChange[]> {
      await client.until(() => toldChanges(client).length >= count);
      return toldChanges(client);
    },
  };
}

const kilobytes = (count: number): string =>
  `(select string_agg(md5(random()::text || n), '') from generate_series(1, ${count * 32}) n)`;

describe('values', () => {
  it('are printed as to_jsonb prints them', async () => {
    await world.db.exec(`
      create type public.pair as (a int, b text, c timestamptz);
      create domain public.positive as int check (value > 0);
      create type public.color as enum ('red', 'dark blue');`);
    await publish(
      'every_type',
      `id int primary key, i2 int2, i8 int8, n numeric, f4 float4, f8 float8, t bool, vc varchar(5),
      nm name, u uuid, col public.color, x xml, ip inet, mac macaddr, ts tsvector, vb bit varying, m money, iv interval,
      r int4range, p point, tm time, tz timetz, d date, at timestamp, az timestamptz, j json, jb jsonb, ia int[],
      ta text[][], za timestamptz[], pa public.pair[], cp public.pair, dm public.positive, ba bytea[], bx box[]`,
    );
    const watched = await watch('every_type');
    await world.db.exec(`
      set timezone = 'Asia/Tokyo';
      insert into public.every_type values
      (1, -1, 9223372036854775807, 12.50, 1.5, 1e20, true, 'abc', 'nm', '00000000-0000-4000-8000-00000000000A', 'dark blue',
        '<a/>', '10.0.0.1', '08:00:2b:01:02:03', 'a fat cat', '101', 1.5, '1 day 02:00', '[1,5)', '(1,2)', '12:00', '12:00+02',
        '2024-01-02', '2024-01-02 03:04:05.6', '2024-01-02 03:04:05.123456+05:30', '{"a": [1, "x"]}', '{"b":1}', '{1,null,3}', '{{a,"b c"},{"",NULL}}',
        '{2024-01-02 03:04:05+00}', array[row(1, 'x "y", z', now())::public.pair, null], row(null, '', '2024-01-01')::public.pair, 5,
        array['\\x01'::bytea], '{(1,1),(0,0);(2,2),(1,1)}'),
      (2, null, -1, 1e30, null, 1e-7, false, '', '', null, 'red', null, null, null, null, null, null, '-1 mons', 'empty', null, null, null,
        '0044-03-15 BC', 'infinity', '0044-03-15 00:00:00+00 BC', null, '"text"', '{}', null, null, null, null, null, null, null);
      reset timezone`);
    const rows = await world.db.query<{ row: Record<string, unknown> }>(sql`
      select to_jsonb(e) || '{"ba": null}' as row from public.every_type e, set_config('timezone', 'UTC', false) order by id`);
    const changes = await watched.changes(2);
    // Arrays of bytea are hex without a prefix, as single values are.
    expect(changes.map(({ record }) => ({ ...(record as object), ba: null }))).toEqual(
      rows.map(({ row }) => row),
    );
  });

  it('of types with a cast of their own to json are printed by it, alone and inside of others', async () => {
    await world.db.exec(`
      create type public.mood as enum ('sad', 'glad');
      create function public.mood_json(mood) returns json language sql immutable as
        $$ select json_build_object('mood', $1::text) $$;
      create domain public.some_mood as public.mood;
      create type public.entry as (felt public.mood, at int);`);
    await world.owner.exec('create cast (public.mood as json) with function public.mood_json(public.mood)');
    await publish('moods', 'id int primary key, one mood, many mood[], named some_mood, entry entry');
    const watched = await watch('moods');
    await world.db.exec(`insert into public.moods values (1, 'sad', '{glad,null}', 'glad', '(sad,7)');
      insert into public.moods values (2)`);
    const [row] = await world.db.query<{ json: unknown }>(
      sql`select json_agg(to_jsonb(m) order by id) as json from public.moods m`,
    );
    expect((await watched.changes(2)).map(({ record }) => record)).toEqual(row?.json);
  });

  it('that JSON has no word for are null', async () => {
    await publish('odd_numbers', 'id int primary key, n numeric, f float8');
    const watched = await watch('odd_numbers');
    await world.db.exec(`insert into public.odd_numbers values (1, 'NaN', 'Infinity')`);
    expect((await watched.changes(1))[0]?.record).toEqual({ id: 1, n: null, f: null });
  });

  it('of int8 keep every digit on the wire', async () => {
    await publish('big_numbers', 'id int8 primary key');
    const watched = await watch('big_numbers');
    const raw: string[] = [];
    watched.client.socket.on('message', (bytes: Buffer) => raw.push(bytes.toString()));
    await world.db.exec('insert into public.big_numbers values (9007199254740993)');
    await watched.changes(1);
    expect(raw.join()).toContain('"record":{"id":9007199254740993}');
  });
});

describe('the identity of a row', () => {
  it('is its key in old_record, changed or not', async () => {
    await publish('keyed', 'id int primary key, body text');
    const watched = await watch('keyed');
    await world.db.exec(
      `insert into public.keyed values (1, 'a'); update public.keyed set body = 'b'; update public.keyed set id = 2; delete from public.keyed`,
    );
    const changes = await watched.changes(4);
    expect(changes.map(({ old_record }) => old_record)).toEqual([undefined, { id: 1 }, { id: 1 }, { id: 2 }]);
  });

  it('is the whole row with replica identity full', async () => {
    await publish('whole', 'id int primary key, body text');
    await world.db.exec('alter table public.whole replica identity full');
    const watched = await watch('whole');
    await world.db.exec(
      `insert into public.whole values (1, 'a'); update public.whole set body = 'b'; delete from public.whole`,
    );
    const changes = await watched.changes(3);
    expect(changes.map(({ old_record }) => old_record)).toEqual([
      undefined,
      { id: 1, body: 'a' },
      { id: 1, body: 'b' },
    ]);
  });

  it('is that of an index', async () => {
    await publish('indexed', 'id int primary key, slug text not null unique, body text');
    await world.db.exec('alter table public.indexed replica identity using index indexed_slug_key');
    const watched = await watch('indexed');
    await world.db.exec(
      `insert into public.indexed values (1, 'a', 'x'); update public.indexed set body = 'y'; delete from public.indexed`,
    );
    const changes = await watched.changes(3);
    expect(changes.map(({ old_record }) => old_record)).toEqual([undefined, { slug: 'a' }, { slug: 'a' }]);
  });

  it('filters a DELETE', async () => {
    await publish('gone', 'id int primary key, body text');
    const byKey = await watch('gone', { filter: 'id=eq.1', event: 'DELETE' });
    const byBody = await watch('gone', { filter: 'body=eq.a', event: 'DELETE' });
    await world.db.exec(`insert into public.gone values (1, 'a'), (2, 'a'); delete from public.gone; alter table public.gone replica identity full;
      insert into public.gone values (3, 'a'); delete from public.gone`);
    expect((await byBody.changes(1)).map(({ old_record }) => old_record)).toEqual([{ id: 3, body: 'a' }]);
    expect((await byKey.changes(1)).map(({ old_record }) => old_record)).toEqual([{ id: 1 }]);
  });
});

describe('a value that is stored out of line and did not change', () => {
  it('is missing, not null, and matches no filter', async () => {
    await publish('toasted', 'id int primary key, n int, body text');
    const watched = await watch('toasted', { event: 'UPDATE' });
    const filtered = await watch('toasted', { event: 'UPDATE', filter: 'body=neq.x' });
    await world.db.exec(
      `insert into public.toasted values (1, 1, ${kilobytes(16)}); update public.toasted set n = 2; update public.toasted set body = 'y'`,
    );
    expect((await watched.changes(2))[0]?.record).toEqual({ id: 1, n: 2 });
    expect((await filtered.changes(1)).map(({ record }) => record)).toEqual([{ id: 1, n: 2, body: 'y' }]);
  });

  it('is taken from the old row with replica identity full', async () => {
    await publish('toasted_full', 'id int primary key, n int, body text');
    await world.db.exec('alter table public.toasted_full replica identity full');
    const watched = await watch('toasted_full', { event: 'UPDATE' });
    await world.db.exec(
      `insert into public.toasted_full values (1, 1, ${kilobytes(16)}); update public.toasted_full set n = 2`,
    );
    const [change] = await watched.changes(1);
    expect(change?.record).toMatchObject({ id: 1, n: 2, body: expect.stringMatching(/^[0-9a-f]{16384}$/) });
  });
});

describe('what cannot be shown', () => {
  it('is an error for a table without a primary key, except DELETE', async () => {
    await publish('keyless', 'id int, body text');
    await world.db.exec('alter table public.keyless replica identity full');
    const watched = await watch('keyless', { filter: 'id=eq.99' });
    const all = await watch('keyless');
    await world.db.exec(
      `insert into public.keyless values (1, 'a'); update public.keyless set body = 'b'; delete from public.keyless`,
    );
    const error = {
      schema: 'public',
      table: 'keyless',
      commit_timestamp: null,
      columns: [],
      record: {},
      errors: ['Error 400: Bad Request, no primary key'],
    };
    const changes = await all.changes(3);
    expect(changes.slice(0, 2)).toEqual([
      { ...error, type: 'INSERT' },
      { ...error, type: 'UPDATE', old_record: {} },
    ]);
    expect(changes[2]).toMatchObject({ type: 'DELETE', old_record: { id: 1, body: 'b' }, errors: null });
    expect(await watched.changes(2)).toHaveLength(2);
  });

  it('is an error for a role that may not read the key', async () => {
    await publish('locked', 'id int primary key, body text');
    const watched = await watch('locked');
    await world.db.exec(
      `revoke select on public.locked from anon; grant select (body) on public.locked to anon; insert into public.locked values (1, 'a')`,
    );
    expect((await watched.changes(1))[0]).toMatchObject({ record: {}, errors: ['Error 401: Unauthorized'] });
  });

  it('leaves out columns that the role may not read, from the change on that follows the revoke', async () => {
    await publish('partly', 'id int primary key, body text, secret text');
    const watched = await watch('partly');
    await world.db.exec(`insert into public.partly values (1, 'a', 's'); revoke select on public.partly from anon;
      grant select (id, body) on public.partly to anon; insert into public.partly values (2, 'b', 's')`);
    const changes = await watched.changes(2);
    expect(changes[1]?.record).toEqual({ id: 2, body: 'b' });
    expect(changes[1]?.columns.map(({ name }) => name)).toEqual(['id', 'body']);
  });

  it('loses its long values and its nulls above one megabyte', async () => {
    await publish('large', 'id int primary key, short text, nothing text, long text, edge text, over text');
    const watched = await watch('large');
    await world.db.exec(
      `insert into public.large values (1, 'a', null, ${kilobytes(1100)}, repeat('x', 62), repeat('x', 63))`,
    );
    const [change] = await watched.changes(1);
    expect(change?.record).toEqual({ id: 1, short: 'a', edge: 'x'.repeat(62) });
    expect(change?.errors).toEqual(['Error 413: Payload Too Large']);
  });
});

describe('a subscription', () => {
  it('gets the selected columns and the key', async () => {
    await publish('chosen', 'id int primary key, a text, b text');
    const [some, all] = [await watch('chosen', { select: ['b'] }), await watch('chosen')];
    await world.db.exec(`insert into public.chosen values (1, 'a', 'b')`);
    const [change] = await some.changes(1);
    expect(change?.record).toEqual({ id: 1, b: 'b' });
    expect(change?.columns.map(({ name }) => name)).toEqual(['id', 'b']);
    expect((await all.changes(1))[0]?.record).toEqual({ id: 1, a: 'a', b: 'b' });
  });

  it('gets its items back as they were sent, in order, with numbers that stay', async () => {
    const client = await PhoenixClient.connect(world.realtime.url, world.realtime.anonToken);
    onTestFinished(() => client.close());
    const items = [
      { event: 'INSERT', schema: 'public', table: 'a', note: { kept: [1] } },
      { event: '*', schema: 'public' },
      { event: 'INSERT', schema: 'public', table: 'a', note: { kept: [1] } },
    ];
    const joined = async () => {
      const reply = await client.join('echo', { postgres_changes: items });
      return (reply.payload.response as { postgres_changes: { id: number }[] }).postgres_changes;
    };
    const [first, second] = [await joined(), await joined()];
    expect(first).toEqual(items.map((item) => ({ ...item, id: expect.any(Number) })));
    expect(first.every(({ id }) => id > 0)).toBe(true);
    expect(second).toEqual(first);
  });

  it('is told once of a change that several of its items want', async () => {
    await publish('twice', 'id int primary key');
    const items = [
      { event: '*', schema: 'public', table: 'twice' },
      { event: 'INSERT', schema: 'public', table: 'twice', filter: 'id=eq.1' },
    ];
    const { client, reply } = await watchItems(world.realtime, items);
    const ids = itemIds(reply);
    await world.db.exec('insert into public.twice values (1); insert into public.twice values (2)');
    await client.until(() => client.of('postgres_changes').length === 2);
    const told = client.of('postgres_changes').map(({ payload }) => [...(payload.ids as number[])].sort());
    expect(told).toEqual([[...ids].sort(), [ids[0]]]);
  });

  it('of a whole schema sees tables that are published later', async () => {
    const watched = await watch('*');
    await publish('later', 'id int primary key');
    await world.db.exec('insert into public.later values (1)');
    expect((await watched.changes(1)).map(({ table }) => table)).toEqual(['later']);
  });

  it('hears no more of a table that leaves the publication, and again when it is back', async () => {
    await publish('leaving', 'id int primary key');
    const watched = await watch('leaving');
    await world.db.exec(`insert into public.leaving values (1); alter publication supabase_realtime drop table public.leaving;
      insert into public.leaving values (2); alter publication supabase_realtime add table public.leaving; `);
    await world.db.exec('insert into public.leaving values (3)');
    expect((await watched.changes(2)).map(({ record }) => record)).toEqual([{ id: 1 }, { id: 3 }]);
  });

  it('hears of the rows and columns that the publication names', async () => {
    await world.db.exec(`drop table if exists public.in_part; create table public.in_part (id int primary key, a text, b text);
      grant select on public.in_part to anon;
      alter publication supabase_realtime add table public.in_part (id, a) where (id > 1)`);
    const watched = await watch('in_part');
    await world.db.exec(`insert into public.in_part values (1, 'a', 'b'), (2, 'a', 'b')`);
    expect((await watched.changes(1)).map(({ record }) => record)).toEqual([{ id: 2, a: 'a' }]);
  });

  it('sees a column that is added, renamed or dropped', async () => {
    await publish('changing', 'id int primary key, a text');
    const watched = await watch('changing');
    await world.db.exec(`insert into public.changing values (1, 'a')`);
    await world.db.exec(
      `alter table public.changing add column b int default 7; insert into public.changing values (2, 'a')`,
    );
    await watched.changes(2);
    await world.db.exec('alter table public.changing rename a to c; insert into public.changing values (3)');
    await watched.changes(3);
    await world.db.exec('alter table public.changing drop column b; insert into public.changing values (4)');
    const changes = await watched.changes(4);
    expect(changes.map(({ record }) => record)).toEqual([
      { id: 1, a: 'a' },
      { id: 2, a: 'a', b: 7 },
      { id: 3, c: null, b: 7 },
      { id: 4, c: null },
    ]);
  });

  it('works for names that need quotes', async () => {
    await world.db.exec(`create schema "Odd ""Schema"; grant usage on schema "Odd ""Schema" to anon;
      create table "Odd ""Schema"."Ta-ble" ("I d" int primary key, "naïve" text);
      alter table "Odd ""Schema"."Ta-ble" enable row level security;
      create policy p on "Odd ""Schema"."Ta-ble" using ("I d" > 0);
      grant select on "Odd ""Schema"."Ta-ble" to anon;
      alter publication supabase_realtime add table "Odd ""Schema"."Ta-ble"`);
    const watched = await watch('Ta-ble', { schema: 'Odd "Schema', filter: 'naïve=eq.ü' });
    await world.db.exec(`insert into "Odd ""Schema"."Ta-ble" values (1, 'ü')`);
    expect((await watched.changes(1))[0]?.record).toEqual({ 'I d': 1, naïve: 'ü' });
  });

  it('is named by the topic of a join without configuration, and hears as the first clients did', async () => {
    await publish('first_api', 'id int primary key');
    const client = await PhoenixClient.connect(world.realtime.url, world.realtime.anonToken, '1.0.0');
    onTestFinished(() => client.close());
    const joined = await client.request('realtime:public:first_api:id=gt.1', 'phx_join', {});
    const item = { schema: 'public', table: 'first_api', filter: 'id=gt.1', id: expect.any(Number) };
    expect(joined.payload).toEqual({ status: 'ok', response: { postgres_changes: [item] } });
    await client.next(({ payload }) => payload.message === 'Subscribed to PostgreSQL');
    await world.db.exec(
      'insert into public.first_api values (1), (2); delete from public.first_api where id = 2',
    );
    await client.next(({ event }) => event === 'DELETE');
    const heard = client.received.filter(({ event }) => event === 'INSERT' || event === 'DELETE');
    expect(
      heard.map(({ event, payload }) => [event, payload.type, payload.record, payload.old_record]),
    ).toEqual([
      ['INSERT', 'INSERT', { id: 2 }, undefined],
      ['DELETE', 'DELETE', undefined, { id: 2 }],
    ]);
  });

  it('gets a transaction of many rows over two tables in order', async () => {
    await publish('many_a', 'id int primary key');
    await publish('many_b', 'id int primary key');
    const watched = await watch('*');
    await world.db.exec(`do $$ begin for i in 1..1500 loop
      insert into public.many_a values (i); insert into public.many_b values (i); end loop; end $$`);
    const changes = await watched.changes(3000);
    const seen = changes.map(({ table, record }) => `${table} ${(record as { id: number }).id}`);
    expect(seen).toEqual(
      Array.from({ length: 1500 }, (_, i) => [`many_a ${i + 1}`, `many_b ${i + 1}`]).flat(),
    );
  });
});
