import { connect } from '../pg/connect.ts';
import { sql } from '../pg/sql/sql.ts';

/** What all instances on one database call their project, and no other project does: a broker may be shared. */
export async function projectName(ownerUrl: string): Promise<string> {
  const client = await connect(ownerUrl);
  try {
    const [row] = await client.query<{ name: string }>(sql`
      select 'ownbase.' || system_identifier || '.' || d.oid as name
      from pg_control_system(), pg_database d where d.datname = current_database()`);
    if (row === undefined) throw new Error('the database does not know itself');
    return row.name;
  } finally {
    await client.end();
  }
}
