import type { Target } from './target.ts';
import { reportMigration } from './ui/progress.ts';
import { clearProgress, showProgress } from './ui/progress-line.ts';

/** How far a project is applied to a database that was emptied. */
export type ResetRules = {
  /** The last version to apply; all by default. */
  readonly upTo?: string | undefined;
  /** False leaves the tables without seed data. */
  readonly seed?: boolean | undefined;
};

/** Paths of what was applied. */
export type ResetFacts = { readonly applied: readonly string[]; readonly seeded: readonly string[] };

/** Drops all that the project made in a database and applies migrations and seeds again. */
export async function resetProject(target: Target, rules: ResetRules): Promise<ResetFacts> {
  const { emptyDatabase } = await import('../platform/migrations/reset.ts');
  showProgress({ label: 'Emptying the database' });
  await emptyDatabase(target.ownerUrl);
  clearProgress();
  return applyProject(target, rules);
}

/** Applies migrations and seeds to a database that has none of the project. */
export async function applyProject(
  { config, url, ownerUrl }: Pick<Target, 'config' | 'url' | 'ownerUrl'>,
  { upTo, seed = true }: ResetRules,
): Promise<ResetFacts> {
  const { migrate } = await import('../platform/migrations/run.ts');
  const { applied, seeded } = await migrate({
    projectDir: config.projectDir,
    url,
    ownerUrl,
    vault: config.db.vault,
    migrations: config.db.migrationsEnabled,
    upTo,
    seed: seed && config.db.seedEnabled ? 'always' : 'never',
    seedPaths: config.db.seedPaths,
    skipMissingExtensions: config.db.skipMissingExtensions,
    onEvent: reportMigration,
  });
  return { applied: applied.map(({ path }) => path), seeded: seeded.map(({ path }) => path) };
}
