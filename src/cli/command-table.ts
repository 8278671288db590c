import type { CommandModule } from './command-module.ts';

/** One command of the command line. */
export type CommandEntry = {
  /** Words of the command line, e.g. `['db', 'reset']`. */
  readonly path: readonly string[];
  readonly summary: string;
  /** What `--json` prints, for the help; every command has that option. */
  readonly json: string;
  /** Left out of the help: commands of the Supabase CLI that can only say why they are not here. */
  readonly hidden?: boolean;
  /** Imported only when the command line names the command: help and version need none of it. */
  readonly load: () => Promise<CommandModule>;
};

/** A word under which commands stand. */
export type CommandGroup = { readonly summary: string; readonly alias?: string };

/** The words under which commands stand, by their place on the command line. */
export const groups: Readonly<Record<string, CommandGroup>> = {
  db: { summary: 'work with the database' },
  migration: { summary: 'work with migrations', alias: 'migrations' },
  inspect: { summary: 'look into a running database' },
  'inspect db': { summary: 'print a report about the database' },
  storage: { summary: 'work with stored files' },
  gen: { summary: 'generate code' },
  compat: { summary: 'prove compatibility with Supabase' },
};

const own: readonly CommandEntry[] = [
  {
    path: ['init'],
    summary: 'make supabase/config.toml in this folder',
    json: 'print what was written as JSON',
    load: () => import('./commands/init.ts'),
  },
  {
    path: ['start'],
    summary: 'start the backend of a project',
    json: 'print URLs and keys as JSON, and with that everything else',
    load: () => import('./commands/start.ts'),
  },
  {
    path: ['stop'],
    summary: 'stop the backend of a project',
    json: 'print what was done as JSON',
    load: () => import('./commands/stop.ts'),
  },
  {
    path: ['status'],
    summary: 'show URLs and keys of a running backend',
    json: 'the same as -o json',
    load: () => import('./commands/status.ts'),
  },
  {
    path: ['keys'],
    summary: 'show the API keys, or make new ones',
    json: 'the same as -o json',
    load: () => import('./commands/keys.ts'),
  },
  {
    path: ['config'],
    summary: 'show every setting and where it comes from',
    json: 'print as JSON',
    load: () => import('./commands/config.ts'),
  },
  {
    path: ['db', 'reset'],
    summary: 'empty the database and apply migrations and seeds again',
    json: 'print what was applied as JSON',
    load: () => import('./commands/db-reset.ts'),
  },
  {
    path: ['db', 'diff'],
    summary: 'print what a database has that the migrations do not make',
    json: 'print statements, notes and the written file as JSON',
    load: () => import('./commands/db-diff.ts'),
  },
  {
    path: ['db', 'dump'],
    summary: 'print the schema, the data or the roles of a database as SQL',
    json: 'with --file or --dry-run: print what was, or would be, run as JSON',
    load: () => import('./commands/db-dump.ts'),
  },
  {
    path: ['db', 'query'],
    summary: 'run SQL and print what the last statement yields',
    json: 'the same as -o json',
    load: () => import('./commands/db-query.ts'),
  },
  {
    path: ['db', 'push'],
    summary: 'apply pending migrations to a database elsewhere',
    json: 'print what was, or would be, applied as JSON',
    load: () => import('./commands/db-push.ts'),
  },
  {
    path: ['db', 'pull'],
    summary: 'make a migration from what a database has',
    json: 'print the path and whether it was recorded as JSON',
    load: () => import('./commands/db-pull.ts'),
  },
  {
    path: ['db', 'lint'],
    summary: 'check functions for errors',
    json: 'print JSON (what is done anyway)',
    load: () => import('./commands/db-lint.ts'),
  },
  {
    path: ['db', 'advisors'],
    summary: 'check for common faults of security and performance',
    json: 'print JSON (what is done anyway)',
    load: () => import('./commands/db-advisors.ts'),
  },
  {
    path: ['migration', 'new'],
    summary: 'make an empty migration file',
    json: 'print the path as JSON',
    load: () => import('./commands/migration-new.ts'),
  },
  {
    path: ['migration', 'up'],
    summary: 'apply pending migrations',
    json: 'print what was applied as JSON',
    load: () => import('./commands/migration-up.ts'),
  },
  {
    path: ['migration', 'down'],
    summary: 'go back to an earlier migration',
    json: 'print what was taken back and what was applied as JSON',
    load: () => import('./commands/migration-down.ts'),
  },
  {
    path: ['migration', 'list'],
    summary: 'compare migration files with the history of the database',
    json: 'print as JSON',
    load: () => import('./commands/migration-list.ts'),
  },
  {
    path: ['migration', 'repair'],
    summary: 'correct the history of the database',
    json: 'print what was changed as JSON',
    load: () => import('./commands/migration-repair.ts'),
  },
  {
    path: ['migration', 'squash'],
    summary: 'replace migrations by one that makes the same',
    json: 'print what was done as JSON',
    load: () => import('./commands/migration-squash.ts'),
  },
  {
    path: ['migration', 'fetch'],
    summary: 'write migration files from the history of a database',
    json: 'print the paths as JSON',
    load: () => import('./commands/migration-fetch.ts'),
  },
  {
    path: ['inspect', 'report'],
    summary: 'write every report as a CSV file',
    json: 'print the paths as JSON',
    load: () => import('./commands/inspect-report.ts'),
  },
  {
    path: ['storage', 'check'],
    summary: 'compare objects with the bytes that are stored for them',
    json: 'print one line of JSON per finding',
    load: () => import('./commands/storage-check.ts'),
  },
  {
    path: ['doctor'],
    summary: 'examine the database and say what is missing',
    json: 'print as JSON',
    load: () => import('./commands/doctor.ts'),
  },
  {
    path: ['rest'],
    summary: 'serve the REST service alone, configured as PostgREST is',
    json: 'say as JSON when it listens; what the other options print as JSON',
    load: () => import('./commands/rest.ts'),
  },
  {
    path: ['gen', 'types'],
    summary: 'print the TypeScript types of the database',
    json: 'print the types as a value of JSON',
    load: () => import('./commands/gen-types.ts'),
  },
  {
    path: ['compat', 'run'],
    summary: 'examine how well a backend behaves as Supabase does',
    json: 'print the results as JSON',
    load: () => import('./commands/compat-run.ts'),
  },
  {
    path: ['compat', 'diff'],
    summary: 'show in what two backends behave differently',
    json: 'print the differences as JSON',
    load: () => import('./commands/compat-diff.ts'),
  },
  {
    path: ['compat', 'scan'],
    summary: 'say what an app uses of Supabase and how it fares here',
    json: 'print what was found as JSON',
    load: () => import('./commands/compat-scan.ts'),
  },
  {
    path: ['shadow'],
    summary: 'answer from the old project and compare this backend in the background',
    json: 'print lines of JSON: when it listens, and the report at the end',
    load: () => import('./commands/shadow.ts'),
  },
  {
    path: ['completion'],
    summary: 'print a completion script for a shell',
    json: 'print the script and the commands that it knows as JSON',
    load: () => import('./commands/completion.ts'),
  },
];

