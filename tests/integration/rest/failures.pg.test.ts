import { beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { createRestApp, type RestApp } from '../../support/rest.ts';
import { filmsFixture } from './films.ts';

let database: TestDatabase;
let rest: RestApp;

beforeAll(async () => {
  database = await createTestDatabase(`${filmsFixture}
    create function nap(seconds float) returns void language sql as 'select pg_sleep(seconds)';
    create table deferred (id int primary key, parent int references deferred deferrable initially deferred);
    grant all on deferred to anon;
  `);
  rest = await createRestApp(database);
});

/** Waits until a backend of the service sleeps. */
async function sleeper(): Promise<number> {
  for (;;) {
    const [row] = await database.owner.query<{ pid: number }>(
      sql`select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`,
    );
    if (row !== undefined) return row.pid;
  }
}

const nap = (app: RestApp, signal?: AbortSignal) =>
  app.call('POST', '/rpc/nap', { body: { seconds: 30 }, ...(signal === undefined ? {} : { signal }) });

const worksAgain = async (app: RestApp): Promise<void> => {
  expect((await app.call('GET', '/films?select=id&id=eq.1')).json()).toEqual([{ id: 1 }]);
};

describe('a request that the database does not finish', () => {
  it('is 500 with its SQLSTATE when a statement times out', async () => {
    const hasty = await createRestApp(database, {
      roleSettings: new Map([['anon', [['statement_timeout', '20']] as const]]),
    });
    const answer = await nap(hasty);
    expect(answer.status).toBe(500);
    expect(answer.json()).toMatchObject({ code: '57014' });
    await worksAgain(hasty);
  });

  it('is cancelled on the server when its client goes away', async () => {
    const leaving = new AbortController();
    const running = nap(rest, leaving.signal);
    await sleeper();
    leaving.abort();
    expect((await running).json()).toMatchObject({ code: '57014' });
    await worksAgain(rest);
  });

  it('is 504 when no connection is free in time, and the pool serves again once one is', async () => {
    const small = await createRestApp(database, {}, { max: 1, acquireTimeoutMs: 50 });
    const running = nap(small);
    const pid = await sleeper();
    const answer = await small.call('GET', '/films?select=id');
    expect(answer.status).toBe(504);
    expect(answer.json()).toEqual({
      code: 'PGRST003',
      details: null,
      hint: null,
      message: 'Timed out acquiring connection from connection pool.',
    });
    await database.owner.query(sql`select pg_cancel_backend(${pid}::int)`);
    expect((await running).status).toBe(500);
    await worksAgain(small);
  });

  it('is 503 when its backend is killed, and the next one finds another', async () => {
    const running = nap(rest);
    await database.owner.query(sql`select pg_terminate_backend(${await sleeper()}::int)`);
    const answer = await running;
    expect(answer.status).toBe(503);
    expect(answer.headers['proxy-status']).toMatch(/^PostgREST; error=/);
    await worksAgain(rest);
  });
});

describe('a write that fails at its end', () => {
  it('is refused although each statement succeeded', async () => {
    const answer = await rest.call('POST', '/deferred', { body: { id: 1, parent: 99 } });
    expect(answer.status).toBe(409);
    expect((await rest.call('GET', '/deferred')).json()).toEqual([]);
  });
});

describe('a role', () => {
  it('that may not be taken is refused', async () => {
    const answer = await rest.call('GET', '/films', { claims: { role: 'supabase_admin' } });
    expect(answer.status).toBe(403);
    expect(answer.json()).toMatchObject({ code: '42501' });
  });

  it('that does not exist is 401', async () => {
    const answer = await rest.call('GET', '/films', { claims: { role: 'nobody_at_all' } });
    expect(answer.status).toBe(401);
    expect(answer.json()).toMatchObject({ code: '22023', message: 'role "nobody_at_all" does not exist' });
  });
});

describe('a change of the schema', () => {
  it('is known after a reload, and statements that it outdated are made anew', async () => {
    await rest.call('GET', '/teams');
    await database.owner.exec('alter table teams add column city text');
    await rest.reload();
    expect((await rest.call('GET', '/teams?id=eq.1')).json()).toEqual([{ id: 1, name: 'Ajax', city: null }]);
    expect((await rest.call('GET', '/teams?select=city&id=eq.1')).json()).toEqual([{ city: null }]);
  });
});
