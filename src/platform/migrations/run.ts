import { readFile } from 'node:fs/promises';
import { packageFile } from '../../core/package-file.ts';
import { type AdminClient, connect } from '../../pg/connect.ts';
import { sql } from '../../pg/sql/sql.ts';
import { type ApplyRules, applyScript } from './apply-script.ts';
import { availableExtensions, missingExtensions, missingExtensionsError } from './extensions.ts';
import { createHistory, type History, readHistory, recordMigration, recordSeed } from './history.ts';
import { diffMigrations, missingLocallyError, outOfOrderError } from './pending.ts';
import {
  findRolesFile,
  listMigrations,
  listSeeds,
  type MigrationFile,
  readScript,
  type Script,
  type SeedFile,
} from './project-files.ts';
import { upsertVaultSecrets } from './vault.ts';

/** What the runner reports while it works. */
export type MigrationEvent =
  | {
      readonly kind: 'applying';
      readonly what: 'roles' | 'migration' | 'seed';
      readonly path: string;
      /** Scripts that were applied before it, of how many there are. */
      readonly done: number;
      readonly total: number;
    }
  /** Nothing more is applied: all was, or one failed. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'notice'; readonly message: string };

/** What to apply, where, and by which rules. */
export type MigrateOptions = {
  /** Folder that holds `supabase/`. */
  readonly projectDir: string;
  /** Login that migrations run as: `postgres`, or one that may take that role. */
  readonly url: string;
  /** A superuser's login, for extensions that `postgres` may not create itself; optional. */
  readonly ownerUrl?: string | undefined;
  /** Secrets of `[db.vault]`. */
  readonly vault?: Readonly<Record<string, string>>;
  /** False leaves migrations and roles.sql alone. */
  readonly migrations?: boolean;
  /** When to run roles.sql; `when-fresh` (the default): into a database without a history. */
  readonly roles?: 'never' | 'when-fresh' | 'always';
  /** Also apply files older than the newest applied one. */
  readonly includeAll?: boolean;
  /** Last version to apply; all by default. */
  readonly upTo?: string | undefined;
  /** What to do when history and files disagree: refuse, or report it and apply what is newer. */
  readonly onMismatch?: 'fail' | 'report';
  /** `when-fresh`: only into a database that no migration and no seed was applied to. */
  readonly seed?: 'never' | 'when-fresh' | 'always';
  /** Globs relative to `supabase/`. */
  readonly seedPaths?: readonly string[];
  readonly skipMissingExtensions?: boolean;
  readonly onEvent?: (event: MigrationEvent) => void;
};

/** What was done. */
export type MigrateReport = {
  readonly applied: readonly MigrationFile[];
  readonly seeded: readonly SeedFile[];
  /** Extensions that were skipped at the owner's wish. */
  readonly skippedExtensions: readonly string[];
};

/** Key of the advisory lock that keeps two starts on one database from migrating it at the same time. */
const LOCK_KEY = 7_261_455_309;

/**
 * Applies what is pending of a project, as the Supabase CLI does and records it: vault secrets, roles.sql (into
 * a fresh database), migrations, seed files. Missing extensions are found before anything is applied.
 * @throws MigrationError, PgFailure
 */
export async function migrate(options: MigrateOptions): Promise<MigrateReport> {
  if (options.ownerUrl !== undefined) await installExtensionPrivileges(options.ownerUrl);
  const client = await connect(options.url, { applicationName: 'ownbase migrations' });
  try {
    await client.query(sql`select pg_advisory_lock(${LOCK_KEY}::bigint)`);
    await becomePostgres(client);
    return await applyPending(client, options);
  } finally {
    await client.end();
  }
}

/** A file that is to be applied. */
export type PlannedScript = { readonly what: 'roles' | 'migration' | 'seed'; readonly path: string };

/**
 * Says what `migrate` would apply, in order, and changes nothing.
 * @throws MigrationError when history and files disagree; PgFailure
 */
