import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import {
  bucket,
  bytesOf,
  digest,
  fresh,
  halfBytes,
  type Operation,
  type Outcome,
  put,
  type Service,
} from './storage-operation.ts';

const clientOf = ({ url, s3 }: Service): S3Client =>
  new S3Client({
    endpoint: `${url}/s3`,
    forcePathStyle: true,
    region: s3.region,
    credentials: s3,
    maxAttempts: 1,
  });

/** The outcome of a command. */
async function commanded(service: Service, work: (s3: S3Client) => Promise<unknown>): Promise<Outcome> {
  const client = clientOf(service);
  try {
    await work(client);
    return { isAcknowledged: true, status: 200, text: '' };
  } catch (thrown) {
    const { $metadata, Code } = thrown as { $metadata?: { httpStatusCode?: number }; Code?: string };
    return { isAcknowledged: false, status: $metadata?.httpStatusCode ?? 0, text: Code ?? String(thrown) };
  } finally {
    client.destroy();
  }
}

async function command<T>(service: Service, work: (s3: S3Client) => Promise<T>): Promise<T> {
  const client = clientOf(service);
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}

const begin = (Key: string) => async (s3: S3Client) =>
  (await s3.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }))).UploadId;

const part =
  (Key: string, UploadId: string | undefined, PartNumber: number, Body: Buffer) => (s3: S3Client) =>
    s3.send(new UploadPartCommand({ Bucket: bucket, Key, UploadId, PartNumber, Body }));

const complete = (Key: string, UploadId: string | undefined) => (s3: S3Client) =>
  s3.send(new CompleteMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));

const partsOf = (Key: string, UploadId: string | undefined) => async (s3: S3Client) =>
  (await s3.send(new ListPartsCommand({ Bucket: bucket, Key, UploadId }))).Parts ?? [];

/** Uploads in parts over S3. */
export const inParts: readonly Operation[] = [
  {
    name: 'the beginning of an upload in parts',
    async prepare() {
      const name = fresh('s3-create');
      let id: string | undefined;
      return {
        before: { [name]: null },
        after: { [name]: null },
        end: { [name]: digest(bytesOf(name)) },
        run: (service) =>
          commanded(service, async (s3) => {
            id = await begin(name)(s3);
          }),
        settle: (service) =>
          command(service, async (s3) => {
            id ??= await begin(name)(s3);
            await part(name, id, 1, bytesOf(name))(s3);
            await complete(name, id)(s3);
          }),
      };
    },
  },
  {
    name: 'a part that replaces another',
    async prepare(service) {
      const name = fresh('s3-part');
      const id = await command(service, begin(name));
      const [old, bytes] = [bytesOf('old part', halfBytes), bytesOf(name)];
      await command(service, part(name, id, 1, old));
      return {
        before: { [name]: null },
        after: { [name]: null },
        end: { [name]: digest(bytes) },
        run: (target) => commanded(target, part(name, id, 1, bytes)),
        settle: (target, { isAcknowledged }) =>
          command(target, async (s3) => {
            const tags = (await partsOf(name, id)(s3)).map(({ ETag }) => ETag);
            const possible = isAcknowledged ? [bytes] : [old, bytes];
            expect(possible.map((content) => [`"${digest(content)}"`])).toContainEqual(tags);
            // The part that is listed is the part that is there.
            const isNew = tags[0] === `"${digest(bytes)}"`;
            if (!isNew) await part(name, id, 1, bytes)(s3);
            await complete(name, id)(s3);
          }),
      };
    },
  },
  {
    name: 'the completion of an upload in parts',
    async prepare(service) {
      const name = fresh('s3-complete');
      const bytes = bytesOf(name, 2 * halfBytes);
      await put(service, name, bytesOf('old'));
      const id = await command(service, begin(name));
      await command(service, part(name, id, 2, bytes.subarray(halfBytes)));
      await command(service, part(name, id, 1, bytes.subarray(0, halfBytes)));
      const after = { [name]: digest(bytes) };
      return {
        before: { [name]: digest(bytesOf('old')) },
        after,
        run: (target) => commanded(target, complete(name, id)),
        async settle(target) {
          const again = await commanded(target, complete(name, id));
          expect(again.isAcknowledged ? 'completed' : again.text).toMatch(/^(completed|NoSuchUpload)$/);
        },
      };
    },
  },
  {
    name: 'the end of an upload in parts by its client',
    async prepare(service) {
      const name = fresh('s3-abort');
      const id = await command(service, begin(name));
      await command(service, part(name, id, 1, bytesOf(name)));
      const abort = (s3: S3Client) =>
        s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: name, UploadId: id }));
      return {
        before: { [name]: null },
        after: { [name]: null },
        run: (target) => commanded(target, abort),
        async settle(target, { isAcknowledged }) {
          const again = await commanded(target, abort);
          expect(again.isAcknowledged && !isAcknowledged ? 'NoSuchUpload' : again.text).toBe('NoSuchUpload');
        },
      };
    },
  },
];
