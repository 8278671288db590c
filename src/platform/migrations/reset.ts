import { readFile } from 'node:fs/promises';
import { packageFile } from '../../core/package-file.ts';
import { connect } from '../../pg/connect.ts';

const script = packageFile('sql/migrations/reset.sql');

/** Drops what a project made in a database, down to its users and its migration history; the platform stays. */
export async function emptyDatabase(ownerUrl: string): Promise<void> {
  const client = await connect(ownerUrl, { applicationName: 'ownbase reset' });
  try {
    await client.exec(await readFile(script, 'utf8'));
  } finally {
    await client.end();
  }
}
