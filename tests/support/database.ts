import { randomBytes } from 'node:crypto';
import { afterAll, inject } from 'vitest';
import { type AdminClient, connect } from '../../src/pg/connect.ts';
import { sql } from '../../src/pg/sql/sql.ts';
import { type Login, loginUrl } from './cluster.ts';

/** A bootstrapped database of one test file. */
export type TestDatabase = {
  readonly name: string;
  /** Connection string of a login to this database. */
  readonly url: (login: Login) => string;
  /** The owner's connection, for fixtures and for looking behind the scenes. */
  readonly owner: AdminClient;
};

/**
 * Clones the bootstrapped database for the calling file and drops it after the file's tests.
 * The fixture script runs as `postgres`, as a project's migrations do.
 */
export async function createTestDatabase(fixture = ''): Promise<TestDatabase> {
  const template = new URL(inject('ownerUrl'));
  const name = `test_${randomBytes(6).toString('hex')}`;
  await cloneDatabase(template, name);
  const url = (login: Login): string => loginUrl(template, name, login);
  const owner = await connect(url('supabase_admin'));
  afterAll(async () => {
    await owner.end();
    await asMaintenance(template, (client) =>
      client.query(sql`drop database ${sql.ident(name)} with (force)`),
    );
  });
  if (fixture !== '') {
    const postgres = await connect(url('postgres'));
    await postgres.exec(fixture);
    await postgres.end();
  }
  return { name, url, owner };
}

/** Nobody may be connected to the database that is copied, so the maintenance connection goes elsewhere. */
async function asMaintenance(template: URL, work: (client: AdminClient) => Promise<unknown>): Promise<void> {
  const url = new URL(template);
  url.pathname = '/template1';
  const client = await connect(url.href);
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

async function cloneDatabase(template: URL, name: string): Promise<void> {
  const source = template.pathname.slice(1);
  await asMaintenance(template, async (client) => {
    // Two files may clone at once; the second waits for the first's copy.
    await client.query(sql`select pg_advisory_lock(727001)`);
    await client.query(
      sql`create database ${sql.ident(name)} template ${sql.ident(source)} owner postgres strategy file_copy`,
    );
  });
}
