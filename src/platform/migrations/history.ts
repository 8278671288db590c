import type { AdminClient } from '../../pg/connect.ts';
import { type Sql, sql } from '../../pg/sql/sql.ts';
import type { MigrationFile, SeedFile } from './project-files.ts';

/**
 * The tables in which the Supabase CLI records what it applied, made the way it makes them.
 * Upstream: supabase/cli apps/cli-go/pkg/migration/history.go
 */
const CREATE_TABLES = `
  set local lock_timeout = '4s';
  create schema if not exists supabase_migrations;
  create table if not exists supabase_migrations.schema_migrations (version text not null primary key);
  alter table supabase_migrations.schema_migrations add column if not exists statements text[];
  alter table supabase_migrations.schema_migrations add column if not exists name text;
  create table if not exists supabase_migrations.seed_files (path text not null primary key, hash text not null);
`;

/** What a database says was applied to it. */
export type History = {
  /** In order. */
  readonly versions: readonly string[];
  /** Hash by path. */
  readonly seeds: ReadonlyMap<string, string>;
};

/** Makes the history's tables unless they are there. */
export async function createHistory(client: AdminClient): Promise<void> {
  await client.exec(CREATE_TABLES);
}

/** Reads the history; a database without the tables has an empty one. */
export async function readHistory(client: AdminClient): Promise<History> {
  const versions = (await tableExists(client, 'schema_migrations'))
    ? await client.query<{ version: string }>(
        sql`select version from supabase_migrations.schema_migrations order by version collate "C"`,
      )
    : [];
  const seeds = (await tableExists(client, 'seed_files'))
    ? await client.query<SeedFile>(sql`select path, hash from supabase_migrations.seed_files`)
    : [];
  return {
    versions: versions.map(({ version }) => version),
    seeds: new Map(seeds.map(({ path, hash }) => [path, hash])),
  };
}

async function tableExists(client: AdminClient, table: string): Promise<boolean> {
  const rows = await client.query<{ found: string | null }>(
    sql`select to_regclass(${`supabase_migrations.${table}`}::text)::text as found`,
  );
  return rows[0]?.found != null;
}

/** Records a migration with the statements of its file. */
export function recordMigration(file: MigrationFile, statements: readonly string[]): Sql {
  return sql`insert into supabase_migrations.schema_migrations(version, name, statements)
    values (${file.version}, ${file.name}, ${statements}::text[])`;
}

/** Records a seed file, or its new hash. */
export function recordSeed({ path, hash }: SeedFile): Sql {
  return sql`insert into supabase_migrations.seed_files(path, hash) values (${path}, ${hash})
    on conflict (path) do update set hash = excluded.hash`;
}

/** What a database recorded of one migration; `statements` is null where only the version was recorded. */
export type MigrationRecord = {
  readonly version: string;
  readonly name: string;
  readonly statements: readonly string[] | null;
};

/** Reads what was recorded of each migration, in order; nothing from a database without a history. */
export async function readRecords(client: AdminClient): Promise<readonly MigrationRecord[]> {
  if (!(await tableExists(client, 'schema_migrations'))) return [];
  // The oldest tools recorded versions alone; reading the row as JSON needs no column but that.
  return client.query<MigrationRecord>(
    sql`select version, coalesce(to_jsonb(m) ->> 'name', '') as name,
          (select array_agg(s order by at) from jsonb_array_elements_text(
             case jsonb_typeof(to_jsonb(m) -> 'statements') when 'array' then to_jsonb(m) -> 'statements' end
           ) with ordinality as t(s, at)) as statements
        from supabase_migrations.schema_migrations m order by version collate "C"`,
  );
}
