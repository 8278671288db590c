import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFile } from '../../core/package-file.ts';
import { type Case, type Service, services } from './model.ts';
import { CaseFileError, parseCaseFile } from './parse.ts';

/** The suite's data beside the package's code: `cases/` and `fixtures/`. */
export const suiteDir = fileURLToPath(packageFile('compat/'));

/** Which cases to take. */
export type Selection = {
  readonly services?: readonly Service[] | undefined;
  /** Beginnings of case ids; any of them. */
  readonly ids?: readonly string[] | undefined;
};

/** All cases below a folder, in the order of services and files; throws `CaseFileError`. */
export async function loadCases(dir: string = join(suiteDir, 'cases')): Promise<Case[]> {
  const files = (await readdir(dir, { recursive: true })).filter((name) => name.endsWith('.yaml')).sort();
  const loaded = await Promise.all(
    files.map(async (name) => parseCaseFile(await readFile(join(dir, name), 'utf8'), name)),
  );
  const place = ({ service }: Case): number => services.indexOf(service);
  const cases = loaded.flat().sort((one, other) => place(one) - place(other));
  const seen = new Set<string>();
  for (const { id } of cases) {
    if (seen.has(id)) throw new CaseFileError(`the case ${id} is there twice`);
    seen.add(id);
  }
  return cases;
}

/** The cases that a selection names. */
export function selectCases(cases: readonly Case[], { services, ids }: Selection): Case[] {
  return cases.filter(
    ({ id, service }) =>
      (services === undefined || services.includes(service)) &&
      (ids === undefined || ids.some((start) => id === start || id.startsWith(`${start}.`))),
  );
}
