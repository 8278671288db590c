import { createHash } from 'node:crypto';
import type { Step, StepResult } from '../pg/pipeline.ts';
import { compile, type Sql } from '../pg/sql/sql.ts';
import { buildCatalog } from './build.ts';
import * as functions from './function-statements.ts';
import type { Catalog } from './model.ts';
import type { RawCatalog } from './raw.ts';
import * as ask from './statements.ts';

/** Which part of the database clients may see. */
export type CatalogScope = {
  readonly schemas: readonly string[];
  /** Further schemas of the search path: views there may lie under exposed ones. */
  readonly extraSchemas: readonly string[];
  /** Names (regular expressions) of function settings that hold for the whole transaction. */
  readonly hoistedSettings: readonly string[];
};

/** Anything that runs several statements under one Sync: a connection on loan from a pool. */
export interface StepRunner {
  run(steps: readonly Step[]): Promise<readonly StepResult[]>;
}

/** Reads the catalog in one round trip, as one consistent snapshot. Rejects with `PgFailure`. */
export async function introspect(runner: StepRunner, scope: CatalogScope): Promise<Catalog> {
  const { schemas, extraSchemas, hoistedSettings } = scope;
  const statements: Readonly<Record<keyof RawCatalog, Sql>> = {
    server: ask.serverStatement,
    tables: ask.tablesStatement(schemas),
    foreignKeys: ask.foreignKeysStatement,
    views: ask.viewsStatement(schemas, extraSchemas),
    viewKeys: ask.viewKeysStatement(schemas, extraSchemas),
    computedRelationships: functions.computedRelationshipsStatement,
    routines: functions.routinesStatement(schemas, hoistedSettings),
    representations: functions.representationsStatement,
    mediaHandlers: functions.mediaHandlersStatement(schemas),
  };
  const names = Object.keys(statements);
  const [, ...results] = await runner.run(
    [ask.qualifyNames, ...Object.values(statements)].map((statement) => toStep(statement)),
  );
  const hash = createHash('sha1').update(JSON.stringify(scope));
  const documents = results.map((result, i): [string | undefined, unknown] => {
    const text = result.rows[0]?.[0] ?? 'null';
    hash.update(text);
    return [names[i], JSON.parse(text)];
  });
  // The statements above build these documents; their shape is the statements' own.
  const raw = Object.fromEntries(documents) as RawCatalog;
  return buildCatalog(raw, schemas, hash.digest('base64url'));
}

/** Unnamed: the texts are long, run rarely, and would only take places in the connection's statement cache. */
const toStep = (statement: Sql): Step => ({ statement: compile(statement), scope: null, rows: 'text' });
