import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
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
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  type S3ClientConfig,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../../src/pg/sql/sql.ts';
import { send } from '../../support/http.ts';
import { startStorage } from '../../support/storage.ts';

/** Holds the next completion while it puts its parts together. */
let assembly: Promise<void> | null = null;
let lookups = 0;

const instance = await startStorage({
  env: { FILE_SIZE_LIMIT: '20MiB', OWNBASE_STORAGE_DELETE_GRACE: '0' },
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
const { database, deps, port, serviceKey } = instance;
const { accessKeyId, secretAccessKey, region } = deps.keys.s3;

const clientWith = (options: S3ClientConfig = {}): S3Client =>
  new S3Client({
    endpoint: `${instance.url}/storage/v1/s3`,
    forcePathStyle: true,
    region,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
    ...options,
  });

const s3 = clientWith();
const Bucket = 'b';
const text = async (Key: string, options: object = {}): Promise<string> =>
  (await s3.send(new GetObjectCommand({ Bucket, Key, ...options }))).Body?.transformToString() ?? '';
const failure = (code: string, status: number) => ({
  Code: code,
  $metadata: expect.objectContaining({ httpStatusCode: status }),
});

beforeAll(async () => {
  await s3.send(new CreateBucketCommand({ Bucket }));
});

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
      failure('BucketAlreadyExists', 409),
    );
    await s3.send(new PutObjectCommand({ Bucket: 'made', Key: 'a', Body: 'x' }));
    await expect(s3.send(new DeleteBucketCommand({ Bucket: 'made' }))).rejects.toMatchObject(
      failure('ResourceNotEmpty', 409),
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

  it('are read in ranges and under conditions', async () => {
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'digits', Body: '0123456789' }));
    expect(await text('digits', { Range: 'bytes=2-4' })).toBe('234');
    await expect(text('digits', { Range: 'bytes=99-' })).rejects.toMatchObject(failure('InvalidRange', 416));
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
    await expect(text('none')).rejects.toMatchObject(failure('NoSuchKey', 404));
    await expect(s3.send(new GetObjectCommand({ Bucket: 'none', Key: 'a' }))).rejects.toMatchObject(
      failure('NoSuchKey', 404),
    );
    await s3.send(new PutObjectCommand({ Bucket, Key: 'gone', Body: 'x' }));
    for (let i = 0; i < 2; i++) {
      const deleted = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'gone' }));
      expect(deleted.$metadata.httpStatusCode).toBe(204);
    }
    await expect(s3.send(new DeleteObjectCommand({ Bucket: 'none', Key: 'a' }))).rejects.toMatchObject(
      failure('NoSuchBucket', 404),
    );
    await s3.send(new PutObjectCommand({ Bucket, Key: 'x<&>"y', Body: 'x' })).catch(() => {});
    await s3.send(new PutObjectCommand({ Bucket, Key: 'm1&', Body: 'x' }));
    const many = await s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'm1&' }, { Key: 'never' }] } }),
    );
    expect(many.Deleted?.map((entry) => entry.Key)).toEqual(['m1&', 'never']);
    await expect(text('m1&')).rejects.toMatchObject(failure('NoSuchKey', 404));
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
    ).rejects.toMatchObject(failure('PreconditionFailed', 412));
    await expect(
      s3.send(new CopyObjectCommand({ Bucket, Key: 'd', CopySource: `${Bucket}/none` })),
    ).rejects.toMatchObject(failure('NoSuchKey', 404));
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
      failure('EntityTooLarge', 413),
    );
    await expect(s3.send(new PutObjectCommand({ Bucket, Key: '../x', Body: 'x' }))).rejects.toMatchObject(
      failure('InvalidKey', 400),
    );
    await expect(
      s3.send(new PutObjectCommand({ Bucket: 'none', Key: 'x', Body: 'x' })),
    ).rejects.toMatchObject(failure('NoSuchBucket', 404));
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
      failure('NoSuchBucket', 404),
    );
  });
});

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
    ).rejects.toMatchObject(failure('NoSuchUpload', 404));
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
    await expect(completeWith([{ PartNumber: 2, ETag }])).rejects.toMatchObject(failure('InvalidPart', 400));
    await expect(completeWith([{ PartNumber: 1, ETag: '"no"' }])).rejects.toMatchObject(
      failure('InvalidPart', 400),
    );
    await expect(
      completeWith([
        { PartNumber: 1, ETag },
        { PartNumber: 1, ETag },
      ]),
    ).rejects.toMatchObject(failure('InvalidPartOrder', 400));
    await expect(completeWith([{ PartNumber: 1, ETag }], 'other')).rejects.toMatchObject(
      failure('NoSuchUpload', 404),
    );
    await part('wrong', UploadId, 2, Buffer.alloc(11 * 1024 * 1024));
    await expect(part('wrong', UploadId, 3, Buffer.alloc(11 * 1024 * 1024))).rejects.toMatchObject(
      failure('EntityTooLarge', 413),
    );
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'wrong', UploadId }));
    await expect(part('wrong', UploadId, 1, 'x')).rejects.toMatchObject(failure('NoSuchUpload', 404));
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

  it('keeps its bucket from being deleted', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'pending' }));
    await s3.send(new CreateMultipartUploadCommand({ Bucket: 'pending', Key: 'a' }));
    await expect(s3.send(new DeleteBucketCommand({ Bucket: 'pending' }))).rejects.toMatchObject(
      failure('ResourceReferenced', 409),
    );
  });
});

