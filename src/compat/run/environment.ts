import { readFile } from 'node:fs/promises';
import { packageFile } from '../../core/package-file.ts';
import { sql } from '../../pg/sql/sql.ts';
import type { Need } from '../cases/model.ts';
import type { Environment } from '../result.ts';
import { exchange } from './http.ts';
import { valueAt } from './match.ts';
import { addressOf, keyHeaders } from './target.ts';
import type { World } from './world.ts';

/** Asks the services what they are; what does not answer stays null. */
export async function readEnvironment(world: World, available: ReadonlySet<Need>): Promise<Environment> {
  const [auth, rest, postgres] = await Promise.all([
    ask(world, '/auth/v1/health', 'version'),
    ask(world, '/rest/v1/', 'info.version'),
    postgresVersion(world),
  ]);
  return {
    url: world.target.url,
    ownbase: await ownVersion(),
    node: process.version,
    auth,
    rest,
    postgres,
    available: [...available],
  };
}

async function ask(world: World, path: string, field: string): Promise<string | null> {
  const headers = keyHeaders(world.target, 'service');
  const url = addressOf(world.target, path);
  const answer = await exchange({ method: 'GET', url, headers, body: null }, world.signal).catch(() => null);
  const value = valueAt(answer?.json, field);
  return typeof value === 'string' ? value : null;
}

async function postgresVersion({ database }: World): Promise<string | null> {
  if (database === null) return null;
  const [row] = await database.query<{ version: string }>(
    sql`select current_setting('server_version') as version`,
  );
  return row?.version ?? null;
}

async function ownVersion(): Promise<string> {
  const text = await readFile(packageFile('package.json'), 'utf8');
  return /"version":\s*"([^"]+)"/.exec(text)?.[1] ?? 'unknown';
}
