import { type Sql, sql } from '../../pg/sql/sql.ts';
import type { Body } from '../parse/payload.ts';
import type { CallPlan, TextArgument } from '../plan/model.ts';
import { bodyRows } from './body.ts';
import { column, ident, qualified } from './field.ts';

const call = { schema: '', name: 'pgrst_call' };

/**
 * The query that calls a function.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Query/QueryBuilder.hs (callPlanToQuery).
 */
export function renderCall(plan: CallPlan): Sql {
  return sql`SELECT ${resultColumns(plan)} FROM ${callSource(plan)}`;
}

function resultColumns({ isScalar, returning }: CallPlan): Sql {
  if (isScalar) return sql`pgrst_call.pgrst_scalar`;
  if (returning.length === 0) return sql`*`;
  return sql.join(returning.map((name) => column(call, name)));
}

function callSource(plan: CallPlan): Sql {
  const { arguments: given } = plan;
  switch (given.kind) {
    case 'none':
      return calling(plan, sql.empty);
    case 'whole':
      return calling(plan, wholeArgument(given.body, given.parameter.type));
    case 'text': {
      const items = given.parameters.map(({ name, isVariadic, unboundedType }) => {
        const value = textArgument(given.values.get(name));
        return sql`${variadic(isVariadic)}${ident(name)} := ${value}::${sql.fromServer(unboundedType)}`;
      });
      return calling(plan, sql.join(items));
    }
    case 'json': {
      const items = given.parameters.map(
        ({ name, isVariadic }) => sql`${variadic(isVariadic)}${ident(name)} := pgrst_body.${ident(name)}`,
      );
      return sql`${bodyRows(given.body, true)}, LATERAL ${calling(plan, sql.join(items))}`;
    }
  }
}

const calling = ({ routine, isScalar }: CallPlan, items: Sql): Sql =>
  isScalar
    ? sql`(SELECT ${qualified(routine)}(${items}) pgrst_scalar) pgrst_call`
    : sql`${qualified(routine)}(${items}) pgrst_call`;

const variadic = (isVariadic: boolean): Sql => (isVariadic ? sql`VARIADIC ` : sql.empty);

const textArgument = (value: TextArgument | undefined): Sql =>
  value === undefined ? sql`NULL` : sql`${value}`;

/** Bytes travel as they are; any other type is read from text. */
function wholeArgument(body: Body | null, type: string): Sql {
  if (type === 'bytea') return sql`${body === null ? null : Buffer.from(body)}::bytea`;
  return sql`${body === null ? null : body.toString()}::${sql.fromServer(type)}`;
}
