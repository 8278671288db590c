import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { CommandFailure } from '../exit.ts';
import { addTargetOptions, withClient } from '../target.ts';
import { confirm } from '../ui/confirm.ts';
import { printEnd, warn } from '../ui/output.ts';

const examples = `
Writes supabase/migrations/<version>_<name>.sql for each entry of supabase_migrations.schema_migrations, with the
statements that it records. Files of the same name are overwritten, others stay; where there are files it asks first, or
wants --yes. What the history has no statements for is named and not written.

Examples:
  $ ownbase migration fetch --db-url "$OLD_DB_URL"      the migrations of a project that was lost
  $ ownbase migration fetch --yes`;

/** `ownbase migration fetch`: migration files from the history of a database. */
export function configure(command: Command): void {
  addTargetOptions(command)
    .option('-y, --yes', 'do not ask before files are overwritten')
    .addHelpText('after', examples)
    .action(() => fetchMigrations(command));
}

async function fetchMigrations(command: Command): Promise<void> {
  const { yes } = command.opts<{ yes?: boolean }>();
  const { readRecords } = await import('../../platform/migrations/history.ts');
  await withClient(command, async (client, { config }) => {
    const folder = join('supabase', 'migrations');
    const place = join(config.projectDir, folder);
    await mkdir(place, { recursive: true });
    const question = `Do you want to overwrite existing files in ${folder} directory?`;
    if ((await readdir(place)).length > 0 && yes !== true && !(await confirm(question))) {
      throw new CommandFailure(`${question}\nNothing was written. Say --yes to overwrite them.`);
    }
    const paths: string[] = [];
    for (const { version, name, statements } of await readRecords(client)) {
      const file = `${version}_${name}.sql`;
      if (statements === null || !isPlainName(file)) {
        warn(`${version} is left out: the history has no file of it.`);
        continue;
      }
      await writeFile(join(place, file), `${statements.join(';\n')};\n`);
      paths.push(join(folder, file));
    }
    printEnd({ paths }, `Wrote ${paths.length} migrations to ${folder}.`);
  });
}

/** What a database calls a migration becomes a file in the folder of migrations and nowhere else. */
const isPlainName = (name: string): boolean => /^\d+_[^/\\\0]*\.sql$/.test(name);
