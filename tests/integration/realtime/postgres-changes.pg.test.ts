import { describe, expect, it } from 'vitest';
import { testToken } from '../../support/realtime.ts';
import { itemIds, toldChanges, useRealtimeWorld, watchItems } from '../../support/realtime-world.ts';

const alice = '00000000-0000-4000-8000-00000000000a';
const bob = '00000000-0000-4000-8000-00000000000b';

const fixture = `
  create table public.open_notes (id int primary key, body text, score numeric, at timestamptz, raw bytea, tags text[]);
  create table public.own_notes (id int primary key, owner uuid, body text);
  alter table public.own_notes enable row level security;
  create policy own on public.own_notes for select to authenticated using (owner = auth.uid());
  create table public.rooms (id int primary key);
  create table public.members (room int, member uuid, primary key (room, member));
  create table public.room_posts (id int primary key, room int, body text);
  alter table public.room_posts enable row level security;
  create policy members on public.room_posts for select to authenticated
    using (exists (select from public.members m where m.room = room_posts.room and m.member = auth.uid()));
  create table public.angry (id int primary key, body text);
  alter table public.angry enable row level security;
  create function public.raise_for_anon() returns boolean language plpgsql as $$
    begin
      if auth.role() = 'anon' then raise exception 'not for you'; end if;
      return true;
    end $$;
  create policy angry on public.angry for select to anon, authenticated using (public.raise_for_anon());
  grant select on all tables in schema public to anon, authenticated;
  alter publication supabase_realtime add table public.open_notes, public.own_notes, public.room_posts, public.angry;
`;

const world = useRealtimeWorld(fixture);

type Item = Record<string, unknown>;

const subscribe = (items: Item[], token?: string, version: '1.0.0' | '2.0.0' = '2.0.0') =>
  watchItems(world.realtime, items, { version, ...(token === undefined ? {} : { token }) });

const userToken = (sub: string): Promise<string> => testToken({ role: 'authenticated', sub });

describe.each(['1.0.0', '2.0.0'] as const)(
  'changes of a table without row security (protocol %s)',
  (version) => {
    it('arrive as upstream shapes them', async () => {
      const { client, reply } = await subscribe(
        [{ event: '*', schema: 'public', table: 'open_notes' }],
        undefined,
        version,
      );
      const ids = itemIds(reply);
      await world.db.exec(`
      insert into public.open_notes values (1, 'a "b"', 12.50, '2024-01-02 03:04:05.6+02', '\\x0102', '{x,"y z",null}');
      update public.open_notes set body = 'c' where id = 1;
      delete from public.open_notes where id = 1;`);
      await client.until(() => toldChanges(client).length === 3);
      const columns = [
        { name: 'id', type: 'int4' },
        { name: 'body', type: 'text' },
        { name: 'score', type: 'numeric' },
        { name: 'at', type: 'timestamptz' },
        { name: 'raw', type: 'bytea' },
        { name: 'tags', type: '_text' },
      ];
      const row = {
        id: 1,
        body: 'a "b"',
        score: 12.5,
        at: '2024-01-02T01:04:05.6+00:00',
        raw: '0102',
        tags: ['x', 'y z', null],
      };
      const head = {
        schema: 'public',
        table: 'open_notes',
        columns,
        errors: null,
        commit_timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      };
      expect(client.of('postgres_changes').map(({ payload }) => payload.ids)).toEqual([ids, ids, ids]);
      expect(toldChanges(client)).toEqual([
        { ...head, type: 'INSERT', record: row },
        { ...head, type: 'UPDATE', record: { ...row, body: 'c' }, old_record: { id: 1 } },
        { ...head, type: 'DELETE', old_record: { id: 1 } },
      ]);
    });
  },
);

