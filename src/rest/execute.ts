import { err, ok, type Result } from '../core/result.ts';
import type { StepResult, TextRow } from '../pg/pipeline.ts';
import type { RequestDb, RequestScope } from '../pg/session.ts';
import { compile, type Statement, sql } from '../pg/sql/sql.ts';
import type { RestConfig } from './config/model.ts';
import { type RestError, restErrors } from './errors.ts';
import type { ApiRequest } from './parse/api-request.ts';
import type { RowsPlan } from './plan/model.ts';
import {
  renderEstimate,
  renderPreRequest,
  renderStatement,
  rowsColumns,
  writeColumns,
} from './render/statement.ts';

/** The one row that a main statement gives. */
export type ResultSet = {
  /** Rows that there are without the limit; null when nobody asked. */
  readonly total: number | null;
  /** Rows of the answer. */
  readonly rows: number;
  /** `column=value` of the one inserted row's key; null for none. */
  readonly location: readonly string[] | null;
  /** The answer's text; a large one as the bytes that came. */
  readonly body: string | readonly Buffer[];
  /** What functions put into `response.headers` and `response.status`. */
  readonly headers: string | null;
  readonly status: string | null;
  /** Rows that an upsert inserted; null when the database did not say. */
  readonly inserted: number | null;
};

/** What running a plan gave: its result, or the text of the plan that was asked for. */
export type Outcome =
  | { readonly kind: 'rows'; readonly result: ResultSet }
  | { readonly kind: 'explained'; readonly text: string };

/** Everything that a plan runs with. */
export type Execution = {
  readonly plan: RowsPlan;
  readonly request: ApiRequest;
  readonly scope: RequestScope;
  readonly config: RestConfig;
  readonly db: RequestDb;
};

const checkConstraints = compile(sql`SET CONSTRAINTS ALL IMMEDIATE`);

/**
 * Runs a plan: everything in one round trip, unless the result may still undo what was done.
 * Rejects with `PgFailure`.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/MainTx.hs.
 */
export async function execute(execution: Execution): Promise<Result<Outcome, RestError>> {
  const { plan, request, scope, config, db } = execution;
  const { preferences } = request;
  const before = config.preRequest === null ? [] : [compile(renderPreRequest(config.preRequest))];
  const rendered = compile(renderStatement(plan, { preferences, maxRows: config.maxRows }));
  const { text, values } = rendered;
  const main: Statement =
    plan.mediaType.kind === 'plan' ? rendered : { text, values, largeColumn: columnsOf(plan).body };
  const after = estimates(execution) ? [compile(renderEstimate(plan.read))] : [];
  if (isTakenBack(execution)) {
    const results = await db.probe(scope, [...before, main, ...after, checkConstraints]);
    return conclude(execution, results.slice(before.length));
  }
  if (!mayBeUndone(plan, request))
    return conclude(execution, (await db.run(scope, [...before, main, ...after])).slice(before.length));
  return executeUndoable(execution, before, main);
}

/** Leaves a transaction with an error that is no failure of a statement: everything rolls back. */
class Undone extends Error {
  override readonly name = 'Undone';
  readonly error: RestError;

  constructor(error: RestError) {
    super(error.message);
    this.error = error;
  }
}

async function executeUndoable(
  execution: Execution,
  before: readonly Statement[],
  main: Statement,
): Promise<Result<Outcome, RestError>> {
  try {
    return await execution.db.transaction(execution.scope, async (tx) => {
      for (const statement of before) await tx.text(statement);
      const outcome = conclude(execution, [await tx.text(main)]);
      if (!outcome.ok) throw new Undone(outcome.error);
      return outcome;
    });
  } catch (thrown) {
    if (thrown instanceof Undone) return err(thrown.error);
    throw thrown;
  }
}

/** Whether the transaction ends in a rollback whatever it did. */
function isTakenBack({ config, request }: Execution): boolean {
  const { transaction } = request.preferences;
  return transaction === null ? config.transactionEnd.rollback : transaction === 'rollback';
}

