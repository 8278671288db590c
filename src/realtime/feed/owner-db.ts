import { type AdminClient, connect } from '../../pg/connect.ts';
import { PgFailure } from '../../pg/failure.ts';
import type { Sql } from '../../pg/sql/sql.ts';

/** A lasting connection of the owner for the catalog and the slot; it comes back by itself. */
export interface OwnerDb {
  /** Runs a statement that may be repeated without harm. Rejects with `PgFailure`. */
  query<Row>(statement: Sql): Promise<Row[]>;
  close(): Promise<void>;
}

/** Opens the connection on first use and again after a loss. */
export function createOwnerDb(url: string): OwnerDb {
  let client: Promise<AdminClient> | null = null;
  /** Statements run one after the other: the driver wants no second one on a busy connection. */
  let last: Promise<unknown> = Promise.resolve();
  const open = (): Promise<AdminClient> => {
    client ??= connect(url, { applicationName: 'ownbase-realtime' }).catch((failure: unknown) => {
      client = null;
      throw failure;
    });
    return client;
  };
  const drop = async (): Promise<void> => {
    const former = client;
    client = null;
    try {
      await (await former)?.end();
    } catch {
      // It was broken; that is why it is dropped.
    }
  };
  const run = async <Row>(statement: Sql): Promise<Row[]> => {
    try {
      return await (await open()).query<Row>(statement);
    } catch (failure) {
      if (!isLost(failure)) throw failure;
      await drop();
      return (await open()).query<Row>(statement);
    }
  };
  return {
    query<Row>(statement: Sql): Promise<Row[]> {
      const result = last.then(() => run<Row>(statement));
      last = result.catch(() => {});
      return result;
    },
    close: drop,
  };
}

/** A connection that broke, or that the server ends: shutdown and crash have SQLSTATEs of class 57P. */
const isLost = (failure: unknown): boolean =>
  failure instanceof PgFailure && (failure.kind === 'connection' || failure.sqlstate.startsWith('57P0'));
