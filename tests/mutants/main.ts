import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadCases, selectCases } from '../../src/compat/cases/load.ts';
import type { Service } from '../../src/compat/cases/model.ts';
import { runSuite } from '../../src/compat/run/run-suite.ts';
import { copyProject, startInstance } from '../support/cli.ts';
import { type Mutant, mutants } from './mutants.ts';

/*
 * How good is the compatibility suite? Puts mistakes into a copy of the built program, one at a time, and runs the
 * cases of the service that each is in. A mistake that no case notices survives: the suite lacks a case.
 *
 *   npm run mutants                 all of them
 *   npm run mutants -- presence     those whose service, name or file contains one of some words
 */

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The first case that failed; null when none did. */
type Outcome = { readonly mutant: Mutant; readonly noticedBy: string | null };

async function main(words: readonly string[]): Promise<void> {
  const chosen = mutants.filter(
    ({ service, name, file }) =>
      words.length === 0 || words.some((word) => `${service} ${name} ${file}`.includes(word)),
  );
  const copy = await mkdtemp(join(tmpdir(), 'ownbase-mutants-'));
  for (const name of ['package.json', 'sql', 'compat']) {
    await cp(join(root, name), join(copy, name), { recursive: true });
  }
  await compile(join(copy, 'dist'));
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  const project = await copyProject('journal');
  const outcomes: Outcome[] = [];
  try {
    const before = await firstFailure(undefined, copy, project.dir);
    if (before !== null) throw new Error(`the program without mistakes fails already: ${before}`);
    for (const mutant of chosen) {
      const outcome = await tryMutant(mutant, copy, project.dir);
      outcomes.push(outcome);
      process.stdout.write(`${lineOf(outcome)}\n`);
    }
  } finally {
    await project.remove();
    await rm(copy, { recursive: true, force: true });
  }
  const killed = outcomes.filter(({ noticedBy }) => noticedBy !== null).length;
  process.stdout.write(
    `${killed} of ${outcomes.length} noticed (${Math.floor((100 * killed) / outcomes.length)} %)\n`,
  );
  process.exitCode = killed / outcomes.length >= 0.9 ? 0 : 1;
}

/** Builds the program with each module in a file of its own, which the package's build joins. */
async function compile(outDir: string): Promise<void> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['--outDir', outDir, '--emitDeclarationOnly', 'false', '--declaration', 'false'];
  await promisify(execFile)(
    process.execPath,
    [tsc, '-p', 'tsconfig.build.json', '--incremental', 'false', ...options],
    {
      cwd: root,
    },
  );
}

async function tryMutant(mutant: Mutant, copy: string, projectDir: string): Promise<Outcome> {
  const file = join(copy, 'dist', mutant.file);
  const before = await readFile(file, 'utf8');
  if (before.split(mutant.find).length !== 2) {
    throw new Error(`${mutant.name}: ${mutant.file} does not contain the text once: ${mutant.find}`);
  }
  await writeFile(
    file,
    before.replace(mutant.find, () => mutant.replace),
  );
  try {
    return { mutant, noticedBy: await firstFailure(mutant.service, copy, projectDir) };
  } finally {
    await writeFile(file, before);
  }
}

/** Runs the cases of a service, or all of them, up to the first that fails. */
async function firstFailure(
  service: Service | undefined,
  copy: string,
  projectDir: string,
): Promise<string | null> {
  const settings = {
    GOTRUE_MFA_TOTP_ENROLL_ENABLED: 'true',
    GOTRUE_MFA_TOTP_VERIFY_ENABLED: 'true',
    GOTRUE_SECURITY_MANUAL_LINKING_ENABLED: 'true',
  };
  const instance = await startInstance(projectDir, [], settings, join(copy, 'dist/cli/main.js'));
  const found = new AbortController();
  let failed: string | null = null;
  try {
    const { ANON_KEY = '', SERVICE_ROLE_KEY = '' } = instance.env;
    await runSuite({
      target: { url: instance.url, anonKey: ANON_KEY, serviceKey: SERVICE_ROLE_KEY, dbUrl: instance.dbUrl },
      cases: selectCases(await loadCases(), { services: service === undefined ? undefined : [service] }),
      signal: found.signal,
      onProgress(progress) {
        if (progress.kind !== 'finished' || progress.result.outcome !== 'failed') return;
        failed ??= progress.result.id;
        found.abort();
      },
    });
  } finally {
    await instance.stop();
  }
  return failed;
}

const lineOf = ({ mutant: { service, name }, noticedBy }: Outcome): string =>
  noticedBy === null ? `SURVIVED  ${service}: ${name}` : `noticed   ${service}: ${name} (${noticedBy})`;

await main(process.argv.slice(2));
