import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { s3Failure, startWithS3 } from '../../support/storage-s3.ts';

const instance = await startWithS3();
const { Bucket, s3, clientWith, text } = instance;

describe('buckets', () => {
  it('are made, found, listed and deleted', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'made', ACL: 'public-read' }));
    expect((await s3.send(new ListBucketsCommand({}))).Buckets).toContainEqual({
      Name: 'made',
      CreationDate: expect.any(Date),
    });
    expect((await s3.send(new HeadBucketCommand({ Bucket: 'made' }))).BucketRegion).toBe('local');
    expect((await s3.send(new GetBucketLocationCommand({ Bucket: 'made' }))).$metadata.httpStatusCode).toBe(
      200,
    );
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket: 'made' }))).Status).toBe('Suspended');
    await expect(s3.send(new CreateBucketCommand({ Bucket: 'made' }))).rejects.toMatchObject(
      s3Failure('BucketAlreadyExists', 409),
    );
    await s3.send(new PutObjectCommand({ Bucket: 'made', Key: 'a', Body: 'x' }));
    await expect(s3.send(new DeleteBucketCommand({ Bucket: 'made' }))).rejects.toMatchObject(
      s3Failure('ResourceNotEmpty', 409),
    );
    await s3.send(new DeleteObjectCommand({ Bucket: 'made', Key: 'a' }));
    await s3.send(new DeleteBucketCommand({ Bucket: 'made' }));
    await expect(s3.send(new HeadBucketCommand({ Bucket: 'made' }))).rejects.toMatchObject({
      $metadata: expect.objectContaining({ httpStatusCode: 404 }),
    });
  });
});

