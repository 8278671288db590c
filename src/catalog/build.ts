import { createFuzzySet, type FuzzySet } from './fuzzy-set.ts';
import { groupBy } from './grouping.ts';
import type { Catalog, Column, MediaHandler, Routine, Table } from './model.ts';
import type { RawCatalog, RawColumn, RawMediaHandler, RawTable } from './raw.ts';
import {
  nameKey,
  type RelationshipIndex,
  relate,
  relationshipKey,
  splitRelationshipKey,
} from './relationships.ts';
import { byOverloadOrder, toRoutine } from './routines.ts';
import { type ViewKey, viewKeys } from './view-keys.ts';

const identities = { a: 'always', d: 'by default', '': null } as const;

// Score that a name must reach to be offered as a hint: less would tell of names that were not asked for.
const hintScore = 0.75;
// Larger schemas get no hints for tables: upstream spares itself the index, and clients see the null.
const maxTablesForHints = 500;

/** Relates and indexes what the server said about the exposed schemas. */
export function buildCatalog(raw: RawCatalog, schemas: readonly string[], fingerprint: string): Catalog {
  const exposed = new Set(schemas);
  const keys = viewKeys(raw.views, raw.viewKeys, exposed);
  const tables = indexTables(raw.tables, keys);
  const relationships = relate({
    foreignKeys: raw.foreignKeys,
    viewKeys: keys,
    computed: raw.computedRelationships,
    tables,
    schemas: exposed,
  });
  const routines = indexRoutines(raw);
  const handlers = new Map(
    raw.mediaHandlers.map((handler) => [handlerKey(handler), toMediaHandler(handler)]),
  );
  const representations = new Map(
    raw.representations.map(({ source, target, schema, name }) => [
      nameKey(source, target),
      { schema, name },
    ]),
  );
  return {
    fingerprint,
    serverVersion: raw.server.version,
    timezones: new Set(raw.server.timezones),
    ...tableLookups(tables),
    ...relationshipLookups(relationships),
    ...routineLookups(routines),
    representation: (source, target) => representations.get(nameKey(source, target)),
    hasRepresentations: representations.size > 0,
    mediaHandler: (target, mediaType) =>
      handlers.get(`${target === null ? '' : nameKey(target.schema, target.name)}\0${mediaType}`),
    counts: {
      relations: tables.size,
      relationships: relationships.size,
      routines: routines.size,
      representations: representations.size,
      mediaHandlers: handlers.size,
      timezones: raw.server.timezones.length,
    },
  };
}

function indexTables(raw: readonly RawTable[], keys: readonly ViewKey[]): Map<string, Table> {
  const primaryKeys = groupBy(
    keys.filter((key) => key.kind === 'primary'),
    ({ view }) => nameKey(view.schema, view.name),
  );
  return new Map(
    raw.map((table) => {
      const key = nameKey(table.schema, table.name);
      // A column that the view shows several times is named by the first of them.
      const shown = (primaryKeys.get(key) ?? []).flatMap(({ columns }) =>
        columns.map(([first]) => first ?? ''),
      );
      const primaryKeyColumns = table.isView ? shown : table.primaryKeyColumns;
      const columns = new Map(table.columns.map((column) => [column.name, toColumn(column)]));
      return [key, { ...table, primaryKeyColumns, columns }];
    }),
  );
}

const toColumn = (raw: RawColumn): Column => ({
  ...raw,
  enumValues: raw.enumValues ?? [],
  identity: identities[raw.identity],
});

function indexRoutines(raw: RawCatalog): Map<string, Routine[]> {
  const routines = groupBy(raw.routines.map(toRoutine), ({ schema, name }) => nameKey(schema, name));
  for (const overloads of routines.values()) overloads.sort(byOverloadOrder);
  return routines;
}

const isAnyElement = (raw: RawMediaHandler): boolean =>
  raw.targetSchema === 'pg_catalog' && raw.target === 'anyelement';

const handlerKey = (raw: RawMediaHandler): string =>
  `${isAnyElement(raw) ? '' : nameKey(raw.targetSchema, raw.target)}\0${raw.mediaType.toLowerCase()}`;

const toMediaHandler = (raw: RawMediaHandler): MediaHandler => ({
  function: { schema: raw.schema, name: raw.name },
  target: isAnyElement(raw) ? null : { schema: raw.targetSchema, name: raw.target },
  baseType: raw.baseType,
  mediaType: raw.mediaType === '*/*' ? 'application/octet-stream' : raw.mediaType,
});

/** Fuzzy sets by schema, made on first use: most snapshots never need one. */
function hints(namesOf: (schema: string) => readonly string[], maxNames: number) {
  const sets = new Map<string, FuzzySet>();
  return (schema: string, name: string): string | null => {
    let set = sets.get(schema);
    if (set === undefined) {
      const names = namesOf(schema);
      set = createFuzzySet(names.length < maxNames ? names : []);
      sets.set(schema, set);
    }
    return set.closest(name, hintScore);
  };
}

type TableLookups = Pick<Catalog, 'table' | 'tables' | 'closestTable'>;

function tableLookups(tables: ReadonlyMap<string, Table>): TableLookups {
  const bySchema = groupBy(tables.values(), (table) => table.schema);
  const namesOf = (schema: string): string[] => (bySchema.get(schema) ?? []).map((table) => table.name);
  return {
    table: (schema, name) => tables.get(nameKey(schema, name)),
    tables: (schema) => bySchema.get(schema) ?? [],
    closestTable: hints(namesOf, maxTablesForHints),
  };
}

type RelationshipLookups = Pick<Catalog, 'relationships' | 'relationshipSources'>;

function relationshipLookups(index: RelationshipIndex): RelationshipLookups {
  const sources = new Map<string, string[]>();
  for (const key of index.keys()) {
    const { table, targetSchema } = splitRelationshipKey(key);
    const names = sources.get(targetSchema);
    if (names === undefined) sources.set(targetSchema, [table.name]);
    else names.push(table.name);
  }
  return {
    relationships: (schema, table) => index.get(relationshipKey({ schema, name: table }, schema)),
    relationshipSources: (schema) => sources.get(schema) ?? [],
  };
}

type RoutineLookups = Pick<Catalog, 'routines' | 'routinesOf' | 'closestRoutine'>;

const none: readonly Routine[] = [];

function routineLookups(routines: ReadonlyMap<string, readonly Routine[]>): RoutineLookups {
  const bySchema = groupBy(routines.values(), ([first]) => first?.schema ?? '');
  const namesOf = (schema: string): string[] =>
    (bySchema.get(schema) ?? []).map(([first]) => first?.name ?? '');
  return {
    routines: (schema, name) => routines.get(nameKey(schema, name)) ?? none,
    routinesOf: (schema) => bySchema.get(schema) ?? [],
    closestRoutine: hints(namesOf, Number.POSITIVE_INFINITY),
  };
}
