import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { packageFile } from '../../core/package-file.ts';
import { type BootstrapStep, bootstrapSteps } from './steps.ts';

/** The SQL of the bootstrap, read from the package. */
export type BootstrapScripts = {
  readonly prelude: string;
  readonly steps: readonly (BootstrapStep & { readonly script: string })[];
  /** SHA-256 over everything above, hexadecimal: equal contents need no second run. */
  readonly hash: string;
};

const directory = packageFile('sql/bootstrap/');

/** Reads the scripts of `sql/bootstrap`. Rejects when the package is incomplete. */
export async function readBootstrapScripts(): Promise<BootstrapScripts> {
  const read = (name: string) => readFile(new URL(`${name}.sql`, directory), 'utf8');
  const [prelude, ...scripts] = await Promise.all([
    read('000_prelude'),
    ...bootstrapSteps.map((step) => read(step.name)),
  ]);
  const steps = bootstrapSteps.map((step, place) => ({ ...step, script: scripts[place] ?? '' }));
  const hash = createHash('sha256');
  for (const { name, script } of steps) hash.update(name).update('\0').update(script).update('\0');
  return { prelude: prelude ?? '', steps, hash: hash.update(prelude ?? '').digest('hex') };
}
