import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { addTargetOptions, withClient } from '../target.ts';
import { csvLine } from '../ui/csv.ts';
import { printEnd, warn } from '../ui/output.ts';
import { clearProgress, showProgress } from '../ui/progress-line.ts';
import { NO_STATEMENTS } from './inspect-db.ts';

const examples = `
One CSV file per report of "ownbase inspect db", in a folder named after the date.

Examples:
  $ ownbase inspect report
  $ ownbase inspect report --output-dir ./reports`;

/** `ownbase inspect report`: every report as a CSV file. */
export function configure(command: Command): void {
  addTargetOptions(command)
    .option('--output-dir <dir>', 'where to make the folder', '.')
    .addHelpText('after', examples)
    .action(() => writeReports(command));
}

async function writeReports(command: Command): Promise<void> {
  const { outputDir } = command.opts<{ outputDir: string }>();
  const { reports } = await import('../../platform/inspect/reports.ts');
  const { runReport } = await import('../../platform/inspect/run.ts');
  const folder = resolve(outputDir, new Date().toISOString().slice(0, 10));
  await mkdir(folder, { recursive: true });
  const files = await withClient(command, async (client) => {
    const written: string[] = [];
    const all = Object.entries(reports);
    for (const [done, [name, report]] of all.entries()) {
      showProgress({ label: 'Writing reports', done, total: all.length, item: name });
      const rows = await runReport(client, report);
      if ('kind' in rows) {
        clearProgress();
        warn(`${name} is left out. ${NO_STATEMENTS}`);
        continue;
      }
      const names = Object.keys(report.columns);
      const lines = [names, ...rows.map((row) => names.map((column) => row[column]))];
      const file = join(folder, `${name.replaceAll('-', '_')}.csv`);
      await writeFile(file, lines.map(csvLine).join(''));
      written.push(file);
    }
    clearProgress();
    return written;
  });
  printEnd({ files }, `Wrote ${files.length} reports to ${folder}.`);
}
