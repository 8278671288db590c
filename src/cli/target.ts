import type { Command } from 'commander';
import type { Config } from '../config/load.ts';
import { CommandFailure } from './exit.ts';
import { findInstance } from './instance-file.ts';
import { loadProject } from './project-options.ts';

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

/** The external database that the configuration names, else that of the running instance, else undefined. */
export async function findTarget(command: Command): Promise<Target | undefined> {
  const { config } = loadProject(command);
  if (config.db.url !== null) {
    return { config, url: config.db.url, ownerUrl: config.db.url, isExternal: true };
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
