import { expect, test } from 'vitest';
import { connect } from '../../../src/pg/connect.ts';
import { sql } from '../../../src/pg/sql/sql.ts';
import { createTestDatabase } from '../../support/database.ts';

const database = await createTestDatabase(`
  create table public.rows (id int primary key, name text);
  create function public.tell() returns trigger language plpgsql security definer as $$
  begin
    perform realtime.broadcast_changes('rows:' || coalesce(new.id, old.id), tg_op, tg_op, tg_table_name,
      tg_table_schema, new, old);
    return null;
  end $$;
  create trigger tell after insert or update or delete on public.rows
    for each row execute function public.tell();
`);
const { owner } = database;

test('a message sent by SQL is stored with an id and its topic set', async () => {
  await owner.query(sql`select realtime.send('{"a": 1}', 'event', 'room', true)`);
  await owner.query(sql`select realtime.send('{"id": "mine"}', 'event', 'room', false)`);
  await owner.query(sql`select realtime.send_binary('\\x00ff', 'event', 'room')`);
  const rows = await owner.query(
    sql`select payload - 'id' as payload, payload ->> 'id' = id::text as own_id, event, topic, private, extension,
          encode(binary_payload, 'hex') as bytes
        from realtime.messages order by inserted_at`,
  );
  const shared = { event: 'event', topic: 'room', extension: 'broadcast' };
  expect(rows).toEqual([
    { ...shared, payload: { a: 1 }, own_id: true, private: true, bytes: null },
    { ...shared, payload: {}, own_id: false, private: false, bytes: null },
    { ...shared, payload: null, own_id: null, private: true, bytes: '00ff' },
  ]);
});

test('the topic of the transaction is what policies see', async () => {
  const [row] = await owner.query(
    sql`select set_config('realtime.topic', 'room', true), realtime.topic() as topic`,
  );
  expect(row).toMatchObject({ topic: 'room' });
  expect(await owner.query(sql`select realtime.topic() as topic`)).toEqual([{ topic: null }]);
});

test('a message that may not be stored is a warning, and the transaction goes on', async () => {
  const client = await connect(database.url('authenticator'));
  const warnings: string[] = [];
  client.onNotice(({ message }) => warnings.push(message));
  await client.exec(`set role authenticated; select realtime.send('{}', 'e', 't')`);
  await client.end();
  expect(warnings).toEqual([
    'WarnSendingBroadcastMessage: new row violates row-level security policy for table "messages"',
  ]);
});

test('a row trigger broadcasts the row before and after', async () => {
  await owner.exec(`
    truncate realtime.messages;
    insert into public.rows values (1, 'a');
    update public.rows set name = 'b';
    delete from public.rows;
  `);
  const rows = await owner.query(
    sql`select topic, payload - 'id' as payload from realtime.messages order by inserted_at, event`,
  );
  const told = { table: 'rows', schema: 'public' };
  expect(rows).toEqual(
    expect.arrayContaining([
      {
        topic: 'rows:1',
        payload: { ...told, operation: 'INSERT', record: { id: 1, name: 'a' }, old_record: null },
      },
      {
        topic: 'rows:1',
        payload: {
          ...told,
          operation: 'UPDATE',
          record: { id: 1, name: 'b' },
          old_record: { id: 1, name: 'a' },
        },
      },
      {
        topic: 'rows:1',
        payload: { ...told, operation: 'DELETE', record: null, old_record: { id: 1, name: 'b' } },
      },
    ]),
  );
});

test('a statement trigger is refused', async () => {
  await expect(
    owner.exec(`select realtime.broadcast_changes('t', 'e', 'INSERT', 'rows', 'public', null::public.rows,
      null::public.rows, 'STATEMENT')`),
  ).rejects.toThrow('Failed to process the row: function can only be triggered for each row');
});

test('old days are dropped as a whole', async () => {
  await owner.query(sql`select ownbase.ensure_message_partitions('2020-01-01', '2020-01-02')`);
  expect(await owner.query(sql`select ownbase.drop_message_partitions() as dropped`)).toEqual([
    { dropped: 2 },
  ]);
});

test.each([
  ['eq', 'integer', '5', '5', false, true],
  ['neq', 'integer', '5', '5', false, false],
  ['lt', 'integer', '10', '9', false, false],
  ['gte', 'integer', '10', '9', false, true],
  ['in', 'text', 'b', '{a,b}', false, true],
  ['like', 'text', 'hello', 'he%', false, true],
  ['ilike', 'text', 'HELLO', 'he%', true, false],
  ['match', 'text', 'hello', '^h', false, true],
  ['imatch', 'text', 'hello', '^H', false, true],
  ['is', 'boolean', 'true', 'true', false, true],
  ['is', 'text', null, 'null', true, false],
  ['isdistinct', 'integer', null, '1', false, true],
  ['isdistinct', 'integer', '1', '1', true, true],
  ['eq', 'integer', null, '1', false, null],
] as const)(
  'filter %s of %s: %s against %s, negated %s, is %s',
  async (op, type, value, wanted, negate, expected) => {
    const [row] = await owner.query(
      sql`select realtime.check_equality_op(${op}::realtime.equality_op, ${type}::regtype, ${value}, ${wanted},
          ${negate}) as holds`,
    );
    expect(row).toEqual({ holds: expected });
  },
);

test.each([
  [`array[row('name', 'eq', 'x', false)]::realtime.user_defined_filter[]`, null],
  [`array[row('gone', 'eq', 'x', false)]::realtime.user_defined_filter[]`, 'invalid column for filter gone'],
  [
    `array[row('id', 'eq', 'x', false)]::realtime.user_defined_filter[]`,
    'invalid input syntax for type integer',
  ],
  [
    `array[row('id', 'like', 'x', false)]::realtime.user_defined_filter[]`,
    'requires a text-compatible column type',
  ],
  [`array[row('id', 'is', 'true', false)]::realtime.user_defined_filter[]`, 'requires a boolean column'],
  [`array[row('name', 'match', '(', false)]::realtime.user_defined_filter[]`, 'invalid regular expression'],
])('a subscription with filters %s meets: %s', async (filters, complaint) => {
  const insert = owner.exec(`insert into realtime.subscription (subscription_id, entity, filters, claims)
    values (gen_random_uuid(), 'public.rows', ${filters}, '{"role": "authenticated"}')`);
  if (complaint === null) await insert;
  else await expect(insert).rejects.toThrow(complaint);
});
