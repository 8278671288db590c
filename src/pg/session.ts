import { endsConnection, PgFailure } from './failure.ts';
import type { Step, StepResult } from './pipeline.ts';
import type { ConnectionPool, Lease } from './pool.ts';
import { compile, type Sql, type Statement } from './sql/sql.ts';
import { planScope } from './statement-cache.ts';

/** Settings that hold for one transaction, by name: `role`, `request.jwt.claims`, `statement_timeout`, ... */
export type Settings = readonly (readonly [name: string, value: string])[];

/** Isolation levels that a transaction may ask for. */
export type Isolation = 'read committed' | 'repeatable read' | 'serializable';

/** Who a request acts as, and under which settings. Without a role nothing runs. */
export type RequestScope = {
  readonly role: string;
  readonly settings: Settings;
  readonly isolation?: Isolation | undefined;
  readonly readOnly?: boolean | undefined;
  /** Tells when nobody waits for the answer any more: the statement is cancelled on the server then. */
  readonly onGone?: ((cancel: () => void) => () => void) | undefined;
};

/** Statements inside one transaction. */
export interface Transaction {
  /** Runs a statement and yields rows keyed by column name. */
  query<Row = Record<string, unknown>>(statement: Sql): Promise<Row[]>;
  /** Runs a statement and yields the number of rows that it touched. */
  execute(statement: Sql): Promise<number>;
  /** Runs a statement and yields its rows as the server printed them. */
  text(statement: Statement): Promise<StepResult>;
}

/**
 * The database as a client's request may use it: as the request's role, with its claims, so that row security decides.
 * A different type from `ServiceDb`, so that request code cannot take the wrong one.
 */
export interface RequestDb {
  readonly kind: 'request';
  /** Runs statements in one transaction and one round trip; rows come as text. */
  run(scope: RequestScope, statements: readonly Statement[]): Promise<readonly StepResult[]>;
  /** As `run`, but takes everything back: asks what the role may do, triggers included, without doing it. */
  probe(scope: RequestScope, statements: readonly Statement[]): Promise<readonly StepResult[]>;
  /** Runs a function in a transaction of several round trips; rolls back when it rejects. */
  transaction<T>(scope: RequestScope, work: (tx: Transaction) => Promise<T>): Promise<T>;
}

/** The database as one of our own services uses its own schema (auth, storage); never handed to request code. */
export interface ServiceDb {
  readonly kind: 'service';
  query<Row = Record<string, unknown>>(statement: Sql): Promise<Row[]>;
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}

const bare = (text: string): Step => ({ statement: { text, values: [] }, scope: null, rows: 'none' });
const begin = bare('begin');
const commit = bare('commit');
const rollback = bare('rollback');

const isolationSteps: Readonly<Record<Isolation, Step>> = {
  'read committed': bare('set transaction isolation level read committed'),
  'repeatable read': bare('set transaction isolation level repeatable read'),
  serializable: bare('set transaction isolation level serializable'),
};

const envelopeTexts = new Map<number, string>();

function envelopeText(count: number): string {
  const known = envelopeTexts.get(count);
  if (known !== undefined) return known;
  const calls = Array.from({ length: count }, (_, i) => `set_config($${2 * i + 1}, $${2 * i + 2}, true)`);
  const text = `select ${calls.join(', ')}`;
  envelopeTexts.set(count, text);
  return text;
}

/**
 * The statements that make the rest of the transaction run as the request: isolation first (the server takes it only
 * before any query), then role and settings through set_config, whose values are binds.
 */
function envelope(scope: RequestScope): Step[] {
  const values: string[] = [];
  if (scope.readOnly) values.push('transaction_read_only', 'on');
  for (const [name, value] of scope.settings) values.push(name, value);
  // The role comes last: a setting that the role may not change must still be set by the login role.
  values.push('role', scope.role);
  const text = envelopeText(values.length / 2);
  const settings: Step = { statement: { text, values }, scope: '', rows: 'none' };
  return scope.isolation === undefined ? [settings] : [isolationSteps[scope.isolation], settings];
}

