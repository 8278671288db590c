import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { openS3Store } from '../../../src/storage/backends/s3.ts';
import { s3Stalls, startS3Double } from '../../support/s3-double.ts';
import { startStorage } from '../../support/storage.ts';
import { breakAtEachStep, expectWhole, serviceOf } from '../../support/storage-faults.ts';
import { makeBucket } from '../../support/storage-operation.ts';
import { operations } from '../../support/storage-operations.ts';
import { until } from '../../support/until.ts';

/*
 * The S3 server that holds the blobs stands still: its connections stay open, and nothing moves on them.
 */

/** Long enough for the stand-in to answer on a busy machine. */
const patienceMs = 500;
const double = await startS3Double();
afterAll(() => double.close());
const instance = await startStorage({
  env: { OWNBASE_STORAGE_DELETE_GRACE: '0' },
  openStore: () => openS3Store({ ...double.options, patienceMs }),
});
const { call, serviceKey: token, url } = instance;
const bytes = randomBytes(200_000);
const failure = { statusCode: '500', error: 'Internal', message: 'Internal Server Error' };

await makeBucket(serviceOf(instance));
await call('POST', '/bucket', { token, body: { name: 'stalls', public: true } });
await call('POST', '/object/stalls/there', { token, body: bytes });
const signed = (
  await call('POST', '/object/sign/stalls/there', { token, body: { expiresIn: 60 } })
).json() as { signedURL: string };

/** What a client makes of an answer: its status and body, or that it broke off. */
const outcomeOf = async (path: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${url}/storage/v1${path}`, { headers });
  const body = await answer.text().catch(() => 'broke off');
  return { status: answer.status, body };
};
const failed = { status: 500, body: expect.stringContaining(JSON.stringify(failure).slice(1, -1)) };
/** A download asks the server for the length of the blob first. */
const content = 2;

it('a server that never answers fails a download before it begins, in the form of the service', async () => {
  double.arm('never answers', 1);
  expect(await outcomeOf('/object/public/stalls/there')).toEqual(failed);
  expect(double.heal()).toBe(true);
});

describe.each(s3Stalls)('a server that %s', (stall) => {
  afterEach(() => until(() => double.underWay() === 0));

  it.each([
    ['a download', '/object/public/stalls/there', {}],
    ['a download of a range', '/object/public/stalls/there', { range: 'bytes=5-150000' }],
    ['a download by a signed URL', signed.signedURL, {}],
  ])('ends %s whose bytes do not come', async (_case, path, headers) => {
    double.arm(stall, content);
    const outcome = await outcomeOf(path, headers);
    expect(double.heal()).toBe(true);
    if (stall === 'never answers') expect(outcome).toEqual(failed);
    else expect(outcome.body).toBe('broke off');
  });
});

it.each([
  ['never answers', 'an upsert'],
  ['stops while it answers', 'an upsert'],
  ['stops while it answers', 'the completion of an upload in parts'],
] as const)('a server that %s at each request of %s loses nothing', async (stall, name) => {
  const operation = operations.find((candidate) => candidate.name === name);
  if (operation === undefined) throw new RangeError(name);
  await breakAtEachStep(instance, operation, {
    arm: (step) => double.arm(stall, step),
    heal: () => double.heal(),
  });
});

it('nothing is left that a repair does not remove', () => expectWhole(instance));

it('a client that goes away takes its request to a server that stands still with it', async () => {
  const store = await openS3Store({ ...double.options, patienceMs: 0 });
  const version = 'left';
  await store.put(version, Readable.from([bytes]), { maxBytes: bytes.length });
  double.arm('stops while it answers', content);
  const blob = await store.get(version);
  expect(double.underWay()).toBe(1);
  if (blob !== null && blob.body instanceof Readable) blob.body.destroy();
  await until(() => double.underWay() === 0);
  expect(double.heal()).toBe(true);
  await store.remove([version]);
});