describe('a signature', () => {
  it('opens and fills objects by URL, until its time', async () => {
    const put = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'by-url' }), { expiresIn: 60 });
    expect((await fetch(put, { method: 'PUT', body: 'from a url' })).status).toBe(200);
    const get = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'by-url' }), { expiresIn: 60 });
    expect(await (await fetch(get)).text()).toBe('from a url');
    const status = async (url: string) => (await fetch(url)).status;
    expect(await status(get.replace('by-url', 'digits'))).toBe(403);
    expect(await status(`${get}&x=1`)).toBe(403);
    expect(await status(get.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=999999999'))).toBe(400);
    const old = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'by-url' }), {
      expiresIn: 60,
      signingDate: new Date(Date.now() - 120_000),
    });
    const expired = await fetch(old);
    expect([expired.status, await expired.text()]).toEqual([400, expect.stringContaining('ExpiredToken')]);
  });

  it('is refused with a wrong key, secret, region or clock', async () => {
    const list = (options: S3ClientConfig) => clientWith(options).send(new ListBucketsCommand({}));
    const credentials = { accessKeyId, secretAccessKey };
    await expect(list({ credentials: { ...credentials, accessKeyId: 'x' } })).rejects.toMatchObject(
      failure('AccessDenied', 403),
    );
    await expect(list({ credentials: { ...credentials, secretAccessKey: 'x' } })).rejects.toMatchObject(
      failure('SignatureDoesNotMatch', 403),
    );
    await expect(list({ region: 'eu-west-1' })).rejects.toMatchObject(failure('SignatureDoesNotMatch', 403));
    for (const known of ['us-east-1', 'auto']) {
      expect((await list({ region: known })).$metadata.httpStatusCode).toBe(200);
    }
    await expect(list({ systemClockOffset: 3_600_000 })).rejects.toMatchObject(
      failure('RequestTimeTooSkewed', 403),
    );
  });

  it('covers the bytes', async () => {
    const tampering = clientWith({ requestChecksumCalculation: 'WHEN_REQUIRED' });
    tampering.middlewareStack.add(
      (next) => (args) => {
        (args.request as { body: string }).body = 'EVIL!';
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low', name: 'tamper' },
    );
    await expect(
      tampering.send(new PutObjectCommand({ Bucket, Key: 'tampered', Body: 'good!' })),
    ).rejects.toMatchObject(failure('XAmzContentSHA256Mismatch', 400));
    await expect(text('tampered')).rejects.toMatchObject(failure('NoSuchKey', 404));
  });

  it('is needed, whatever else a request brings', async () => {
    for (const headers of [{}, { authorization: `Bearer ${serviceKey}` }, { apikey: serviceKey }]) {
      const answer = await send(port, '/storage/v1/s3/', { headers });
      expect([answer.status, answer.body]).toEqual([
        403,
        expect.stringContaining('<Code>AccessDenied</Code>'),
      ]);
    }
  });
});

