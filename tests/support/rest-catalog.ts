import { buildCatalog } from '../../src/catalog/build.ts';
import type { Catalog } from '../../src/catalog/model.ts';
import type { RawCatalog, RawColumn, RawForeignKey, RawRoutine } from '../../src/catalog/raw.ts';
import type { RestConfig } from '../../src/rest/config/model.ts';

/** A table in few words: column types by name, the columns of its key, and where its columns point. */
type TableSketch = {
  readonly columns: Readonly<Record<string, string>>;
  readonly key?: readonly string[];
  /** Referenced table by column; the reference is to that table's `id`. */
  readonly references?: Readonly<Record<string, string>>;
};

/** A function in few words; parameters marked with `?` may be left out. */
type RoutineSketch = {
  readonly name: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly returns?: string;
  readonly isSet?: boolean;
  readonly isComposite?: boolean;
  readonly volatility?: 'v' | 's' | 'i';
};

const schema = 'public';

const column = (name: string, type: string): RawColumn => ({
  name,
  description: null,
  nullable: true,
  type,
  nominalType: type,
  maxLength: null,
  defaultValue: null,
  enumValues: null,
  identity: '',
  isGenerated: false,
});

function foreignKeys(tables: Readonly<Record<string, TableSketch>>): RawForeignKey[] {
  const ids = new Map(Object.keys(tables).map((name, i) => [name, i + 1]));
  const keys = Object.entries(tables).flatMap(([table, sketch]) =>
    Object.entries(sketch.references ?? {}).map(([own, foreignTable]) => ({
      table,
      sketch,
      own,
      foreignTable,
    })),
  );
  return keys.map(({ table, sketch, own, foreignTable }, i) => ({
    id: i + 1,
    name: `${table}_${own}_fkey`,
    schema,
    table,
    tableId: ids.get(table) ?? 0,
    foreignSchema: schema,
    foreignTable,
    foreignTableId: ids.get(foreignTable) ?? 0,
    columns: [[own, 'id'] as const],
    isUnique: sketch.key?.length === 1 && sketch.key[0] === own,
    isInPrimaryKey: sketch.key?.includes(own) ?? false,
  }));
}

const routine = (sketch: RoutineSketch, i: number): RawRoutine => ({
  id: i + 1,
  schema,
  name: sketch.name,
  description: null,
  parameters: Object.entries(sketch.parameters ?? {}).map(([name, type]) => ({
    name: name.replace('?', ''),
    type,
    unboundedType: type,
    isRequired: !name.endsWith('?'),
    isVariadic: false,
  })),
  returnSchema: sketch.isComposite ? schema : 'pg_catalog',
  returnName: sketch.returns ?? 'int4',
  isSet: sketch.isSet ?? false,
  isComposite: sketch.isComposite ?? false,
  isCompositeAlias: false,
  volatility: sketch.volatility ?? 'v',
  hasVariadic: false,
  configuration: null,
  hoisted: null,
});

/** A catalog of one schema, `public`, as the server would have described it. */
function sketchCatalog(
  tables: Readonly<Record<string, TableSketch>>,
  routines: readonly RoutineSketch[] = [],
): Catalog {
  const raw: RawCatalog = {
    server: { version: 170000, timezones: ['UTC', 'America/Lima'] },
    tables: Object.entries(tables).map(([name, sketch]) => ({
      schema,
      name,
      description: null,
      isView: false,
      insertable: true,
      updatable: true,
      deletable: true,
      primaryKeyColumns: sketch.key ?? ['id'],
      columns: Object.entries(sketch.columns).map(([columnName, type]) => column(columnName, type)),
    })),
    foreignKeys: foreignKeys(tables),
    views: [],
    viewKeys: [],
    computedRelationships: [],
    routines: routines.map(routine),
    representations: [],
    mediaHandlers: [],
  };
  return buildCatalog(raw, [schema], 'sketch');
}

/** Films with a director each, roles between films and actors, and an index of competitions. */
export const filmCatalog: Catalog = sketchCatalog(
  {
    directors: { columns: { id: 'bigint', name: 'text' } },
    films: {
      columns: {
        id: 'bigint',
        title: 'text',
        director_id: 'bigint',
        sequel_to: 'bigint',
        rating: 'numeric',
        facts: 'jsonb',
        words: 'tsvector',
      },
      references: { director_id: 'directors', sequel_to: 'films' },
    },
    actors: { columns: { id: 'bigint', name: 'text' } },
    roles: {
      columns: { film_id: 'bigint', actor_id: 'bigint', character: 'text' },
      key: ['film_id', 'actor_id'],
      references: { film_id: 'films', actor_id: 'actors' },
    },
    matches: {
      columns: { id: 'bigint', home_id: 'bigint', guest_id: 'bigint' },
      references: { home_id: 'teams', guest_id: 'teams' },
    },
    teams: { columns: { id: 'bigint', name: 'text' } },
  },
  [
    { name: 'add_them', parameters: { a: 'integer', b: 'integer' }, volatility: 'i' },
    {
      name: 'best_films',
      parameters: { 'minimum?': 'numeric' },
      returns: 'films',
      isSet: true,
      isComposite: true,
    },
    { name: 'overloaded', parameters: { a: 'integer', 'b?': 'integer' } },
    { name: 'overloaded', parameters: { a: 'text', 'c?': 'text' } },
    { name: 'take_json', parameters: { '': 'json' } },
  ],
);

/** The configuration of a service with nothing special about it. */
export const plainRestConfig: RestConfig = {
  schemas: ['public'],
  extraSearchPath: [],
  anonRole: 'anon',
  maxRows: null,
  aggregatesEnabled: true,
  planEnabled: false,
  preRequest: null,
  rootSpec: null,
  transactionEnd: { rollback: false, allowOverride: true },
  openApiMode: 'follow-privileges',
  openApiSecurityActive: false,
  openApiServerProxyUri: null,
  serverHost: '127.0.0.1',
  serverPort: 3000,
  hoistedSettings: [],
  preparedStatements: true,
  corsAllowedOrigins: null,
  traceHeader: null,
  jwt: { secret: null, isSecretBase64: false, audience: null, roleClaimPath: [], cacheMaxEntries: 0 },
  serverTimingEnabled: false,
  appSettings: [],
  roleSettings: new Map(),
  roleIsolation: new Map(),
};
