import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { CommandFailure } from '../exit.ts';
import { findInstance, type Instance } from '../instance-file.ts';
import { addProjectOption, projectDirOf } from '../project-options.ts';
import { note, printEnd } from '../ui/output.ts';

const examples = `
Requests under way may finish first. Data stays in .ownbase/ for the next start.

Examples:
  $ ownbase stop
  $ ownbase stop --no-backup    and delete the database and the files`;

const STOP_TIMEOUT_MS = 60_000;

/** `ownbase stop`: asks the instance of a project to end, and waits for it. */
export function configure(command: Command): void {
  addProjectOption(command)
    .option('--no-backup', 'delete the database and the stored files')
    .addHelpText('after', examples)
    .action(async () => {
      const projectDir = projectDirOf(command);
      const instance = await findInstance(projectDir);
      if (instance) await end(instance);
      await stopOrphan(projectDir);
      const { backup } = command.opts<{ backup?: boolean }>();
      if (backup === false) await deleteData(projectDir);
      const facts = { stopped: instance !== undefined, deleted: backup === false };
      printEnd(facts, instance ? 'Stopped.' : `No backend runs for ${projectDir}.`);
    });
}

async function end(instance: Instance): Promise<void> {
  const { waitForEnd } = await import('../../embedded/processes.ts');
  process.kill(instance.pid, 'SIGTERM');
  if (await waitForEnd(instance.pid, STOP_TIMEOUT_MS)) return;
  throw new CommandFailure(
    `Process ${instance.pid} does not end. A second SIGTERM ends it without waiting for requests: kill ${instance.pid}`,
  );
}

/** Ends the Postgres of an instance that was killed. */
async function stopOrphan(projectDir: string): Promise<void> {
  const { settlePreviousPostmaster } = await import('../../embedded/previous-postmaster.ts');
  const { realDataDir } = await import('../../embedded/placement.ts');
  const dataDir = await realDataDir(join(projectDir, '.ownbase', 'postgres'));
  if (dataDir !== undefined) {
    await settlePreviousPostmaster(dataDir, (message) => note(message));
  }
}

async function deleteData(projectDir: string): Promise<void> {
  const { removeDataDir } = await import('../../embedded/placement.ts');
  await removeDataDir(join(projectDir, '.ownbase', 'postgres'));
  await rm(join(projectDir, '.ownbase', 'storage'), { recursive: true, force: true });
  note('Deleted the database and the stored files.');
}
