import { createHash, createHmac } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect } from 'vitest';

/*
 * What clients do to a storage service, one operation at a time, so that something may break in the middle of it: what
 * its names hold before and after, and what a client does next when it was not acknowledged.
 */

/** A service as its clients reach it. */
export type Service = {
  /** Its URL with `/storage/v1`. */
  readonly url: string;
  readonly serviceKey: string;
  readonly s3: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly region: string };
};

/** Digests of names' contents; null where there is no such object. */
export type State = Readonly<Record<string, string | null>>;

/** What an operation has told its client. */
export type Outcome = { readonly isAcknowledged: boolean; readonly status: number; readonly text: string };

/** An operation under way: made by `prepare`, on a service that works. */
export type Prepared = {
  readonly before: State;
  /** What names hold once the operation is acknowledged. */
  readonly after: State;
  /** What they hold in the end, when later requests belong to the whole. */
  readonly end?: State;
  /** Does it once; a connection that breaks is an outcome too. */
  readonly run: (service: Service) => Promise<Outcome>;
  /**
   * Looks at what is not an object (progress, parts), and goes on to the end, as the client would; on a service that
   * works again.
   */
  readonly settle: (service: Service, outcome: Outcome) => Promise<void>;
};

/** One operation. */
export type Operation = {
  readonly name: string;
  readonly prepare: (service: Service) => Promise<Prepared>;
};

const bucket = 'faults';
/** More than one buffer's worth, so that bodies arrive in several chunks. */
const halfBytes = 80_000;

const digest = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');

/** Bytes that differ from name to name. */
const bytesOf = (text: string, length = halfBytes): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(length / 32) }, (_, i) =>
      createHmac('sha256', text).update(String(i)).digest(),
    ),
  ).subarray(0, length);

type Headers = Readonly<Record<string, string>>;