const searchPathOf = (settings: Settings): string =>
  settings.find(([name]) => name === 'search_path')?.[1] ?? '';

const planScopeOf = ({ role, settings }: RequestScope): string => planScope(role, searchPathOf(settings));

/** The steps of statements that run as the request. */
function requestSteps(scope: RequestScope, statements: readonly Statement[]): Step[] {
  const planned = planScopeOf(scope);
  return statements.map((statement) => ({ statement, scope: planned, rows: 'text' }));
}

/** Opens the request view of a pool whose login is `authenticator`. */
export function createRequestDb(pool: ConnectionPool): RequestDb {
  return {
    kind: 'request',
    async run(scope, statements) {
      const head = envelope(scope);
      const steps = [...head, ...requestSteps(scope, statements)];
      const results = await withLease(pool, scope.onGone, (lease) => lease.run(steps));
      return results.slice(head.length);
    },
    probe(scope, statements) {
      const head = [begin, ...envelope(scope)];
      const steps = requestSteps(scope, statements);
      return withLease(pool, scope.onGone, async (lease) => {
        try {
          return (await lease.run([...head, ...steps, rollback])).slice(head.length, -1);
        } catch (thrown) {
          await rollBack(lease);
          throw thrown;
        }
      });
    },
    transaction(scope, work) {
      const opening = [begin, ...envelope(scope)];
      const planned = planScopeOf(scope);
      return withLease(pool, scope.onGone, (lease) =>
        inTransaction(lease, opening, work, (statement, rows) => ({ statement, scope: planned, rows })),
      );
    },
  };
}

/** Opens the service view of a pool whose login owns the service's schema. */
export function createServiceDb(pool: ConnectionPool): ServiceDb {
  const step = (statement: Statement, rows: Step['rows']): Step => ({ statement, scope: 'service', rows });
  return {
    kind: 'service',
    async query<Row>(statement: Sql) {
      const results = await withLease(pool, undefined, (lease) =>
        lease.run([step(compile(statement), 'objects')]),
      );
      return (results[0]?.objects ?? []) as Row[];
    },
    transaction: (work) => withLease(pool, undefined, (lease) => inTransaction(lease, [begin], work, step)),
  };
}

async function inTransaction<T>(
  lease: Lease,
  opening: readonly Step[],
  work: (tx: Transaction) => Promise<T>,
  step: (statement: Statement, rows: Step['rows']) => Step,
): Promise<T> {
  // The opening travels with the first statement, so that it costs no round trip of its own.
  let pending: readonly Step[] = opening;
  const send = async (next: Step): Promise<StepResult> => {
    const steps = [...pending, next];
    pending = [];
    return (await lease.run(steps)).at(-1) ?? { rows: [], objects: [], large: null, affected: 0 };
  };
  const tx: Transaction = {
    async query<Row>(statement: Sql) {
      return (await send(step(compile(statement), 'objects'))).objects as Row[];
    },
    async execute(statement) {
      return (await send(step(compile(statement), 'none'))).affected;
    },
    text: (statement) => send(step(statement, 'text')),
  };
  let result: T;
  try {
    result = await work(tx);
  } catch (thrown) {
    if (pending.length === 0) await rollBack(lease);
    throw thrown;
  }
  if (pending.length === 0) await lease.run([commit]);
  return result;
}

async function rollBack(lease: Lease): Promise<void> {
  try {
    await lease.run([rollback]);
  } catch {
    // The connection is gone, and the transaction with it; the first failure is the one to report.
  }
}

async function withLease<T>(
  pool: ConnectionPool,
  onGone: RequestScope['onGone'],
  use: (lease: Lease) => Promise<T>,
): Promise<T> {
  const lease = await pool.acquire();
  const stayed = onGone?.(() => {
    void lease.cancel();
  });
  let broken = false;
  try {
    return await use(lease);
  } catch (thrown) {
    broken = thrown instanceof PgFailure && endsConnection(thrown);
    throw thrown;
  } finally {
    stayed?.();
    lease.release(broken);
  }
}
