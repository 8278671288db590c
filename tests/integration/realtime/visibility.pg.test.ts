import fc from 'fast-check';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../../src/pg/connect.ts';
import { sql } from '../../../src/pg/sql/sql.ts';
import { loginUrl } from '../../support/cluster.ts';
import { PhoenixClient } from '../../support/phoenix.ts';
import { testToken } from '../../support/realtime.ts';
import { toldChanges, useRealtimeWorld, watchTable } from '../../support/realtime-world.ts';
import { until } from '../../support/until.ts';

const world = useRealtimeWorld();

beforeAll(() =>
  world.owner.exec(
    `create role "Team-1" nologin; grant "Team-1" to authenticator; grant usage on schema public to "Team-1"`,
  ),
);

/** Makes a published table (id, owner) under row security with these policies. */
async function guarded(name: string, policies: string): Promise<void> {
  // Tried again, a test finds the table that it made.
  await world.owner.exec(`drop table if exists public.${name}`);
  await world.db.exec(`
    create table public.${name} (id int primary key, owner text);
    alter table public.${name} enable row level security;
    grant select on public.${name} to anon, authenticated, service_role, "Team-1";
    ${policies.replaceAll('TABLE', `public.${name}`)};
    alter publication supabase_realtime add table public.${name}`);
}

const watch = async (table: string, claims: Record<string, unknown>, event = '*'): Promise<PhoenixClient> =>
  watchTable(world.realtime, table, { token: await testToken(claims), subTopic: 'v' }, { event });

const seen = (client: PhoenixClient): string[] =>
  toldChanges(client).map(({ type, record, old_record: old }) => `${type} ${record?.id ?? old?.id}`);
const user = (name: string, more = {}) => ({ role: 'authenticated', sub: name, ...more });

/** Runs SQL, then a DELETE that every subscriber hears: what they heard before it is all that they get. */
async function heard(
  table: string,
  statement: string,
  clients: readonly PhoenixClient[],
): Promise<string[][]> {
  await world.db.exec(statement);
  await world.db.exec(`insert into public.${table} values (-1, null)`);
  await world.db.exec(`delete from public.${table} where id = -1`);
  await Promise.all(clients.map((client) => client.until(() => seen(client).includes('DELETE -1'))));
  return clients.map((client) => seen(client).filter((text) => !text.endsWith('-1')));
}

describe('who sees a change', () => {
  it('is decided by a claim of the token', async () => {
    await guarded(
      'by_claim',
      `create policy p on TABLE for select using (owner = auth.jwt() -> 'app_metadata' ->> 'team')`,
    );
    const red = await watch('by_claim', user('a', { app_metadata: { team: 'red' } }));
    const blue = await watch('by_claim', user('a', { app_metadata: { team: 'blue' } }));
    const got = await heard('by_claim', `insert into public.by_claim values (1, 'red'), (2, 'blue')`, [
      red,
      blue,
    ]);
    expect(got).toEqual([['INSERT 1'], ['INSERT 2']]);
  });

  it('is decided by the role alone where the policy asks no more', async () => {
    await guarded('by_role', 'create policy p on TABLE for select to authenticated using (true)');
    const clients = [await watch('by_role', user('a')), await watch('by_role', { role: 'anon' })];
    expect(await heard('by_role', `insert into public.by_role values (1, 'x')`, clients)).toEqual([
      ['INSERT 1'],
      [],
    ]);
  });

  it('is narrowed by restrictive policies', async () => {
    await guarded(
      'narrowed',
      `create policy p on TABLE for select using (true);
      create policy r on TABLE as restrictive for select using (id % 2 = 0)`,
    );
    const clients = [await watch('narrowed', user('a'))];
    expect(await heard('narrowed', `insert into public.narrowed values (1, 'x'), (2, 'x')`, clients)).toEqual(
      [['INSERT 2']],
    );
  });

  it('is nobody without a policy, but for a role that bypasses row security', async () => {
    await guarded('closed', 'select 1');
    const clients = [await watch('closed', user('a')), await watch('closed', { role: 'service_role' })];
    expect(await heard('closed', `insert into public.closed values (1, 'x')`, clients)).toEqual([
      [],
      ['INSERT 1'],
    ]);
  });

  it('is the owner of the table, unless row security is forced', async () => {
    await guarded('owned', 'select 1');
    await world.owner.exec('alter table public.owned owner to "Team-1"');
    const clients = [await watch('owned', { role: 'Team-1' })];
    await world.owner.exec(`insert into public.owned values (1, 'x')`);
    await clients[0]?.until(() => seen(clients[0] as PhoenixClient).length === 1);
    await world.owner.exec(`alter table public.owned force row level security; insert into public.owned values (2, 'x');
      insert into public.owned values (3, 'x'); delete from public.owned where id = 3`);
    await clients[0]?.until(() => seen(clients[0] as PhoenixClient).includes('DELETE 3'));
    expect(seen(clients[0] as PhoenixClient)).toEqual(['INSERT 1', 'DELETE 3']);
  });

  it('is decided as the row is after the commit', async () => {
    await guarded('moving', `create policy p on TABLE for select using (owner = auth.jwt() ->> 'sub')`);
    const clients = [await watch('moving', user('ada')), await watch('moving', user('bob'))];
    const got = await heard(
      'moving',
      `insert into public.moving values (1, 'ada'); update public.moving set owner = 'bob' where id = 1;
       insert into public.moving values (2, 'ada'); delete from public.moving where id = 2`,
      clients,
    );
    expect(got).toEqual([['DELETE 2'], ['INSERT 1', 'UPDATE 1', 'DELETE 2']]);
  });
});

