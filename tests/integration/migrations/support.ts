import { MigrationError } from '../../../src/platform/migrations/error.ts';
import { type MigrateOptions, type MigrateReport, migrate } from '../../../src/platform/migrations/run.ts';
import type { TestDatabase } from '../../support/database.ts';

/** Applies a project to a test database as `start` does, and collects the notices. */
export async function apply(
  database: TestDatabase,
  projectDir: string,
  options: Partial<MigrateOptions> = {},
): Promise<MigrateReport & { readonly notices: readonly string[] }> {
  const notices: string[] = [];
  const report = await migrate({
    projectDir,
    url: database.url('postgres'),
    ownerUrl: database.url('supabase_admin'),
    seed: 'when-fresh',
    onEvent: (event) => {
      if (event.kind === 'notice') notices.push(event.message);
    },
    ...options,
  });
  return { ...report, notices };
}

/** The error that applying a project ends with. */
export async function failureOf(
  database: TestDatabase,
  projectDir: string,
  options: Partial<MigrateOptions> = {},
): Promise<MigrationError> {
  const error = await apply(database, projectDir, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof MigrationError) return error;
  throw new Error(`expected a MigrationError, got ${String(error)}`);
}
