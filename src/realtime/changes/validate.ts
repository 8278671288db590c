import { err, ok, type Result } from '../../core/result.ts';
import { PgFailure } from '../../pg/failure.ts';
import type { RequestDb } from '../../pg/session.ts';
import { compile, type Sql, sql } from '../../pg/sql/sql.ts';
import type { Catalog } from '../feed/catalog.ts';
import { parseLsn } from '../feed/lsn.ts';
import type { Session } from '../session.ts';
import type { Filter } from './filter.ts';
import { type ChangeRequest, describeRequest } from './item.ts';
import type { ColumnInfo, RelationInfo, RoleAccess, TypeInfo } from './model.ts';
import { printSettings, typeName } from './sql-operators.ts';
import type { EqualityKey, Interest } from './subscription-index.ts';

/** What a request is checked with. */
export type ValidateDeps = {
  readonly catalog: Catalog;
  readonly db: RequestDb;
  readonly timeoutMs: number;
};

/** A request that may be subscribed: one interest, or one per table where filters meet several tables. */
export type ValidRequest = { readonly interests: readonly Interest[]; readonly lsn: bigint };

/** A condition that upstream's trigger refuses, in its words. */
class Invalid extends Error {
  override readonly name = 'Invalid';
}

const raised = 'ERROR P0001 (raise_exception)';
const conditionNames: Readonly<Record<string, string>> = {
  '22P02': 'invalid_text_representation',
  '22007': 'invalid_datetime_format',
  '22008': 'datetime_field_overflow',
  '22003': 'numeric_value_out_of_range',
  '42704': 'undefined_object',
  '42501': 'insufficient_privilege',
};

/** text, varchar: where upstream refuses varchar, its patterns are those of text. */
const textOids = new Set([25, 1043]);
const boolOid = 16;
const maxInValues = 100;

const prefix = 'Unable to subscribe to changes with given parameters.';

/**
 * Checks a request against publication, columns and rights, and brings the filters' values into the server's print.
 * The error is the message that the client gets. Rejects with `PgFailure` when the database is out of reach, and with the
 * signal's reason.
 *
 * Upstream: supabase/realtime priv/repo/tenant_schema/realtime/functions/subscription_check_filters.sql.
 */
export async function validateRequest(
  request: ChangeRequest,
  session: Session,
  deps: ValidateDeps,
  signal: AbortSignal,
): Promise<Result<ValidRequest, string>> {
  const { schema, table } = request;
  const published = await deps.catalog.published(schema, table, session.role);
  const shown = `[${describeRequest(request)}]`;
  if (published.oids.length === 0) {
    return err(`${prefix} Please check Realtime is enabled for the given connect parameters: ${shown}`);
  }
  try {
    if (!published.hasRole) {
      throw new Invalid(`ERROR 42704 (undefined_object) role "${session.role}" does not exist`);
    }
    const interests = await interestsOf(request, session, published.oids, deps, signal);
    return ok({ interests, lsn: parseLsn(published.lsn) });
  } catch (failure) {
    const reason = reasonOf(failure);
    if (reason === null) throw failure;
    return err(
      `${prefix} An exception happened so please check your connect parameters: ${shown}. Exception: ${reason}`,
    );
  }
}

function reasonOf(failure: unknown): string | null {
  if (failure instanceof Invalid) return failure.message;
  if (!(failure instanceof PgFailure) || failure.kind !== 'server') return null;
  const name = conditionNames[failure.sqlstate] ?? 'error';
  return `ERROR ${failure.sqlstate} (${name}) ${failure.message}`;
}

async function interestsOf(
  request: ChangeRequest,
  session: Session,
  oids: readonly number[],
  deps: ValidateDeps,
  signal: AbortSignal,
): Promise<readonly Interest[]> {
  const { event, schema, table, select } = request;
  const common = { event, select, key: null, role: session.role, claims: session.claimsText };
  if (request.filters.length === 0 && select === null) return [{ ...common, schema, table, filters: [] }];
  const relations = await deps.catalog.relations(oids);
  return Promise.all(
    [...relations.values()].map(async (relation) => {
      const access = await deps.catalog.access(relation, session.role);
      // Nothing more is asked for a channel that has gone.
      signal.throwIfAborted();
      checkColumns(request, access);
      const filters = await Promise.all(
        request.filters.map((filter) => canonical(filter, relation, session.role, deps)),
      );
      const key = equalityKey(filters, relation);
      return { ...common, schema: relation.schema, table: relation.name, filters, key };
    }),
  );
}