describe('a policy', () => {
  it('that sleeps holds up nobody else, and its own subscribers only for that time', async () => {
    await guarded(
      'sleepy',
      `create or replace function public.nap() returns boolean language plpgsql as $$
         begin if auth.jwt() ->> 'sub' = 'ada' then perform pg_sleep(0.6); end if; return true; end $$;
       create policy p on TABLE for select using (public.nap())`,
    );
    const [ada, bob] = [
      await watch('sleepy', user('ada'), 'INSERT'),
      await watch('sleepy', user('bob'), 'INSERT'),
    ];
    await world.db.exec(`insert into public.sleepy values (1, 'x')`);
    await bob.until(() => seen(bob).length === 1);
    const startedAt = performance.now();
    await world.db.exec(`insert into public.sleepy values (2, 'x')`);
    await bob.until(() => seen(bob).length === 2);
    expect(performance.now() - startedAt).toBeLessThan(150);
    await ada.until(() => seen(ada).length === 2);
    expect(seen(ada)).toEqual(['INSERT 1', 'INSERT 2']);
  });

  it('that sleeps loses nothing for a session that changes its token meanwhile, and tells nobody who left', async () => {
    await guarded(
      'drowsy',
      `create or replace function public.doze() returns boolean language plpgsql as $$
         begin if auth.jwt() ->> 'sub' = 'ada' then perform pg_sleep(0.6); end if; return true; end $$;
       create policy p on TABLE for select using (public.doze())`,
    );
    const [staying, leaving, bob] = [
      await watch('drowsy', user('ada'), 'INSERT'),
      await watch('drowsy', user('ada'), 'INSERT'),
      await watch('drowsy', user('bob'), 'INSERT'),
    ];
    await world.db.exec(`insert into public.drowsy values (1, 'x')`);
    // What bob has seen has been looked at, and waits for ada's policy.
    await bob.until(() => seen(bob).length === 1);
    staying.send('realtime:v', 'access_token', { access_token: await testToken(user('ada', { n: 1 })) });
    leaving.send('realtime:v', 'phx_leave', {});
    await staying.until(() => seen(staying).length === 1);
    await world.db.exec(`insert into public.drowsy values (2, 'x')`);
    await staying.until(() => seen(staying).length === 2);
    expect([seen(staying), seen(leaving)]).toEqual([['INSERT 1', 'INSERT 2'], []]);
  });

  it('that raises for some hides the row from them alone, and is reported', async () => {
    await guarded(
      'raising',
      `create or replace function public.grumble() returns boolean language plpgsql as $$
         begin if auth.jwt() ->> 'sub' = 'ada' then raise exception 'no'; end if; return true; end $$;
       create policy p on TABLE for select using (public.grumble())`,
    );
    const clients = [
      await watch('raising', user('ada')),
      ...(await Promise.all(['b', 'c', 'd'].map((name) => watch('raising', user(name))))),
    ];
    const got = await heard('raising', `insert into public.raising values (1, 'x')`, clients);
    expect(got).toEqual([[], ['INSERT 1'], ['INSERT 1'], ['INSERT 1']]);
    expect(world.realtime.observations).toContainEqual(
      expect.objectContaining({ kind: 'notice', fields: { relation: 'public.raising', sqlstate: 'P0001' } }),
    );
  });
});

