import { readFile } from 'node:fs/promises';
import { connect } from '../../pg/connect.ts';

const script = new URL('../../../sql/migrations/reset.sql', import.meta.url);

/** Drops what a project made in a database, down to its users and its migration history; the platform stays. */
export async function emptyDatabase(ownerUrl: string): Promise<void> {
  const client = await connect(ownerUrl, { applicationName: 'ownbase reset' });
  try {
    await client.exec(await readFile(script, 'utf8'));
  } finally {
    await client.end();
  }
}
