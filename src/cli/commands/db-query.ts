import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import { CommandFailure } from '../exit.ts';
import { addTargetOptions, requireTarget } from '../target.ts';
import { csvLine } from '../ui/csv.ts';
import { printResult } from '../ui/output.ts';
import { columns } from '../ui/table.ts';

const examples = `
Runs as the login of migrations: postgres on the embedded Postgres. Each statement is a transaction of its own
unless the SQL says otherwise.

Examples:
  $ ownbase db query 'select id, email from auth.users'
  $ ownbase db query -f data.sql
  $ ownbase db query -o csv 'select * from public.posts' > posts.csv
  $ ownbase db query --db-url "$DB_URL" < script.sql`;

const outputs = ['table', 'json', 'csv'] as const;

/** `ownbase db query`: runs SQL. */
export function configure(command: Command): void {
  addTargetOptions(command)
    .argument('[sql]', 'the SQL; from standard input when neither it nor --file is given')
    .option('-f, --file <path>', 'a file with the SQL')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(outputs).default('table'))
    .addHelpText('after', examples)
    .action((sql?: string) => runSql(command, sql));
}

type Row = Readonly<Record<string, unknown>>;

async function runSql(command: Command, sql: string | undefined): Promise<void> {
  const { file, output } = command.opts<{
    file?: string;
    output: (typeof outputs)[number];
  }>();
  if (sql !== undefined && file !== undefined) throw new CommandFailure('Give the SQL or a file, not both.');
  const script = sql ?? (file === undefined ? await text(process.stdin) : await readFile(file, 'utf8'));
  const { url } = await requireTarget(command);
  const { splitStatements } = await import('../../platform/migrations/split.ts');
  const { connect } = await import('../../pg/connect.ts');
  const client = await connect(url, { applicationName: 'ownbase query' });
  let rows: readonly Row[] = [];
  try {
    for (const statement of splitStatements(script)) {
      rows = await client.query<Row>({ text: statement.text, values: [] });
    }
  } finally {
    await client.end();
  }
  printResult(rows, () => print(rows, output));
}

function print(rows: readonly Row[], output: (typeof outputs)[number]): string {
  const names = Object.keys(rows[0] ?? {});
  if (names.length === 0) return '';
  const cells = rows.map((row) => names.map((name) => cellText(row[name])));
  if (output === 'csv') return [names, ...cells].map(csvLine).join('');
  return `${columns(names, cells)}\n`;
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