describe('a policy that raises what the server says when it has no room', () => {
  it('is the business of its own subscriber', async () => {
    await guarded(
      'crowded',
      `create or replace function public.no_room() returns boolean language plpgsql as $$
         begin if auth.jwt() ->> 'sub' = 'ada' then raise exception 'full' using errcode = '53100'; end if; return true; end $$;
       create policy p on TABLE for select using (public.no_room())`,
    );
    const clients = [await watch('crowded', user('ada')), await watch('crowded', user('bob'))];
    const got = await heard('crowded', `insert into public.crowded values (1, 'x'), (2, 'x')`, clients);
    expect(got).toEqual([[], ['INSERT 1', 'INSERT 2']]);
  });
});

describe('a row under row security is found by its key', () => {
  it.each([
    ['of a number', 'int8', (n: number) => `${n}`],
    ['of a uuid', 'uuid', (n: number) => `'00000000-0000-4000-8000-0000000000${n + 10}'`],
    ['of text that has to be quoted', 'text', (n: number) => `'${n},{}"\\ ''%$1'`],
    ['of a time', 'timestamptz', (n: number) => `'2024-01-02 03:04:${n + 10}.5+02'`],
  ])('%s, whether few or many rows are looked at', async (_, type, literal) => {
    const name = `by_${type}`;
    await world.owner.exec(`drop table if exists public.${name}`);
    await world.db.exec(`create table public.${name} (k ${type} primary key, id int, owner text);
      alter table public.${name} enable row level security;
      create policy p on public.${name} for select using (owner = auth.jwt() ->> 'sub');
      grant select on public.${name} to authenticated;
      alter publication supabase_realtime add table public.${name}`);
    const clients = [await watch(name, user('u0')), await watch(name, user('u1'))];
    const rows = Array.from({ length: 40 }, (_, n) => `(${literal(n)}, ${n}, 'u${n % 2}')`);
    await world.db.exec(`insert into public.${name} values ${rows.slice(0, 2).join(',')}`);
    await world.db.exec(`insert into public.${name} values ${rows.slice(2).join(',')}`);
    await Promise.all(clients.map((client) => client.until(() => seen(client).length >= 20)));
    for (const client of clients) await client.settle();
    const of = (rest: number): string[] => Array.from({ length: 20 }, (_, n) => `INSERT ${2 * n + rest}`);
    expect(clients.map(seen)).toEqual([of(0), of(1)]);
  });

  it('of several columns', async () => {
    await world.owner.exec('drop table if exists public.by_pair');
    await world.db.exec(`create table public.by_pair (id int, name text, owner text, primary key (name, id));
      alter table public.by_pair enable row level security;
      create policy p on public.by_pair for select using (owner = auth.jwt() ->> 'sub');
      grant select on public.by_pair to authenticated;
      alter publication supabase_realtime add table public.by_pair`);
    const clients = [await watch('by_pair', user('u0')), await watch('by_pair', user('u1'))];
    await world.db.exec(`insert into public.by_pair
      select n, E'a,"\\\\{' || n % 3, 'u' || n % 2 from generate_series(0, 39) n`);
    await Promise.all(clients.map((client) => client.until(() => seen(client).length >= 20)));
    const of = (rest: number): string[] => Array.from({ length: 20 }, (_, n) => `INSERT ${2 * n + rest}`);
    expect(clients.map(seen)).toEqual([of(0), of(1)]);
  });
});

