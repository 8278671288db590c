import { afterAll, expect, it } from 'vitest';
import { openFsStore } from '../../../src/storage/backends/fs.ts';
import { watchSteps } from '../../support/fs-steps.ts';
import { breakAtEachStep, expectWhole, startForFaults } from '../../support/storage-faults.ts';
import { operations } from '../../support/storage-operations.ts';

/*
 * The disk fails at each change of each operation.
 */

const instance = await startForFaults({ openStore: (root) => openFsStore({ root }) });
let armed: { readonly code: string; readonly at: number } | null = null;
let seen = 0;
const unwatch = await watchSteps(instance.folder, (step) => {
  seen++;
  if (armed !== null && seen === armed.at) {
    throw Object.assign(new Error(`${armed.code}: ${step} '${instance.folder}'`), { code: armed.code });
  }
});
afterAll(unwatch);

it.each(['ENOSPC', 'EIO'].flatMap((code) => operations.map((operation) => ({ code, operation }))))(
  'a disk with $code: $operation.name keeps its promises',
  async ({ code, operation }) => {
    await breakAtEachStep(instance, operation, {
      arm(step) {
        armed = { code, at: step };
        seen = 0;
      },
      heal() {
        const hasStruck = armed !== null && seen >= armed.at;
        armed = null;
        return hasStruck;
      },
    });
  },
);

it('nothing is left that a repair does not remove', async () => {
  await expectWhole(instance);
  expect(await instance.unfinished()).toEqual([]);
});
