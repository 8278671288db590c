import { expect, it, onTestFinished } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { PhoenixClient, type Received } from '../../support/phoenix.ts';
import { startRealtime, testToken } from '../../support/realtime.ts';
import { authenticatorUrl, useRealtimeWorld } from '../../support/realtime-world.ts';

const fixture = `
  create policy read_all on realtime.messages for select to authenticated using (true);
  create table public.notes (id int primary key, body text);
  create function public.tell() returns trigger language plpgsql as $$
    begin
      perform realtime.broadcast_changes('notes', tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
      return null;
    end $$;
  create trigger tell after insert or update or delete on public.notes for each row execute function public.tell();
`;

const world = useRealtimeWorld(fixture);

const isBroadcast = ({ event }: Received): boolean => event === 'broadcast';

async function listen(subTopic: string, isPrivate = true, version: '1.0.0' | '2.0.0' = '2.0.0', extra = {}) {
  const client = await PhoenixClient.connect(world.realtime.url, world.realtime.anonToken, version);
  onTestFinished(() => client.close());
  const config = { private: isPrivate, broadcast: { replication_ready: true, ...extra } };
  const reply = await client.join(subTopic, config, await testToken({ role: 'authenticated', sub: 'u' }));
  expect(reply.payload).toMatchObject({ status: 'ok' });
  const ready = await client.next(({ event }) => event === 'system');
  expect(ready.payload).toEqual({
    extension: 'system',
    status: 'ok',
    message: 'Replication connection established',
    channel: subTopic,
  });
  return client;
}

it('realtime.send reaches the private channel, with the id of the stored row', async () => {
  const [recent, old, open] = [await listen('a'), await listen('a', true, '1.0.0'), await listen('a', false)];
  await world.db.exec(`select realtime.send('{"n":1}', 'ev', 'a')`);
  const [row] = await world.db.query<{ id: string }>(sql`select id from realtime.messages where topic = 'a'`);
  const message = { type: 'broadcast', event: 'ev', payload: { n: 1, id: row?.id }, meta: { id: row?.id } };
  expect((await recent.next(isBroadcast)).payload).toEqual(message);
  expect((await old.next(isBroadcast)).payload).toEqual(message);
  await world.db.exec(`select realtime.send('{"id":"mine"}', 'ev', 'a', false)`);
  expect((await open.next(isBroadcast)).payload).toMatchObject({ payload: { id: 'mine' } });
});

it('realtime.send_binary reaches those who can take bytes', async () => {
  const [recent, old] = [await listen('b'), await listen('b', true, '1.0.0')];
  await world.db.exec(`select realtime.send_binary('\\x00ff', 'raw', 'b')`);
  expect((await recent.next(isBroadcast)).bytes).toEqual(Buffer.from([0, 255]));
  await world.db.exec(`select realtime.send('{}', 'end', 'b')`);
  await old.next(isBroadcast);
  expect(old.of('broadcast').map(({ payload }) => payload.event)).toEqual(['end']);
});

it('realtime.broadcast_changes tells rows before and after', async () => {
  const client = await listen('notes');
  await world.db.exec(
    `insert into public.notes values (1, 'a'); update public.notes set body = 'b'; delete from public.notes`,
  );
  await client.until(() => client.of('broadcast').length === 3);
  const bodies = client.of('broadcast').map(({ payload }) => payload.payload);
  const [a, b] = [
    { id: 1, body: 'a' },
    { id: 1, body: 'b' },
  ];
  const head = { table: 'notes', schema: 'public', id: expect.any(String) };
  expect(bodies).toEqual([
    { ...head, operation: 'INSERT', record: a, old_record: null },
    { ...head, operation: 'UPDATE', record: b, old_record: a },
    { ...head, operation: 'DELETE', record: null, old_record: b },
  ]);
});

it('a transaction that is rolled back sends nothing, and a message that cannot be stored only warns', async () => {
  const client = await listen('c');
  await world.db.exec(`begin; select realtime.send('{}', 'lost', 'c'); rollback`);
  const warnings: string[] = [];
  world.db.onNotice(({ message }) => warnings.push(message));
  await world.db.exec(`select realtime.send('{}', 'ev', null)`);
  expect(warnings.some((text) => text.startsWith('WarnSendingBroadcastMessage'))).toBe(true);
  await world.db.exec(`select realtime.send('{}', 'kept', 'c')`);
  await client.next(isBroadcast);
  expect(client.of('broadcast').map(({ payload }) => payload.event)).toEqual(['kept']);
});

