import { groupBy } from './grouping.ts';
import type {
  ColumnPair,
  ComputedRelationship,
  JunctionRelationship,
  KeyRelationship,
  QualifiedName,
  Relationship,
  Table,
} from './model.ts';
import type { RawComputedRelationship, RawForeignKey } from './raw.ts';
import { byRelationshipOrder } from './relationship-order.ts';
import type { ViewKey } from './view-keys.ts';

/** One text for a qualified name; a NUL cannot be part of a name. */
export const nameKey = (schema: string, name: string): string => `${schema}\0${name}`;

const keyOf = ({ schema, name }: QualifiedName): string => nameKey(schema, name);

/** What relationships are made of. */
export type RelationshipSources = {
  readonly foreignKeys: readonly RawForeignKey[];
  readonly viewKeys: readonly ViewKey[];
  readonly computed: readonly RawComputedRelationship[];
  readonly tables: ReadonlyMap<string, Table>;
  readonly schemas: ReadonlySet<string>;
};

/** Relationships by their table and the schema that they lead into. */
export type RelationshipIndex = ReadonlyMap<string, readonly Relationship[]>;

/** Key of the index. */
export const relationshipKey = (table: QualifiedName, targetSchema: string): string =>
  `${keyOf(table)}\0${targetSchema}`;

/** The parts of a key of the index. */
export function splitRelationshipKey(key: string): {
  readonly table: QualifiedName;
  readonly targetSchema: string;
} {
  const [schema = '', name = '', targetSchema = ''] = key.split('\0');
  return { table: { schema, name }, targetSchema };
}

/**
 * All ways between relations of the exposed schemas: foreign keys, the same seen through views, both from either end,
 * through junction tables, and computed ones, which replace what was found under their name. A relation whose ways all
 * lead to private relations has an empty list: it is known, but nothing can be suggested for it.
 * Upstream: PostgREST src/PostgREST/SchemaCache.hs.
 */
export function relate(sources: RelationshipSources): RelationshipIndex {
  const { schemas } = sources;
  const direct = throughViews(sources);
  const keyed = direct.map(({ relationship }) => relationship);
  const detected: Relationship[] = [...keyed, ...keyed.map(inverse), ...throughJunctions(direct)];
  const computed = sources.computed.map(computedRelationship);
  const overridden = new Set(computed.map((item) => pairKey(item.table, item.function)));
  const kept = detected.filter(({ table, foreignTable }) => !overridden.has(pairKey(table, foreignTable)));
  const ofExposed = [...kept, ...computed].filter(({ table }) => schemas.has(table.schema));
  const index = groupBy(ofExposed, (item) =>
    relationshipKey(item.table, item.kind === 'computed' ? item.function.schema : item.foreignTable.schema),
  );
  for (const [key, list] of index)
    index.set(key, list.filter((item) => isReachable(item, schemas)).sort(byRelationshipOrder));
  return index;
}

/** Whether neither the other end nor a junction on the way is private. */
const isReachable = (item: Relationship, schemas: ReadonlySet<string>): boolean =>
  schemas.has(item.foreignTable.schema) &&
  (item.kind !== 'many-to-many' || schemas.has(item.junction.schema));

const pairKey = (from: QualifiedName, to: QualifiedName): string => `${keyOf(from)}\0${keyOf(to)}`;

/** A relationship by a key that may make its table a junction. */
type Direct = { readonly relationship: KeyRelationship; readonly isInPrimaryKey: boolean };

