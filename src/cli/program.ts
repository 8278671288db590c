import { Command, CommanderError } from 'commander';
import { CommandFailure, describeError, exitCode } from './exit.ts';

/** A command's own module: adds options, help and action to the command made for it. */
type CommandModule = { readonly configure: (command: Command) => void };

type Entry = {
  /** Words of the command line, e.g. `['db', 'reset']`. */
  readonly path: readonly string[];
  readonly summary: string;
  /** Imported only when the command line names the command: help and version need none of it. */
  readonly load: () => Promise<CommandModule>;
};

/** Every command, in the order of the help. */
const commands: readonly Entry[] = [
  { path: ['start'], summary: 'start the backend of a project', load: () => import('./commands/start.ts') },
  { path: ['stop'], summary: 'stop the backend of a project', load: () => import('./commands/stop.ts') },
  {
    path: ['status'],
    summary: 'show URLs and keys of a running backend',
    load: () => import('./commands/status.ts'),
  },
  {
    path: ['keys'],
    summary: 'show the API keys, or make new ones',
    load: () => import('./commands/keys.ts'),
  },
  {
    path: ['config'],
    summary: 'show every setting and where it comes from',
    load: () => import('./commands/config.ts'),
  },
  {
    path: ['db', 'reset'],
    summary: 'empty the database and apply migrations and seeds again',
    load: () => import('./commands/db-reset.ts'),
  },
  {
    path: ['migration', 'new'],
    summary: 'make an empty migration file',
    load: () => import('./commands/migration-new.ts'),
  },
  {
    path: ['migration', 'up'],
    summary: 'apply pending migrations',
    load: () => import('./commands/migration-up.ts'),
  },
  {
    path: ['migration', 'list'],
    summary: 'compare migration files with the history of the database',
    load: () => import('./commands/migration-list.ts'),
  },
  {
    path: ['storage', 'check'],
    summary: 'compare objects with the bytes that are stored for them',
    load: () => import('./commands/storage-check.ts'),
  },
  {
    path: ['doctor'],
    summary: 'examine the database and say what is missing',
    load: () => import('./commands/doctor.ts'),
  },
  {
    path: ['rest'],
    summary: 'serve the REST service alone, configured as PostgREST is',
    load: () => import('./commands/rest.ts'),
  },
  {
    path: ['gen', 'types'],
    summary: 'print the TypeScript types of the database',
    load: () => import('./commands/gen-types.ts'),
  },
  {
    path: ['compat', 'run'],
    summary: 'examine how well a backend behaves as Supabase does',
    load: () => import('./commands/compat-run.ts'),
  },
  {
    path: ['compat', 'diff'],
    summary: 'show in what two backends behave differently',
    load: () => import('./commands/compat-diff.ts'),
  },
];

const groups: Readonly<Record<string, { readonly summary: string; readonly alias?: string }>> = {
  db: { summary: 'work with the database' },
  migration: { summary: 'work with migrations', alias: 'migrations' },
  storage: { summary: 'work with stored files' },
  gen: { summary: 'generate code' },
  compat: { summary: 'prove compatibility with Supabase' },
};

const examples = `
Examples:
  $ ownbase start                            the backend of the project in this folder
  $ ownbase start --project ../app --detach  of another project, in the background
  $ eval "$(ownbase status -o env)"          its URLs and keys as shell variables
  $ ownbase migration new add_posts          an empty file in supabase/migrations

Each command explains itself: ownbase help start`;

/** Runs one command line and yields the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  // `help db reset` explains the nested command, which the parser's own help would not reach.
  const line = args[0] === 'help' ? [...args.slice(1), '--help'] : args;
  try {
    await (await buildProgram(line)).parseAsync(line, { from: 'user' });
    return Number(process.exitCode ?? exitCode.ok);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.failed;
    process.stderr.write(`${describeError(error)}\n`);
    return error instanceof CommandFailure ? error.code : exitCode.failed;
  }
}

async function buildProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('ownbase')
    .description('Run an app built on Supabase on a backend of your own.')
    .version(await readVersion(), '-v, --version')
    .helpCommand('help [command...]', 'explain a command')
    .addHelpText('after', examples)
    .exitOverride();
  const parents = new Map<string, Command>();
  for (const { path, summary, load } of commands) {
    const [name = '', ...rest] = path;
    const nested = rest[0];
    const parent = nested === undefined ? program : group(program, parents, name);
    const command = parent.command(nested ?? name).description(summary);
    if (isNamed(path, args)) (await load()).configure(command);
  }
  return program;
}

function group(program: Command, known: Map<string, Command>, name: string): Command {
  const existing = known.get(name);
  if (existing) return existing;
  const made = program.command(name).description(groups[name]?.summary ?? '');
  const alias = groups[name]?.alias;
  if (alias !== undefined) made.alias(alias);
  known.set(name, made);
  return made;
}

/** Whether the command line may mean a command: all its words are there. */
function isNamed(path: readonly string[], args: readonly string[]): boolean {
  return path.every((word) => args.includes(word) || args.includes(groups[word]?.alias ?? word));
}

async function readVersion(): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return /"version":\s*"([^"]+)"/.exec(text)?.[1] ?? '0.0.0';
}