export async function planMigration(
  options: MigrateOptions,
): Promise<{ readonly scripts: readonly PlannedScript[] }> {
  const notice = (message: string): void => options.onEvent?.({ kind: 'notice', message });
  const client = await connect(options.url, { applicationName: 'ownbase migrations' });
  try {
    const { scripts } = await collectWork(options, await readHistory(client), notice);
    return { scripts: scripts.map(({ what, script }) => ({ what, path: script.path })) };
  } finally {
    await client.end();
  }
}

/** A project's objects belong to `postgres`, whoever logged in for it. `reset all` leaves the role alone. */
async function becomePostgres(client: AdminClient): Promise<void> {
  const rows = await client.query<{ may: boolean }>(
    sql`select pg_has_role(session_user, oid, 'member') as may from pg_roles
        where rolname = 'postgres' and rolname <> session_user`,
  );
  if (rows[0]?.may === true) await client.exec('set role postgres');
}

async function applyPending(client: AdminClient, options: MigrateOptions): Promise<MigrateReport> {
  const report = options.onEvent ?? (() => {});
  const notice = (message: string): void => report({ kind: 'notice', message });
  const history = await readHistory(client);
  const work = await collectWork(options, history, notice);
  if (work.scripts.length === 0 && Object.keys(options.vault ?? {}).length === 0) {
    return { applied: [], seeded: [], skippedExtensions: [] };
  }
  const rules = await settleRules(client, options, work, notice);
  await createHistory(client);
  await upsertVaultSecrets(client, options.vault ?? {});
  const total = work.scripts.length;
  try {
    for (const [done, { script, what, record }] of work.scripts.entries()) {
      report({ kind: 'applying', what, path: script.path, done, total });
      await applyScript(client, script, record, rules);
    }
  } finally {
    report({ kind: 'ended' });
  }
  return { applied: work.migrations, seeded: work.seeds, skippedExtensions: [...rules.skipped] };
}

type Work = {
  readonly isFresh: boolean;
  readonly migrations: readonly MigrationFile[];
  readonly seeds: readonly SeedFile[];
  readonly scripts: readonly {
    readonly what: 'roles' | 'migration' | 'seed';
    readonly script: Script;
    readonly record: ReturnType<typeof recordSeed> | null;
  }[];
};

async function collectWork(
  options: MigrateOptions,
  history: History,
  notice: (text: string) => void,
): Promise<Work> {
  const { projectDir, migrations: wanted = true, roles: roleRule = 'when-fresh' } = options;
  const isFresh = history.versions.length === 0 && history.seeds.size === 0;
  const migrations = wanted ? await pendingMigrations(options, history, notice) : [];
  const runsRoles = roleRule === 'always' || (roleRule === 'when-fresh' && isFresh);
  const rolesFile = wanted && runsRoles ? await findRolesFile(projectDir) : null;
  const seeds = await pendingSeeds(options, history, isFresh, notice);
  const roles = rolesFile === null ? [] : [await readScript(projectDir, rolesFile)];
  const scripts = [
    ...roles.map((script) => ({ what: 'roles' as const, script, record: null })),
    ...(await Promise.all(
      migrations.map(async (file) => {
        const script = await readScript(projectDir, file.path);
        const record = recordMigration(
          file,
          script.statements.map(({ text }) => text),
        );
        return { what: 'migration' as const, script, record };
      }),
    )),
    ...(await Promise.all(seeds.map((seed) => seedWork(projectDir, seed, history)))),
  ];
  return { isFresh, migrations, seeds, scripts };
}

