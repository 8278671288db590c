import { afterAll, expect, inject, it } from 'vitest';
import { pgFaults, startPgProxy } from '../../support/pg-proxy.ts';
import { breakAtEachStep, expectWhole, startForFaults } from '../../support/storage-faults.ts';
import { operations } from '../../support/storage-operations.ts';

/*
 * The database fails at each message of each operation.
 */

const proxy = await startPgProxy(inject('ownerUrl'), () =>
  instance.database.owner.exec(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'test'`),
);
afterAll(() => proxy.close());
const instance = await startForFaults({ through: (url) => proxy.url(url) });

it.each(pgFaults.flatMap((fault) => operations.map((operation) => ({ fault, operation }))))(
  'a database that $fault: $operation.name keeps its promises',
  async ({ fault, operation }) => {
    await breakAtEachStep(instance, operation, {
      arm: (step) => proxy.arm(fault, step),
      heal: () => proxy.heal(),
    });
  },
);

it('nothing is left that a repair does not remove', async () => {
  await expectWhole(instance);
  expect((await instance.blobs()).length).toBeGreaterThan(0);
});