describe('any policy', () => {
  /** Conditions on a row and the claims, as people write them, joined by and, or, not. */
  const condition = fc.letrec<{ all: string; leaf: string }>((tie) => ({
    leaf: fc.constantFrom(
      `owner = auth.jwt() ->> 'sub'`,
      `owner = (select auth.jwt() ->> 'sub')`,
      `auth.role() = 'authenticated'`,
      `(auth.jwt() ->> 'level')::int >= id % 4`,
      `auth.jwt() -> 'teams' ? owner`,
      `exists (select from public.friends f where f.a = auth.jwt() ->> 'sub' and f.b = owner)`,
      `id in (select n from generate_series(0, 30, 3) n)`,
      `nullif(auth.jwt() ->> 'level', '2') is null`,
    ),
    all: fc.oneof(
      { maxDepth: 3 },
      tie('leaf'),
      fc
        .tuple(tie('all'), fc.constantFrom('and', 'or'), tie('all'))
        .map(([left, word, right]) => `(${left} ${word} ${right})`),
      tie('all').map((inner) => `not (${inner})`),
    ),
  })).all;
  const policy = fc.record({
    using: condition,
    kind: fc.constantFrom('permissive', 'restrictive'),
    role: fc.constantFrom('public', 'authenticated', 'anon'),
  });

  it('shows a subscriber the rows that it shows in SQL, whoever else subscribes', async () => {
    const claims = [
      ...['u0', 'u1', 'u2'].map((name, i) => user(name, { level: i, teams: [`u${(i + 1) % 3}`] })),
      { role: 'anon', level: 3 },
    ];
    await world.owner.exec('drop table if exists public.any_policy, public.friends');
    await world.db.exec(`create table public.friends (a text, b text);
      insert into public.friends values ('u0', 'u2'), ('u1', 'u0');
      grant select on public.friends to anon, authenticated`);
    await guarded('any_policy', 'create policy p on TABLE for select using (true)');
    await world.db.exec('grant select on public.any_policy to anon');
    const clients = await Promise.all(claims.map((each) => watch('any_policy', each)));
    let base = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(policy, { minLength: 1, maxLength: 4 }), async (policies) => {
        base += 40;
        await world.db.exec(`begin;
          do $$ declare p name; begin
            for p in select policyname from pg_policies where tablename = 'any_policy' loop
              execute format('drop policy %I on public.any_policy', p);
            end loop;
          end $$;
          ${policies
            .map(
              ({ using, kind, role }, i) =>
                `create policy p${i} on public.any_policy as ${kind} for select to ${role} using (${using})`,
            )
            .join(';')};
          commit;`);
        for (const client of clients) client.received.length = 0;
        const got = await heard(
          'any_policy',
          `insert into public.any_policy select ${base} + n, 'u' || n % 3 from generate_series(0, 35) n`,
          clients,
        );
        const shown = await Promise.all(claims.map((each) => inSql(each, base)));
        expect(got.map((texts) => [...texts].sort())).toEqual(shown);
      }),
      { numRuns: 15 },
    );
  });

  async function inSql(claims: Record<string, unknown>, base: number): Promise<string[]> {
    const client = await connect(loginUrl(new URL(world.cluster.ownerUrl), 'postgres', 'authenticator'));
    await client.query(sql`select set_config('role', ${String(claims.role)}, false),
      set_config('request.jwt.claims', ${JSON.stringify(claims)}, false)`);
    const rows = await client.query<{ text: string }>(
      sql`select 'INSERT ' || id as text from public.any_policy where id >= ${base}::int`,
    );
    await client.end();
    return rows.map(({ text }) => text).sort();
  }
});

