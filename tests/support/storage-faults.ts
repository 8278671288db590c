import { expect } from 'vitest';
import { sql } from '../../src/pg/sql/sql.ts';
import { checkStorage, type Finding } from '../../src/storage/reconcile.ts';
import { drainBatch } from '../../src/storage/worker.ts';
import { type InstanceOptions, type StorageInstance, startStorage } from './storage.ts';
import { makeBucket, type Operation, type Outcome, type Service } from './storage-operation.ts';
import { expectKept } from './storage-operations.ts';

/*
 * Every operation, with something failing at each of its steps in turn: the first run breaks at the first step, the next
 * one at the second, until one runs through.
 */

const mostSteps = 60;

/** Something that can be made to fail at a step. */
export type Breaker = {
  readonly arm: (step: number) => void;
  /** Ends the fault; yields whether it has struck. */
  readonly heal: () => boolean | Promise<boolean>;
};

/** Starts an instance with the bucket of all operations. */
export async function startForFaults(options: InstanceOptions = {}): Promise<StorageInstance> {
  const instance = await startStorage({ env: { OWNBASE_STORAGE_DELETE_GRACE: '0' }, ...options });
  await makeBucket(serviceOf(instance));
  return instance;
}

/** The instance as clients reach it. */
export const serviceOf = ({ url, serviceKey, deps }: StorageInstance): Service => ({
  url: `${url}/storage/v1`,
  serviceKey,
  s3: deps.keys.s3,
});

/** Runs the operation over and over, broken at one step after the other, and holds it against its promises each time. */
export async function breakAtEachStep(
  instance: StorageInstance,
  operation: Operation,
  { arm, heal }: Breaker,
): Promise<void> {
  const service = serviceOf(instance);
  for (let step = 1; step <= mostSteps; step++) {
    const prepared = await operation.prepare(service);
    arm(step);
    const outcome = await prepared.run(service);
    const hasStruck = await heal();
    expectTold(outcome);
    await expectKept(service, prepared, outcome).catch((thrown: unknown) => {
      throw new Error(`broken at step ${step}, answered ${outcome.status} ${outcome.text}`, {
        cause: thrown,
      });
    });
    if (!hasStruck) {
      expect(outcome.isAcknowledged).toBe(true);
      return;
    }
  }
  throw new Error(`${operation.name} has more than ${mostSteps} steps`);
}

/** A failure is the server's, in words that say nothing of its inside. */
function expectTold({ isAcknowledged, status, text }: Outcome): void {
  if (isAcknowledged || status === 0) return;
  expect(status).toBeGreaterThanOrEqual(500);
  expect(text).not.toMatch(/\/tmp|ENOSPC|EIO|ECONN|127\.0\.0\.1|terminat/);
}

/** After the outbox and a repair nothing is left that belongs to nothing, and nothing is missing. */
export async function expectWhole({ database, deps }: StorageInstance): Promise<void> {
  await database.owner.exec('update ownbase.outbox set run_after = now()');
  while ((await drainBatch(deps)) > 0);
  const check = async (isRepair: boolean): Promise<Finding[]> => {
    const findings: Finding[] = [];
    const onFinding = (finding: Finding): void => void findings.push(finding);
    await checkStorage(deps, { isRepair, minAgeMs: -60_000, onFinding });
    return findings;
  };
  const left = await check(true);
  expect(left.filter(({ kind }) => kind === 'missing-blob' || kind === 'wrong-size')).toEqual([]);
  expect(await check(false)).toEqual([]);
  const rows = await database.owner.query<{ version: string }>(sql`select version from storage.objects`);
  const blobs: string[] = [];
  for await (const { version } of deps.store.list()) blobs.push(version);
  expect(blobs.sort()).toEqual(rows.map(({ version }) => version).sort());
}