async function pendingMigrations(
  options: MigrateOptions,
  history: History,
  notice: (text: string) => void,
): Promise<readonly MigrationFile[]> {
  const { upTo, includeAll = false, onMismatch = 'fail' } = options;
  const all = await listMigrations(options.projectDir, notice);
  const files = upTo === undefined ? all : all.filter(({ version }) => version <= upTo);
  const diff = diffMigrations(files, history.versions);
  const isForeign = (version: string): boolean => !all.some((file) => file.version === version);
  const missing = diff.missingLocally.filter(isForeign);
  const problems = [
    ...(missing.length > 0 ? [missingLocallyError(missing)] : []),
    ...(diff.outOfOrder.length > 0 && !includeAll ? [outOfOrderError(diff.outOfOrder)] : []),
  ];
  if (problems[0] && onMismatch === 'fail') throw problems[0];
  for (const problem of problems) notice(problem.message);
  return includeAll ? [...diff.outOfOrder, ...diff.pending] : diff.pending;
}

async function pendingSeeds(
  options: MigrateOptions,
  history: History,
  isFresh: boolean,
  notice: (text: string) => void,
): Promise<readonly SeedFile[]> {
  const { seed = 'never', seedPaths = ['seed.sql'] } = options;
  if (seed === 'never' || (seed === 'when-fresh' && !isFresh)) return [];
  const seeds = await listSeeds(options.projectDir, seedPaths, notice);
  return seeds.filter(({ path, hash }) => history.seeds.get(path) !== hash);
}

/** A seed file that changed since it was run is not run again: only its new hash is kept, as upstream does. */
async function seedWork(
  projectDir: string,
  seed: SeedFile,
  history: History,
): Promise<Work['scripts'][number]> {
  const script = await readScript(projectDir, seed.path);
  const statements = history.seeds.has(seed.path) ? [] : script.statements;
  return { what: 'seed', script: { ...script, statements }, record: recordSeed(seed) };
}

async function settleRules(
  client: AdminClient,
  options: MigrateOptions,
  work: Work,
  notice: (text: string) => void,
): Promise<ApplyRules> {
  const available = await availableExtensions(client);
  const missing = missingExtensions(
    work.scripts.map(({ script }) => script),
    available,
  );
  if (missing.size > 0 && options.skipMissingExtensions !== true) throw missingExtensionsError(missing);
  return {
    available,
    skipped: new Set(missing.keys()),
    lost: new Set(missing.keys()),
    privileged: await privilegedExtensions(client),
    dropConcurrently: work.isFresh,
    notice,
  };
}

const privilegesScript = packageFile('sql/migrations/extension-privileges.sql');

/** Makes the functions by which `postgres` handles extensions; nothing happens where the owner is no superuser. */
async function installExtensionPrivileges(ownerUrl: string): Promise<void> {
  const owner = await connect(ownerUrl, { applicationName: 'ownbase migrations' });
  try {
    if (!(await isSuperuser(owner))) return;
    // Two starts that replace the same objects at once would fail on each other's rows of the catalog.
    await owner.query(sql`select pg_advisory_lock(${LOCK_KEY}::bigint)`);
    await owner.exec(await readFile(privilegesScript, 'utf8'));
  } finally {
    await owner.end();
  }
}

async function isSuperuser(client: AdminClient): Promise<boolean> {
  const rows = await client.query<{ super: boolean }>(
    sql`select rolsuper as super from pg_roles where rolname = current_user`,
  );
  return rows[0]?.super === true;
}

/** A superuser needs no help; another login has it for listed extensions when the owner made the functions. */
async function privilegedExtensions(client: AdminClient): Promise<Set<string>> {
  const ready = await client.query<{ ready: boolean }>(
    sql`select coalesce(has_schema_privilege(to_regnamespace('ownbase')::oid, 'usage')
          and has_function_privilege(to_regprocedure('ownbase.is_privileged_extension(text)')::oid, 'execute'),
          false) as ready`,
  );
  if (ready[0]?.ready !== true || (await isSuperuser(client))) return new Set();
  const rows = await client.query<{ name: string }>(
    sql`select name::text from pg_available_extensions where ownbase.is_privileged_extension(name)`,
  );
  return new Set(rows.map(({ name }) => name));
}
