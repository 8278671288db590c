import { connect } from '../pg/connect.ts';
import { sql } from '../pg/sql/sql.ts';

/** The right to do what one instance alone may do; it is held by a connection to the database. */
export interface Leadership {
  /** Aborts when the connection is gone: from then on another instance may lead. */
  readonly lost: AbortSignal;
  /** Lets another instance lead. */
  resign(): Promise<void>;
}

/**
 * Tries to become the leader of what `name` stands for, among all who are connected to the same database. Null when
 * there is a leader already; rejects with `PgFailure` when the database cannot be asked.
 */
export async function tryToLead(url: string, name: string): Promise<Leadership | null> {
  const lost = new AbortController();
  const onEnd = (): void => lost.abort();
  const client = await connect(url, { applicationName: 'ownbase-leader', timeoutMs: 5_000, onEnd });
  try {
    const [row] = await client.query<{ leads: boolean }>(
      sql`select pg_try_advisory_lock(hashtextextended(${name}::text, 0)) as leads`,
    );
    if (row?.leads === true) return { lost: lost.signal, resign: () => client.end() };
  } catch (failure) {
    await client.end();
    throw failure;
  }
  await client.end();
  return null;
}
