import { afterAll, beforeEach, expect, test } from 'vitest';
import { connect } from '../../../src/pg/connect.ts';
import { sql } from '../../../src/pg/sql/sql.ts';
import { createTestDatabase } from '../../support/database.ts';

const database = await createTestDatabase();
const postgres = await connect(database.url('postgres'));
const warnings: string[] = [];
postgres.onNotice(({ severity, message }) => {
  if (severity === 'WARNING') warnings.push(message);
});
afterAll(() => postgres.end());
beforeEach(() => {
  warnings.length = 0;
});

test('vault: a secret is kept encrypted and read through the view', async () => {
  const [made] = await postgres.query<{ id: string }>(
    sql`select vault.create_secret('open sesame', 'door', 'a word') as id`,
  );
  await postgres.query(
    sql`select vault.update_secret(${made?.id ?? ''}::uuid, new_description => 'the word')`,
  );
  expect(
    await postgres.query(
      sql`select name, description, decrypted_secret, secret like '%sesame%' as readable from vault.decrypted_secrets`,
    ),
  ).toEqual([{ name: 'door', description: 'the word', decrypted_secret: 'open sesame', readable: false }]);
});

test('vault: a secret inserted directly is encrypted too, and names are unique', async () => {
  await postgres.exec(`insert into vault.secrets (name, secret) values ('direct', 'plain')`);
  expect(
    await postgres.query(sql`select decrypted_secret from vault.decrypted_secrets where name = 'direct'`),
  ).toEqual([{ decrypted_secret: 'plain' }]);
  await expect(postgres.exec(`select vault.create_secret('x', 'direct')`)).rejects.toMatchObject({
    sqlstate: '23505',
  });
});

test('cron: jobs are kept, replaced by name and removed', async () => {
  await postgres.query(sql`select cron.schedule('nightly', '0 0 * * *', 'select 1')`);
  const [again] = await postgres.query<{ id: string }>(
    sql`select cron.schedule('nightly', '0 1 * * *', 'select 2') as id`,
  );
  await postgres.query(sql`select cron.alter_job(${again?.id ?? ''}::bigint, active => false)`);
  expect(
    await postgres.query(sql`select jobname, schedule, command, username, active from cron.job`),
  ).toEqual([
    { jobname: 'nightly', schedule: '0 1 * * *', command: 'select 2', username: 'postgres', active: false },
  ]);
  expect(await postgres.query(sql`select cron.unschedule('nightly') as done`)).toEqual([{ done: true }]);
  expect(await postgres.query(sql`select cron.unschedule('nightly') as done`)).toEqual([{ done: false }]);
  expect(warnings).toEqual([`could not find valid entry for job 'nightly'`]);
});

test('cron: a job may not be scheduled as a role that the asker cannot act as', async () => {
  await expect(
    postgres.exec(
      `select cron.schedule_in_database('j', '* * * * *', 'select 1', 'postgres', 'supabase_admin')`,
    ),
  ).rejects.toMatchObject({ sqlstate: '42501' });
});

test('net: a request is queued with a warning that shows no query string', async () => {
  await postgres.query(
    sql`select net.http_post('http://localhost/hook?key=secret', '{"a": 1}', '{"q": "ä b"}') as id`,
  );
  expect(
    await postgres.query(
      sql`select method, url, convert_from(body, 'utf8') as body from net.http_request_queue`,
    ),
  ).toEqual([{ method: 'POST', url: 'http://localhost/hook?key=secret&q=%C3%A4%20b', body: '{"a": 1}' }]);
  expect(warnings).toEqual([
    'request 1 to http://localhost/hook is queued and not sent: pg_net is not installed',
  ]);
});

test('webhooks: a trigger queues the row and does not stop the insert', async () => {
  await postgres.exec(`
    delete from net.http_request_queue;
    create table public.orders (id int primary key);
    create trigger "on order" after insert on public.orders for each row
      execute function supabase_functions.http_request('http://localhost/f', 'POST', '{"x": "y"}', '{}', '1000');
    grant insert on public.orders to anon;
  `);
  const api = await connect(database.url('authenticator'));
  await api.exec('set role anon; insert into public.orders values (7)');
  await api.end();
  const [queued] = await postgres.query<{ body: string }>(
    sql`select convert_from(body, 'utf8') as body from net.http_request_queue`,
  );
  expect(JSON.parse(queued?.body ?? '')).toEqual({
    old_record: null,
    record: { id: 7 },
    type: 'INSERT',
    table: 'orders',
    schema: 'public',
  });
  expect(await postgres.query(sql`select hook_name from supabase_functions.hooks`)).toEqual([
    { hook_name: 'on order' },
  ]);
});

