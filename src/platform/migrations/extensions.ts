import type { AdminClient } from '../../pg/connect.ts';
import { type Sql, sql } from '../../pg/sql/sql.ts';
import { MigrationError } from './error.ts';
import type { Script } from './project-files.ts';
import { type ExtensionStatement, kindOf } from './statement-kind.ts';

/**
 * Extensions that a project's migrations may name although the server lacks them: the bootstrap has stand-ins
 * for their functions, or nothing in a project depends on them.
 */
export const ABSORBED: ReadonlySet<string> = new Set([
  'http',
  'hypopg',
  'index_advisor',
  'pg_cron',
  'pg_graphql',
  'pg_net',
  'pg_repack',
  'pg_stat_monitor',
  'pg_stat_statements',
  'pg_tle',
  'pgaudit',
  'pgjwt',
  'pgmq',
  'pgsodium',
  'plpgsql_check',
  'supabase_vault',
]);

/** What decides how statements about extensions are carried out. */
export type ExtensionRules = {
  /** Names of the extensions that the server can create. */
  readonly available: ReadonlySet<string>;
  /** Those that the migrations' login handles by `ownbase.create_extension` and its siblings. */
  readonly privileged: ReadonlySet<string>;
  /** Extensions that are missing and that the owner chose to do without. */
  readonly skipped: ReadonlySet<string>;
};

/** Extensions that the server offers. */
export async function availableExtensions(client: AdminClient): Promise<Set<string>> {
  const rows = await client.query<{ name: string }>(sql`select name::text from pg_available_extensions`);
  return new Set(rows.map(({ name }) => name));
}

/** Which files want an extension that is neither there nor absorbed: file paths by extension. */
export function missingExtensions(
  scripts: readonly Script[],
  available: ReadonlySet<string>,
): Map<string, string[]> {
  const missing = new Map<string, string[]>();
  for (const { path, statements } of scripts) {
    for (const { text } of statements) {
      const kind = kindOf(text);
      if (kind.kind !== 'extension' || kind.action !== 'create') continue;
      const [name = ''] = kind.names;
      if (available.has(name) || ABSORBED.has(name)) continue;
      const paths = missing.get(name) ?? [];
      if (!paths.includes(path)) missing.set(name, [...paths, path]);
    }
  }
  return missing;
}

/** The one error about all missing extensions, with the ways out. */
export function missingExtensionsError(missing: ReadonlyMap<string, readonly string[]>): MigrationError {
  const list = [...missing].map(([name, paths]) => `  ${name} (${paths.join(', ')})`).join('\n');
  const message = `This Postgres lacks extensions that the migrations create:
${list}
Nothing was applied. Ways out:
  --pg-bin DIR                an installed Postgres that has them, e.g. /usr/lib/postgresql/17/bin
  --db-url URL                an external Postgres that has them
  docker compose up           the compose file's Postgres comes with pgvector
  --skip-missing-extensions   go on without them and without what depends on them`;
  return new MigrationError('missing_extensions', message);
}

/** What is sent to the server for a statement about extensions: nothing, the statement itself, or calls in its place. */
export type ExtensionAction = 'pass-over' | 'as-written' | readonly Sql[];

/** Decides what is done about an extension statement. */
export function extensionAction(statement: ExtensionStatement, rules: ExtensionRules): ExtensionAction {
  const present = statement.names.filter((name) => !isPassedOver(name, rules));
  if (present.length === 0) return 'pass-over';
  const byFunction = statement.action !== 'comment' && present.every((name) => rules.privileged.has(name));
  if (!byFunction) return 'as-written';
  const { schema, version, tolerant, cascade } = statement;
  switch (statement.action) {
    case 'create':
      return present.map(
        (name) =>
          sql`select ownbase.create_extension(
            ${name}, ${schema}, current_schema()::text, ${version}, ${tolerant}, ${cascade})`,
      );
    case 'drop':
      return present.map((name) => sql`select ownbase.drop_extension(${name}, ${tolerant}, ${cascade})`);
    default:
      return present.map((name) => sql`select ownbase.alter_extension(${name}, ${schema}, ${version})`);
  }
}

const isPassedOver = (name: string, { available, skipped }: ExtensionRules): boolean =>
  !available.has(name) && (ABSORBED.has(name) || skipped.has(name));