/** Types whose values are equal exactly when their print is. */
const printedEquality = new Set([boolOid, 20, 21, 23, 25, 26, 1043, 2950]);

function equalityKey(filters: readonly Filter[], { columnByName }: RelationInfo): EqualityKey | null {
  for (const { column, op, negate, value } of filters) {
    const typeOid = columnByName.get(column)?.type.oid ?? 0;
    if (op === 'eq' && !negate && printedEquality.has(typeOid)) return { column, typeOid, value };
  }
  return null;
}

function checkColumns({ filters, select }: ChangeRequest, access: RoleAccess): void {
  for (const { column } of filters) {
    if (!access.columns.has(column)) throw new Invalid(`${raised} invalid column for filter ${column}`);
  }
  for (const column of select ?? []) {
    if (!access.columns.has(column)) throw new Invalid(`${raised} invalid column for select ${column}`);
  }
}

async function canonical(
  filter: Filter,
  relation: RelationInfo,
  role: string,
  deps: ValidateDeps,
): Promise<Filter> {
  const column = relation.columnByName.get(filter.column);
  if (column === undefined) throw new Invalid(`${raised} invalid column for filter ${filter.column}`);
  const value = await canonicalValue(filter, column, (statement) => askText(statement, role, deps));
  return { ...filter, value };
}

/** Yields the first column as the type's own output prints it, which a cast to text does not for booleans. */
type Ask = (statement: Sql) => Promise<string>;

async function canonicalValue({ op, value }: Filter, { type }: ColumnInfo, ask: Ask): Promise<string> {
  switch (op) {
    case 'is':
      return checkIs(value, type, ask);
    case 'like':
    case 'ilike':
      return checkPattern(op, value, type, ask);
    case 'match':
    case 'imatch':
      await checkPattern(op, value, type, ask);
      await checkRegex(op, value, ask);
      return value;
    case 'in': {
      const count = await ask(sql`select coalesce(array_length(${value}::${typeName(type)}[], 1), 0)::text`);
      if (Number(count) > maxInValues)
        throw new Invalid(`${raised} too many values for \`in\` filter. Maximum ${maxInValues}`);
      return ask(sql`select ${value}::${typeName(type)}[]`);
    }
    default:
      return ask(sql`select ${value}::${typeName(type)}`);
  }
}

async function checkIs(value: string, type: TypeInfo, ask: Ask): Promise<string> {
  if (!['null', 'true', 'false', 'unknown'].includes(value)) {
    throw new Invalid(`${raised} invalid value for is filter: must be null, true, false, or unknown`);
  }
  if (value !== 'null' && type.oid !== boolOid) {
    throw new Invalid(
      `${raised} is ${value} filter requires a boolean column, got ${await sqlName(type, ask)}`,
    );
  }
  return value;
}

/** The operator behind a pattern's filter, which the column's type must have. */
const patternOperators = { like: '~~', ilike: '~~', match: '~', imatch: '~*' } as const;

async function checkPattern(
  op: keyof typeof patternOperators,
  value: string,
  type: TypeInfo,
  ask: Ask,
): Promise<string> {
  if (textOids.has(type.oid)) return value;
  const takesItself = op === 'match' || op === 'imatch';
  const found = await ask(sql`
    select exists (select from pg_catalog.pg_operator where oprname = ${patternOperators[op]}
      and oprleft = ${type.oid}::int8::oid and (oprright = oprleft or not ${takesItself}::bool))::text`);
  if (found === 'true') return value;
  throw new Invalid(
    `${raised} operator ${op} requires a text-compatible column type, got ${await sqlName(type, ask)}`,
  );
}

async function checkRegex(op: string, pattern: string, ask: Ask): Promise<void> {
  try {
    await ask(sql`select ('' ~ ${pattern})::text`);
  } catch (failure) {
    if (!(failure instanceof PgFailure) || failure.kind !== 'server') throw failure;
    throw new Invalid(`${raised} invalid regular expression for ${op} filter: ${failure.message}`);
  }
}

async function askText(statement: Sql, role: string, { db, timeoutMs }: ValidateDeps): Promise<string> {
  const settings = [...printSettings, ['statement_timeout', String(timeoutMs)] as const];
  const [result] = await db.run({ role, readOnly: true, settings }, [compile(statement)]);
  return result?.rows[0]?.[0] ?? '';
}

/** What SQL calls a type. */
const sqlName = ({ oid }: TypeInfo, ask: Ask): Promise<string> =>
  ask(sql`select ${oid}::int8::oid::regtype::text`);
