import type { Column, TableFacts } from './model.ts';

/** CREATE TABLE and what belongs to it, without constraints and indexes. */
export function createTable(name: string, table: TableFacts): readonly string[] {
  const kind = table.unlogged ? 'UNLOGGED TABLE' : 'TABLE';
  if (table.partitionOf !== null) {
    const by = table.partitionBy === null ? '' : ` PARTITION BY ${table.partitionBy}`;
    return [`CREATE ${kind} ${name} PARTITION OF ${table.partitionOf}${by}`, ...settings(name, plain, table)];
  }
  const columns = table.columns.map((column) => `    ${columnText(column)}`).join(',\n');
  const inherits = table.inherits.length === 0 ? '' : `\nINHERITS (${table.inherits.join(', ')})`;
  const by = table.partitionBy === null ? '' : `\nPARTITION BY ${table.partitionBy}`;
  return [
    `CREATE ${kind} ${name} (${columns === '' ? '' : `\n${columns}\n`})${inherits}${by}`,
    ...settings(name, plain, table),
  ];
}

type Settings = Pick<TableFacts, 'rowSecurity' | 'forceRowSecurity' | 'replicaIdentity'>;
const plain: Settings = { rowSecurity: false, forceRowSecurity: false, replicaIdentity: 'default' };

function settings(name: string, from: Settings, to: Settings): readonly string[] {
  const alter = `ALTER TABLE ${name}`;
  const lines: string[] = [];
  if (from.rowSecurity !== to.rowSecurity)
    lines.push(`${alter} ${to.rowSecurity ? 'ENABLE' : 'DISABLE'} ROW LEVEL SECURITY`);
  if (from.forceRowSecurity !== to.forceRowSecurity)
    lines.push(`${alter} ${to.forceRowSecurity ? 'FORCE' : 'NO FORCE'} ROW LEVEL SECURITY`);
  if (from.replicaIdentity !== to.replicaIdentity && to.replicaIdentity !== 'index')
    lines.push(`${alter} REPLICA IDENTITY ${to.replicaIdentity.toUpperCase()}`);
  return lines;
}

function columnText(column: Column): string {
  return [
    column.name,
    column.type,
    column.collation === null ? '' : `COLLATE ${column.collation}`,
    column.generated === null ? '' : `GENERATED ALWAYS AS (${column.generated}) STORED`,
    column.identity === null ? '' : `GENERATED ${column.identity.toUpperCase()} AS IDENTITY`,
    column.default === null ? '' : `DEFAULT ${column.default}`,
    column.notNull ? 'NOT NULL' : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/** How one table becomes another. */
export type TableChange = {
  readonly statements: readonly string[];
  /** Whether a type changes or a column goes, for which views and policies that use it must give way. */
  readonly disturbs: boolean;
};

/** Compares two tables of one name. Renamed columns look like one that went and one that came. */
export function alterTable(name: string, from: TableFacts, to: TableFacts): TableChange {
  const before = new Map(from.columns.map((column) => [column.name, column]));
  const after = new Map(to.columns.map((column) => [column.name, column]));
  const dropped = from.columns.filter((column) => isReplaced(column, after.get(column.name)));
  const added = to.columns.filter((column) => isReplaced(column, before.get(column.name)));
  const kept = to.columns.flatMap((column) => {
    const old = before.get(column.name);
    return old === undefined || isReplaced(column, old) ? [] : [alterColumn(name, old, column)];
  });
  return {
    statements: [
      ...dropped.map((column) => `ALTER TABLE ${name} DROP COLUMN ${column.name}`),
      ...added.map((column) => `ALTER TABLE ${name} ADD COLUMN ${columnText(column)}`),
      ...kept.flatMap(({ statements }) => statements),
      ...settings(name, from, to),
    ],
    disturbs: dropped.length > 0 || kept.some(({ disturbs }) => disturbs),
  };
}

/** A generated column cannot be altered into a plain one, nor the other way round, nor its expression everywhere. */
const isReplaced = (column: Column, other: Column | undefined): boolean =>
  other === undefined || column.generated !== other.generated;

function alterColumn(table: string, from: Column, to: Column): TableChange {
  const alter = `ALTER TABLE ${table} ALTER COLUMN ${to.name}`;
  const typeChanges = from.type !== to.type || from.collation !== to.collation;
  const collate = to.collation === null ? '' : ` COLLATE ${to.collation}`;
  const statements = [
    // A default of the old type may not be castable: it gives way first.
    ...((typeChanges && from.default !== null) || (from.default !== null && to.default === null)
      ? [`${alter} DROP DEFAULT`]
      : []),
    ...(from.identity !== null && to.identity === null ? [`${alter} DROP IDENTITY`] : []),
    ...(typeChanges ? [`${alter} TYPE ${to.type}${collate} USING ${to.name}::${to.type}`] : []),
    ...(to.default !== null && (typeChanges || from.default !== to.default)
      ? [`${alter} SET DEFAULT ${to.default}`]
      : []),
    ...(from.notNull === to.notNull ? [] : [`${alter} ${to.notNull ? 'SET' : 'DROP'} NOT NULL`]),
    ...identityChange(alter, from, to),
  ];
  return { statements, disturbs: typeChanges };
}

function identityChange(alter: string, from: Column, to: Column): readonly string[] {
  if (to.identity === null || from.identity === to.identity) return [];
  const rule = to.identity.toUpperCase();
  return [
    from.identity === null ? `${alter} ADD GENERATED ${rule} AS IDENTITY` : `${alter} SET GENERATED ${rule}`,
  ];
}
