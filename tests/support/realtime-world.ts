import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { type AdminClient, connect } from '../../src/pg/connect.ts';
import { sql } from '../../src/pg/sql/sql.ts';
import { loginUrl, startTestCluster, type TestCluster } from './cluster.ts';
import { PhoenixClient, type Received } from './phoenix.ts';
import { type RealtimeHarness, startRealtime } from './realtime.ts';
import { until } from './until.ts';

/** A cluster of its own for the tests of one file, and a realtime service on it. */
export type RealtimeWorld = {
  readonly cluster: TestCluster;
  readonly realtime: RealtimeHarness;
  /** Login `postgres`, as a project's migrations have it. */
  readonly db: AdminClient;
  readonly owner: AdminClient;
};

/** Makes the world before the tests of the calling file, and ends it after them; the fixture runs as `postgres`. */
export function useRealtimeWorld(
  fixture = '',
  config: Parameters<typeof startRealtime>[0]['config'] = {},
): RealtimeWorld {
  let made: RealtimeWorld | null = null;
  const world = (): RealtimeWorld => {
    if (made === null) throw new Error('the world is there when the tests run');
    return made;
  };
  beforeAll(async () => {
    const cluster = await startTestCluster();
    const owner = await connect(cluster.ownerUrl);
    const db = await connect(loginUrl(new URL(cluster.ownerUrl), 'postgres', 'postgres'));
    if (fixture !== '') await db.exec(fixture);
    const realtime = await startRealtime({
      ownerUrl: cluster.ownerUrl,
      authenticatorUrl: authenticatorUrl(cluster),
      config,
    });
    made = { cluster, realtime, db, owner };
  });
  afterAll(async () => {
    await made?.realtime.stop();
    await made?.db.end();
    await made?.owner.end();
    await made?.cluster.stop();
  });
  return {
    get cluster() {
      return world().cluster;
    },
    get realtime() {
      return world().realtime;
    },
    get db() {
      return world().db;
    },
    get owner() {
      return world().owner;
    },
  };
}

/** Login `authenticator` of a cluster. */
export const authenticatorUrl = ({ ownerUrl }: Pick<TestCluster, 'ownerUrl'>): string =>
  loginUrl(new URL(ownerUrl), 'postgres', 'authenticator');

/** Connects as the owner, again and again while the server is starting. */
export async function connectOwner({ ownerUrl }: Pick<TestCluster, 'ownerUrl'>): Promise<AdminClient> {
  let client: AdminClient | null = null;
  await until(async () => {
    client = await connect(ownerUrl, { timeoutMs: 2_000 }).catch(() => null);
    return client !== null;
  }, 60_000);
  return client as unknown as AdminClient;
}

/** How a client watches; by default as anon, in protocol 2.0.0. */
export type WatchOptions = {
  readonly token?: string;
  readonly version?: '1.0.0' | '2.0.0';
  readonly subTopic?: string;
};

/** A client that has joined, and the reply to its join. */
export type Watcher = { readonly client: PhoenixClient; readonly reply: Received };

/** Joins a topic with these items and resolves when its changes are live. */
export async function watchItems(
  { url, anonToken }: Pick<RealtimeHarness, 'url' | 'anonToken'>,
  items: readonly Readonly<Record<string, unknown>>[],
  { token, version = '2.0.0', subTopic = 'feed' }: WatchOptions = {},
): Promise<Watcher> {
  const client = await PhoenixClient.connect(url, anonToken, version);
  onTestFinished(() => client.close());
  const reply = await client.join(subTopic, { postgres_changes: items }, token);
  expect(reply.payload.status).toBe('ok');
  const status = await client.next(({ event }) => event === 'system');
  expect(status.payload).toEqual({
    extension: 'postgres_changes',
    status: 'ok',
    message: 'Subscribed to PostgreSQL',
    channel: subTopic,
  });
  return { client, reply };
}

/** Watches every change of one table of the schema `public`; `more` are further members of the item. */
export async function watchTable(
  realtime: Pick<RealtimeHarness, 'url' | 'anonToken'>,
  table: string,
  options: WatchOptions = {},
  more: Readonly<Record<string, unknown>> = {},
): Promise<PhoenixClient> {
  const item = { event: '*', schema: 'public', table, ...more };
  return (await watchItems(realtime, [item], options)).client;
}

/** What was told of one change. */
export type ToldChange = {
  readonly type: string;
  readonly schema: string;
  readonly table: string;
  readonly record?: Readonly<Record<string, unknown>>;
  readonly old_record?: Readonly<Record<string, unknown>>;
  readonly errors: readonly string[] | null;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
};

/** The changes that a client was told, in order. */
export const toldChanges = (client: PhoenixClient): ToldChange[] =>
  client.of('postgres_changes').map(({ payload }) => payload.data as ToldChange);

/** The ids of the new rows that a client was told, in order. */
export const toldIds = (client: PhoenixClient): number[] =>
  toldChanges(client).map(({ record }) => record?.id as number);

/** The numbers that a join's reply gave to its items. */
export const itemIds = ({ payload }: Received): number[] =>
  (payload.response as { postgres_changes: { id: number }[] }).postgres_changes.map(({ id }) => id);

/** Writes rows into `public.rows`, each with an id of its own. */
export interface RowWriter {
  /** Yields the ids, in the order of the log. */
  insert(count: number): Promise<number[]>;
  /** Takes ids for rows that are written otherwise. */
  take(count: number): number[];
}

/** Creates the writer; `db` is asked for whenever rows are written, since connections end in these tests. */
export function createRowWriter(db: () => AdminClient): RowWriter {
  let next = 1;
  /** One statement at a time: the driver wants no second one on a busy connection. */
  let last: Promise<unknown> = Promise.resolve();
  const take = (count: number): number[] => Array.from({ length: count }, () => next++);
  return {
    take,
    async insert(count) {
      const ids = take(count);
      const written = last.then(() =>
        db().query(sql`insert into public.rows (id) select unnest(${ids}::int[])`),
      );
      last = written.catch(() => {});
      await written;
      return ids;
    },
  };
}
