import { randomUUID } from 'node:crypto';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
  await deps.store.parts.put(upload, randomUUID(), body('x'), any);
  const write = `${randomUUID()}-${randomUUID()}`;
  await writeFile(join(instance.folder, 'incoming', write), 'x');
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
    { kind: 'unfinished-write', write },
  ];
  const dry = await check(false);
  expect(dry.findings).toHaveLength(expected.length);
  expect(dry.findings).toEqual(expect.arrayContaining(expected));
  expect(await deps.store.head(orphan)).not.toBeNull();

  expect((await check(true, 60_000)).report.repaired).toBe(0);
  expect((await check(true)).report).toMatchObject({ findings: 6, repaired: 4 });
  expect(await deps.store.head(orphan)).toBeNull();
  expect((await check(true)).findings.map((finding) => finding.kind).sort()).toEqual([
    'missing-blob',
    'wrong-size',
  ]);
  expect(await database.owner.query(sql`select 1 from storage.objects`)).toHaveLength(5);
});

it('does not take a fresh copy of an old object for a left-over', async () => {
  const [old, copy] = [randomUUID(), randomUUID()];
  await deps.store.put(old, body('x'), any);
  await utimes(join(instance.folder, 'blobs', old.slice(0, 2), old), 0, 0);
  await deps.store.copy(old, copy);
  const { findings } = await check(true, 60_000);
  expect(findings).not.toContainEqual(expect.objectContaining({ kind: 'orphan-blob', version: copy }));
  expect(await deps.store.head(copy)).not.toBeNull();
  await deps.store.remove([old, copy]);
});

it('leaves the blobs of uploads that have yet to become visible', async () => {
  const [resumable, inParts] = [randomUUID(), randomUUID()];
  await database.owner.query(sql`insert into ownbase.resumable_upload
    (version, bucket_id, name, metadata, is_upsert, expires_at)
    values (${resumable}, 'b', 'resumable', '[]', false, now() + interval '1 hour')`);
  await database.owner.query(sql`insert into storage.s3_multipart_uploads
    (id, bucket_id, key, version, upload_signature) values (${randomUUID()}, 'b', 'parts', ${inParts}, '')`);
  for (const version of [resumable, inParts]) await deps.store.put(version, body('x'), any);
  const { findings } = await check(true);
  expect(findings.filter(({ kind }) => kind === 'orphan-blob')).toEqual([]);
  expect(await deps.store.head(resumable)).not.toBeNull();
  expect(await deps.store.head(inParts)).not.toBeNull();
});
