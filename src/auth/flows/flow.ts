import type { Transaction } from '../../pg/session.ts';
import type { Call } from '../call.ts';
import type { AuthContext } from '../context.ts';

/** One flow: a transaction, the request that it serves, and what is to happen once it is committed. */
export type Flow = {
  readonly tx: Transaction;
  readonly call: Call;
  /** Queues work that must not happen unless the transaction commits: a mail, a notice. */
  readonly after: (job: () => void) => void;
};

/** Runs a flow in one transaction; what it queued happens after the commit, and not at all when it rejects. */
export async function runFlow<T>(
  context: Pick<AuthContext, 'db'>,
  call: Call,
  work: (flow: Flow) => Promise<T>,
): Promise<T> {
  const jobs: (() => void)[] = [];
  const result = await context.db.transaction((tx) => work({ tx, call, after: (job) => jobs.push(job) }));
  for (const job of jobs) job();
  return result;
}