describe('objects', () => {
  it('are put and read with their metadata', async () => {
    const put = await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'dir/a b+c&d.txt',
        Body: 'hello',
        ContentType: 'text/plain',
        CacheControl: 'max-age=5',
        Metadata: { colour: 'blue' },
      }),
    );
    expect(put.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"');
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'dir/a b+c&d.txt' }));
    expect(await got.Body?.transformToString()).toBe('hello');
    expect(got).toMatchObject({
      ContentType: 'text/plain',
      CacheControl: 'max-age=5',
      ContentLength: 5,
      ETag: put.ETag,
      Metadata: { colour: 'blue' },
    });
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'dir/a b+c&d.txt' }));
    expect(head).toMatchObject({ ContentLength: 5, ETag: put.ETag, Metadata: { colour: 'blue' } });
    expect(
      (await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'dir/a b+c&d.txt' }))).TagSet ?? [],
    ).toEqual([]);
  });

  it('are streamed in signed and in unsigned chunks', async () => {
    const bytes = randomBytes(300_000);
    for (const [Key, config] of [
      ['chunks-default', {}],
      ['chunks-plain', { requestChecksumCalculation: 'WHEN_REQUIRED' as const }],
    ] as const) {
      const Body = Readable.from([bytes.subarray(0, 100_000), bytes.subarray(100_000)]);
      await clientWith(config).send(new PutObjectCommand({ Bucket, Key, Body, ContentLength: bytes.length }));
      const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
      expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(bytes)).toBe(true);
    }
  });

  it.each<[string, Partial<PutObjectCommandInput>]>([
    ['an MD5', { ContentMD5: createHash('md5').update('sent').digest('base64') }],
    ['a CRC32', { ChecksumCRC32: 'AAAAAA==' }],
    ['a SHA-1', { ChecksumSHA1: createHash('sha1').update('sent').digest('base64') }],
    ['a SHA-256', { ChecksumSHA256: createHash('sha256').update('sent').digest('base64') }],
  ])('are refused when they do not add up to %s', async (_sum, sum) => {
    const put = (given: object) =>
      s3.send(new PutObjectCommand({ Bucket, Key: 'damaged', Body: 'arrived', ...given }));
    await expect(put(sum)).rejects.toMatchObject(s3Failure('BadDigest', 400));
    await expect(text('damaged')).rejects.toMatchObject(s3Failure('NoSuchKey', 404));
  });

  it.each(['CRC32', 'SHA1', 'SHA256'] as const)(
    'add up to a %s, ahead of them and behind',
    async (algorithm) => {
      const bytes = randomBytes(200_000);
      for (const Body of [bytes, Readable.from([bytes.subarray(0, 70_000), bytes.subarray(70_000)])]) {
        const put = { Bucket, Key: 'whole', Body, ContentLength: bytes.length, ChecksumAlgorithm: algorithm };
        await s3.send(new PutObjectCommand(put));
      }
      const md5 = createHash('md5').update(bytes).digest('base64');
      await s3.send(new PutObjectCommand({ Bucket, Key: 'whole', Body: bytes, ContentMD5: md5 }));
    },
  );

  it('are refused when they do not add up to what comes behind them', async () => {
    const client = clientWith();
    client.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { body: AsyncIterable<Buffer>; headers: Record<string, string> };
        expect(request.headers['x-amz-trailer']).toBe('x-amz-checksum-crc32');
        const sent = request.body;
        request.body = Readable.from(
          (async function* () {
            // A bit flips on the way, in the bytes and not in their frame.
            for await (const chunk of sent) yield Buffer.from(String(chunk).replace('good', 'gooe'));
          })(),
        );
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low', name: 'damage' },
    );
    const Body = Readable.from([Buffer.from('good bytes')]);
    await expect(
      client.send(new PutObjectCommand({ Bucket, Key: 'behind', Body, ContentLength: 10 })),
    ).rejects.toMatchObject(s3Failure('BadDigest', 400));
    await expect(text('behind')).rejects.toMatchObject(s3Failure('NoSuchKey', 404));
  });

  it('are read in ranges and under conditions', async () => {
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'digits', Body: '0123456789' }));
    expect(await text('digits', { Range: 'bytes=2-4' })).toBe('234');
    await expect(text('digits', { Range: 'bytes=99-' })).rejects.toMatchObject(
      s3Failure('InvalidRange', 416),
    );
    await expect(text('digits', { IfNoneMatch: ETag })).rejects.toMatchObject({
      $metadata: expect.objectContaining({ httpStatusCode: 304 }),
    });
    const chosen = await s3.send(
      new GetObjectCommand({
        Bucket,
        Key: 'digits',
        ResponseContentType: 'a/b',
        ResponseContentDisposition: 'inline',
      }),
    );
    expect(chosen).toMatchObject({ ContentType: 'a/b', ContentDisposition: 'inline' });
  });

  it('are missing, deleted once or twice, and many at a time', async () => {
    await expect(text('none')).rejects.toMatchObject(s3Failure('NoSuchKey', 404));
    await expect(s3.send(new GetObjectCommand({ Bucket: 'none', Key: 'a' }))).rejects.toMatchObject(
      s3Failure('NoSuchKey', 404),
    );
    await s3.send(new PutObjectCommand({ Bucket, Key: 'gone', Body: 'x' }));
    for (let i = 0; i < 2; i++) {
      const deleted = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'gone' }));
      expect(deleted.$metadata.httpStatusCode).toBe(204);
    }
    await expect(s3.send(new DeleteObjectCommand({ Bucket: 'none', Key: 'a' }))).rejects.toMatchObject(
      s3Failure('NoSuchBucket', 404),
    );
    await s3.send(new PutObjectCommand({ Bucket, Key: 'x<&>"y', Body: 'x' })).catch(() => {});
    await s3.send(new PutObjectCommand({ Bucket, Key: 'm1&', Body: 'x' }));
    const many = await s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'm1&' }, { Key: 'never' }] } }),
    );
    expect(many.Deleted?.map((entry) => entry.Key)).toEqual(['m1&', 'never']);
    await expect(text('m1&')).rejects.toMatchObject(s3Failure('NoSuchKey', 404));
  });

  it('are copied with or without their metadata, under conditions', async () => {
    await s3.send(
      new PutObjectCommand({ Bucket, Key: 'src', Body: 'copy me', ContentType: 'a/b', Metadata: { k: '1' } }),
    );
    const copied = await s3.send(new CopyObjectCommand({ Bucket, Key: 'dst', CopySource: `${Bucket}/src` }));
    expect(copied.CopyObjectResult?.ETag).toMatch(/^"/);
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'dst' }))).toMatchObject({
      ContentType: 'a/b',
      Metadata: { k: '1' },
    });
    await s3.send(
      new CopyObjectCommand({
        Bucket,
        Key: 'dst',
        CopySource: `/${Bucket}/src`,
        MetadataDirective: 'REPLACE',
        ContentType: 'c/d',
        Metadata: { k: '2' },
      }),
    );
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'dst' }))).toMatchObject({
      ContentType: 'c/d',
      Metadata: { k: '2' },
    });
    await expect(
      s3.send(
        new CopyObjectCommand({ Bucket, Key: 'd', CopySource: `${Bucket}/src`, CopySourceIfMatch: '"no"' }),
      ),
    ).rejects.toMatchObject(s3Failure('PreconditionFailed', 412));
    await expect(
      s3.send(new CopyObjectCommand({ Bucket, Key: 'd', CopySource: `${Bucket}/none` })),
    ).rejects.toMatchObject(s3Failure('NoSuchKey', 404));
  });

  it('keep their bytes when somebody writes a part of them that is not served', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'tagged', Body: 'bytes' }));
    await expect(
      s3.send(
        new PutObjectTaggingCommand({
          Bucket,
          Key: 'tagged',
          Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] },
        }),
      ),
    ).rejects.toMatchObject({ $metadata: expect.objectContaining({ httpStatusCode: 404 }) });
    expect(await text('tagged')).toBe('bytes');
  });

  it('of no length behind a slash keep a folder', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'folder/', Body: '' }));
    const listed = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'folder/' }));
    expect(listed.Contents?.map((entry) => entry.Key)).toEqual(['folder/.emptyFolderPlaceholder']);
  });

  it('are refused above the limit, with a wrong name or in no bucket', async () => {
    const Body = Buffer.alloc(21 * 1024 * 1024);
    await expect(s3.send(new PutObjectCommand({ Bucket, Key: 'big', Body }))).rejects.toMatchObject(
      s3Failure('EntityTooLarge', 413),
    );
    await expect(s3.send(new PutObjectCommand({ Bucket, Key: '../x', Body: 'x' }))).rejects.toMatchObject(
      s3Failure('InvalidKey', 400),
    );
    await expect(
      s3.send(new PutObjectCommand({ Bucket: 'none', Key: 'x', Body: 'x' })),
    ).rejects.toMatchObject(s3Failure('NoSuchBucket', 404));
  });
});

