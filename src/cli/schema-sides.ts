import type { Config } from '../config/load.ts';
import type { Snapshot } from '../platform/schema/model.ts';
import { interruption } from './interrupt.ts';
import { note } from './ui/output.ts';
import { reportMigration } from './ui/progress.ts';
import { clearProgress } from './ui/progress-line.ts';

/** Reads what a project has in the database of a URL; in the named schemas, or in all of the project's for null. */
export async function snapshotOf(url: string, schemas: readonly string[] | null): Promise<Snapshot> {
  const { connect } = await import('../pg/connect.ts');
  const { readSnapshot } = await import('../platform/schema/read.ts');
  const client = await connect(url, { applicationName: 'ownbase diff' });
  try {
    return await readSnapshot(client, schemas);
  } finally {
    await client.end();
  }
}

/** Applies the migrations to a database in a temporary folder and reads what they made. */
export async function snapshotOfMigrations(
  config: Config,
  schemas: readonly string[] | null,
): Promise<Snapshot> {
  const { withShadowDatabase } = await import('../app/shadow-database.ts');
  clearProgress();
  note('Applying migrations to a database in a temporary folder...');
  return withShadowDatabase(config, { onEvent: reportMigration, signal: interruption() }, async (shadow) => {
    await shadow.migrate();
    return snapshotOf(shadow.url, schemas);
  });
}