/** Whether a write has conditions on how many rows it touched. */
function mayBeUndone(plan: RowsPlan, { preferences }: ApiRequest): boolean {
  if (plan.kind === 'read' || (plan.kind === 'call' && plan.isReadOnly)) return false;
  const isLimited = preferences.handling === 'strict' && preferences.maxAffected !== null;
  const isPut = plan.kind === 'mutate' && plan.mutation === 'upsert';
  return isLimited || isPut || plan.mediaType.kind === 'singular';
}

const estimates = ({ plan, request }: Execution): boolean =>
  plan.kind === 'read' &&
  plan.mediaType.kind !== 'plan' &&
  (request.preferences.count === 'planned' || request.preferences.count === 'estimated');

function conclude(execution: Execution, results: readonly StepResult[]): Result<Outcome, RestError> {
  const { plan, request, config } = execution;
  const [main, estimate] = results;
  if (plan.mediaType.kind === 'plan') return ok({ kind: 'explained', text: lines(main?.rows ?? []) });
  const result = toResultSet(plan, main?.rows[0], main?.large ?? null);
  const refusal = refusedCount(plan, request, result.rows);
  if (refusal !== null) return err(refusal);
  if (!estimates(execution)) return ok({ kind: 'rows', result });
  const total = estimatedTotal(request, config, result.total, plannedRows(estimate?.rows[0]?.[0]));
  return ok({ kind: 'rows', result: { ...result, total } });
}

const lines = (rows: readonly TextRow[]): string => rows.map(([line]) => `${line ?? ''}\n`).join('');

const toNumber = (text: string | null | undefined): number | null =>
  text === null || text === undefined ? null : Number(text);

const columnsOf = ({ kind }: RowsPlan): typeof rowsColumns | typeof writeColumns =>
  kind === 'mutate' ? writeColumns : rowsColumns;

/** A write that a rule turned into nothing gives no row: then nothing happened. */
function toResultSet(plan: RowsPlan, row: TextRow | undefined, large: StepResult['large']): ResultSet {
  if (row === undefined) {
    const nothing = { rows: 0, location: null, body: '', headers: null, status: null, inserted: null };
    return { total: plan.kind === 'mutate' ? null : 0, ...nothing };
  }
  const at = columnsOf(plan);
  const { location, inserted } = plan.kind === 'mutate' ? toWriteResult(row) : noWrite;
  return {
    total: toNumber(row[at.total]),
    rows: Number(row[at.rows]),
    location,
    body: large ?? row[at.body] ?? '',
    headers: row[at.headers] ?? null,
    status: row[at.status] ?? null,
    inserted,
  };
}

const noWrite = { location: null, inserted: null };

function toWriteResult(row: TextRow): Pick<ResultSet, 'location' | 'inserted'> {
  const location = row[writeColumns.location];
  return {
    // The statement builds this list itself.
    location: typeof location === 'string' ? (JSON.parse(location) as string[]) : null,
    inserted: toNumber(row[writeColumns.inserted]),
  };
}

/** What the number of rows makes of the answer: an error for those who asked for one row, or for no more than so many. */
function refusedCount(plan: RowsPlan, { preferences }: ApiRequest, rows: number): RestError | null {
  if (plan.kind === 'mutate' && plan.mutation === 'upsert')
    return rows === 1 ? null : restErrors.putKeyMismatch();
  if (plan.mediaType.kind === 'singular' && rows !== 1) return restErrors.notSingular(rows);
  const limit = preferences.handling === 'strict' ? preferences.maxAffected : null;
  const isLimited = plan.kind === 'call' || (plan.kind === 'mutate' && plan.mutation !== 'insert');
  return limit !== null && isLimited && rows > limit ? restErrors.tooManyAffected(rows) : null;
}

function plannedRows(text: string | null | undefined): number | null {
  // EXPLAIN prints this document.
  const [explained] = JSON.parse(text ?? '[]') as { Plan?: { 'Plan Rows'?: number } }[];
  return explained?.Plan?.['Plan Rows'] ?? null;
}

/** An estimate is exact up to the most rows that an answer may have; beyond, the planner's guess counts if it is higher. */
function estimatedTotal(
  { preferences }: ApiRequest,
  { maxRows }: RestConfig,
  counted: number | null,
  planned: number | null,
): number | null {
  if (preferences.count === 'planned') return planned;
  if (counted === null || planned === null) return counted;
  return maxRows === null || counted > maxRows ? Math.max(counted, planned) : counted;
}
