import type { Command } from 'commander';
import { addTargetOptions, requireTarget } from '../target.ts';
import { printResult } from '../ui/output.ts';
import { columns } from '../ui/table.ts';

const examples = `
Examples:
  $ ownbase migration list
  $ ownbase migration list --json | jq -r '.[] | select(.applied | not) | .version'`;

/** `ownbase migration list`: shows which files are applied to the database. */
export function configure(command: Command): void {
  addTargetOptions(command)
    .addHelpText('after', examples)
    .action(() => printMigrations(command));
}

async function printMigrations(command: Command): Promise<void> {
  const { config, url } = await requireTarget(command);
  const { listMigrations } = await import('../../platform/migrations/project-files.ts');
  const { readHistory } = await import('../../platform/migrations/history.ts');
  const { connect } = await import('../../pg/connect.ts');
  const files = await listMigrations(config.projectDir);
  const client = await connect(url);
  try {
    const { versions } = await readHistory(client);
    const local = new Set(files.map(({ version }) => version));
    const applied = new Set(versions);
    const all = [...new Set([...local, ...applied])].sort();
    const facts = all.map((version) => ({
      version,
      file: local.has(version),
      applied: applied.has(version),
    }));
    const rows = facts.map(({ version, file, applied: isApplied }) => [
      file ? version : '',
      isApplied ? version : '',
      timeOf(version),
    ]);
    printResult(facts, () => `${columns(['Local', 'Remote', 'Time (UTC)'], rows)}\n`);
  } finally {
    await client.end();
  }
}

/** A version of 14 digits as a time. */
function timeOf(version: string): string {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(version);
  return parts ? `${parts.slice(1, 4).join('-')} ${parts.slice(4).join(':')}` : version;
}
