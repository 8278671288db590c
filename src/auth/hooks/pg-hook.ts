import { PgFailure } from '../../pg/failure.ts';
import type { ServiceDb, Transaction } from '../../pg/session.ts';
import { sql } from '../../pg/sql/sql.ts';
import { hookFailure } from '../failures/hook.ts';

const timeoutMs = '2000';

/** Schema and function of `pg-functions://<database>/<schema>/<function>`; null for any other form. */
export function pgFunctionOf(uri: string): { readonly schema: string; readonly name: string } | null {
  const match = /^pg-functions:\/\/[^/]*\/([a-zA-Z_]\w{0,62})\/([a-zA-Z_]\w{0,62})\/?$/.exec(uri);
  const [, schema, name] = match ?? [];
  return schema === undefined || name === undefined ? null : { schema, name };
}

/**
 * Calls a hook that is a function of the database, inside the running transaction when there is one, and yields its
 * JSON value. Upstream: internal/hooks/hookspgfunc/hookspgfunc.go.
 */
export async function callPgHook(
  db: ServiceDb,
  tx: Transaction | null,
  uri: string,
  input: string,
): Promise<unknown> {
  const target = pgFunctionOf(uri);
  if (target === null) throw hookFailure.failed(uri);
  const call = async (within: Transaction): Promise<unknown> => {
    const [before] = await within.query<{ timeout: string }>(sql`
      select current_setting('statement_timeout') as timeout, set_config('statement_timeout', ${timeoutMs}, true)`);
    const [row] = await within.query<{ output: unknown }>(sql`
      select ${sql.ident(target.schema, target.name)}(${input}) as output`);
    await within.execute(sql`select set_config('statement_timeout', ${before?.timeout ?? '0'}, true)`);
    return row?.output ?? null;
  };
  try {
    return await (tx === null ? db.transaction(call) : call(tx));
  } catch (cause) {
    if (cause instanceof PgFailure && cause.kind === 'server') {
      const error = hookFailure.failed(uri);
      error.cause = cause;
      throw error;
    }
    throw cause;
  }
}
