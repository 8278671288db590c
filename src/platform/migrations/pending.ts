import { MigrationError } from './error.ts';

/** How the files of a project stand to the history of a database. */
export type MigrationDiff<File> = {
  /** Files newer than everything applied, in order. */
  readonly pending: readonly File[];
  /** Files that were not applied although newer ones were. */
  readonly outOfOrder: readonly File[];
  /** Versions that were applied and have no file. */
  readonly missingLocally: readonly string[];
};

/**
 * Compares files with applied versions. Versions compare as text, as upstream compares them.
 * Upstream: supabase/cli apps/cli-go/pkg/migration/apply.go (FindPendingMigrations)
 */
export function diffMigrations<File extends { readonly version: string }>(
  files: readonly File[],
  applied: readonly string[],
): MigrationDiff<File> {
  const done = new Set(applied);
  const local = new Set(files.map(({ version }) => version));
  const last = [...applied].sort().at(-1) ?? '';
  const unapplied = files.filter(({ version }) => !done.has(version));
  return {
    pending: unapplied.filter(({ version }) => version > last),
    outOfOrder: unapplied.filter(({ version }) => version < last),
    missingLocally: applied.filter((version) => !local.has(version)),
  };
}

/** The error for applied versions without a file, in upstream's words. */
export function missingLocallyError(versions: readonly string[]): MigrationError {
  return new MigrationError(
    'missing_locally',
    `Remote migration versions not found in local migrations directory.\n\nApplied to the database, but without a file: ${versions.join(', ')}\nMake sure your local git repo is up-to-date, or start over with "ownbase db reset".`,
  );
}

/** The error for files that come too late, in upstream's words. */
export function outOfOrderError(files: readonly { readonly path: string }[]): MigrationError {
  return new MigrationError(
    'out_of_order',
    `Found local migration files to be inserted before the last migration on remote database.\n\nRerun with --include-all to apply these migrations:\n${files.map(({ path }) => path).join('\n')}`,
  );
}
