import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadCases, selectCases } from '../../src/compat/cases/load.ts';
import type { Case, Service } from '../../src/compat/cases/model.ts';
import { runSuite } from '../../src/compat/run/run-suite.ts';
import { copyProject, type RunningInstance, startInstance } from '../support/cli.ts';
import { hashOf, type Memory, openMemory } from './memory.ts';
import { type Mutant, mutants } from './mutants.ts';

/*
 * How good is the compatibility suite? Puts mistakes into a copy of the built program, one at a time, and runs the
 * cases of the service that each is in. A mistake that no case notices survives: the suite lacks a case.
 *
 *   npm run mutants                 all of them
 *   npm run mutants -- presence     those whose service, name or file contains one of some words
 *
 * What is known stays in node_modules/.cache: a run that was ended goes on where it was, as long as neither the program
 * nor the cases nor the mistake changed, and the case that noticed a mistake last time is run first.
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
  for (const mutant of chosen) await textWithout(mutant, copy);
  const memory = openMemory(join(root, 'node_modules/.cache/ownbase-mutants.json'), await hashOf(copy));
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  const project = await copyProject('journal');
  const outcomes: Outcome[] = [];
  try {
    if (!memory.isSound()) {
      const failure = await firstFailure({ services: undefined, first: null }, copy, project.dir);
      if (failure !== null) throw new Error(`the program without mistakes fails already: ${failure}`);
      memory.noteSound();
    }
    for (const mutant of chosen) {
      if (stopping.signal.aborted) break;
      const outcome = await tryMutant(mutant, memory, copy, project.dir);
      if (outcome === null) break;
      outcomes.push(outcome);
      process.stdout.write(`${lineOf(outcome)}\n`);
    }
  } finally {
    await project.remove();
    await rm(copy, { recursive: true, force: true });
  }
  if (stopping.signal.aborted) {
    process.stdout.write(`ended after ${outcomes.length} of ${chosen.length}; the same command goes on\n`);
    process.exitCode = 130;
    return;
  }
  const killed = outcomes.filter(({ noticedBy }) => noticedBy !== null).length;
  process.stdout.write(
    `${killed} of ${outcomes.length} noticed (${Math.floor((100 * killed) / outcomes.length)} %)\n`,
  );
  process.exitCode = killed / outcomes.length >= 0.9 ? 0 : 1;
}

/** Ends the run after what is at hand. */
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());

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

/** Tries a mistake, unless its outcome is known; null when the run was ended meanwhile. */
async function tryMutant(
  mutant: Mutant,
  memory: Memory,
  copy: string,
  projectDir: string,
): Promise<Outcome | null> {
  const known = memory.outcomeOf(mutant);
  if (known !== undefined) return { mutant, noticedBy: known };
  const file = join(copy, 'dist', mutant.file);
  const before = await textWithout(mutant, copy);
  await writeFile(
    file,
    before.replace(mutant.find, () => mutant.replace),
  );
  try {
    const order = { services: [mutant.service], first: memory.lastNoticedBy(mutant) };
    const noticedBy = await firstFailure(order, copy, projectDir);
    if (noticedBy === null && stopping.signal.aborted) return null;
    memory.note(mutant, noticedBy);
    return { mutant, noticedBy };
  } catch (error) {
    // The signal that ends this run has reached the instance too.
    if (stopping.signal.aborted) return null;
    throw error;
  } finally {
    await writeFile(file, before);
  }
}

/** The file that a mistake is put into, which must hold the text of its place once. */
async function textWithout({ name, file, find }: Mutant, copy: string): Promise<string> {
  const text = await readFile(join(copy, 'dist', file), 'utf8');
  if (text.split(find).length !== 2)
    throw new Error(`${name}: ${file} does not contain the text once: ${find}`);
  return text;
}

type Order = {
  readonly services: readonly Service[] | undefined;
  /** A case that is run alone before the others. */
  readonly first: string | null;
};

/** Runs the cases of some services, or all of them, up to the first that fails. */
async function firstFailure(
  { services, first }: Order,
  copy: string,
  projectDir: string,
): Promise<string | null> {
  const settings = {
    GOTRUE_MFA_TOTP_ENROLL_ENABLED: 'true',
    GOTRUE_MFA_TOTP_VERIFY_ENABLED: 'true',
    GOTRUE_SECURITY_MANUAL_LINKING_ENABLED: 'true',
  };
  const all = await loadCases();
  const instance = await startInstance(projectDir, [], settings, join(copy, 'dist/cli/main.js'));
  try {
    const hint = first === null ? [] : all.filter(({ id }) => id === first);
    return (
      (hint.length > 0 ? await firstFailed(hint, instance) : null) ??
      (await firstFailed(selectCases(all, { services }), instance))
    );
  } finally {
    await instance.stop();
  }
}

async function firstFailed(cases: readonly Case[], instance: RunningInstance): Promise<string | null> {
  const found = new AbortController();
  let failed: string | null = null;
  const { ANON_KEY = '', SERVICE_ROLE_KEY = '' } = instance.env;
  await runSuite({
    target: { url: instance.url, anonKey: ANON_KEY, serviceKey: SERVICE_ROLE_KEY, dbUrl: instance.dbUrl },
    cases,
    signal: AbortSignal.any([found.signal, stopping.signal]),
    onProgress(progress) {
      if (progress.kind !== 'finished' || progress.result.outcome !== 'failed') return;
      failed ??= progress.result.id;
      found.abort();
    },
  });
  return failed;
}

const lineOf = ({ mutant: { service, name }, noticedBy }: Outcome): string =>
  noticedBy === null ? `SURVIVED  ${service}: ${name}` : `noticed   ${service}: ${name} (${noticedBy})`;

await main(process.argv.slice(2));
