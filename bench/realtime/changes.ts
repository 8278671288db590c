import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../../src/pg/connect.ts';
import { sql } from '../../src/pg/sql/sql.ts';
import { openCrowd } from './crowd.ts';
import { percentile } from './figures.ts';
import { userToken, type World } from './world.ts';

const topic = 'realtime:changes';
const configFor = (table: string): unknown => ({
  postgres_changes: [{ event: 'INSERT', schema: 'public', table }],
});
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `user-${i}`);

let nextId = 1;

/** What became of rows that were inserted one by one through REST. */
export type DeliveryFigures = {
  readonly p50: number;
  readonly p99: number;
  /** Deliveries that did not come, came twice, or went to somebody else. */
  readonly lost: number;
  readonly doubled: number;
  readonly leaked: number;
};

/** Subscribers of `users` users; each row is visible to one of them. Latency is from before the request is made. */
export async function benchOwnRows(
  world: World,
  {
    subscribers,
    users,
    perSecond,
    seconds,
  }: Record<'subscribers' | 'users' | 'perSecond' | 'seconds', number>,
): Promise<DeliveryFigures> {
  const tokens = names(users).map(userToken);
  const crowd = await openCrowd({
    ...{ url: world.socketUrl, sockets: subscribers, topic, tokens, waitsForChanges: true },
    config: configFor('own'),
  });
  await crowd.look(true);
  const writer = userToken('writer');
  const owners = new Map<number, number>();
  const inserts: Promise<void>[] = [];
  const start = performance.now();
  for (let i = 0; i < perSecond * seconds; i++) {
    const id = nextId++;
    owners.set(id, i % users);
    inserts.push(insert(world, writer, id, `user-${i % users}`));
    await delay(Math.max(0, start + ((i + 1) * 1_000) / perSecond - performance.now()));
  }
  await Promise.all(inserts);
  const perRow = subscribers / users;
  const report = await crowd.collect(owners.size * perRow, 10_000);
  crowd.close();
  let [lost, doubled, leaked] = [0, 0, 0];
  for (const [id, owner] of owners) {
    const got = report.byId[id] ?? [];
    const right = got.filter((user) => user === owner).length;
    leaked += got.length - right;
    lost += Math.max(0, perRow - right);
    doubled += Math.max(0, right - perRow);
  }
  const { latencies } = report;
  return { p50: percentile(latencies, 50), p99: percentile(latencies, 99), lost, doubled, leaked };
}

async function insert({ restUrl }: World, token: string, id: number, owner: string): Promise<void> {
  const at = (performance.timeOrigin + performance.now()).toFixed(2);
  const response = await fetch(`${restUrl}/own`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      prefer: 'return=minimal',
    },
    body: JSON.stringify({ id, owner, at }),
  });
  await response.text();
  if (response.status !== 201) throw new Error(`an insert was answered ${response.status}`);
}

/**
 * Deliveries per second of rows that all subscribers see by a policy, each round of
 * them in one transaction; the best round counts. With the size of a message.
 */
export async function benchFanOut(
  world: World,
  { subscribers, users, rows, rounds }: Record<'subscribers' | 'users' | 'rows' | 'rounds', number>,
): Promise<{ readonly perSecond: number; readonly bytes: number }> {
  const crowd = await openCrowd({
    ...{ url: world.socketUrl, sockets: subscribers, topic, waitsForChanges: true },
    config: configFor('everybody'),
    tokens: names(users).map(userToken),
  });
  let [best, size] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await world.db.query(sql`insert into public.everybody
      select n, 'x', repeat('1', 60) from generate_series(${nextId}::int, ${nextId + rows - 1}::int) n`);
    nextId += rows;
    const { received, bytes } = await crowd.collect(subscribers * rows, 60_000, 2);
    if (received !== subscribers * rows) throw new Error(`${received} of ${subscribers * rows} arrived`);
    best = Math.max(best, received / ((performance.now() - start) / 1_000));
    size = bytes / received;
  }
  crowd.close();
  return { perSecond: best, bytes: size };
}

/** Decisions per second when every subscriber is a different user, and of a loop that asks for each by itself. */
export async function benchDecisions(
  world: World,
  { subscribers, rows }: Record<'subscribers' | 'rows', number>,
): Promise<{ readonly own: number; readonly loop: number }> {
  const crowd = await openCrowd({
    ...{ url: world.socketUrl, sockets: subscribers, topic, waitsForChanges: true },
    config: configFor('own'),
    tokens: names(subscribers).map(userToken),
  });
  const [from, to] = [nextId, nextId + rows - 1];
  nextId += rows;
  const start = performance.now();
  await world.db.query(sql`insert into public.own
    select n, 'user-' || n % ${subscribers}::int, '0' from generate_series(${from}::int, ${to}::int) n`);
  const { received } = await crowd.collect(rows, 120_000);
  const own = (rows * subscribers) / ((performance.now() - start) / 1_000);
  crowd.close();
  if (received !== rows) throw new Error(`${received} of ${rows} arrived`);
  return { own, loop: await loopDecisions(world, subscribers, from) };
}

/** Upstream's way: per change, for each subscriber in turn, its claims and then a prepared query for the row. */
async function loopDecisions(world: World, subscribers: number, id: number): Promise<number> {
  const db = await connect(world.ownerUrl);
  await db.exec(`begin; set local role authenticated;
    prepare seen (int) as select exists (select 1 from public.own where id = $1);`);
  await db.exec(`create function pg_temp.check_all(subscribers int, id int) returns int language plpgsql as $$
    declare seen boolean; total int := 0;
    begin
      for i in 0..subscribers - 1 loop
        perform set_config('request.jwt.claims',
          jsonb_build_object('role', 'authenticated', 'name', 'user-' || i, 'sub', 'user-' || i)::text, true);
        execute format('execute seen (%s)', id) into seen;
        total := total + seen::int;
      end loop;
      return total;
    end $$;`);
  const start = performance.now();
  let rounds = 0;
  while (performance.now() - start < 2_000) {
    await db.query(sql`select pg_temp.check_all(${subscribers}::int, ${id + rounds}::int)`);
    rounds++;
  }
  const perSecond = (rounds * subscribers) / ((performance.now() - start) / 1_000);
  await db.exec('rollback');
  await db.end();
  return perSecond;
}

/** Milliseconds from the moment that a single insert was committed until its subscriber has it. */
export async function benchLowRate(world: World): Promise<{ readonly p50: number; readonly p99: number }> {
  const crowd = await openCrowd({
    ...{ url: world.socketUrl, sockets: 1, topic, waitsForChanges: true },
    config: configFor('open'),
    tokens: [userToken('user-0')],
  });
  await crowd.look(false);
  const count = 100;
  for (let i = 0; i < count; i++) {
    const at = (performance.timeOrigin + performance.now()).toFixed(2);
    await world.db.query(sql`insert into public.open values (${nextId++}::int, 'x', ${at})`);
    await delay(50);
  }
  const { latencies } = await crowd.collect(count, 5_000);
  crowd.close();
  return { p50: percentile(latencies, 50), p99: percentile(latencies, 99) };
}
