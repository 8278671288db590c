import type { Clock } from '../../core/clock.ts';
import type { AdminClient } from '../../pg/connect.ts';
import { PgFailure } from '../../pg/failure.ts';
import type { Sql } from '../../pg/sql/sql.ts';

/** What a check found. `warn` is a feature lost or a date near; `fail` is something that does not work. */
export type Verdict =
  | { readonly status: 'ok' }
  | { readonly status: 'warn' | 'fail'; readonly finding: string; readonly remedy: string };

/** What the checks look at. */
export type Patient = {
  readonly client: AdminClient;
  readonly clock: Clock;
  /** The anon and service keys in use, as JWTs. */
  readonly apiKeys: readonly string[];
};

/** One thing that is looked at. */
export type Check = {
  /** Stable name, for scripts. */
  readonly id: string;
  readonly title: string;
  /** Never rejects for what the database lacks; rejects with `PgFailure` when the connection is lost. */
  readonly run: (patient: Patient) => Promise<Verdict>;
};

/** Nothing to say. */
export const healthy: Verdict = { status: 'ok' };

export const warn = (finding: string, remedy: string): Verdict => ({ status: 'warn', finding, remedy });
export const fail = (finding: string, remedy: string): Verdict => ({ status: 'fail', finding, remedy });

/** The remedy for what the bootstrap would make. */
export const startAgain = 'Run `ownbase start`: it brings the database up to date.';

/** A check that reads one row and judges it. */
export function sqlCheck<Row>(check: {
  readonly id: string;
  readonly title: string;
  readonly facts: Sql;
  readonly judge: (row: Row, clock: Clock) => Verdict;
}): Check {
  return {
    id: check.id,
    title: check.title,
    async run({ client, clock }) {
      try {
        const [row] = await client.query<Row>(check.facts);
        return row === undefined ? fail('nothing could be read', startAgain) : check.judge(row, clock);
      } catch (thrown) {
        if (!(thrown instanceof PgFailure) || thrown.kind !== 'server') throw thrown;
        return fail(thrown.message, startAgain);
      }
    },
  };
}

/** A check of names that must not be missing; the query yields those that are, as `missing`. */
export const missingCheck = (check: {
  readonly id: string;
  readonly title: string;
  readonly facts: Sql;
  readonly judge: (missing: readonly string[]) => Verdict;
}): Check =>
  sqlCheck<{ missing: readonly string[] }>({
    ...check,
    judge: ({ missing }) => (missing.length === 0 ? healthy : check.judge(missing)),
  });