/** Each foreign key between its tables, and again for every view that shows the key or the referenced columns. */
function throughViews({ foreignKeys, viewKeys, tables }: RelationshipSources): Direct[] {
  const shown = groupBy(viewKeys, (key) => `${key.kind} ${key.constraintId}`);
  const isInKeyOf = ({ name, columns }: End): boolean => {
    const primaryKey = tables.get(keyOf(name))?.primaryKeyColumns ?? [];
    return columns.every((column) => primaryKey.includes(column));
  };
  return foreignKeys.flatMap((key) => {
    const ends = (name: QualifiedName, columns: readonly string[], kind: ViewKey['kind']): End[] => [
      { name, columns, isView: false },
      ...(shown.get(`${kind} ${key.id}`) ?? []).flatMap((view) =>
        combinations(view.columns).map((names) => ({ name: view.view, columns: names, isView: true })),
      ),
    ];
    const own = key.columns.map(([column]) => column);
    const foreign = key.columns.map(([, column]) => column);
    const foreignEnds = ends({ schema: key.foreignSchema, name: key.foreignTable }, foreign, 'referenced');
    return ends({ schema: key.schema, name: key.table }, own, 'foreign').flatMap((from) => {
      const isInPrimaryKey = from.isView ? isInKeyOf(from) : key.isInPrimaryKey;
      return foreignEnds.map((to) => ({ relationship: keyRelationship(key, from, to), isInPrimaryKey }));
    });
  });
}

type End = { readonly name: QualifiedName; readonly columns: readonly string[]; readonly isView: boolean };

const keyRelationship = (key: RawForeignKey, from: End, to: End): KeyRelationship => ({
  kind: key.isUnique ? 'one-to-one' : 'many-to-one',
  table: from.name,
  foreignTable: to.name,
  isSelf: keyOf(from.name) === keyOf(to.name),
  constraint: key.name,
  columns: from.columns.map((column, i): ColumnPair => [column, to.columns[i] ?? '']),
  isParent: false,
  tableIsView: from.isView,
  foreignTableIsView: to.isView,
});

/** Every choice of one name per column. */
function combinations(columns: readonly (readonly string[])[]): string[][] {
  return columns.reduce<string[][]>(
    (choices, names) => choices.flatMap((choice) => names.map((name) => [...choice, name])),
    [[]],
  );
}

const swapped = (columns: readonly ColumnPair[]): ColumnPair[] =>
  columns.map(([own, foreign]) => [foreign, own]);

/** The same foreign key from its other end. */
const inverse = (item: KeyRelationship): KeyRelationship => ({
  ...item,
  kind: item.kind === 'many-to-one' ? 'one-to-many' : item.kind,
  table: item.foreignTable,
  foreignTable: item.table,
  columns: swapped(item.columns),
  isParent: item.kind === 'one-to-one',
  tableIsView: item.foreignTableIsView,
  foreignTableIsView: item.tableIsView,
});

/** A relation with two foreign keys whose columns are all part of its primary key joins the two other ends. */
function throughJunctions(direct: readonly Direct[]): JunctionRelationship[] {
  const sides = direct.flatMap(({ relationship, isInPrimaryKey }) =>
    isInPrimaryKey && relationship.kind === 'many-to-one' ? [relationship] : [],
  );
  const byJunction = groupBy(sides, (item) => keyOf(item.table));
  return [...byJunction.values()].flatMap((items) =>
    items.flatMap((source) =>
      items
        .filter((target) => target.constraint !== source.constraint)
        .map((target) => junctionRelationship(source, target)),
    ),
  );
}

const junctionRelationship = (source: KeyRelationship, target: KeyRelationship): JunctionRelationship => ({
  kind: 'many-to-many',
  table: source.foreignTable,
  foreignTable: target.foreignTable,
  isSelf: keyOf(source.foreignTable) === keyOf(target.foreignTable),
  junction: {
    ...source.table,
    sourceConstraint: source.constraint,
    targetConstraint: target.constraint,
    sourceColumns: swapped(source.columns),
    targetColumns: swapped(target.columns),
  },
  tableIsView: source.foreignTableIsView,
  foreignTableIsView: target.foreignTableIsView,
});

const computedRelationship = (raw: RawComputedRelationship): ComputedRelationship => ({
  kind: 'computed',
  function: { schema: raw.schema, name: raw.name },
  table: { schema: raw.tableSchema, name: raw.table },
  foreignTable: { schema: raw.foreignSchema, name: raw.foreignTable },
  isToOne: raw.isToOne,
  isSelf: raw.tableSchema === raw.foreignSchema && raw.table === raw.foreignTable,
});
