import { setTimeout as delay } from 'node:timers/promises';
import { type AdminClient, connect } from '../pg/connect.ts';
import { sql } from '../pg/sql/sql.ts';

/** The right to do what one instance alone may do; it is held by a connection to the database. */
export interface Leadership {
  /** Aborts when the connection is gone: from then on another instance may lead. */
  readonly lost: AbortSignal;
  /** Lets another instance lead. */
  resign(): Promise<void>;
}

const applicationName = 'ownbase-leader';
const connectMs = 5_000;
/** A leader is asked by the first of these channels whether it lives, and says so on the second. */
const channels = { ask: 'ownbase_leader_ask', alive: 'ownbase_leader_alive' } as const;
/** Time that a leader has to answer. */
const answerMs = 3_000;
/** Time that the server has to end the connection of one that did not. */
const endMs = 2_000;

/**
 * Tries to become the leader of what `name` stands for, among all who are connected to the same database. Null when
 * there is a leader already; rejects with `PgFailure` when the database cannot be asked.
 */
export async function tryToLead(url: string, name: string): Promise<Leadership | null> {
  const lost = new AbortController();
  const onEnd = (): void => lost.abort();
  const onNotification = ({ payload }: { readonly payload: string }): void => {
    // Who does not hear the answer, since the connection breaks, hears that there is no leader.
    if (payload === name) void notify(client, channels.alive, name).catch(() => {});
  };
  const client = await connect(url, { applicationName, timeoutMs: connectMs, onEnd, onNotification });
  try {
    const [row] = await client.query<{ leads: boolean }>(
      sql`select pg_try_advisory_lock(${lockKey(name)}) as leads`,
    );
    if (row?.leads === true) {
      await client.query(sql`listen ${sql.ident(channels.ask)}`);
      return { lost: lost.signal, resign: () => client.end() };
    }
  } catch (failure) {
    await client.end();
    throw failure;
  }
  await client.end();
  return null;
}

/**
 * Asks the leader of `name`, by the database, whether it lives, and ends the connection of one that does not answer: a
 * process that was stopped keeps it open, and nobody else could lead. True when the leader was deposed; rejects with
 * `PgFailure` when the database cannot be asked.
 */
export async function deposeSilentLeader(url: string, name: string): Promise<boolean> {
  const answered = new AbortController();
  const client = await connect(url, {
    ...{ applicationName: 'ownbase-leader-watch', timeoutMs: connectMs },
    onNotification({ payload }) {
      if (payload === name) answered.abort();
    },
  });
  try {
    await client.query(sql`listen ${sql.ident(channels.alive)}`);
    await notify(client, channels.ask, name);
    await delay(answerMs, undefined, { signal: answered.signal }).catch(() => {});
    // When it was this process that stood still, the answer is there and was not read yet: it comes before this result.
    await client.query(sql`select`);
    if (answered.signal.aborted) return false;
    const ended = await client.query(sql`
      select pg_terminate_backend(l.pid, ${endMs}::int8)
      from pg_locks l join pg_stat_activity a using (pid)
      where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and a.application_name = ${applicationName}
        and l.database = (select oid from pg_database where datname = current_database())
        and (l.classid::int8 << 32 | l.objid::int8) = ${lockKey(name)}`);
    return ended.length > 0;
  } finally {
    await client.end();
  }
}

const lockKey = (name: string) => sql`hashtextextended(${name}::text, 0)`;

async function notify(client: AdminClient, channel: string, payload: string): Promise<void> {
  await client.query(sql`select pg_notify(${channel}::text, ${payload}::text)`);
}
