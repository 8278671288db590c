import { randomUUID } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { beforeEach, expect, it } from 'vitest';
import { startStorage } from '../../support/storage.ts';
import { allowRows, resetPolicies } from '../../support/storage-policies.ts';
import { tusOf } from '../../support/tus.ts';

/*
 * What a user can do with each set of policies, over every way to do it.
 * Upstream: src/test/rls_tests.yaml, whose situations these are.
 */
const instance = await startStorage();
const { call, database, serviceKey } = instance;
const ada = randomUUID();
const token = await instance.userToken(ada);
const { create, patch, pathOf } = tusOf(instance.url, serviceKey);
const { region } = instance.deps.keys.s3;
const s3 = new S3Client({
  endpoint: `${instance.url}/storage/v1/s3`,
  forcePathStyle: true,
  region,
  credentials: { accessKeyId: 'project', secretAccessKey: instance.anonKey, sessionToken: token },
  maxAttempts: 1,
});

const own = 'owner_id = auth.uid()::text';
const policies = {
  'read objects': ['objects', 'select', own],
  'insert objects': ['objects', 'insert', own],
  'update objects': ['objects', 'update', own],
  'delete objects': ['objects', 'delete', own],
  'read buckets': ['buckets', 'select', own],
  'insert buckets': ['buckets', 'insert', own],
  'update buckets': ['buckets', 'update', own],
  'delete buckets': ['buckets', 'delete', own],
  'insert notes': ['objects', 'insert', `user_metadata ->> 'kind' = 'note'`],
  'insert images': ['objects', 'insert', `metadata ->> 'mimetype' like 'image/%'`],
  'insert small': ['objects', 'insert', `(metadata ->> 'contentLength')::int <= 100`],
  'read to list': ['objects', 'select', `storage.allow_only_operation('object.list') and ${own}`],
  'read to list or get': [
    'objects',
    'select',
    `storage.allow_any_operation(array['object.list', 'storage.object.get_authenticated']) and ${own}`,
  ],
} as const satisfies Readonly<Record<string, readonly [string, string, string]>>;
type Policy = keyof typeof policies;

const nameOf = (policy: Policy): string => `p_${policy.replaceAll(' ', '_')}`;
const grant = async (policy: Policy): Promise<void> => {
  const [table, command, condition] = policies[policy];
  await allowRows(database, nameOf(policy), table, command, condition);
};

type Outcome = readonly [status: number, message?: string];
const ok: Outcome = [200];
const refused: Outcome = [400, 'new row violates row-level security policy'];
const noBucket: Outcome = [400, 'Bucket not found'];
const noObject: Outcome = [400, 'Object not found'];
const notDeleted: Outcome = [400, 'Access denied'];
const notEmpty: Outcome = [400, 'The bucket you tried to delete is not empty'];

type Details = { readonly kind?: string; readonly type?: string; readonly size?: number };

const body = ({ size = 10 }: Details): Buffer => Buffer.alloc(size, 'x');
const typed = ({ type = 'text/plain' }: Details): string => type;
const encoded = ({ kind }: Details): Record<string, string> =>
  kind === undefined ? {} : { 'x-metadata': Buffer.from(JSON.stringify({ kind })).toString('base64') };
const outcomeOf = (status: number, text: string): Outcome => {
  if (status === 200) return ok;
  return [status, text.startsWith('{') ? (JSON.parse(text) as { message: string }).message : text];
};

const rest = async (method: string, path: string, json?: object): Promise<Outcome> => {
  const answer = await call(method, path, { token, ...(json === undefined ? {} : { body: json }) });
  return outcomeOf(answer.status, answer.text);
};
const upload =
  (name: string, headers: Record<string, string> = {}) =>
  async (details: Details): Promise<Outcome> => {
    const sent = { 'content-type': typed(details), ...encoded(details), ...headers };
    const answer = await call('POST', `/object/home/${name}`, { token, body: body(details), headers: sent });
    return outcomeOf(answer.status, answer.text);
  };
