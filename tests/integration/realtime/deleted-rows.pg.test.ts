import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import type { PhoenixClient } from '../../support/phoenix.ts';
import { testToken } from '../../support/realtime.ts';
import { toldChanges, useRealtimeWorld, watchItems } from '../../support/realtime-world.ts';

/* With delete_visibility = strict, a deleted row is told to those alone whose policies show it as it was. */

const world = useRealtimeWorld(
  `
  create table public.ends (id int primary key);
  create table public.members (team text, member text, primary key (team, member));
  insert into public.members values ('red', 'ada'), ('blue', 'bob'), ('blue', 'ada');
  create type public.mood as enum ('sad', 'glad');
  create type public.pair as (a int, b text);
  create function public.me() returns text language sql stable as $$ select auth.jwt() ->> 'name' $$;
  grant select on public.ends, public.members to anon, authenticated, service_role;
  alter publication supabase_realtime add table public.ends;`,
  { deleteVisibility: 'strict' },
);

const columns = `id int primary key, owner text, team text, tags text[], feeling public.mood, twin public.pair,
  at timestamptz, score numeric, "Odd ""name" int, place int`;
const rows = `
  (1, 'ada', 'red', '{a,"b c",null}', 'glad', '(1,"x, y")', '2024-01-02 03:04:05.6+02', 12.50, 7, 1),
  (2, 'bob', 'blue', '{}', 'sad', null, 'infinity', 'NaN', null, 2),
  (3, null, null, null, null, '(,)', null, null, 3, null),
  (4, 'ada', 'blue', '{{a},{b}}', 'sad', '(4,"")', '0044-03-15 BC', 1e30, -1, 4),
  (5, 'O''Hara \\ "x"', 'green', '{"O''Hara"}', 'glad', '(5,"\\\\")', now(), -0.5, 5, 5)`;

let serial = 0;
/** Makes a published table under row security, with the rows above. */
async function guarded(policies: string, identity = 'full'): Promise<string> {
  const name = `guarded_${++serial}`;
  await world.db.exec(`
    create table public.${name} (${columns});
    alter table public.${name} replica identity ${identity};
    alter table public.${name} enable row level security;
    grant select on public.${name} to anon, authenticated, service_role;
    ${policies.replaceAll('TABLE', `public.${name}`).replaceAll('NAME', name)};
    insert into public.${name} values ${rows};
    alter publication supabase_realtime add table public.${name}`);
  return name;
}

type Claims = { readonly role: string; readonly name?: string };
const ada: Claims = { role: 'authenticated', name: 'ada' };
const bob: Claims = { role: 'authenticated', name: 'bob' };
const anon: Claims = { role: 'anon' };
const service: Claims = { role: 'service_role' };

async function watch(table: string, claims: Claims): Promise<PhoenixClient> {
  const items = [table, 'ends'].map((name) => ({ event: 'DELETE', schema: 'public', table: name }));
  return (await watchItems(world.realtime, items, { token: await testToken({ ...claims }) })).client;
}

/** What a client sees of a table, asked in SQL. */
async function visible(table: string, { role, ...claims }: Claims): Promise<number[]> {
  await world.owner.exec(`begin; set local role ${role};
    set local request.jwt.claims = '${JSON.stringify({ role, ...claims })}'`);
  const found = await world.owner.query<{ id: number }>(
    sql`select id from public.${sql.ident(table)} order by id`,
  );
  await world.owner.exec('rollback');
  return found.map(({ id }) => id);
}

/** Deletes all rows, and yields the ids that each client was told. */
async function toldOfDeletion(table: string, clients: readonly PhoenixClient[]): Promise<number[][]> {
  await world.db.exec(`delete from public.${table}`);
  await world.db.exec('insert into public.ends values (1); delete from public.ends');
  const isOver = (client: PhoenixClient): boolean =>
    toldChanges(client).some(({ table: name }) => name === 'ends');
  await Promise.all(clients.map((client) => client.until(() => isOver(client))));
  return clients.map((client) =>
    toldChanges(client)
      .filter(({ table: name }) => name === table)
      .map(({ old_record: old }) => {
        expect(Object.keys(old ?? {})).toEqual(['id']);
        return old?.id as number;
      })
      .sort((left, right) => left - right),
  );
}

const policies: readonly (readonly [what: string, policies: string])[] = [
  ['an owner', 'create policy p on TABLE for select using (owner = public.me())'],
  ['an owner, in any command', 'create policy p on TABLE using (owner = public.me())'],
  ['everybody', 'create policy p on TABLE for select using (true)'],
  ['nobody, without a policy', 'select 1'],
  ['nobody, with a policy for another command', 'create policy p on TABLE for insert with check (true)'],
  ['one role', 'create policy p on TABLE for select to anon using (id < 3)'],
  [
    'several roles by several policies',
    `create policy a on TABLE for select to anon using (id = 1);
     create policy b on TABLE for select to authenticated using (owner = public.me());
     create policy c on TABLE for select to authenticated using (feeling = 'glad')`,
  ],
  [
    'fewer by restrictive policies',
    `create policy a on TABLE for select using (id < 5);
     create policy b on TABLE as restrictive for select using (id > 1);
     create policy c on TABLE as restrictive for select to authenticated using (id <> 3)`,
  ],
  [
    'members of another table',
    `create policy p on TABLE for select using (exists (
       select from public.members m where m.team = NAME.team and m.member = public.me()))`,
  ],
  [
    'members, by an uncorrelated query',
    'create policy p on TABLE for select using (team in (select team from public.members where member = public.me()))',
  ],
  [
    'by values of many types',
    `create policy p on TABLE for select using ('b c' = any (tags) or (twin).a = 4 or at = 'infinity' or score = 'NaN'
       or "Odd ""name" = 5 or place = 1)`,
  ],
  ['by null values', 'create policy p on TABLE for select using (owner is null or tags = $$ {} $$)'],
  ['text with quotes', `create policy p on TABLE for select using (owner = 'O''Hara \\ "x"')`],
  [
    'what a function of the whole row says',
    `create function public.shows_NAME(r public.NAME) returns boolean language sql stable as
       $$ select r.owner = public.me() $$;
     create policy p on TABLE for select using (public.shows_NAME(NAME))`,
  ],
];

