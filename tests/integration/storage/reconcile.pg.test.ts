import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { checkStorage, type Finding } from '../../../src/storage/reconcile.ts';
import { startStorage } from '../../support/storage.ts';

const instance = await startStorage({ env: { OWNBASE_STORAGE_DELETE_GRACE: '1h' } });
const { call, deps, serviceKey: token, database } = instance;
const any = { maxBytes: 1e9 };
const body = (text: string): Readable => Readable.from([Buffer.from(text)]);

async function check(isRepair: boolean, minAgeMs = -1000) {
  const findings: Finding[] = [];
  const report = await checkStorage(deps, {
    isRepair,
    minAgeMs,
    onFinding: (finding) => findings.push(finding),
  });
  return { report, findings };
}

it('names what is missing and what is left over, and removes only what is left over', async () => {
  await call('POST', '/bucket', { token, body: { name: 'b' } });
  for (let i = 0; i < 5; i++) await call('POST', `/object/b/whole-${i}`, { token, body: 'x' });
  await call('PUT', '/object/b/whole-0', { token, body: 'replaced, and its old blob waits in the outbox' });
  expect(await check(false)).toEqual({
    report: { rows: 5, blobs: 6, findings: 0, repaired: 0 },
    findings: [],
  });

  const orphan = randomUUID();
  await deps.store.put(orphan, body('left by a crash'), any);
  const upload = randomUUID();
  await deps.store.growing.append(upload, 0, body('x'), any);
  await deps.store.parts.put(upload, 1, body('x'), any);
  const [lost, short] = await database.owner.query<{ version: string }>(
    sql`select version from storage.objects where name in ('whole-1', 'whole-2') order by name`,
  );
  await deps.store.remove([lost?.version ?? '']);
  await database.owner.exec(
    `update storage.objects set metadata = jsonb_set(metadata, '{size}', '7') where name = 'whole-2'`,
  );

  const expected: Finding[] = [
    { kind: 'missing-blob', bucket: 'b', name: 'whole-1', version: lost?.version ?? '' },
    {
      kind: 'wrong-size',
      bucket: 'b',
      name: 'whole-2',
      version: short?.version ?? '',
      expected: 7,
      actual: 1,
    },
    { kind: 'orphan-blob', version: orphan, size: 15 },
    { kind: 'orphan-upload', upload },
    { kind: 'orphan-upload', upload },
  ];
  const dry = await check(false);
  expect(dry.findings).toHaveLength(expected.length);
  expect(dry.findings).toEqual(expect.arrayContaining(expected));
  expect(await deps.store.head(orphan)).not.toBeNull();

  expect((await check(true, 60_000)).report.repaired).toBe(0);
  expect((await check(true)).report).toMatchObject({ findings: 5, repaired: 3 });
  expect(await deps.store.head(orphan)).toBeNull();
  expect((await check(true)).findings.map((finding) => finding.kind).sort()).toEqual([
    'missing-blob',
    'wrong-size',
  ]);
  expect(await database.owner.query(sql`select 1 from storage.objects`)).toHaveLength(5);
});
