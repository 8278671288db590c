import { setTimeout as delay } from 'node:timers/promises';
import { introspect } from '../src/catalog/introspect.ts';
import { connect } from '../src/pg/connect.ts';
import { createPool } from '../src/pg/pool.ts';
import { loginUrl } from '../tests/support/cluster.ts';
import { benchToken, startOwnbase, withDataset } from './setup.ts';

/*
 * How long the schema cache of a large database takes to load, and how long requests wait at worst while a running
 * server loads it again: a thousand tables, three thousand foreign keys and a thousand functions.
 */
const size = 1000;
const rounds = 5;

const fixture = `
  do $$ begin
    for i in 1..${size} loop
      execute format('create table public.t%s (id int primary key, a int, b int, c int, d text, e timestamptz)', i);
    end loop;
    for i in 1..${size} loop
      execute format('alter table public.t%s add foreign key (a) references public.t%s,
                        add foreign key (b) references public.t%s, add foreign key (c) references public.t%s',
                     i, i % ${size} + 1, i * 7 % ${size} + 1, i * 13 % ${size} + 1);
      execute format('create function public.f%s(x int, y text default null) returns setof public.t%s
                        language sql stable as $f$ select * from public.t%s $f$', i, i, i);
    end loop;
  end $$;
  grant select on all tables in schema public to authenticated;`;

/** Milliseconds of each load, in this process. */
async function loads(url: string): Promise<number[]> {
  const pool = createPool({
    url,
    max: 1,
    acquireTimeoutMs: 10_000,
    idleTimeoutMs: 10_000,
    applicationName: 'bench',
  });
  const lease = await pool.acquire();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now();
    await introspect(lease, { schemas: ['public'], extraSchemas: [], hoistedSettings: [] });
    times.push(performance.now() - startedAt);
  }
  lease.release(false);
  await pool.end();
  return times;
}

/** The slowest of the requests that are made, one after the other, while the server loads its cache again. */
async function slowestDuringReload(url: string, pid: number): Promise<number> {
  const authorization = `Bearer ${benchToken()}`;
  let slowest = 0;
  process.kill(pid, 'SIGUSR1');
  const until = performance.now() + 3000;
  while (performance.now() < until) {
    const startedAt = performance.now();
    const answer = await fetch(`${url}/t1?select=id`, { headers: { authorization } });
    await answer.arrayBuffer();
    if (answer.status !== 200) throw new Error(`a request was answered ${answer.status} during a reload`);
    slowest = Math.max(slowest, performance.now() - startedAt);
    await delay(1);
  }
  return slowest;
}

await withDataset(async (databaseUrl, started) => {
  const postgres = await connect(loginUrl(new URL(databaseUrl), 'postgres', 'postgres'));
  await postgres.exec(fixture);
  await postgres.end();
  const times = (await loads(databaseUrl)).map((ms) => ms.toFixed(0));
  process.stdout.write(`load of ${size} tables and functions: ${times.join(', ')} ms (target 1500)\n`);
  const server = started(await startOwnbase(databaseUrl));
  await slowestDuringReload(server.url, server.pid);
  const slowest = await slowestDuringReload(server.url, server.pid);
  process.stdout.write(`slowest request during a reload: ${slowest.toFixed(0)} ms\n`);
});