test('pgmq: a message is hidden while it is read and gone once archived or deleted', async () => {
  await postgres.query(sql`select pgmq.create('work')`);
  await postgres.query(sql`select pgmq.send('work', '{"n": 1}'), pgmq.send('work', '{"n": 2}')`);
  await postgres.query(sql`select pgmq.send('work', '{"n": 3}', 60)`);
  const read = () =>
    postgres.query(sql`select msg_id::int as id, message, read_ct from pgmq.read('work', 30, 5)`);
  expect(await read()).toEqual([
    { id: 1, message: { n: 1 }, read_ct: 1 },
    { id: 2, message: { n: 2 }, read_ct: 1 },
  ]);
  expect(await read()).toEqual([]);
  await postgres.query(sql`select pgmq.archive('work', 1), pgmq.delete('work', 2)`);
  expect(
    await postgres.query(
      sql`select queue_length::int, queue_visible_length::int, total_messages::int from pgmq.metrics('work')`,
    ),
  ).toEqual([{ queue_length: 1, queue_visible_length: 0, total_messages: 3 }]);
  expect(await postgres.query(sql`select msg_id::int from pgmq.a_work`)).toEqual([{ msg_id: 1 }]);
});

test('pgmq: a message becomes visible again, pops, and the queue is dropped', async () => {
  await postgres.query(sql`select pgmq.create('brief')`);
  await postgres.query(sql`select * from pgmq.send_batch('brief', array['{"n": 1}', '{"n": 2}']::jsonb[])`);
  await postgres.query(sql`select pgmq.read('brief', 60, 2)`);
  await postgres.query(sql`select pgmq.set_vt('brief', 1, 0)`);
  expect(await postgres.query(sql`select message from pgmq.pop('brief')`)).toEqual([{ message: { n: 1 } }]);
  expect(await postgres.query(sql`select pgmq.purge_queue('brief')::int as purged`)).toEqual([{ purged: 1 }]);
  expect(await postgres.query(sql`select pgmq.drop_queue('brief') as dropped`)).toEqual([{ dropped: true }]);
  expect(
    await postgres.query(sql`select queue_name from pgmq.list_queues() where queue_name = 'brief'`),
  ).toEqual([]);
});

test('pgmq: a name that could leave its quotes is refused', async () => {
  await expect(postgres.exec(`select pgmq.create('a;b')`)).rejects.toThrow('invalid characters');
});

test('pgjwt: a token is signed and verified', async () => {
  const [row] = await postgres.query(
    sql`select token, v.payload, v.valid, w.valid as forged, x.valid as expired
        from (select sign('{"sub": "1234567890"}', 'secret') as token,
                sign('{"exp": 1}', 'secret') as old) t,
          verify(token, 'secret') v, verify(token, 'other') w, verify(old, 'secret') x`,
  );
  expect(row).toMatchObject({ payload: { sub: '1234567890' }, valid: true, forged: false, expired: false });
});

test('http: a request answers null with a warning', async () => {
  expect(await postgres.query(sql`select status, content from http_get('http://localhost/?k=v')`)).toEqual([
    { status: null, content: null },
  ]);
  expect(warnings).toEqual([
    'GET request to http://localhost/ is not sent: the extension http is not installed',
  ]);
  expect(await postgres.query(sql`select urlencode('a b&ü'::varchar) as text`)).toEqual([
    { text: 'a%20b%26%C3%BC' },
  ]);
});

test('graphql answers that it is not enabled', async () => {
  expect(await postgres.query(sql`select graphql_public.graphql(query => '{ a }') as answer`)).toEqual([
    { answer: { errors: [{ message: 'pg_graphql extension is not enabled.' }] } },
  ]);
});
