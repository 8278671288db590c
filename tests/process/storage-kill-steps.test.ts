import { createHash, randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { copyProject, type RunningInstance, runCli, startInstance } from '../support/cli.ts';

/*
 * A process that dies among moves, copies, deletes, resumable uploads and uploads in parts: every name is as it was
 * before the operation under way, or as it would be after it.
 */
const acknowledgedBeforeKill = 80;
const halfBytes = 30_000;
const demoKeys = {
  accessKeyId: '625729a08b95bf1b7ff351a663f3a23c',
  secretAccessKey: '850181e4652dd023b7a98c58ae0d2d34bd487ee0cc3254aed6eda37307425907',
};

let project: Awaited<ReturnType<typeof copyProject>>;
let instance: RunningInstance;

type Headers = Readonly<Record<string, string>>;

async function call(method: string, path: string, body?: Buffer | object, headers: Headers = {}) {
  const isJson = body !== undefined && !Buffer.isBuffer(body);
  const answer = await fetch(`${instance.url}/storage/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${instance.env.SERVICE_ROLE_KEY}`,
      ...(isJson ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    body: body === undefined ? null : isJson ? JSON.stringify(body) : body,
  });
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
}

const digest = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');

beforeAll(async () => {
  project = await copyProject('journal');
  instance = await startInstance(project.dir, ['--log-level', 'error']);
  expect((await call('POST', '/bucket', { name: 'kill' })).status).toBe(200);
});

afterAll(async () => {
  await instance.stop();
  await project.remove();
});

/** Content of names by its digest; null for none. */
type State = Readonly<Record<string, string | null>>;

/** Names that one writer alone changes, and what they may hold. */
class Ledger {
  known: State = {};
  possible: State = {};

  /** Does one thing that makes the names so; throws when it was not acknowledged. */
  async step(after: State, work: () => Promise<{ readonly status: number }>): Promise<void> {
    this.possible = { ...this.known, ...after };
    const { status } = await work();
    if (status >= 300) throw new Error(`answered ${status}`);
    this.known = this.possible;
    count();
  }
}

let acknowledged = 0;
function count(): void {
  if (++acknowledged === acknowledgedBeforeKill) instance.child.kill('SIGKILL');
}

const put = (ledger: Ledger, name: string, bytes: Buffer) =>
  ledger.step({ [name]: digest(bytes) }, () => call('PUT', `/object/kill/${name}`, bytes));

async function moveAndDelete(ledger: Ledger, id: string): Promise<void> {
  const bytes = randomBytes(halfBytes);
  await put(ledger, `${id}-a`, bytes);
  const body = { bucketId: 'kill', sourceKey: `${id}-a`, destinationKey: `${id}-b` };
  await ledger.step({ [`${id}-a`]: null, [`${id}-b`]: digest(bytes) }, () =>
    call('POST', '/object/move', body),
  );
  await ledger.step({ [`${id}-b`]: null }, () => call('DELETE', `/object/kill/${id}-b`));
}

async function copy(ledger: Ledger, id: string): Promise<void> {
  const bytes = randomBytes(halfBytes);
  await put(ledger, `${id}-a`, bytes);
  const body = { bucketId: 'kill', sourceKey: `${id}-a`, destinationKey: `${id}-b` };
  await ledger.step({ [`${id}-b`]: digest(bytes) }, () =>
    call('POST', '/object/copy', body, { 'x-upsert': 'true' }),
  );
}

/** What a resumable upload has been told to have, for the time after the kill. */
type Resumable = { path: string; offset: number; bytes: Buffer };
let resumable: Resumable | null = null;
const tus = { 'tus-resumable': '1.0.0', 'x-upsert': 'true' };
const encode = (text: string): string => Buffer.from(text).toString('base64');

const patch = (path: string, offset: number, bytes: Buffer) =>
  call('PATCH', path, bytes, {
    ...tus,
    'content-type': 'application/offset+octet-stream',
    'upload-offset': String(offset),
  });

async function resume(ledger: Ledger, id: string): Promise<void> {
  const bytes = randomBytes(2 * halfBytes);
  const created = await call('POST', '/upload/resumable', undefined, {
    ...tus,
    'upload-length': String(bytes.length),
    'upload-metadata': `bucketName ${encode('kill')},objectName ${encode(id)}`,
  });
  const path = new URL(created.headers.get('location') ?? '').pathname.replace('/storage/v1', '');
  const upload: Resumable = { path, offset: 0, bytes };
  resumable = upload;
  await ledger.step({}, () => patch(path, 0, bytes.subarray(0, halfBytes)));
  upload.offset = halfBytes;
  await ledger.step({ [id]: digest(bytes) }, () => patch(path, halfBytes, bytes.subarray(halfBytes)));
  resumable = null;
}

async function inParts(ledger: Ledger, id: string): Promise<void> {
  const s3 = new S3Client({
    endpoint: `${instance.url}/storage/v1/s3`,
    forcePathStyle: true,
    region: 'local',
    credentials: demoKeys,
    maxAttempts: 1,
  });
  const place = { Bucket: 'kill', Key: id };
  const bytes = randomBytes(2 * halfBytes);
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(place));
  for (const [at, body] of [bytes.subarray(0, halfBytes), bytes.subarray(halfBytes)].entries()) {
    await s3.send(new UploadPartCommand({ ...place, UploadId, PartNumber: at + 1, Body: body }));
  }
  await ledger.step({ [id]: digest(bytes) }, async () => {
    const done = await s3.send(new CompleteMultipartUploadCommand({ ...place, UploadId }));
    return { status: done.$metadata.httpStatusCode ?? 0 };
  });
}

async function contents(names: readonly string[]): Promise<State> {
  const found: Record<string, string | null> = {};
  for (const name of names) {
    const { status, bytes } = await call('GET', `/object/authenticated/kill/${name}`);
    found[name] = status === 200 ? digest(bytes) : null;
  }
  return found;
}

const shown = (state: State, names: readonly string[]): State =>
  Object.fromEntries(names.map((name) => [name, state[name] ?? null]));

it('is between two operations, whichever was under way', async () => {
  const writers = [moveAndDelete, copy, resume, inParts].flatMap((work) =>
    [0, 1].map((n) => ({ work, id: `${work.name}-${n}`, ledger: new Ledger() })),
  );
  await Promise.all(
    writers.map(async ({ work, id, ledger }) => {
      try {
        for (;;) await work(ledger, id);
      } catch {
        // The process is gone.
      }
    }),
  );
  expect(acknowledged).toBeGreaterThanOrEqual(acknowledgedBeforeKill);
  instance = await startInstance(project.dir, ['--log-level', 'error']);
  for (const { ledger } of writers) {
    const names = Object.keys(ledger.possible);
    expect([shown(ledger.known, names), shown(ledger.possible, names)]).toContainEqual(await contents(names));
  }
  const upload = resumable as Resumable | null;
  if (upload !== null) {
    const head = await call('HEAD', upload.path, undefined, tus);
    const offset = Number(head.headers.get('upload-offset'));
    expect(offset).toBeGreaterThanOrEqual(upload.offset);
    if (offset < upload.bytes.length) {
      expect((await patch(upload.path, offset, upload.bytes.subarray(offset))).status).toBe(204);
    }
  }
  const check = await runCli(['storage', 'check', '--project', project.dir, '--json']);
  expect([check.stdout, check.code]).toEqual(['', 0]);
});