const resumable = async (details: Details): Promise<Outcome> => {
  const fields = {
    ...{ bucketName: 'home', objectName: randomUUID(), contentType: typed(details) },
    ...(details.kind === undefined ? {} : { metadata: JSON.stringify({ kind: details.kind }) }),
  };
  const created = await create(fields, body(details).length, { token });
  if (created.status !== 201) return outcomeOf(created.status, created.text);
  const sent = await patch(pathOf(created), 0, body(details), { token });
  return sent.status === 204 ? ok : outcomeOf(sent.status, sent.text);
};
const signed = async (details: Details): Promise<Outcome> => {
  const answer = await call('POST', `/object/upload/sign/home/${randomUUID()}`, {
    token,
    body: {},
    headers: encoded(details),
  });
  return outcomeOf(answer.status, answer.text);
};
const inParts = async ({ kind }: Details): Promise<Outcome> => {
  const place = { Bucket: 'home', Key: randomUUID() };
  const metadata = kind === undefined ? {} : { Metadata: { kind } };
  try {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...place, ...metadata }));
    const part = { ...place, UploadId, PartNumber: 1 };
    const { ETag } = await s3.send(new UploadPartCommand({ ...part, Body: 'x' }));
    const MultipartUpload = { Parts: [{ ETag, PartNumber: 1 }] };
    await s3.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload }));
    return ok;
  } catch (thrown) {
    const { $metadata, message } = thrown as { $metadata: { httpStatusCode: number }; message: string };
    return [$metadata.httpStatusCode, message];
  }
};
const elsewhere = { bucketId: 'home', sourceKey: 'there', destinationKey: 'elsewhere' };
const copy =
  (options: object = {}) =>
  async (details: Details): Promise<Outcome> => {
    const answer = await call('POST', '/object/copy', {
      token,
      body: { ...elsewhere, destinationKey: randomUUID(), ...options },
      headers: encoded(details),
    });
    return outcomeOf(answer.status, answer.text);
  };
const list = async (): Promise<Outcome> => {
  const answer = await call('POST', '/object/list/home', { token, body: { prefix: '' } });
  return (answer.json() as unknown[]).length > 0 ? ok : [200, 'nothing'];
};

/** Each is done to the bucket `home` and the object `there`, which is the user's own, in the order of a scenario. */
const operations = {
  upload: (details: Details) => upload(randomUUID())(details),
  'upload over there': upload('there', { 'x-upsert': 'true' }),
  'upsert a new one': (details: Details) => upload(randomUUID(), { 'x-upsert': 'true' })(details),
  resumable,
  signed,
  inParts,
  get: () => rest('GET', '/object/authenticated/home/there'),
  list,
  copy: copy(),
  'copy with its metadata': copy({ copyMetadata: true }),
  'copy with new metadata': copy({ copyMetadata: false }),
  move: () => rest('POST', '/object/move', elsewhere),
  'move back': () =>
    rest('POST', '/object/move', { ...elsewhere, sourceKey: 'elsewhere', destinationKey: 'there' }),
  delete: () => rest('DELETE', '/object/home/there'),
  'create a bucket': () => rest('POST', '/bucket', { name: randomUUID() }),
  'get the bucket': () => rest('GET', '/bucket/home'),
  'update the bucket': () => rest('PUT', '/bucket/home', { public: false }),
  'delete the bucket': () => rest('DELETE', '/bucket/home'),
  'empty the bucket': () => rest('POST', '/bucket/home/empty'),
} as const;
type Operation = keyof typeof operations;
const run: Readonly<Record<Operation, (details: Details) => Promise<Outcome>>> = operations;

const blind = {
  upload: refused,
  'upsert a new one': refused,
  'upload over there': refused,
  get: noObject,
  copy: noObject,
  move: noObject,
  delete: notDeleted,
  'create a bucket': refused,
  'get the bucket': noBucket,
  'update the bucket': noBucket,
  'delete the bucket': notEmpty,
} as const satisfies Partial<Record<Operation, Outcome>>;