it('stored messages are replayed to a channel that asks for them, oldest first', async () => {
  for (let n = 0; n < 30; n++) await world.db.exec(`select realtime.send('{"n":${n}}', 'ev', 'r')`);
  const client = await listen('r', true, '2.0.0', { replay: { since: 0, limit: 100 } });
  await client.until(() => client.of('broadcast').length === 25);
  const messages = client
    .of('broadcast')
    .map(({ payload }) => payload as { payload: { n: number }; meta: unknown });
  expect(messages.map(({ payload }) => payload.n)).toEqual(Array.from({ length: 25 }, (_, i) => i + 5));
  expect(messages[0]?.meta).toEqual({ replayed: true, id: expect.any(String) });
});

it('the partitions of messages are kept: those of the next days are made, old ones dropped', async () => {
  const partitions = async (): Promise<number[]> => {
    const rows = await world.db.query<{ day: number }>(sql`
      select to_date(substr(relname, 10), 'YYYY_MM_DD') - (now() at time zone 'utc')::date as day
      from pg_inherits join pg_class on oid = inhrelid
      where inhparent = 'realtime.messages'::regclass order by 1`);
    return rows.map(({ day }) => day);
  };
  await world.owner.exec(`
    select ownbase.ensure_message_partitions((now() at time zone 'utc')::date - 9, (now() at time zone 'utc')::date);
    do $$ begin
      execute 'drop table realtime.' || to_char(now() at time zone 'utc' + interval '2 days', '"messages_"YYYY_MM_DD');
    end $$`);
  expect(await partitions()).not.toContain(2);
  await startAnother({ slotName: 'of_another' });
  await expect.poll(partitions).toEqual([-3, -2, -1, 0, 1, 2, 3]);
});

it('a socket that falls silent is closed, and one that joins nothing', async () => {
  const other = await startAnother({ slotName: 'of_silence', idleTimeoutMs: 600, noChannelTimeoutMs: 1_200 });
  const [silent, unused] = [
    await PhoenixClient.connect(other.url, other.anonToken),
    await PhoenixClient.connect(other.url, other.anonToken),
  ];
  const beat = setInterval(() => {
    if (unused.closeCode === null) unused.send('phoenix', 'heartbeat', {});
  }, 100);
  onTestFinished(() => clearInterval(beat));
  await silent.join('x');
  await silent.until(() => silent.closeCode !== null);
  expect(unused.closeCode).toBeNull();
  await unused.until(() => unused.closeCode !== null);
});

it('who is behind a connection that broke without a word is gone from presence', async () => {
  const other = await startAnother({ slotName: 'of_half_open', idleTimeoutMs: 600 });
  const [lost, witness] = [
    await PhoenixClient.connect(other.url, other.anonToken),
    await PhoenixClient.connect(other.url, other.anonToken),
  ];
  const beat = setInterval(() => witness.send('phoenix', 'heartbeat', {}), 100);
  onTestFinished(() => {
    clearInterval(beat);
    for (const client of [lost, witness]) client.close();
  });
  for (const client of [lost, witness]) await client.join('room', { presence: { enabled: true } });
  lost.send('realtime:room', 'presence', { type: 'presence', event: 'track', payload: { name: 'lost' } });
  await witness.next(
    ({ event, payload }) => event === 'presence_diff' && /lost/.test(JSON.stringify(payload)),
  );
  // From here on nothing is read, nothing sent, and nothing closed.
  lost.socket.pause();
  await witness.next(
    ({ event, payload }) => event === 'presence_diff' && /lost/.test(JSON.stringify(payload.leaves)),
  );
  expect(witness.closeCode).toBeNull();
});

async function startAnother(config: NonNullable<Parameters<typeof startRealtime>[0]['config']>) {
  const other = await startRealtime({
    ownerUrl: world.cluster.ownerUrl,
    authenticatorUrl: authenticatorUrl(world.cluster),
    config,
  });
  onTestFinished(() => other.stop());
  return other;
}

const badParams = 'UnableToReplayMessages: Replay params are not valid';

it.each([
  [
    'public channels',
    false,
    { since: 0 },
    'UnableToReplayMessages: Replay is not allowed for public channels',
  ],
  ['params without a start', true, { limit: 1 }, badParams],
  ['a start in text', true, { since: '0' }, badParams],
  ['a start in a year that no clock shows', true, { since: 253_402_300_800_000 }, badParams],
  ['half a message', true, { since: 0, limit: 1.5 }, badParams],
])('a replay is refused for %s', async (_, isPrivate, replay, reason) => {
  const client = await PhoenixClient.connect(world.realtime.url, world.realtime.anonToken);
  onTestFinished(() => client.close());
  const token = await testToken({ role: 'authenticated', sub: 'u' });
  const reply = await client.join('r', { private: isPrivate, broadcast: { replay } }, token);
  expect(reply.payload).toEqual({ status: 'error', response: { reason } });
});
