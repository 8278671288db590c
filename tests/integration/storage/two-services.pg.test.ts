import { randomBytes } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { openFsStore } from '../../../src/storage/backends/fs.ts';
import { startStorage } from '../../support/storage.ts';
import { runStorage } from '../../support/storage-service.ts';
import { tusOf } from '../../support/tus.ts';
import { until } from '../../support/until.ts';

/*
 * Two services on one database and one store, as behind a load balancer: requests to one upload come to both.
 */

const instance = await startStorage();
const { database, serviceKey: token, folder } = instance;
const other = await runStorage({
  root: instance.root,
  env: {},
  databaseUrl: (login) => database.url(login),
  store: await openFsStore({ root: folder, isDurable: false }),
  wrap: (input) => input,
});
afterAll(() => other.close());

await instance.call('POST', '/bucket', { token, body: { name: 'b' } });
const first = tusOf(instance.url, token);
const second = tusOf(`http://127.0.0.1:${other.port}`, token);

const read = async (name: string): Promise<Buffer> =>
  (await instance.call('GET', `/object/b/${name}`, { token })).bytes;
const begin = async (name: string, size: number): Promise<string> =>
  first.pathOf(await first.create({ bucketName: 'b', objectName: name }, size));
/** Resolves when the first bytes of an upload are on disk. */
const untilWritten = (bytes: number): Promise<void> =>
  until(async () => {
    const files = await readdir(join(folder, 'growing'));
    const sizes = await Promise.all(files.map((file) => stat(join(folder, 'growing', file))));
    return sizes.some(({ size }) => size >= bytes);
  });
const offsetOf = async (client: typeof first, path: string): Promise<number> =>
  Number((await client.tus('HEAD', path)).headers.get('upload-offset'));

describe('an upload', () => {
  it('whose client hangs at one service goes on at the other, with all that arrived', async () => {
    const bytes = randomBytes(400_000);
    const path = await begin('hanging', bytes.length);
    const hanging = first.begin(path, 0, bytes.length);
    hanging.write(bytes.subarray(0, 150_000));
    await untilWritten(65_536);
    const offset = await offsetOf(second, path);
    expect(offset).toBeGreaterThanOrEqual(65_536);
    expect([await hanging.status, await hanging.offset]).toEqual([204, offset]);
    expect((await second.patch(path, offset, bytes.subarray(offset))).headers.get('tus-complete')).toBe('1');
    expect((await read('hanging')).equals(bytes)).toBe(true);
  });

  it('takes the bytes of one of two clients that send at once', async () => {
    const size = 300_000;
    for (let round = 0; round < 5; round++) {
      const path = await begin(`both-${round}`, size);
      const senders = [first.begin(path, 0, size), second.begin(path, 0, size)] as const;
      for (let sent = 0; sent < size; sent += 30_000) {
        for (const [i, sender] of senders.entries()) sender.write(Buffer.alloc(30_000, 'ab'[i]));
        await new Promise(setImmediate);
      }
      const statuses = await Promise.all(senders.map((sender) => sender.status));
      for (const status of statuses) expect([204, 400, 409]).toContain(status);
      const offset = await offsetOf(first, path);
      // What was let go of for the other one stays, and the rest comes from a client that asks where to go on.
      if (offset < size) await second.patch(path, offset, Buffer.alloc(size - offset, 'c'));
      const stored = String(await read(`both-${round}`));
      expect(stored.length).toBe(size);
      expect(stored).toMatch(/^(a*|b*)c*$/);
      const offsets = await Promise.all(senders.map((sender) => sender.offset));
      if (offsets.includes(size)) expect(stored).toMatch(/^(a+|b+)$/);
    }
  });

  it('is the last one’s whose service keeps its session of the database', async () => {
    const bytes = randomBytes(300_000);
    const path = await begin('cut-off', bytes.length);
    const cutOff = first.begin(path, 0, bytes.length);
    cutOff.write(bytes.subarray(0, 100_000));
    await untilWritten(65_536);
    await database.owner.query(sql`select pg_terminate_backend(a.pid, 5000) from pg_stat_activity a
      where a.datname = current_database() and a.application_name = 'ownbase-uploads'`);
    expect(await cutOff.status).toBe(544);
    expect(await offsetOf(first, path)).toBe(0);
    expect((await second.patch(path, 0, bytes)).headers.get('tus-complete')).toBe('1');
    expect((await read('cut-off')).equals(bytes)).toBe(true);
  });

  it('keeps no connection from other requests, however many are slow', async () => {
    const slow = await Promise.all(
      Array.from({ length: 15 }, async (_, i) => {
        const path = await begin(`slow-${i}`, 10);
        const sending = first.begin(path, 0, 10);
        sending.write(Buffer.from('slow '));
        return { path, sending };
      }),
    );
    const held = sql`select count(*)::int as count from pg_locks where locktype = 'advisory' and database =
      (select oid from pg_database where datname = current_database())`;
    await until(async () => (await database.owner.query<{ count: number }>(held))[0]?.count === slow.length);
    expect((await instance.call('POST', '/object/b/quick', { token, body: 'x' })).status).toBe(200);
    for (const { sending } of slow) sending.write(Buffer.from('piece'));
    expect(await Promise.all(slow.map(({ sending }) => sending.status))).toEqual(slow.map(() => 204));
    await until(async () => (await database.owner.query<{ count: number }>(held))[0]?.count === 0);
  });
});

it('an upload in parts that both complete at once is one object, and both say so', async () => {
  const s3 = [instance.url, `http://127.0.0.1:${other.port}`].map(
    (url) =>
      new S3Client({
        endpoint: `${url}/storage/v1/s3`,
        forcePathStyle: true,
        region: instance.deps.keys.s3.region,
        credentials: instance.deps.keys.s3,
        maxAttempts: 1,
      }),
  ) as [S3Client, S3Client];
  const place = { Bucket: 'b', Key: 'parts' };
  const { UploadId } = await s3[0].send(new CreateMultipartUploadCommand(place));
  const parts = await Promise.all(
    ['one ', 'two'].map(async (Body, i) => {
      const PartNumber = i + 1;
      const { ETag } = await s3[i % 2 === 0 ? 0 : 1].send(
        new UploadPartCommand({ ...place, UploadId, PartNumber, Body }),
      );
      return { ETag, PartNumber };
    }),
  );
  const complete = new CompleteMultipartUploadCommand({
    ...place,
    UploadId,
    MultipartUpload: { Parts: parts },
  });
  const answers = await Promise.allSettled(s3.map((client) => client.send(complete)));
  const tags = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.ETag] : []));
  expect(tags).toHaveLength(2);
  expect(new Set(tags).size).toBe(1);
  expect(String(await read('parts'))).toBe('one two');
});
