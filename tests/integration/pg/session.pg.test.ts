import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PgFailure } from '../../../src/pg/failure.ts';
import { type ConnectionPool, createPool } from '../../../src/pg/pool.ts';
import { createRequestDb, createServiceDb, type RequestDb, type ServiceDb } from '../../../src/pg/session.ts';
import { compile, sql } from '../../../src/pg/sql/sql.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let pool: ConnectionPool;
let requests: RequestDb;
let services: ServiceDb;
/** What a request knows of its client, moved by hand. */
const leaving = (): { onGone: (listener: () => void) => () => void; leave: () => void } => {
  const listeners = new Set<() => void>();
  let hasLeft = false;
  return {
    onGone(listener) {
      if (hasLeft) listener();
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    leave() {
      hasLeft = true;
      for (const listener of listeners) listener();
    },
  };
};
const asAnon = { role: 'anon', settings: [] } as const;

beforeAll(async () => {
  database = await createTestDatabase(`
    create table public.notes (id int primary key, owner uuid, parent int);
    alter table public.notes add foreign key (parent) references public.notes (id) deferrable initially deferred;
    alter table public.notes enable row level security;
    create policy own on public.notes to authenticated using (owner = auth.uid()) with check (owner = auth.uid());
  `);
  const pools = { max: 1, acquireTimeoutMs: 300, idleTimeoutMs: 10_000, applicationName: 'test' };
  pool = createPool({ ...pools, url: database.url('authenticator') });
  requests = createRequestDb(pool);
  const servicePool = createPool({ ...pools, url: database.url('supabase_auth_admin') });
  services = createServiceDb(servicePool);
  afterAll(() => servicePool.end());
});

afterAll(() => pool.end());

const failure = async (work: Promise<unknown>): Promise<PgFailure> => {
  const thrown = await work.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(thrown instanceof PgFailure)) throw new Error('expected a PgFailure', { cause: thrown });
  return thrown;
};

const alice = '11111111-1111-4111-8111-111111111111';
const asAlice = {
  role: 'authenticated',
  settings: [['request.jwt.claims', JSON.stringify({ sub: alice, role: 'authenticated' })]],
} as const;

