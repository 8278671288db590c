import type { Command } from 'commander';
import type { Config } from '../../config/load.ts';
import { systemClock } from '../../core/clock.ts';
import { silent } from '../../core/observe.ts';
import type { CheckOptions, CheckReport, Finding } from '../../storage/reconcile.ts';
import { exitCode } from '../exit.ts';
import { addConfigOptions, addProjectOption } from '../project-options.ts';
import { requireTarget } from '../target.ts';
import { note, printItem } from '../ui/output.ts';
import { clearProgress, showProgress } from '../ui/progress-line.ts';

const examples = `
An object whose bytes are missing or have another length is reported and never touched: its row is the only trace of
it. Bytes that belong to no object are what a crash leaves behind; --repair removes those that are older than --min-age.
Ends with code 1 when something was found that is still there.

Examples:
  $ ownbase storage check                    look, change nothing
  $ ownbase storage check --repair           remove what belongs to nothing
  $ ownbase storage check --min-age 0        count what is seconds old, too: only while nobody uploads`;

const oneHourMs = 3_600_000;
const defaultMinAgeHours = 24;

/** `ownbase storage check`: compares objects with the bytes that are stored for them. */
export function configure(command: Command): void {
  addConfigOptions(addProjectOption(command), ['db-url', 'storage-path'])
    .option('--repair', 'remove bytes that belong to no object')
    .option('--min-age <hours>', 'leave alone what is younger', String(defaultMinAgeHours))
    .addHelpText('after', examples)
    .action(() => checkObjects(command));
}

type Flags = { readonly repair?: boolean; readonly minAge: string };

async function checkObjects(command: Command): Promise<void> {
  const { config, ownerUrl } = await requireTarget(command);
  const flags = command.opts<Flags>();
  const hours = Number(flags.minAge);
  if (!Number.isFinite(hours) || hours < 0) command.error('--min-age must be a number of hours');
  const print = (finding: Finding): void => {
    clearProgress();
    printItem(finding, () => describe(finding));
  };
  const report = await checkWith(config, ownerUrl, {
    isRepair: flags.repair === true,
    minAgeMs: hours * oneHourMs,
    onFinding: print,
    onProgress: (done, total) => showProgress({ label: 'Checking objects', done, total }),
  });
  clearProgress();
  const { rows, blobs, findings, repaired } = report;
  note(`${rows} objects, ${blobs} files, ${findings} findings, ${repaired} repaired`, {
    rows,
    blobs,
    findings,
    repaired,
  });
  if (findings > repaired) process.exitCode = exitCode.failed;
}

async function checkWith(config: Config, ownerUrl: string, options: CheckOptions): Promise<CheckReport> {
  const { createPool } = await import('../../pg/pool.ts');
  const { createServiceDb } = await import('../../pg/session.ts');
  const { openObjectStore } = await import('../../storage/backends/open.ts');
  const { checkStorage } = await import('../../storage/reconcile.ts');
  const { storageDir } = await import('../../app/directories.ts');
  const { acquireTimeoutMs } = config.db;
  const settings = {
    max: 2,
    acquireTimeoutMs,
    idleTimeoutMs: 1000,
    applicationName: 'ownbase storage check',
  };
  const pool = createPool({ url: ownerUrl, ...settings });
  const store = await openObjectStore(config.storage, storageDir(config), silent);
  try {
    return await checkStorage({ serviceDb: createServiceDb(pool), store, clock: systemClock }, options);
  } finally {
    await store.close();
    await pool.end();
  }
}

function describe(finding: Finding): string {
  switch (finding.kind) {
    case 'missing-blob':
      return `missing   ${finding.bucket}/${finding.name}: no file for version ${finding.version}`;
    case 'wrong-size':
      return `damaged   ${finding.bucket}/${finding.name}: ${finding.actual} bytes instead of ${finding.expected}`;
    case 'orphan-blob':
      return `left over file ${finding.version} (${finding.size} bytes) belongs to no object`;
    case 'orphan-upload':
      return `left over upload ${finding.upload} belongs to nobody`;
    case 'unfinished-write':
      return `left over write ${finding.write} never ended`;
  }
}