describe('the deletion of a row is told', () => {
  it.each(policies)('as the policies show it: %s', async (_, statements) => {
    const table = await guarded(statements);
    const everybody = [ada, bob, anon, service];
    const clients: PhoenixClient[] = [];
    const expected: number[][] = [];
    for (const claims of everybody) {
      clients.push(await watch(table, claims));
      expected.push(await visible(table, claims));
    }
    expect(await toldOfDeletion(table, clients)).toEqual(expected);
    expect(expected[3]).toEqual([1, 2, 3, 4, 5]);
  });

  it('by the key alone where the policy asks no more and the identity has no more', async () => {
    const table = await guarded('create policy p on TABLE for select using (id < 3)', 'default');
    const clients = [await watch(table, ada), await watch(table, service)];
    expect(await toldOfDeletion(table, clients)).toEqual([
      [1, 2],
      [1, 2, 3, 4, 5],
    ]);
  });

  it('to nobody whose policy reads what the identity does not have', async () => {
    const table = await guarded(
      `create policy p on TABLE for select using (owner = 'ada' or place is null)`,
      'default',
    );
    const clients = [await watch(table, ada), await watch(table, service)];
    expect(await toldOfDeletion(table, clients)).toEqual([[], [1, 2, 3, 4, 5]]);
  });

  it('to all who may read a table without row security, by its key', async () => {
    const table = await guarded('alter table TABLE disable row level security');
    const clients = [await watch(table, anon)];
    await world.db.exec(`delete from public.${table}`);
    const [client] = clients;
    await client?.until(() => toldChanges(client).length === 5);
    expect(toldChanges(client as PhoenixClient)[0]?.old_record).toMatchObject({ id: 1, owner: 'ada' });
  });

  it('to nobody who may not read the table, whatever the policy says', async () => {
    const table = await guarded('create policy p on TABLE for select using (true)');
    const [reader, stranger] = [await watch(table, ada), await watch(table, anon)];
    await world.db.exec(`revoke select on public.${table} from anon`);
    expect(await toldOfDeletion(table, [reader, stranger])).toEqual([[1, 2, 3, 4, 5], []]);
  });

  it('to the others, when a policy raises for one', async () => {
    const table = await guarded(`
      create function public.raise_NAME() returns boolean language plpgsql as $$
        begin if public.me() = 'bob' then raise exception 'no'; end if; return true; end $$;
      create policy p on TABLE for select using (public.raise_NAME())`);
    const clients = [await watch(table, ada), await watch(table, bob)];
    expect(await toldOfDeletion(table, clients)).toEqual([[1, 2, 3, 4, 5], []]);
  });

  it('later, and in order, to one whose policy is slow', async () => {
    const table = await guarded(`
      create function public.wait_NAME() returns boolean language plpgsql as $$
        begin perform pg_sleep(case public.me() when 'bob' then 0.3 else 0 end); return true; end $$;
      create policy p on TABLE for select using ((select public.wait_NAME()) and owner = public.me())`);
    const [quick, slow] = [await watch(table, ada), await watch(table, bob)];
    await world.db.exec(`delete from public.${table} where id in (1, 2, 4)`);
    await world.db.exec(`insert into public.${table} (id, owner) values (20, 'bob'), (10, 'bob')`);
    await world.db.exec(`delete from public.${table} where id = 20`);
    await world.db.exec(`delete from public.${table} where id = 10`);
    const ids = (client: PhoenixClient): unknown[] =>
      toldChanges(client).map(({ old_record: old }) => old?.id);
    await quick.until(() => ids(quick).length === 2);
    await slow.until(() => ids(slow).length === 3);
    expect([ids(quick), ids(slow)]).toEqual([
      [1, 4],
      [2, 20, 10],
    ]);
  });

  it('as the policy says that holds by then', async () => {
    const table = await guarded('create policy p on TABLE for select using (owner = public.me())');
    const client = await watch(table, ada);
    await world.db.exec(`delete from public.${table} where id < 3`);
    await client.until(() => toldChanges(client).length === 1);
    await world.db.exec(`drop policy p on public.${table};
      create policy p on public.${table} for select using (owner is null)`);
    await world.db.exec(`delete from public.${table}`);
    await client.until(() => toldChanges(client).length === 2);
    expect(toldChanges(client).map(({ old_record: old }) => old)).toEqual([{ id: 1 }, { id: 3 }]);
  });

  it('for hundreds of rows at once, to each of many users their own', async () => {
    const table = await guarded('create policy p on TABLE for select using (owner = public.me())');
    await world.db.exec(`insert into public.${table} (id, owner, tags)
      select n, 'user-' || n % 20, array['x', null] from generate_series(100, 1099) n`);
    const names = Array.from({ length: 20 }, (_, i) => `user-${i}`);
    const clients = await Promise.all(names.map((name) => watch(table, { role: 'authenticated', name })));
    const told = await toldOfDeletion(table, clients);
    expect(told).toEqual(
      names.map((_, i) =>
        Array.from({ length: 50 }, (__, n) => 100 + n * 20 + ((((i - 100) % 20) + 20) % 20)),
      ),
    );
  });
});
