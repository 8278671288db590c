import { type AdminClient, connect } from '../../pg/connect.ts';
import { type Sql, sql } from '../../pg/sql/sql.ts';
import { MigrationError } from './error.ts';
import { createHistory, recordMigration } from './history.ts';
import { listMigrations, type MigrationFile, readScript } from './project-files.ts';

/** What a history shall say of some versions. */
export type Repair = {
  readonly projectDir: string;
  readonly url: string;
  /** None means the whole history, which then says what the files say. */
  readonly versions: readonly string[];
  readonly status: 'applied' | 'reverted';
};

/**
 * Writes a migration history without applying anything, and yields the versions concerned.
 * Upstream: supabase/cli apps/cli-go/internal/migration/repair/repair.go
 * @throws MigrationError `unreadable` when a version has no file; PgFailure
 */
export async function repairHistory({
  projectDir,
  url,
  versions,
  status,
}: Repair): Promise<readonly string[]> {
  const files = await listMigrations(projectDir);
  const wanted = versions.length === 0 ? files : versions.map((version) => fileOf(files, version, status));
  const records = status === 'applied' ? await recordsOf(projectDir, wanted.filter(isFile)) : [];
  const numbers = wanted.map(({ version }) => version);
  const client = await connect(url, { applicationName: 'ownbase migrations' });
  try {
    await createHistory(client);
    await rewrite(client, versions.length === 0 ? null : numbers, records);
  } finally {
    await client.end();
  }
  return numbers;
}

type Wanted = MigrationFile | { readonly version: string };
const isFile = (wanted: Wanted): wanted is MigrationFile => 'path' in wanted;

function fileOf(files: readonly MigrationFile[], version: string, status: Repair['status']): Wanted {
  const file = files.find((candidate) => candidate.version === version);
  if (file !== undefined) return file;
  if (status === 'reverted') return { version };
  throw new MigrationError('unreadable', `glob supabase/migrations/${version}_*.sql: file does not exist`);
}

function recordsOf(projectDir: string, files: readonly MigrationFile[]): Promise<Sql[]> {
  return Promise.all(
    files.map(async (file) => {
      const { statements } = await readScript(projectDir, file.path);
      return recordMigration(
        file,
        statements.map(({ text }) => text),
      );
    }),
  );
}

/** Removes versions (all of them for null) and writes records, in one transaction. */
async function rewrite(
  client: AdminClient,
  removed: readonly string[] | null,
  records: readonly Sql[],
): Promise<void> {
  await client.exec('begin');
  try {
    await client.query(
      removed === null
        ? sql`delete from supabase_migrations.schema_migrations`
        : sql`delete from supabase_migrations.schema_migrations where version = any(${removed}::text[])`,
    );
    for (const record of records) await client.query(record);
    await client.exec('commit');
  } catch (thrown) {
    await client.exec('rollback');
    throw thrown;
  }
}
