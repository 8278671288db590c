import { type Command, Option } from 'commander';
import type { Config } from '../config/load.ts';
import type { AdminClient } from '../pg/connect.ts';
import { CommandFailure } from './exit.ts';
import { findInstance } from './instance-file.ts';
import { addConfigOptions, addProjectOption, loadProject } from './project-options.ts';

/** The database that a command works on. */
export type Target = {
  readonly config: Config;
  /** Login of migrations. */
  readonly url: string;
  /** Login that may do everything, as far as there is one. */
  readonly ownerUrl: string;
  /** Whether it is somebody else's Postgres, named by `--db-url` or the configuration. */
  readonly isExternal: boolean;
};

/** Adds the options that name a database, by the names of the Supabase CLI, and further flags of the configuration. */
export function addTargetOptions(command: Command, configFlags: readonly string[] = []): Command {
  return addConfigOptions(addProjectOption(command), ['db-url', ...configFlags])
    .option('--local', 'the database of this project, whatever the configuration names (the default)')
    .addOption(new Option('--linked').hideHelp())
    .option('-p, --password <password>', 'password for the URL (SUPABASE_DB_PASSWORD)');
}

/** The external database that the configuration names, else that of the running instance, else undefined. */
export async function findTarget(command: Command): Promise<Target | undefined> {
  const { config } = loadProject(command);
  const { local, linked, password } = command.opts<{
    local?: boolean;
    linked?: boolean;
    password?: string;
  }>();
  if (linked === true) {
    throw new CommandFailure('Projects are not linked here: name the database with --db-url.');
  }
  if (config.db.url !== null && local !== true) {
    demandPostgresUrl(config.db.url);
    const url = withPassword(config.db.url, password ?? process.env.SUPABASE_DB_PASSWORD);
    return { config, url, ownerUrl: url, isExternal: true };
  }
  const instance = await findInstance(config.projectDir);
  return instance && { config, url: instance.dbUrl, ownerUrl: instance.ownerUrl, isExternal: false };
}

/** As `findTarget`, for commands that need a running database. */
export async function requireTarget(command: Command): Promise<Target> {
  const target = await findTarget(command);
  if (target) return target;
  throw new CommandFailure(
    'No backend runs for this project. Start it with "ownbase start", or name a database with --db-url.',
  );
}

/** Runs some work on one connection to the target, which ends with it. */
export async function withClient<T>(
  command: Command,
  work: (client: AdminClient, target: Target) => Promise<T>,
): Promise<T> {
  const target = await requireTarget(command);
  const { connect } = await import('../pg/connect.ts');
  const client = await connect(target.url, { applicationName: 'ownbase' });
  try {
    return await work(client, target);
  } finally {
    await client.end();
  }
}

/** Anything else the driver would take for a host name. */
function demandPostgresUrl(url: string): void {
  if (URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol)) return;
  throw new CommandFailure(
    'The database URL must have the form postgresql://user:password@host:5432/database, with special characters percent-encoded.',
  );
}

/** A password of its own for a URL that has none. */
function withPassword(url: string, password: string | undefined): string {
  if (password === undefined) return url;
  const parsed = new URL(url);
  if (parsed.password === '') parsed.password = encodeURIComponent(password);
  return parsed.href;
}
