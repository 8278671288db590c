import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { AdminClient } from '../../pg/connect.ts';
import { type DumpOutput, openDumpOutput } from '../dump-output.ts';
import { CommandFailure } from '../exit.ts';
import { describePgDump, findPgDump, type PgDump, runPgDump } from '../pg-dump.ts';
import { addTargetOptions, withClient } from '../target.ts';
import { note, printEnd, printResult, speaksJson } from '../ui/output.ts';
import { clearProgress, showProgress } from '../ui/progress-line.ts';

const examples = `
A pg_dump of --pg-bin or of the PATH does it where its version is not older than the server's; else ownbase writes the
schema from the catalog (what "ownbase help db diff" lists) and the data as INSERT statements. Files of the storage
are not part of it, only what the database knows of them. A schema that is not there ends with code 1, as with pg_dump.

Examples:
  $ ownbase db dump -f schema.sql
  $ ownbase db dump --data-only -f data.sql
  $ ownbase db dump --data-only -x auth.audit_log_entries --db-url "$OLD_DB_URL" > data.sql
  $ ownbase db dump --role-only`;

type Options = {
  readonly file?: string;
  readonly dataOnly?: boolean;
  readonly roleOnly?: boolean;
  readonly useCopy?: boolean;
  readonly keepComments?: boolean;
  readonly exclude: readonly string[];
  readonly schema: readonly string[];
  readonly dryRun?: boolean;
};

/** `ownbase db dump`: schema, data or roles of a database as SQL. */
export function configure(command: Command): void {
  addTargetOptions(command, ['pg-bin'])
    .option('-f, --file <path>', 'write to a file instead of standard output')
    .option('--data-only', 'the data')
    .option('--role-only', 'the roles of the project')
    .option('-s, --schema <names>', 'schemas to include, separated by commas; repeatable', collect, [])
    .option('-x, --exclude <tables>', 'schema.table to leave out of the data; repeatable', collect, [])
    .option('--use-copy', 'COPY instead of INSERT (needs pg_dump)')
    .option('--keep-comments', 'keep the comments of pg_dump')
    .option('--dry-run', 'print what would be run')
    .addHelpText('after', examples)
    .action(() => dump(command));
}

const collect = (value: string, previous: readonly string[]): string[] => [...previous, ...value.split(',')];

async function dump(command: Command): Promise<void> {
  const options = command.opts<Options>();
  checkOptions(options);
  await withClient(command, async (client, target) => {
    const kind = options.dataOnly === true ? 'data' : options.roleOnly === true ? 'role' : 'schema';
    const server = await serverVersion(client);
    const isOurs = kind === 'role' || (kind === 'data' && options.useCopy !== true && (await isOld(client)));
    const found = isOurs ? undefined : await findPgDump(target.config.db.pgBin, server);
    if (options.useCopy === true && found === undefined) {
      throw new CommandFailure(
        `--use-copy needs a pg_dump of version ${server} or newer: name its folder with --pg-bin, or put it on the PATH.`,
      );
    }
    const request = { ...options, url: target.ownerUrl, kind } as const;
    if (options.dryRun === true) {
      const command = found === undefined ? 'ownbase (built in)' : describePgDump(found, request);
      printResult({ kind, command }, () => `${command}\n`);
      return;
    }
    note(`Dumping ${kind} of the database${toolName(found)}...`);
    const file = options.file === undefined ? undefined : resolve(options.file);
    const output = await openDumpOutput(file);
    const onObject = progressOf(options);
    if (found !== undefined) await runPgDump(found, request, output, onObject);
    else await writeBuiltIn(client, kind, options, output, onObject);
    clearProgress();
    await output.end();
    if (file !== undefined) printEnd({ file, kind, tool: found?.path ?? 'ownbase' }, `Dumped to ${file}.`);
  });
}

/** Whether the storage of the project is of a time whose rows pg_dump would write in a form that does not load here. */
async function isOld(client: AdminClient): Promise<boolean> {
  const { hasOldColumns } = await import('../../platform/schema/data.ts');
  return hasOldColumns(client);
}

const toolName = (found: PgDump | undefined): string =>
  found === undefined ? '' : ` with ${found.path} (${found.majorVersion})`;

/** Shows what is written at the moment, unless the dump itself goes to the terminal. */
function progressOf({ file }: Options): (item: string, done?: number, total?: number) => void {
  if (file === undefined && process.stdout.isTTY) return () => {};
  let count = 0;
  return (item, done = ++count, total) =>
    showProgress({ label: 'Dumping', done, item, ...(total === undefined ? {} : { total }) });
}

function checkOptions({
  dataOnly,
  roleOnly,
  useCopy,
  exclude,
  keepComments,
  schema,
  file,
  dryRun,
}: Options): void {
  const refuse = (rule: string): never => {
    throw new CommandFailure(rule);
  };
  if (dataOnly === true && roleOnly === true) refuse('--data-only and --role-only exclude each other.');
  if ((useCopy === true || exclude.length > 0) && dataOnly !== true)
    refuse('--use-copy and --exclude go with --data-only.');
  if (speaksJson() && file === undefined && dryRun !== true)
    refuse('--json goes with --file: the dump itself is SQL.');
  if (keepComments === true && dataOnly === true) refuse('--keep-comments does not go with --data-only.');
  if (schema.length > 0 && roleOnly === true) refuse('--schema does not go with --role-only.');
}

async function serverVersion(client: AdminClient): Promise<number> {
  const { sql } = await import('../../pg/sql/sql.ts');
  const [row] = await client.query<{ major: number }>(
    sql`select current_setting('server_version_num')::int / 10000 as major`,
  );
  return row?.major ?? 0;
}

async function writeBuiltIn(
  client: AdminClient,
  kind: 'schema' | 'data' | 'role',
  { schema, exclude }: Options,
  output: DumpOutput,
  onObject: (name: string, done: number, total: number) => void,
): Promise<void> {
  const schemas = await chosenSchemas(client, schema);
  if (kind === 'role') {
    const { dumpRoles } = await import('../../platform/schema/roles.ts');
    await output.write(await dumpRoles(client));
    return;
  }
  if (kind === 'data') {
    const { dumpData } = await import('../../platform/schema/data.ts');
    await dumpData(client, { schemas, excluded: exclude }, (text) => output.write(text), onObject);
    return;
  }
  const { readSnapshot } = await import('../../platform/schema/read.ts');
  const { compareSchemas } = await import('../../platform/schema/compare.ts');
  const { emptySnapshot } = await import('../../platform/schema/model.ts');
  const { toScript } = await import('../../platform/schema/script.ts');
  const snapshot = await readSnapshot(client, schemas);
  const change = compareSchemas(emptySnapshot, snapshot);
  for (const line of change.notes) note(line, { mark: 'NOTE: ' });
  await output.write(toScript(change));
}

/**
 * The named schemas that are there, or null for all of the project's. Names are patterns as pg_dump reads them, as far as
 * `*` and `?` go.
 */
async function chosenSchemas(
  client: AdminClient,
  patterns: readonly string[],
): Promise<readonly string[] | null> {
  if (patterns.length === 0) return null;
  const { sql } = await import('../../pg/sql/sql.ts');
  const expressions = patterns.map((pattern) =>
    pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.'),
  );
  const rows = await client.query<{ name: string }>(
    sql`select nspname::text as name from pg_namespace
        where nspname ~ any(array(select '^(' || e || ')$' from unnest(${expressions}::text[]) as e))
        order by nspname`,
  );
  if (rows.length === 0) throw new CommandFailure('no matching schemas were found');
  return rows.map(({ name }) => name);
}