describe('listings', () => {
  it('page, split folders and encode', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'list' }));
    const keys = ['a', 'b/1', 'b/2', 'c&d', 'e/f/g'];
    for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket: 'list', Key, Body: Key }));
    const all = await s3.send(new ListObjectsV2Command({ Bucket: 'list' }));
    expect(all.Contents?.map((entry) => entry.Key)).toEqual(keys);
    expect(all.Contents?.[0]).toMatchObject({ Size: 1, ETag: '"0cc175b9c0f1b6a831c399e269772661"' });
    const seen: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(
        new ListObjectsV2Command({ Bucket: 'list', Delimiter: '/', MaxKeys: 2, ContinuationToken }),
      );
      expect(page.KeyCount).toBeLessThanOrEqual(2);
      seen.push(...(page.CommonPrefixes ?? []).map((entry) => entry.Prefix));
      seen.push(...(page.Contents ?? []).map((entry) => entry.Key));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    expect(seen.sort()).toEqual(['a', 'b/', 'c&d', 'e/']);
    const first = await s3.send(new ListObjectsCommand({ Bucket: 'list', Delimiter: '/', MaxKeys: 2 }));
    expect([first.IsTruncated, first.NextMarker]).toEqual([true, expect.any(String)]);
    const rest = await s3.send(
      new ListObjectsCommand({ Bucket: 'list', Delimiter: '/', Marker: first.NextMarker }),
    );
    expect(rest.Contents?.map((entry) => entry.Key)).toEqual(['c&d']);
    expect(rest.CommonPrefixes?.map((entry) => entry.Prefix)).toEqual(['e/']);
    const after = await s3.send(
      new ListObjectsV2Command({ Bucket: 'list', StartAfter: 'b/2', EncodingType: 'url' }),
    );
    expect(after.Contents?.map((entry) => entry.Key)).toEqual(['c%26d', 'e%2Ff%2Fg']);
    const other = await s3.send(new ListObjectsV2Command({ Bucket: 'list', Delimiter: '&' }));
    expect(other.CommonPrefixes?.map((entry) => entry.Prefix)).toEqual(['c&']);
    await expect(s3.send(new ListObjectsV2Command({ Bucket: 'none' }))).rejects.toMatchObject(
      s3Failure('NoSuchBucket', 404),
    );
  });
});