describe('changes of a table under row security', () => {
  it('reach only those whose policy shows the row', async () => {
    const items = [{ event: '*', schema: 'public', table: 'own_notes' }];
    const { client: ofAlice } = await subscribe(items, await userToken(alice));
    const { client: ofBob } = await subscribe(items, await userToken(bob));
    await world.db.exec(
      `insert into public.own_notes values (1, '${alice}', 'for alice'), (2, '${bob}', 'for bob')`,
    );
    await ofAlice.until(() => toldChanges(ofAlice).length === 1);
    await ofBob.until(() => toldChanges(ofBob).length === 1);
    expect(toldChanges(ofAlice)[0]?.record).toEqual({ id: 1, owner: alice, body: 'for alice' });
    expect(toldChanges(ofBob)[0]?.record).toEqual({ id: 2, owner: bob, body: 'for bob' });
  });

  it('go on without a gap while a session changes its token again and again', async () => {
    const items = [{ event: 'INSERT', schema: 'public', table: 'own_notes' }];
    const { client } = await subscribe(items, await userToken(alice));
    const ids = Array.from({ length: 40 }, (_, i) => 100 + i);
    for (const id of ids) {
      const token = await testToken({ role: 'authenticated', sub: alice, n: id });
      client.send('realtime:feed', 'access_token', { access_token: token });
      await world.db.exec(`insert into public.own_notes values (${id}, '${alice}', 'x')`);
    }
    await client.until(() => toldChanges(client).some(({ record }) => record?.id === ids.at(-1)));
    expect(toldChanges(client).map(({ record }) => record?.id)).toEqual(ids);
    await world.db.exec('delete from public.own_notes where id >= 100');
  });

  it('are told to all subscribers when a row is deleted, by its key alone', async () => {
    const items = [{ event: 'DELETE', schema: 'public', table: 'own_notes' }];
    await world.db.exec(
      `alter table public.own_notes replica identity full; insert into public.own_notes values (9, '${alice}', 'x')`,
    );
    const { client } = await subscribe(items, await userToken(bob));
    await world.db.exec(
      'delete from public.own_notes where id = 9; alter table public.own_notes replica identity default',
    );
    await client.until(() => toldChanges(client).length === 1);
    expect(toldChanges(client)[0]?.old_record).toEqual({ id: 9 });
  });

  it('are decided by a policy that joins another table, as it stands after the commit', async () => {
    const items = [{ event: 'INSERT', schema: 'public', table: 'room_posts' }];
    const { client: ofAlice } = await subscribe(items, await userToken(alice));
    const { client: ofBob } = await subscribe(items, await userToken(bob));
    await world.db.exec(`insert into public.members values (1, '${alice}')`);
    await world.db.exec(`insert into public.room_posts values (1, 1, 'hello')`);
    // The right to see a row may be granted in the transaction that makes it.
    await world.db.exec(
      `insert into public.members values (2, '${bob}'); insert into public.room_posts values (2, 2, 'secret')`,
    );
    await ofAlice.until(() => toldChanges(ofAlice).length === 1);
    await ofBob.until(() => toldChanges(ofBob).length === 1);
    expect(toldChanges(ofAlice)[0]?.record).toMatchObject({ id: 1 });
    expect(toldChanges(ofBob)[0]?.record).toMatchObject({ id: 2 });
  });

  it('are withheld only from those whose policy raises', async () => {
    const items = [{ event: 'INSERT', schema: 'public', table: 'angry' }];
    const { client: ofAnon } = await subscribe([
      ...items,
      { event: 'INSERT', schema: 'public', table: 'open_notes' },
    ]);
    const { client: ofAlice } = await subscribe(items, await userToken(alice));
    await world.db.exec(
      `insert into public.angry values (1, 'x'); insert into public.open_notes (id) values (100)`,
    );
    await ofAlice.until(() => toldChanges(ofAlice).length === 1);
    await ofAnon.until(() => toldChanges(ofAnon).length === 1);
    expect(toldChanges(ofAnon)[0]?.table).toBe('open_notes');
  });
});