describe('a session token', () => {
  const asUser = async (sessionToken: string): Promise<S3Client> =>
    clientWith({
      credentials: { accessKeyId: 'any', secretAccessKey: deps.keys.api.anonToken, sessionToken },
    });

  it('makes the request its user’s, under policies', async () => {
    const id = randomUUID();
    const user = await asUser(await instance.userToken(id));
    expect((await user.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
    await expect(
      user.send(new PutObjectCommand({ Bucket, Key: `${id}/a`, Body: 'x' })),
    ).rejects.toMatchObject(failure('AccessDenied', 403));
    await database.owner.exec(
      `create policy own on storage.objects to authenticated
       using ((storage.foldername(name))[1] = auth.uid()::text) with check ((storage.foldername(name))[1] = auth.uid()::text)`,
    );
    await user.send(new PutObjectCommand({ Bucket, Key: `${id}/a`, Body: 'mine' }));
    await expect(user.send(new GetObjectCommand({ Bucket, Key: 'digits' }))).rejects.toMatchObject(
      failure('NoSuchKey', 404),
    );
    const listed = await user.send(new ListObjectsV2Command({ Bucket }));
    expect(listed.Contents?.map((entry) => entry.Key)).toEqual([`${id}/a`]);
    const deleted = await user.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: `${id}/a` }, { Key: 'digits' }] } }),
    );
    expect(deleted).toMatchObject({
      Deleted: [{ Key: `${id}/a` }],
      Errors: [{ Key: 'digits', Code: 'AccessDenied' }],
    });
  });

  it('is worth nothing when it is forged', async () => {
    const forged = `${(await instance.userToken(randomUUID())).slice(0, -4)}AAAA`;
    await expect((await asUser(forged)).send(new ListBucketsCommand({}))).rejects.toMatchObject(
      failure('AccessDenied', 403),
    );
  });
});

describe('a browser’s form', () => {
  const hmac = (key: string | Buffer, value: string) => createHmac('sha256', key).update(value).digest();

  /** Sends a form under a policy for keys that begin with `up/`. */
  async function post(options: {
    fields?: Record<string, string>;
    conditions?: unknown[];
    expiresMs?: number;
    secret?: string;
    body?: string;
  }): Promise<{ status: number; text: string }> {
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
    const policy = Buffer.from(
      JSON.stringify({
        expiration: new Date(Date.now() + (options.expiresMs ?? 60_000)).toISOString(),
        conditions: [{ bucket: Bucket }, ['starts-with', '$key', 'up/'], ...(options.conditions ?? [])],
      }),
    ).toString('base64');
    const dayKey = hmac(`AWS4${options.secret ?? secretAccessKey}`, day);
    const key = hmac(hmac(hmac(dayKey, region), 's3'), 'aws4_request');
    const form = new FormData();
    const fields = {
      key: 'up/form.txt',
      policy,
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': `${accessKeyId}/${day}/${region}/s3/aws4_request`,
      'X-Amz-Date': `${day}T000000Z`,
      'X-Amz-Signature': hmac(key, policy).toString('hex'),
      ...options.fields,
    };
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set('file', new Blob([options.body ?? 'from a form'], { type: 'text/plain' }), 'a.txt');
    const answer = await fetch(`${instance.url}/storage/v1/s3/${Bucket}`, { method: 'POST', body: form });
    return { status: answer.status, text: await answer.text() };
  }

  it('uploads what its policy allows, with the metadata that it covers', async () => {
    const conditions = [{ 'Content-Type': 'text/css' }, ['starts-with', '$x-amz-meta-by', '']];
    const fields = { 'Content-Type': 'text/css', 'X-Amz-Meta-By': 'form' };
    expect(await post({ conditions, fields })).toMatchObject({ status: 200 });
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'up/form.txt' }))).toMatchObject({
      ContentType: 'text/css',
      Metadata: { by: 'form' },
    });
    expect(await text('up/form.txt')).toBe('from a form');
  });

  it.each<[string, Parameters<typeof post>[0], number, string]>([
    ['another key', { fields: { key: 'elsewhere' } }, 403, 'AccessDenied'],
    ['a field without a condition', { fields: { 'x-amz-meta-extra': 'x' } }, 403, 'AccessDenied'],
    ['a time that is over', { expiresMs: -1000 }, 400, 'ExpiredToken'],
    ['another secret', { secret: 'x' }, 403, 'SignatureDoesNotMatch'],
    ['too many bytes', { conditions: [['content-length-range', 0, 3]] }, 413, 'EntityTooLarge'],
    ['too few bytes', { conditions: [['content-length-range', 100, 200]] }, 400, 'EntityTooSmall'],
    ['a name that leaves the bucket', { fields: { key: 'up/../../x' } }, 400, 'InvalidKey'],
  ])('is refused with %s', async (_case, options, status, code) => {
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'up/form.txt' }));
    expect(await post(options)).toEqual({ status, text: expect.stringContaining(`<Code>${code}</Code>`) });
    await expect(text('up/form.txt')).rejects.toMatchObject(failure('NoSuchKey', 404));
  });
});
