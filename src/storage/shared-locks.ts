import type { AdminClient, ConnectOptions } from '../pg/connect.ts';
import { sql } from '../pg/sql/sql.ts';
import { StorageError } from './errors.ts';

/** Locks that all services on a database see. */
export interface SharedLocks {
  /**
   * Takes the lock unless another service holds it; that one is asked to let go. The function is called when somebody
   * asks the same of this service, and with an error when the lock is lost. Rejects when the database cannot be asked.
   */
  tryAcquire(id: string, onReleaseRequest: (lost?: Error) => void): Promise<boolean>;
  /** Resolves when another service can take the lock. */
  release(id: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens a session of the database that is nobody else's. */
export type OpenSession = (options: ConnectOptions) => Promise<AdminClient>;

type Held = Map<string, (lost?: Error) => void>;

/** Who holds an upload's lock is asked for it over this channel. */
const channel = 'ownbase_upload_release';

/**
 * Advisory locks of one session, which all uploads of this process share: a slow upload keeps no connection of a pool
 * from others. The session is opened for the first upload. The server frees its locks when the process dies; when the
 * connection breaks, uploads under way end, since others may have their locks by then.
 */
export function createSharedLocks(open: OpenSession): SharedLocks {
  const held: Held = new Map();
  let session: Promise<AdminClient> | null = null;
  const lose = (): void => {
    session = null;
    const lost = [...held.values()];
    held.clear();
    for (const letGo of lost) letGo(new StorageError('DatabaseTimeout'));
  };
  const openSession = async (): Promise<AdminClient> => {
    const client = await open({
      applicationName: 'ownbase-uploads',
      onEnd: lose,
      onNotification: ({ payload }) => held.get(payload)?.(),
    });
    await client.query(sql`listen ${sql.ident(channel)}`);
    return client;
  };
  const sessionOf = (): Promise<AdminClient> => {
    if (session !== null) return session;
    const opening = openSession();
    session = opening;
    opening.catch(() => {
      if (session === opening) session = null;
    });
    return opening;
  };
  return {
    async tryAcquire(id, onReleaseRequest) {
      const client = await sessionOf();
      const [row] = await client.query<{ taken: boolean }>(
        sql`select pg_try_advisory_lock(${keyOf(id)}) as taken`,
      );
      if (row?.taken === true) held.set(id, onReleaseRequest);
      else await client.query(sql`select pg_notify(${channel}::text, ${id}::text)`);
      return row?.taken === true;
    },
    async release(id) {
      if (!held.delete(id) || session === null) return;
      const freeing = session.then((client) => client.query(sql`select pg_advisory_unlock(${keyOf(id)})`));
      // A connection that broke has freed the lock already.
      await freeing.catch(() => {});
    },
    async close() {
      const closing = session;
      session = null;
      await closing?.then((client) => client.end()).catch(() => {});
    },
  };
}

const keyOf = (id: string) => sql`hashtextextended(${`upload ${id}`}::text, 0)`;