describe('a change that is in the log before others see it', () => {
  it('is told once they do', async () => {
    await guarded('early', `create policy p on TABLE for select using (owner = auth.jwt() ->> 'sub')`);
    const client = await watch('early', user('ada'));
    // A commit that waits for a standby is in the log, and shows to nobody until the wait is over.
    await world.owner.exec(`alter system set synchronous_standby_names = 'nobody'`);
    await world.owner.query(sql`select pg_reload_conf()`);
    onTestFinished(async () => {
      await world.owner.exec('alter system reset synchronous_standby_names');
      await world.owner.query(sql`select pg_reload_conf()`);
    });
    const writer = await connect(world.cluster.ownerUrl, { applicationName: 'waits-for-nobody' });
    await writer.exec(`set synchronous_commit = 'on'`);
    await until(async () => {
      const [row] = await writer.query<{ names: string }>(
        sql`select current_setting('synchronous_standby_names') as names`,
      );
      return row?.names === 'nobody';
    });
    const writing = writer.exec(`insert into public.early values (1, 'ada')`);
    const waiting = async (): Promise<boolean> => {
      const rows = await world.owner.query(sql`select from pg_stat_activity
        where application_name = 'waits-for-nobody' and wait_event = 'SyncRep'`);
      return rows.length === 1;
    };
    await until(waiting);
    await client.settle();
    expect(seen(client)).toEqual([]);
    await world.owner.query(
      sql`select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'waits-for-nobody'`,
    );
    await writing;
    await client.until(() => seen(client).length === 1);
    expect(seen(client)).toEqual(['INSERT 1']);
    await writer.end();
  });
});

describe('a policy whose function keeps what it looked up', () => {
  it.each(['true', 'false'])('does not find that of another user (local: %s)', async (isLocal) => {
    const name = `remembered_${isLocal}`;
    await guarded(
      name,
      `create or replace function public.me_${isLocal}() returns text language plpgsql as $$
         begin
           if coalesce(current_setting('app.me', true), '') = '' then
             perform set_config('app.me', auth.jwt() ->> 'sub', ${isLocal});
           end if;
           return current_setting('app.me');
         end $$;
       create policy p on TABLE for select using (owner = public.me_${isLocal}())`,
    );
    const names = Array.from({ length: 20 }, (_, i) => `u${i}`);
    const clients = await Promise.all(names.map((each) => watch(name, user(each))));
    const rows = names.map((each, i) => `(${i}, '${each}')`).join(',');
    const got = await heard(name, `insert into public.${name} values ${rows}`, clients);
    expect(got).toEqual(names.map((_, i) => [`INSERT ${i}`]));
  });
});

describe('what is committed', () => {
  it('right after the subscription was confirmed always arrives', async () => {
    await world.db.exec(`drop table if exists public.prompt; create table public.prompt (id int primary key); grant select on public.prompt to anon;
      alter publication supabase_realtime add table public.prompt`);
    const client = await PhoenixClient.connect(world.realtime.url, world.realtime.anonToken);
    onTestFinished(() => client.close());
    for (let n = 0; n < 200; n++) {
      client.received.length = 0;
      await client.join(`p${n}`, { postgres_changes: [{ event: '*', schema: 'public', table: 'prompt' }] });
      await client.next(({ event }) => event === 'system');
      await world.db.query(sql`insert into public.prompt values (${n}::int)`);
      await client.next(({ event }) => event === 'postgres_changes');
      await client.request(`realtime:p${n}`, 'phx_leave', {});
    }
  });

  it('arrives in the order of the commits, whenever the transactions began', async () => {
    await guarded('ordered', 'create policy p on TABLE for select using (true)');
    const client = await watch('ordered', user('a'));
    const [early, late] = [await connect(world.cluster.ownerUrl), await connect(world.cluster.ownerUrl)];
    await early.exec(`begin; insert into public.ordered values (1, 'x')`);
    await late.exec(`begin; insert into public.ordered values (2, 'x'); commit`);
    await early.exec(`insert into public.ordered values (3, 'x'); commit`);
    await client.until(() => seen(client).length === 3);
    expect(seen(client)).toEqual(['INSERT 2', 'INSERT 1', 'INSERT 3']);
    await early.end();
    await late.end();
  });
});