describe('a request', () => {
  it('runs as its role with its claims, and nothing of it outlives the transaction', async () => {
    const [mine] = await requests.run(asAlice, [compile(sql`select current_user, auth.uid()`)]);
    expect(mine?.rows).toEqual([['authenticated', alice]]);
    const [next] = await requests.run(asAnon, [compile(sql`select current_user, auth.uid()`)]);
    expect(next?.rows).toEqual([['anon', null]]);
  });

  it('is one transaction: a later failure undoes an earlier statement', async () => {
    const insert = compile(sql`insert into public.notes values (1, ${alice}, null)`);
    const broken = await failure(requests.run(asAlice, [insert, compile(sql`select 1 / 0`)]));
    expect(broken.sqlstate).toBe('22012');
    const [count] = await requests.run(asAlice, [compile(sql`select count(*) from public.notes`)]);
    expect(count?.rows).toEqual([['0']]);
  });

  it('reports a deferred constraint although every statement had completed', async () => {
    const orphan = compile(sql`insert into public.notes values (2, ${alice}, 99)`);
    expect((await failure(requests.run(asAlice, [orphan]))).sqlstate).toBe('23503');
  });

  it('cannot write when it is read only', async () => {
    const write = compile(sql`delete from public.notes where id = 1`);
    expect((await failure(requests.run({ ...asAlice, readOnly: true }, [write]))).sqlstate).toBe('25006');
  });

  it('runs nothing when its role cannot be taken', async () => {
    const refused = await failure(requests.run({ role: 'postgres', settings: [] }, [compile(sql`select 1`)]));
    expect(refused.sqlstate).toBe('42501');
    const unknown = await failure(
      requests.run({ role: 'no_such_role', settings: [] }, [compile(sql`select 1`)]),
    );
    expect(unknown.sqlstate).toBe('22023');
  });

  it('honours the isolation level that it asks for', async () => {
    const level = compile(sql`select current_setting('transaction_isolation')`);
    const [result] = await requests.run({ ...asAnon, isolation: 'serializable' }, [level]);
    expect(result?.rows).toEqual([['serializable']]);
  });

  it('is cancelled on the server when its client goes away, and the connection serves the next one', async () => {
    const client = leaving();
    const running = failure(
      requests.run({ ...asAnon, onGone: client.onGone }, [compile(sql`select pg_sleep(30)`)]),
    );
    client.leave();
    expect((await running).sqlstate).toBe('57014');
    const [next] = await requests.run(asAnon, [compile(sql`select 1`)]);
    expect(next?.rows).toEqual([['1']]);
  });

  it('fails with kind pool-timeout when no connection is free in time', async () => {
    const client = leaving();
    const blocker = failure(
      requests.run({ ...asAnon, onGone: client.onGone }, [compile(sql`select pg_sleep(30)`)]),
    );
    const waiting = await failure(requests.run(asAnon, [compile(sql`select 1`)]));
    expect(waiting).toMatchObject({ kind: 'pool-timeout', sqlstate: '53300' });
    client.leave();
    await blocker;
  });

  it('survives a change of the table behind a prepared statement', async () => {
    const all = compile(sql`select * from public.shape`);
    await database.owner.exec('create table public.shape (a int); grant select on public.shape to anon;');
    await requests.run(asAnon, [all]);
    await database.owner.exec('alter table public.shape add b int');
    const [result] = await requests.run(asAnon, [all]);
    expect(result?.rows).toEqual([]);
  });

  it('reports a killed backend as a lost connection and works again at once', async () => {
    const [self] = await requests.run(asAnon, [compile(sql`select pg_backend_pid()`)]);
    const pid = Number(self?.rows[0]?.[0]);
    const dying = failure(requests.run(asAnon, [compile(sql`select pg_sleep(30)`)]));
    await expect
      .poll(() =>
        database.owner.query(sql`select 1 from pg_stat_activity where pid = ${pid} and state = 'active'`),
      )
      .toHaveLength(1);
    await database.owner.query(sql`select pg_terminate_backend(${pid})`);
    expect((await dying).sqlstate).toBe('57P01');
    const [next] = await requests.run(asAnon, [compile(sql`select 1`)]);
    expect(next?.rows).toEqual([['1']]);
  });
});

describe('a transaction of a service', () => {
  it('commits what its function did', async () => {
    await services.transaction((tx) => tx.execute(sql`create temp table kept (a int)`));
    expect(await services.query(sql`select count(*)::int as n from kept`)).toEqual([{ n: 0 }]);
  });

  it('rolls back when its function throws, and says why', async () => {
    const reason = new Error('changed my mind');
    const attempt = services.transaction(async (tx) => {
      await tx.execute(sql`create temp table dropped (a int)`);
      throw reason;
    });
    await expect(attempt).rejects.toBe(reason);
    expect((await failure(services.query(sql`select * from dropped`))).sqlstate).toBe('42P01');
  });

  it('reads timestamps, big integers and JSON without losing anything', async () => {
    const [row] = await services.query(
      sql`select '2026-01-02 03:04:05.678901+00'::timestamptz as at, 9007199254740993::int8 as big,
        '{"a":[1]}'::jsonb as doc, array['x', null]::text[] as list`,
    );
    expect(row).toEqual({
      at: '2026-01-02 03:04:05.678901+00',
      big: '9007199254740993',
      doc: { a: [1] },
      list: ['x', null],
    });
  });

  it('binds arrays, bytes and objects as Postgres reads them', async () => {
    const [row] = await services.query(
      sql`select ${['a"b', null, 'c\\d']}::text[] as list, ${Buffer.from([0, 255])}::bytea as raw,
        ${sql.value({ k: 1 })}::jsonb as doc`,
    );
    expect(row).toEqual({ list: ['a"b', null, 'c\\d'], raw: Buffer.from([0, 255]), doc: { k: 1 } });
  });
});
