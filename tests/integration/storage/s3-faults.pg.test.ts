import { Readable } from 'node:stream';
import { afterAll, expect, it } from 'vitest';
import { openS3Store } from '../../../src/storage/backends/s3.ts';
import { s3Faults, startS3Double } from '../../support/s3-double.ts';
import { breakAtEachStep, expectWhole, startForFaults } from '../../support/storage-faults.ts';
import { operations } from '../../support/storage-operations.ts';

/*
 * The S3 server that holds the blobs fails at each request of each operation.
 */

const double = await startS3Double();
afterAll(() => double.close());
const instance = await startForFaults({ openStore: () => openS3Store(double.options) });

it.each(s3Faults.flatMap((fault) => operations.map((operation) => ({ fault, operation }))))(
  'a server that $fault: $operation.name keeps its promises',
  async ({ fault, operation }) => {
    await breakAtEachStep(instance, operation, {
      arm: (step) => double.arm(fault, step),
      heal: () => double.heal(),
    });
  },
);

it('a blob whose answer was lost is taken back at once', async () => {
  const store = await openS3Store(double.options);
  double.arm('hangs up after it has done it', 1);
  await expect(store.put('lost', Readable.from([Buffer.from('x')]), { maxBytes: 9 })).rejects.toThrow();
  expect([double.heal(), await store.head('lost')]).toEqual([true, null]);
});

it('nothing is left that a repair does not remove', () => expectWhole(instance));
