import type { RawView, RawViewKey } from '../catalog/raw.ts';
import { viewKeysStatement, viewsStatement } from '../catalog/statements.ts';
import { viewKeys } from '../catalog/view-keys.ts';
import type { AdminClient } from '../pg/connect.ts';
import type { Sql } from '../pg/sql/sql.ts';
import type { ForeignKey, Introspection, PgType, Relation, Routine } from './model.ts';
import * as ask from './statements.ts';
import { viewForeignKeys } from './view-foreign-keys.ts';

/** Reads what the generator needs to know of some schemas. Rejects with `PgFailure`. */
export async function introspectTypes(
  client: AdminClient,
  wanted: readonly string[],
): Promise<Introspection> {
  const read = async <T>(statement: Sql): Promise<T> => {
    const [row] = await client.query<Record<string, unknown>>(statement);
    // The statement itself builds the document; its shape is the statement's own.
    return Object.values(row ?? {})[0] as T;
  };
  const schemas = await read<string[]>(ask.schemasStatement(wanted));
  const everywhere = await read<string[]>(ask.allSchemasStatement);
  const tableKeys = await read<ForeignKey[]>(ask.foreignKeysStatement);
  const views = await read<RawView[]>(viewsStatement(everywhere, []));
  const keys = await read<RawViewKey[]>(viewKeysStatement(everywhere, []));
  return {
    schemas,
    relations: await read<Relation[]>(ask.relationsStatement(wanted)),
    foreignKeys: [...tableKeys, ...viewForeignKeys(tableKeys, viewKeys(views, keys, new Set(everywhere)))],
    routines: await read<Routine[]>(ask.routinesStatement(wanted)),
    types: await read<PgType[]>(ask.typesStatement),
  };
}