/** With these policies, what differs from having none. */
const scenarios: readonly (readonly [readonly Policy[], Partial<Record<Operation, Outcome>>])[] = [
  [[], {}],
  [['read objects'], { get: ok, list: ok, copy: refused }],
  [['read buckets'], { 'get the bucket': ok }],
  [['insert objects'], { upload: ok, resumable: ok, signed: ok }],
  [['insert buckets'], { 'create a bucket': ok }],
  [['read buckets', 'update buckets'], { 'get the bucket': ok, 'update the bucket': ok }],
  [['update objects', 'delete objects', 'update buckets', 'delete buckets'], {}],
  [
    ['insert objects', 'update objects', 'read objects'],
    {
      ...{ upload: ok, 'upsert a new one': ok, 'upload over there': ok, get: ok, copy: ok, move: ok },
      ...{ 'move back': ok, resumable: ok, inParts: ok },
    },
  ],
  [
    ['read objects', 'insert objects'],
    { upload: ok, 'upsert a new one': ok, get: ok, copy: ok, inParts: ok },
  ],
  [['read objects', 'update objects'], { get: ok, copy: refused, move: ok, 'move back': ok }],
  [['read objects', 'delete objects'], { get: ok, copy: refused, delete: ok, 'delete the bucket': noBucket }],
  [['read to list'], { list: ok, get: noObject }],
  [['read to list or get'], { list: ok, get: ok }],
];

beforeEach(async () => {
  await resetPolicies(database);
  await database.owner.exec(`
    delete from storage.s3_multipart_uploads;
    delete from storage.buckets;
    insert into storage.buckets (id, name, owner_id) values ('home', 'home', '${ada}')`);
  await call('POST', '/object/home/there', {
    token: serviceKey,
    body: 'x',
    headers: { 'x-metadata': encoded({ kind: 'note' })['x-metadata'] ?? '' },
  });
  await database.owner.exec(`update storage.objects set owner_id = '${ada}', owner = '${ada}'`);
});

it.each(scenarios)('who may %j can do that, and no more', async (granted, expected) => {
  for (const policy of granted) await grant(policy);
  const outcomes = { ...blind, ...expected };
  for (const operation of Object.keys(operations) as Operation[]) {
    const outcome = outcomes[operation];
    if (outcome !== undefined) {
      expect([operation, await run[operation]({})]).toEqual([operation, outcome]);
    }
  }
});

it('who may delete buckets can once they are empty', async () => {
  for (const policy of ['read buckets', 'delete buckets'] as const) await grant(policy);
  expect(await run['delete the bucket']({})).toEqual(notEmpty);
  await call('DELETE', '/object/home/there', { token: serviceKey });
  expect(await run['delete the bucket']({})).toEqual(ok);
});

it('nobody but the service role empties a bucket', async () => {
  for (const policy of ['read objects', 'read buckets', 'delete objects', 'update buckets'] as const) {
    await grant(policy);
  }
  expect(await run['empty the bucket']({})).toEqual([403, 'Access denied: Invalid role']);
  expect((await call('POST', '/bucket/home/empty', { token: serviceKey })).status).toBe(200);
});

it('a policy on user metadata holds for every kind of upload and for copies', async () => {
  await grant('insert notes');
  await grant('read objects');
  const { upload: put, resumable: tus, signed: sign, inParts: parts } = run;
  for (const operation of [put, tus, sign, parts]) {
    expect(await operation({ kind: 'note' })).toEqual(ok);
    expect((await operation({}))[1]).toBe(refused[1]);
  }
  expect(await run['copy with its metadata']({})).toEqual(ok);
  expect(await run['copy with new metadata']({ kind: 'note' })).toEqual(ok);
  expect(await run['copy with new metadata']({ kind: 'other' })).toEqual(refused);
});

it.each([
  ['the type', 'insert images', { type: 'image/png' }, { type: 'text/plain' }],
  ['the length', 'insert small', { size: 100 }, { size: 101 }],
] as const)('a policy on %s holds for plain and for resumable uploads', async (_what, policy, good, bad) => {
  await grant(policy);
  expect(await run.upload(good)).toEqual(ok);
  expect(await run.upload(bad)).toEqual(refused);
  expect(await run.resumable(good)).toEqual(ok);
  expect(await run.resumable(bad)).toEqual([403, refused[1]]);
});