async function call(
  service: Service,
  method: string,
  path: string,
  body?: Buffer | object,
  headers: Headers = {},
) {
  const isJson = body !== undefined && !Buffer.isBuffer(body);
  const answer = await fetch(service.url + path, {
    method,
    headers: {
      authorization: `Bearer ${service.serviceKey}`,
      ...(isJson ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    body: body === undefined ? null : isJson ? JSON.stringify(body) : body,
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  return { status: answer.status, headers: answer.headers, bytes };
}

/** Makes the bucket of all operations. */
export async function makeBucket(service: Service): Promise<void> {
  expect((await call(service, 'POST', '/bucket', { name: bucket })).status).toBe(200);
}

/** What names hold; a download that breaks off or is refused for another reason than absence throws. */
async function contents(service: Service, names: readonly string[]): Promise<State> {
  const found: Record<string, string | null> = {};
  for (const name of names) {
    const { status, bytes } = await call(service, 'GET', `/object/authenticated/${bucket}/${name}`);
    if (status !== 200 && !bytes.includes('"not_found"')) throw new Error(`${name}: ${status} ${bytes}`);
    found[name] = status === 200 ? digest(bytes) : null;
  }
  return found;
}

const isGone: Outcome = { isAcknowledged: false, status: 0, text: 'the connection broke' };

/** The outcome of a request over HTTP. */
async function outcome(work: () => ReturnType<typeof call>): Promise<Outcome> {
  try {
    const { status, bytes } = await work();
    return { isAcknowledged: status < 300, status, text: String(bytes) };
  } catch {
    // The service is gone, or has closed the connection.
    return isGone;
  }
}

async function must(work: () => ReturnType<typeof call>): ReturnType<typeof call> {
  const answer = await work();
  expect([answer.status, answer.status < 300 ? '' : String(answer.bytes)]).toEqual([expect.any(Number), '']);
  return answer;
}

let made = 0;
/** A name that no operation before had. */
const fresh = (base: string): string => `${base}-${++made}`;

const put = (service: Service, name: string, bytes: Buffer) =>
  must(() => call(service, 'PUT', `/object/${bucket}/${name}`, bytes));

/** An operation of one request on objects that are there already; it is tried again when it was not acknowledged. */
const simple = (
  name: string,
  make: () => {
    readonly there: Readonly<Record<string, Buffer>>;
    readonly after: Readonly<Record<string, Buffer | null>>;
    readonly request: (service: Service) => ReturnType<typeof call>;
  },
): Operation => ({
  name,
  async prepare(service) {
    const { there, after, request } = make();
    for (const [key, bytes] of Object.entries(there)) await put(service, key, bytes);
    const digests = (contents: Readonly<Record<string, Buffer | null>>): State =>
      Object.fromEntries(
        Object.keys(after).map((key) => [key, contents[key] ? digest(contents[key]) : null]),
      );
    const afterwards = digests(after);
    return {
      before: digests(there),
      after: afterwards,
      run: (target) => outcome(() => request(target)),
      async settle(target) {
        const isDone =
          JSON.stringify(await contents(target, Object.keys(after))) === JSON.stringify(afterwards);
        if (!isDone) await must(() => request(target));
      },
    };
  },
});

const json =
  (path: string, body: object, headers: Headers = {}) =>
  (service: Service) =>
    call(service, 'POST', path, body, headers);

const objects: readonly Operation[] = [
  simple('an upload', () => {
    const name = fresh('upload');
    return {
      there: {},
      after: { [name]: bytesOf(name) },
      request: (service) => call(service, 'POST', `/object/${bucket}/${name}`, bytesOf(name)),
    };
  }),
  simple('an upload as a form', () => {
    const name = fresh('form');
    return {
      there: {},
      after: { [name]: bytesOf(name) },
      request: async (service) => {
        const form = new FormData();
        form.append('', new Blob([bytesOf(name)]), 'file');
        const answer = await fetch(`${service.url}/object/${bucket}/${name}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${service.serviceKey}` },
          body: form,
        });
        return {
          status: answer.status,
          headers: answer.headers,
          bytes: Buffer.from(await answer.arrayBuffer()),
        };
      },
    };
  }),
  simple('an upsert', () => {
    const name = fresh('upsert');
    return {
      there: { [name]: bytesOf('old') },
      after: { [name]: bytesOf(name) },
      request: (service) => call(service, 'PUT', `/object/${bucket}/${name}`, bytesOf(name)),
    };
  }),
  simple('a move', () => {
    const [from, to] = [fresh('move-from'), fresh('move-to')];
    return {
      there: { [from]: bytesOf(from) },
      after: { [from]: null, [to]: bytesOf(from) },
      request: json('/object/move', { bucketId: bucket, sourceKey: from, destinationKey: to }),
    };
  }),
  simple('a copy over another object', () => {
    const [from, to] = [fresh('copy-from'), fresh('copy-to')];
    return {
      there: { [from]: bytesOf(from), [to]: bytesOf('old') },
      after: { [from]: bytesOf(from), [to]: bytesOf(from) },
      request: json(
        '/object/copy',
        { bucketId: bucket, sourceKey: from, destinationKey: to },
        { 'x-upsert': 'true' },
      ),
    };
  }),
  simple('a delete', () => {
    const name = fresh('delete');
    return {
      there: { [name]: bytesOf(name) },
      after: { [name]: null },
      request: (service) => call(service, 'DELETE', `/object/${bucket}/${name}`),
    };
  }),
  simple('a delete of many', () => {
    const [one, two] = [fresh('delete'), fresh('delete')];
    return {
      there: { [one]: bytesOf(one), [two]: bytesOf(two) },
      after: { [one]: null, [two]: null },
      request: (service) => call(service, 'DELETE', `/object/${bucket}`, { prefixes: [one, two] }),
    };
  }),
];

const tus: Headers = { 'tus-resumable': '1.0.0', 'x-upsert': 'true' };
const piece: Headers = { ...tus, 'content-type': 'application/offset+octet-stream' };
const encode = (text: string): string => Buffer.from(text).toString('base64');

const create = (service: Service, name: string, body?: Buffer) =>
  call(service, 'POST', '/upload/resumable', body, {
    ...(body === undefined ? tus : piece),
    'upload-length': String(2 * halfBytes),
    'upload-metadata': `bucketName ${encode(bucket)},objectName ${encode(name)}`,
  });

const pathOf = (headers: globalThis.Headers): string =>
  new URL(headers.get('location') ?? '').pathname.replace('/storage/v1', '');

const patch = (service: Service, path: string, offset: number, bytes: Buffer) =>
  call(service, 'PATCH', path, bytes, { ...piece, 'upload-offset': String(offset) });

/** Goes on where the service says that the upload is, and yields that place. */
async function resume(service: Service, path: string, bytes: Buffer): Promise<number> {
  const head = await must(() => call(service, 'HEAD', path, undefined, tus));
  const offset = Number(head.headers.get('upload-offset'));
  if (offset < bytes.length) await must(() => patch(service, path, offset, bytes.subarray(offset)));
  return offset;
}

const resumable: readonly Operation[] = [
  {
    name: 'a resumable upload’s creation',
    async prepare() {
      const name = fresh('tus-create');
      const bytes = bytesOf(name, 2 * halfBytes);
      let path: string | null = null;
      return {
        before: { [name]: null },
        after: { [name]: null },
        end: { [name]: digest(bytes) },
        run: (service) =>
          outcome(async () => {
            const answer = await create(service, name, bytes.subarray(0, halfBytes));
            if (answer.status < 300) path = pathOf(answer.headers);
            return answer;
          }),
        async settle(service, { isAcknowledged }) {
          path ??= pathOf((await must(() => create(service, name))).headers);
          const offset = await resume(service, path, bytes);
          if (isAcknowledged) expect(offset).toBe(halfBytes);
        },
      };
    },
  },
  {
    name: 'a piece of a resumable upload',
    async prepare(service) {
      const name = fresh('tus-piece');
      const bytes = bytesOf(name, 2 * halfBytes);
      const path = pathOf((await must(() => create(service, name))).headers);
      await must(() => patch(service, path, 0, bytes.subarray(0, 1000)));
      return {
        before: { [name]: null },
        after: { [name]: null },
        end: { [name]: digest(bytes) },
        run: (target) => outcome(() => patch(target, path, 1000, bytes.subarray(1000, halfBytes))),
        async settle(target, { isAcknowledged }) {
          const offset = await resume(target, path, bytes);
          expect(offset).toBeGreaterThanOrEqual(isAcknowledged ? halfBytes : 1000);
        },
      };
    },
  },
  {
    name: 'the last piece of a resumable upload',
    async prepare(service) {
      const name = fresh('tus-last');
      const bytes = bytesOf(name, 2 * halfBytes);
      await put(service, name, bytesOf('old'));
      const path = pathOf((await must(() => create(service, name))).headers);
      await must(() => patch(service, path, 0, bytes.subarray(0, halfBytes)));
      return {
        before: { [name]: digest(bytesOf('old')) },
        after: { [name]: digest(bytes) },
        run: (target) => outcome(() => patch(target, path, halfBytes, bytes.subarray(halfBytes))),
        async settle(target, { isAcknowledged }) {
          const offset = await resume(target, path, bytes);
          expect(offset).toBeGreaterThanOrEqual(isAcknowledged ? 2 * halfBytes : halfBytes);
        },
      };
    },
  },
  {
    name: 'the end of a resumable upload by its client',
    async prepare(service) {
      const name = fresh('tus-delete');
      const path = pathOf((await must(() => create(service, name))).headers);
      await must(() => patch(service, path, 0, bytesOf(name, 1000)));
      return {
        before: { [name]: null },
        after: { [name]: null },
        run: (target) => outcome(() => call(target, 'DELETE', path, undefined, tus)),
        async settle(target, { isAcknowledged }) {
          const again = await call(target, 'DELETE', path, undefined, tus);
          expect(isAcknowledged ? [404] : [204, 404]).toContain(again.status);
        },
      };
    },
  },
];

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

const inParts: readonly Operation[] = [
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

/** Every operation that changes what is stored. */
export const operations: readonly Operation[] = [...objects, ...resumable, ...inParts];

/**
 * Holds an operation that something broke in against its promises, on a service that works again: acknowledged work is
 * there, work that was not is there whole or not at all, and the client gets to its end.
 */
export async function expectKept(service: Service, prepared: Prepared, outcome: Outcome): Promise<void> {
  const { before, after, end = after } = prepared;
  const names = Object.keys(after);
  expect(outcome.isAcknowledged ? [after] : [before, after]).toContainEqual(await contents(service, names));
  await prepared.settle(service, outcome);
  expect(await contents(service, names)).toEqual(end);
}
