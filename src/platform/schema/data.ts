import type { AdminClient } from '../../pg/connect.ts';
import { type Sql, sql } from '../../pg/sql/sql.ts';
import { columnsWithoutData, schemasWithoutData, tablesWithoutData } from '../managed-schemas.ts';

/** What to dump. */
export type DataSelection = {
  /** Null for all but the platform's. */
  readonly schemas: readonly string[] | null;
  /** `schema.table` each. */
  readonly excluded: readonly string[];
};

type TableOfData = {
  readonly name: string;
  readonly columns: readonly string[];
  readonly overriding: boolean;
};

const BATCH_ROWS = 500;

/**
 * Writes the data of a database as INSERT statements, and the state of its sequences. One snapshot; rows are fetched
 * in batches. Foreign keys and triggers are off while it is loaded, so that the order does not matter.
 */
export async function dumpData(
  client: AdminClient,
  selection: DataSelection,
  write: (text: string) => Promise<void>,
  onTable: (name: string, done: number, total: number) => void = () => {},
): Promise<void> {
  await client.exec(
    "begin isolation level repeatable read read only; set local datestyle = 'ISO'; set local intervalstyle = 'postgres'; set local bytea_output = 'hex'; set local extra_float_digits = 1; set local row_security = off",
  );
  try {
    await write('SET session_replication_role = replica;\n\n');
    const tables = await client.query<TableOfData>(tablesOfData(selection));
    for (const [done, table] of tables.entries()) {
      onTable(table.name, done, tables.length);
      await dumpTable(client, table, write);
    }
    for (const { statement } of await client.query<{ statement: string }>(sequenceStates(selection))) {
      await write(`${statement};\n`);
    }
    await write('\nRESET ALL;\n');
  } finally {
    await client.exec('rollback');
  }
}

const isChosen = (schema: Sql, { schemas }: DataSelection): Sql =>
  schemas === null
    ? sql`(${schema} <> all(${schemasWithoutData}::text[]) and ${schema} !~ '^(pg_|_?timescaledb_)')`
    : sql`${schema} = any(${schemas}::text[])`;

/** Whether tables of the platform have columns that are not dumped: pg_dump takes a table's columns as they are. */
export async function hasOldColumns(client: AdminClient): Promise<boolean> {
  const rows = await client.query(sql`select 1 from pg_attribute a join pg_class c on c.oid = a.attrelid
    join pg_namespace n on n.oid = c.relnamespace
    where not a.attisdropped and concat_ws('.', n.nspname, c.relname, a.attname) = any(${columnsWithoutData}::text[])`);
  return rows.length > 0;
}

/** Tables that store rows themselves, with the columns that may be written. */
const tablesOfData = (selection: DataSelection): Sql => sql`
  select format('%I.%I', n.nspname, c.relname) as name,
    array_agg(quote_ident(a.attname) order by a.attnum) as columns,
    bool_or(a.attidentity = 'a') as overriding
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
  where c.relkind = 'r' and c.relpersistence <> 't' and ${isChosen(sql`n.nspname`, selection)}
    and n.nspname || '.' || c.relname <> all(${[...tablesWithoutData, ...selection.excluded]}::text[])
    and concat_ws('.', n.nspname, c.relname, a.attname) <> all(${columnsWithoutData}::text[])
  group by n.nspname, c.relname
  order by n.nspname, c.relname`;

async function dumpTable(
  client: AdminClient,
  table: TableOfData,
  write: (text: string) => Promise<void>,
): Promise<void> {
  const values = table.columns.map((column) => `quote_nullable(${column}::text)`).join(", ', ', ");
  const names = table.columns.join(', ');
  const head = `INSERT INTO ${table.name} (${names})${table.overriding ? ' OVERRIDING SYSTEM VALUE' : ''} VALUES\n`;
  // Names come quoted from the catalog: no value of a row is part of this text.
  await client.exec(`declare rows no scroll cursor for select concat(${values}) as line from ${table.name}`);
  for (;;) {
    const rows = await client.query<{ line: string }>(
      sql`fetch ${sql.fromServer(String(BATCH_ROWS))} from rows`,
    );
    if (rows.length > 0) await write(`${head}${rows.map(({ line }) => `\t(${line})`).join(',\n')};\n\n`);
    if (rows.length < BATCH_ROWS) break;
  }
  await client.exec('close rows');
}

const sequenceStates = (selection: DataSelection): Sql => sql`
  select format('SELECT pg_catalog.setval(%L, %s, %L)', format('%I.%I', s.schemaname, s.sequencename),
    s.last_value, true) as statement
  from pg_sequences s
  where s.last_value is not null and ${isChosen(sql`s.schemaname`, selection)}
  order by s.schemaname, s.sequencename`;
