import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { AdminClient } from '../../src/pg/connect.ts';
import { sql } from '../../src/pg/sql/sql.ts';
import { startTestCluster, type TestCluster } from './cluster.ts';
import { type RealtimeHarness, startRealtime } from './realtime.ts';
import { authenticatorUrl, connectOwner } from './realtime-world.ts';

type Start = Parameters<typeof startRealtime>[0];

/** A cluster of its own for the tests of one file, on which realtime services come and go. */
export type FeedWorld = {
  readonly cluster: TestCluster;
  /** The owner's connection. */
  readonly db: AdminClient;
  /** Starts a service, which ends with the test. */
  readonly start: (more?: Partial<Start>) => Promise<RealtimeHarness>;
  /** Ends the connection that the log of changes comes by. */
  readonly cutStream: () => Promise<unknown>;
  /** Kills every process of Postgres at once; resolves when it is there again and `db` is connected. */
  readonly crash: () => Promise<void>;
};

/** Tables that are told of: `rows` to everybody, each row of `guarded` to its owner. */
const tables = `
  create table public.rows (id int primary key, body text);
  create table public.guarded (id int primary key, owner text);
  alter table public.guarded enable row level security;
  create policy own on public.guarded for select to authenticated using (owner = auth.jwt() ->> 'name');
  grant select on all tables in schema public to anon, authenticated;
  alter publication supabase_realtime add table public.rows, public.guarded;
  create policy hear on realtime.messages for select to anon, authenticated using (true)`;

/** Makes the world before the tests of the calling file, and ends it after them. */
export function useFeedWorld(slotName: string): FeedWorld {
  let made: TestCluster | null = null;
  let client: AdminClient | null = null;
  const there = <T>(value: T | null): T => {
    if (value === null) throw new Error('the world is there when the tests run');
    return value;
  };
  beforeAll(async () => {
    made = await startTestCluster();
    client = await connectOwner(made);
    await client.exec(tables);
  });
  afterAll(async () => {
    await client?.end();
    await made?.stop();
  });
  return {
    get cluster() {
      return there(made);
    },
    get db() {
      return there(client);
    },
    async start({ config, ...more } = {}) {
      const cluster = there(made);
      const realtime = await startRealtime({
        ownerUrl: cluster.ownerUrl,
        authenticatorUrl: authenticatorUrl(cluster),
        config: { slotName, ...config },
        ...more,
      });
      onTestFinished(() => realtime.stop());
      return realtime;
    },
    cutStream: () =>
      there(client).query(
        sql`select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = ${slotName}`,
      ),
    async crash() {
      const cluster = there(made);
      process.kill(cluster.pid() ?? 0, 'SIGKILL');
      await client?.end().catch(() => {});
      client = await connectOwner(cluster);
    },
  };
}
