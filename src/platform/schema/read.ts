import type { AdminClient } from '../../pg/connect.ts';
import { type Sql, sql } from '../../pg/sql/sql.ts';
import type { SchemaObject, Snapshot } from './model.ts';
import * as ask from './statements.ts';

const objectStatements = [
  ask.schemas,
  ask.extensions,
  ask.types,
  ask.sequences,
  ask.functions,
  ask.tables,
  ask.sequenceOwners,
  ask.constraints,
  ask.indexes,
  ask.views,
  ask.triggers,
  ask.policies,
  ask.publicationTables,
] as const;

/** What a statement leaves out where a kind has none of it. */
const blank = { parent: null, shape: null, comment: null, grants: [], born: [], table: null, labels: null };

/**
 * Reads what a project has in a database: in the named schemas, or in all but the platform's. One transaction sees
 * one state. Rejects with `PgFailure`.
 */
export async function readSnapshot(client: AdminClient, wanted: ask.Wanted = null): Promise<Snapshot> {
  const read = async <T>(statement: Sql): Promise<T> => {
    const [row] = await client.query<{ document: T }>(statement);
    // The statement itself builds the document; its shape is the statement's own.
    return (typeof row?.document === 'string' ? JSON.parse(row.document) : row?.document) as T;
  };
  await client.exec('begin isolation level repeatable read read only; set local search_path = pg_catalog');
  try {
    const objects: SchemaObject[] = [];
    for (const statement of objectStatements) {
      const found = await read<readonly Partial<SchemaObject>[]>(statement(wanted));
      objects.push(...found.map((object) => ({ ...blank, ...object }) as SchemaObject));
    }
    const [server] = await client.query<{ version: number }>(
      sql`select current_setting('server_version_num')::int as version`,
    );
    return {
      serverVersion: server?.version ?? 0,
      objects,
      dependencies: [
        ...(await read<Snapshot['dependencies']>(ask.dependencies)),
        ...(await read<Snapshot['dependencies']>(ask.sequenceOwnerNeeds)),
      ],
      parts: await read(ask.parts),
      uncovered: await read(ask.uncovered(wanted)),
    };
  } finally {
    await client.exec('rollback');
  }
}
