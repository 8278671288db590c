import { createHash, randomBytes } from 'node:crypto';
import { readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/pg/sql/sql.ts';
import { s3Failure, startWithS3 } from '../../support/storage-s3.ts';

/** Holds the next completion while it puts its parts together. */
let assembly: Promise<void> | null = null;
let lookups = 0;

const instance = await startWithS3({
  wrap: (input) => ({
    ...input,
    store: {
      ...input.store,
      parts: {
        ...input.store.parts,
        async complete(...all) {
          await assembly;
          return input.store.parts.complete(...all);
        },
      },
    },
    serviceDb: {
      ...input.serviceDb,
      async query(statement) {
        const rows = await input.serviceDb.query(statement);
        if (compile(statement).text.includes('from storage.s3_multipart_uploads where id')) lookups++;
        return rows as never;
      },
    },
  }),
});
const { Bucket, s3, text, deps } = instance;

describe('an upload in parts', () => {
  const start = async (Key: string): Promise<string> => {
    const started = await s3.send(
      new CreateMultipartUploadCommand({ Bucket, Key, ContentType: 'a/b', Metadata: { k: 'v' } }),
    );
    return started.UploadId ?? '';
  };
  const part = (Key: string, UploadId: string, PartNumber: number, Body: Buffer | string) =>
    s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));

  it('is put together from parts in any order', async () => {
    const UploadId = await start('parts');
    const [one, two] = [randomBytes(70_000), randomBytes(50_000)];
    const second = await part('parts', UploadId, 2, two);
    await part('parts', UploadId, 1, 'replaced below');
    const first = await part('parts', UploadId, 1, one);
    const listed = await s3.send(new ListPartsCommand({ Bucket, Key: 'parts', UploadId }));
    expect(listed.Parts?.map((entry) => [entry.PartNumber, entry.Size])).toEqual([
      [1, 70_000],
      [2, 50_000],
    ]);
    const uploads = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(uploads.Uploads?.map((entry) => entry.Key)).toContain('parts');
    const Parts = [
      { PartNumber: 1, ETag: first.ETag },
      { PartNumber: 2, ETag: second.ETag },
    ];
    const done = await s3.send(
      new CompleteMultipartUploadCommand({ Bucket, Key: 'parts', UploadId, MultipartUpload: { Parts } }),
    );
    const digest = (bytes: Buffer) => createHash('md5').update(bytes).digest();
    expect(done.ETag).toBe(`"${digest(Buffer.concat([digest(one), digest(two)])).toString('hex')}-2"`);
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'parts' }));
    expect(got).toMatchObject({ ContentType: 'a/b', Metadata: { k: 'v' }, ContentLength: 120_000 });
    expect(
      Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(Buffer.concat([one, two])),
    ).toBe(true);
    await expect(
      s3.send(
        new CompleteMultipartUploadCommand({ Bucket, Key: 'parts', UploadId, MultipartUpload: { Parts } }),
      ),
    ).rejects.toMatchObject(s3Failure('NoSuchUpload', 404));
  });

  it('copies parts from other objects', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'whole', Body: '0123456789' }));
    const UploadId = await start('copied');
    const CopySource = `${Bucket}/whole`;
    await s3.send(
      new UploadPartCopyCommand({
        ...{ Bucket, Key: 'copied', UploadId, PartNumber: 1, CopySource },
        CopySourceRange: 'bytes=5-9',
      }),
    );
    await s3.send(new UploadPartCopyCommand({ Bucket, Key: 'copied', UploadId, PartNumber: 2, CopySource }));
    await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'copied', UploadId }));
    expect(await text('copied')).toBe('567890123456789');
  });

  it('refuses wrong parts, wrong order, another key, too much, and can be given up', async () => {
    const UploadId = await start('wrong');
    const { ETag } = await part('wrong', UploadId, 1, 'one');
    const completeWith = (Parts: { PartNumber: number; ETag?: string | undefined }[], Key = 'wrong') =>
      s3.send(
        new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } as never }),
      );
    await expect(completeWith([{ PartNumber: 2, ETag }])).rejects.toMatchObject(
      s3Failure('InvalidPart', 400),
    );
    await expect(completeWith([{ PartNumber: 1, ETag: '"no"' }])).rejects.toMatchObject(
      s3Failure('InvalidPart', 400),
    );
    await expect(
      completeWith([
        { PartNumber: 1, ETag },
        { PartNumber: 1, ETag },
      ]),
    ).rejects.toMatchObject(s3Failure('InvalidPartOrder', 400));
    await expect(completeWith([{ PartNumber: 1, ETag }], 'other')).rejects.toMatchObject(
      s3Failure('NoSuchUpload', 404),
    );
    await part('wrong', UploadId, 2, Buffer.alloc(11 * 1024 * 1024));
    await expect(part('wrong', UploadId, 3, Buffer.alloc(11 * 1024 * 1024))).rejects.toMatchObject(
      s3Failure('EntityTooLarge', 413),
    );
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'wrong', UploadId }));
    await expect(part('wrong', UploadId, 1, 'x')).rejects.toMatchObject(s3Failure('NoSuchUpload', 404));
    const left = [];
    for await (const { id } of deps.store.parts.list()) left.push(id);
    expect(left).not.toContain(UploadId);
  });

  it('that is completed twice at once answers both with the one object', async () => {
    const place = { Bucket, Key: 'twice' };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(place));
    const Body = randomBytes(500_000);
    for (const PartNumber of [1, 2])
      await s3.send(new UploadPartCommand({ ...place, UploadId, PartNumber, Body }));
    const complete = () => s3.send(new CompleteMultipartUploadCommand({ ...place, UploadId }));
    let goOn = (): void => {};
    assembly = new Promise((resolve) => {
      goOn = resolve;
    });
    lookups = 0;
    const both = [complete(), complete()] as const;
    // Each looks the upload up when it comes, and the first once more when it is its turn.
    await expect.poll(() => lookups).toBe(3);
    goOn();
    const [first, second] = await Promise.all(both);
    expect(second.ETag).toBe(first.ETag);
    const stored = await s3.send(new GetObjectCommand(place));
    expect(Buffer.from((await stored.Body?.transformToByteArray()) ?? [])).toEqual(
      Buffer.concat([Body, Body]),
    );
  });

  it('counts one of two parts that arrive at once under one number', async () => {
    const place = { Bucket, Key: 'racing' };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(place));
    const bodies = Array.from({ length: 8 }, (_, i) => `part ${i}`);
    await Promise.all(
      bodies.map((Body) => s3.send(new UploadPartCommand({ ...place, UploadId, PartNumber: 1, Body }))),
    );
    await s3.send(new CompleteMultipartUploadCommand({ ...place, UploadId }));
    expect(bodies).toContain(await text('racing'));
  });

  it('is held against the limit of its bucket once more when it ends', async () => {
    const place = { Bucket: 'narrowed', Key: 'parts' };
    await s3.send(new CreateBucketCommand({ Bucket: place.Bucket }));
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(place));
    await s3.send(new UploadPartCommand({ ...place, UploadId, PartNumber: 1, Body: 'too long by now' }));
    await instance.call('PUT', '/bucket/narrowed', {
      token: instance.serviceKey,
      body: { file_size_limit: 10 },
    });
    await expect(s3.send(new CompleteMultipartUploadCommand({ ...place, UploadId }))).rejects.toMatchObject(
      s3Failure('EntityTooLarge', 413),
    );
    await expect(s3.send(new GetObjectCommand(place))).rejects.toMatchObject(s3Failure('NoSuchKey', 404));
  });

  it('is not put together of parts that have lost bytes on the disk', async () => {
    const place = { Bucket, Key: 'lossy' };
    const { UploadId = '' } = await s3.send(new CreateMultipartUploadCommand(place));
    await part(place.Key, UploadId, 1, 'acknowledged');
    const folder = join(instance.folder, 'parts', UploadId);
    const [file = ''] = await readdir(folder);
    await truncate(join(folder, file), 3);
    const failure = s3.send(new CompleteMultipartUploadCommand({ ...place, UploadId }));
    await expect(failure).rejects.toMatchObject(s3Failure('InternalError', 500));
    await expect(text(place.Key)).rejects.toMatchObject(s3Failure('NoSuchKey', 404));
    // Whoever has the bytes can still bring them.
    await part(place.Key, UploadId, 1, 'acknowledged');
    await s3.send(new CompleteMultipartUploadCommand({ ...place, UploadId }));
    expect(await text(place.Key)).toBe('acknowledged');
  });

  it('keeps its bucket from being deleted', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'pending' }));
    await s3.send(new CreateMultipartUploadCommand({ Bucket: 'pending', Key: 'a' }));
    await expect(s3.send(new DeleteBucketCommand({ Bucket: 'pending' }))).rejects.toMatchObject(
      s3Failure('ResourceReferenced', 409),
    );
  });
});