/** Reports of `inspect db`, and the older names that the Supabase CLI still answers to. */
const reports: readonly (readonly [name: string, summary: string, standsFor?: string])[] = [
  ['db-stats', 'sizes, cache hit rates, WAL'],
  ['table-stats', 'size, rows and sequential scans of each table'],
  ['index-stats', 'size and use of each index'],
  ['role-stats', 'connections and settings of each role'],
  ['bloat', 'space that dead rows take, estimated'],
  ['vacuum-stats', 'when tables were vacuumed, and whether it is due'],
  ['traffic-profile', 'whether tables are read or written more'],
  ['outliers', 'statements by the time that they took'],
  ['calls', 'statements by the number of calls'],
  ['long-running-queries', 'statements that run for more than five minutes'],
  ['locks', 'statements that hold an exclusive lock'],
  ['blocking', 'statements that wait for a lock, and for whose'],
  ['replication-slots', 'replication slots and how far they are behind'],
  ['cache-hit', '', 'db-stats'],
  ['index-usage', '', 'index-stats'],
  ['total-index-size', '', 'index-stats'],
  ['index-sizes', '', 'index-stats'],
  ['unused-indexes', '', 'index-stats'],
  ['seq-scans', '', 'table-stats'],
  ['table-sizes', '', 'table-stats'],
  ['table-index-sizes', '', 'table-stats'],
  ['total-table-sizes', '', 'table-stats'],
  ['table-record-counts', '', 'table-stats'],
  ['role-configs', '', 'role-stats'],
  ['role-connections', '', 'role-stats'],
];

const inspections: readonly CommandEntry[] = reports.map(([name, summary, standsFor]) => ({
  path: ['inspect', 'db', name],
  summary: standsFor === undefined ? summary : `the older name of ${standsFor}`,
  json: 'print as JSON',
  hidden: standsFor !== undefined,
  load: async () => (await import('./commands/inspect-db.ts')).inspection(standsFor ?? name, name),
}));

/** Commands of the Supabase CLI that are not there, and what to say instead of "unknown command". */
const absent: readonly (readonly [words: string, summary: string | null, reason: string, help?: string])[] = [
  [
    'functions',
    'edge functions: not here yet',
    'Edge functions are not served yet: /functions/v1 answers 501.',
    'Until then run them elsewhere and let a proxy send /functions/v1 there.\n\nExamples:\n  $ ownbase compat scan --places        the calls and the functions of this app\n  $ deno run --allow-net --allow-env supabase/functions/hello/index.ts',
  ],
  [
    'secrets',
    'secrets of edge functions: not here yet',
    'Secrets belong to edge functions, which are not served yet.',
    'Where you run the functions yourself they are environment variables.\n\nExamples:\n  $ deno run --env-file=supabase/functions/.env --allow-net --allow-env supabase/functions/hello/index.ts',
  ],
  [
    'test',
    null,
    'Tests with pgTAP are not run by ownbase: use pg_prove with the DB_URL of "ownbase status -o env".',
  ],
  [
    'db test',
    null,
    'Tests with pgTAP are not run by ownbase: use pg_prove with the DB_URL of "ownbase status -o env".',
  ],
  ['db start', null, 'The database starts with the backend: "ownbase start".'],
  ...[
    'link',
    'unlink',
    'login',
    'logout',
    'projects',
    'orgs',
    'branches',
    'services',
    'sso',
    'domains',
    'network-bans',
    'network-restrictions',
    'ssl-enforcement',
    'vanity-subdomains',
    'encryption',
    'postgres-config',
    'backups',
    'snippets',
    'bootstrap',
  ].map((words): readonly [string, null, string] => [
    words,
    null,
    `"${words}" belongs to the hosted platform and has no meaning here. Name a database with --db-url instead of linking to a project.`,
  ]),
];

const absences: readonly CommandEntry[] = absent.map(([words, summary, reason, help]) => ({
  path: words.split(' '),
  summary: summary ?? 'not applicable here',
  json: 'say so as JSON',
  hidden: summary === null,
  load: async () => (await import('./commands/not-here.ts')).notHere(reason, help),
}));

/** Every command, in the order of the help. */
export const commands: readonly CommandEntry[] = [...own, ...inspections, ...absences];
