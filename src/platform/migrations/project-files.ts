import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, posix, relative, sep } from 'node:path';
import { MigrationError } from './error.ts';
import { globFiles } from './glob.ts';
import { type FileStatement, splitStatements } from './split.ts';

/** A file of `supabase/migrations`. */
export type MigrationFile = {
  readonly version: string;
  readonly name: string;
  /** Relative to the project, with `/`. */
  readonly path: string;
};

/** A file of seed data. */
export type SeedFile = {
  readonly path: string;
  /** SHA-256 of its bytes, in hex. */
  readonly hash: string;
};

/** A script that has been read and split. */
export type Script = {
  readonly path: string;
  readonly text: string;
  readonly statements: readonly FileStatement[];
};

const MIGRATION_NAME = /^([0-9]+)_(.*)\.sql$/;

/** Upstream's first tool wrote such a file itself; it holds what our bootstrap makes. */
const LEGACY_INIT = /([0-9]{14})_init\.sql/;
const LEGACY_INIT_BEFORE = '20211209000000';

/**
 * Lists the migrations of a project in the order of their names; `notice` hears of files that are left out.
 * Upstream: supabase/cli apps/cli-go/pkg/migration/list.go
 */
export async function listMigrations(
  projectDir: string,
  notice: (text: string) => void = () => {},
): Promise<MigrationFile[]> {
  const entries = await readdir(join(projectDir, 'supabase/migrations'), { withFileTypes: true }).catch(
    onAbsent,
  );
  const names = entries
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name)
    .sort();
  return names.flatMap((name, index) => {
    const legacy = index === 0 ? LEGACY_INIT.exec(name)?.[1] : undefined;
    if (legacy !== undefined && legacy < LEGACY_INIT_BEFORE) {
      notice(
        `Skipping migration ${name}... (replace "init" with a different file name to apply this migration)`,
      );
      return [];
    }
    const [, version, title] = MIGRATION_NAME.exec(name) ?? [];
    if (version === undefined || title === undefined) {
      notice(`Skipping migration ${name}... (file name must match pattern "<timestamp>_name.sql")`);
      return [];
    }
    return [{ version, name: title, path: `supabase/migrations/${name}` }];
  });
}

function onAbsent(error: unknown): [] {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
  throw error;
}

/**
 * Lists the seed files that globs relative to `supabase/` name, each once, in the order of the globs.
 * Upstream: supabase/cli apps/cli-go/pkg/config/config.go (Glob.Files)
 */
export async function listSeeds(
  projectDir: string,
  patterns: readonly string[],
  notice: (text: string) => void = () => {},
): Promise<SeedFile[]> {
  const paths = new Set<string>();
  for (const pattern of patterns) {
    const inProject = isAbsolute(pattern)
      ? relative(projectDir, pattern).split(sep).join('/')
      : posix.join('supabase', pattern);
    const matches = await globFiles(projectDir, inProject);
    if (matches.length === 0) notice(`no files matched pattern: ${inProject}`);
    for (const match of matches) paths.add(match);
  }
  const hash = async (path: string): Promise<SeedFile> => {
    const bytes = await readFile(join(projectDir, path));
    return { path, hash: createHash('sha256').update(bytes).digest('hex') };
  };
  return Promise.all([...paths].map(hash));
}

/** Path of the script with the project's own roles, when there is one. */
export async function findRolesFile(projectDir: string): Promise<string | null> {
  const path = 'supabase/roles.sql';
  const found = await stat(join(projectDir, path)).catch(() => undefined); // optional
  return found?.isFile() ? path : null;
}

/**
 * Reads and splits a script of the project.
 * @throws MigrationError `unreadable`
 */
export async function readScript(projectDir: string, path: string): Promise<Script> {
  try {
    const text = await readFile(join(projectDir, path), 'utf8');
    return { path, text, statements: splitStatements(text) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MigrationError('unreadable', `${path} cannot be read: ${reason}`, { file: path }, { cause });
  }
}
