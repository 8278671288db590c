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

/**
 * All ways between relations of the exposed schemas: foreign keys, the same seen through views, both from either end,
 * through junction tables, and computed ones, which replace what was found under their name.
 * Upstream: PostgREST src/PostgREST/SchemaCache.hs.
 */
export function relate(sources: RelationshipSources): RelationshipIndex {
  const { schemas } = sources;
  const direct = throughViews(sources.foreignKeys, sources.viewKeys).filter(
    ({ table, foreignTable }) => schemas.has(table.schema) && schemas.has(foreignTable.schema),
  );
  const all: Relationship[] = [
    ...direct,
    ...direct.map(inverse),
    ...throughJunctions(direct, sources.tables),
  ];
  const computed = sources.computed.map(computedRelationship);
  const overridden = new Set(computed.map((item) => pairKey(item.table, item.function)));
  const kept = all.filter(({ table, foreignTable }) => !overridden.has(pairKey(table, foreignTable)));
  const reachable = computed.filter(
    ({ table, foreignTable }) => schemas.has(table.schema) && schemas.has(foreignTable.schema),
  );
  const index = groupBy([...kept, ...reachable], (item) =>
    relationshipKey(item.table, item.kind === 'computed' ? item.function.schema : item.foreignTable.schema),
  );
  for (const list of index.values()) list.sort(byRelationshipOrder);
  return index;
}

const pairKey = (from: QualifiedName, to: QualifiedName): string => `${keyOf(from)}\0${keyOf(to)}`;

/** Each foreign key between its tables, and again for every view that shows the key or the referenced columns. */
function throughViews(
  foreignKeys: readonly RawForeignKey[],
  viewKeys: readonly ViewKey[],
): KeyRelationship[] {
  const shown = groupBy(viewKeys, (key) => `${key.kind} ${key.constraintId}`);
  return foreignKeys.flatMap((key) => {
    const table = { schema: key.schema, name: key.table };
    const foreignTable = { schema: key.foreignSchema, name: key.foreignTable };
    const own = key.columns.map(([column]) => column);
    const foreign = key.columns.map(([, column]) => column);
    const ends = (name: QualifiedName, columns: readonly string[], kind: ViewKey['kind']): End[] => [
      { name, columns, isView: false },
      ...(shown.get(`${kind} ${key.id}`) ?? []).flatMap((view) =>
        combinations(view.columns).map((names) => ({ name: view.view, columns: names, isView: true })),
      ),
    ];
    const foreignEnds = ends(foreignTable, foreign, 'referenced');
    return ends(table, own, 'foreign').flatMap((from) =>
      foreignEnds.map((to) => keyRelationship(key, from, to)),
    );
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
function throughJunctions(
  direct: readonly KeyRelationship[],
  tables: ReadonlyMap<string, Table>,
): JunctionRelationship[] {
  const manyToOne = direct.filter((item) => item.kind === 'many-to-one');
  const byJunction = groupBy(manyToOne, (item) => keyOf(item.table));
  return [...byJunction].flatMap(([key, items]) => {
    const primaryKey = new Set(tables.get(key)?.primaryKeyColumns);
    const eligible = items.filter((item) => item.columns.every(([column]) => primaryKey.has(column)));
    return eligible.flatMap((source) =>
      eligible
        .filter((target) => target.constraint !== source.constraint)
        .map((target) => junctionRelationship(source, target)),
    );
  });
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
