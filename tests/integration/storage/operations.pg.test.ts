import { randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import sharp from 'sharp';
import { beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startStorage } from '../../support/storage.ts';
import { allowRows, resetPolicies } from '../../support/storage-policies.ts';
import { tusOf } from '../../support/tus.ts';

/*
 * The names of operations, by which policies and triggers tell requests apart.
 */
const instance = await startStorage();
const { call, database, serviceKey } = instance;
const token = await instance.userToken(randomUUID());
const { tus, create, patch, pathOf } = tusOf(instance.url, serviceKey);
const clientOf = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) =>
  new S3Client({
    endpoint: `${instance.url}/storage/v1/s3`,
    forcePathStyle: true,
    region: instance.deps.keys.s3.region,
    credentials,
    maxAttempts: 1,
  });
const service = clientOf(instance.deps.keys.s3);
const user = clientOf({
  accessKeyId: 'project',
  secretAccessKey: instance.anonKey,
  sessionToken: token,
});
const image = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
  .png()
  .toBuffer();

/** Whether the request did what it asks for. */
type Attempt = () => Promise<boolean>;

const there = { Bucket: 'home', Key: 'there' };
const fresh = (): { Bucket: string; Key: string } => ({ Bucket: 'home', Key: randomUUID() });
const rest =
  (method: string, path: string, body?: object, headers: Record<string, string> = {}): Attempt =>
  async () => {
    const given = { token, headers, ...(body === undefined ? {} : { body }) };
    const answer = await call(method, path, given);
    // Lists are empty, and batches name what they cannot do, where policies hide everything.
    return answer.status === 200 && !/^(\[\]|.*"(objects|error)":(\[\]|"E).*)$/.test(answer.text);
  };
const s3 =
  (work: () => Promise<unknown>): Attempt =>
  () =>
    work().then(
      (result) => result !== false,
      () => false,
    );
const begun = async (): Promise<{ Bucket: string; Key: string; UploadId: string }> => {
  const place = fresh();
  const { UploadId = '' } = await service.send(new CreateMultipartUploadCommand(place));
  await service.send(new UploadPartCommand({ ...place, UploadId, PartNumber: 1, Body: 'x' }));
  return { ...place, UploadId };
};
const resumable = (): Promise<string> =>
  create({ bucketName: 'home', objectName: randomUUID() }, 3).then(pathOf);
const bytes = Buffer.from('x');

/** A request by the name under which its user's policies see it. */
const seen: Readonly<Record<string, Attempt>> = {
  'storage.bucket.create': () => rest('POST', '/bucket', { name: randomUUID() })(),
  'storage.bucket.list': rest('GET', '/bucket'),
  'storage.bucket.get': rest('GET', '/bucket/home'),
  'storage.bucket.update': rest('PUT', '/bucket/home', { public: false }),
  'storage.bucket.delete': rest('DELETE', '/bucket/empty'),
  'storage.object.upload': () => rest('POST', `/object/home/${randomUUID()}`, bytes)(),
  'storage.object.upload_update': rest('PUT', '/object/home/there', bytes),
  'storage.object.sign_upload_url': () => rest('POST', `/object/upload/sign/home/${randomUUID()}`, {})(),
  'storage.object.sign': rest('POST', '/object/sign/home/there', { expiresIn: 9 }),
  'storage.object.sign_many': rest('POST', '/object/sign/home', { expiresIn: 9, paths: ['there'] }),
  'storage.object.get_authenticated': rest('GET', '/object/authenticated/home/there'),
  'object.get_authenticated_info': rest('GET', '/object/info/authenticated/home/there'),
  'object.head_authenticated_info': rest('HEAD', '/object/authenticated/home/there'),
  'storage.object.list': rest('POST', '/object/list/home', { prefix: '' }),
  'storage.object.list_v2': rest('POST', '/object/list-v2/home', {}),
  'storage.object.move': rest('POST', '/object/move', {
    ...{ bucketId: 'home', sourceKey: 'there', destinationKey: 'moved' },
  }),
  'storage.object.copy': rest('POST', '/object/copy', {
    ...{ bucketId: 'home', sourceKey: 'there', destinationKey: 'copied' },
  }),
  'storage.object.delete': rest('DELETE', '/object/home/there'),
  'storage.object.delete_many': rest('DELETE', '/object/home', { prefixes: ['there'] }),
  'storage.render.image_authenticated': rest('GET', '/render/image/authenticated/home/image?width=1'),
  'storage.tus.upload.create': async () => {
    const made = await create({ bucketName: 'home', objectName: randomUUID() }, 3, { token });
    return made.status === 201;
  },
  'storage.tus.upload.part': async () => (await patch(await resumable(), 0, 'x', { token })).status === 204,
  'storage.tus.upload.delete': async () => (await tus('DELETE', await resumable(), { token })).status === 204,
  'storage.s3.bucket.list': s3(
    async () => ((await user.send(new ListBucketsCommand({}))).Buckets ?? []).length > 0,
  ),
  'storage.s3.bucket.create': s3(() => user.send(new CreateBucketCommand({ Bucket: randomUUID() }))),
  'storage.s3.bucket.head': s3(() => user.send(new HeadBucketCommand({ Bucket: 'home' }))),
  'storage.s3.bucket.delete': s3(() => user.send(new DeleteBucketCommand({ Bucket: 'empty' }))),
  'storage.s3.object.list': s3(async () => {
    const listings = [
      new ListObjectsCommand({ Bucket: 'home' }),
      new ListObjectsV2Command({ Bucket: 'home' }),
    ];
    const counts = await Promise.all(
      listings.map(
        async (listing) => (await user.send(listing as ListObjectsV2Command)).Contents?.length ?? 0,
      ),
    );
    return counts.every((count) => count > 0);
  }),
  'storage.s3.object.get': s3(() => user.send(new GetObjectCommand(there))),
  'storage.s3.object.info': s3(() => user.send(new HeadObjectCommand(there))),
  'storage.s3.object.copy': s3(() =>
    user.send(new CopyObjectCommand({ ...fresh(), CopySource: 'home/there' })),
  ),
  'storage.s3.object.delete': s3(async () => {
    await user.send(new DeleteObjectCommand(there));
    return (await database.owner.query(sql`select 1 from storage.objects where name = 'there'`)).length === 0;
  }),
  'storage.s3.object.delete_many': s3(async () => {
    const Delete = { Objects: [{ Key: 'there' }] };
    return (await user.send(new DeleteObjectsCommand({ Bucket: 'home', Delete }))).Deleted?.length === 1;
  }),
  'storage.s3.upload': s3(() => user.send(new PutObjectCommand({ ...fresh(), Body: 'x' }))),
  'storage.s3.upload.create_multipart': s3(() => user.send(new CreateMultipartUploadCommand(fresh()))),
  'storage.s3.upload.part': s3(async () =>
    user.send(new UploadPartCommand({ ...(await begun()), PartNumber: 2, Body: 'x' })),
  ),
  'storage.s3.upload.part_copy': s3(async () =>
    user.send(new UploadPartCopyCommand({ ...(await begun()), PartNumber: 2, CopySource: 'home/there' })),
  ),
  'storage.s3.upload.complete_multipart': s3(async () =>
    user.send(new CompleteMultipartUploadCommand(await begun())),
  ),
  'storage.s3.upload.abort_multipart': s3(async () =>
    user.send(new AbortMultipartUploadCommand(await begun())),
  ),
  'storage.s3.upload.list_multipart': s3(async () => {
    await begun();
    return ((await user.send(new ListMultipartUploadsCommand({ Bucket: 'home' }))).Uploads ?? []).length > 0;
  }),
  'storage.s3.upload.list_parts': s3(
    async () => ((await user.send(new ListPartsCommand(await begun()))).Parts ?? []).length > 0,
  ),
};

beforeEach(async () => {
  await resetPolicies(database);
  await database.owner.exec(`
    delete from storage.s3_multipart_uploads;
    delete from storage.buckets;
    insert into storage.buckets (id, name) values ('home', 'home'), ('empty', 'empty')`);
  await call('POST', '/object/home/there', { token: serviceKey, body: 'x' });
  await call('POST', '/object/home/image', {
    token: serviceKey,
    body: image,
    headers: { 'content-type': 'image/png' },
  });
});

async function allowEverywhere(condition: string): Promise<void> {
  const tables = ['objects', 'buckets', 's3_multipart_uploads', 's3_multipart_uploads_parts'] as const;
  for (const table of tables) await allowRows(database, `p_${table}`, table, 'all', condition);
}

describe.each(Object.entries(seen))('%s', (name, attempt) => {
  it('is what its own request is called', async () => {
    await allowEverywhere(`storage.allow_only_operation('${name}')`);
    expect(await attempt()).toBe(true);
  });

  it('is nothing that other policies let through', async () => {
    await allowEverywhere(`not storage.allow_any_operation(array['${name}', 'other'])`);
    expect(await attempt()).toBe(false);
  });
});

describe('a trigger', () => {
  const named = async (work: () => Promise<unknown>): Promise<unknown[]> => {
    await database.owner.exec(`
      create table if not exists public.seen (operation text);
      truncate public.seen;
      grant all on public.seen to service_role;
      create or replace function public.note() returns trigger language plpgsql as $$ begin
        insert into public.seen values (storage.operation()); return null; end $$;
      create trigger note after insert or update or delete on storage.objects
        for each row execute function public.note()`);
    await work();
    const rows = await database.owner.query<{ operation: string }>(
      sql`select distinct operation from public.seen`,
    );
    await database.owner.exec('drop trigger note on storage.objects');
    return rows.map(({ operation }) => operation);
  };

  it('sees what writes as the service role were asked for by', async () => {
    const signature = async (name: string): Promise<string> => {
      const made = await call('POST', `/object/upload/sign/home/${name}`, { token: serviceKey, body: {} });
      return (made.json() as { token: string }).token;
    };
    const [whole, pieces] = [await signature('whole'), await signature('pieces')];
    const signed = (headers: Record<string, string>) => ({
      path: '/upload/resumable/sign',
      headers: { 'x-signature': pieces, ...headers },
    });
    const path = pathOf(await create({ bucketName: 'home', objectName: 'pieces' }, 1, signed({})));
    const put = `/object/upload/sign/home/whole?token=${whole}`;
    expect(await named(() => call('PUT', put, { body: 'x' }))).toEqual(['storage.object.upload_signed']);
    expect(await named(() => patch(path, 0, 'x', signed({})))).toEqual(['storage.tus.upload.part_signed']);
    const empty = await signature('empty');
    const made = { bucketName: 'home', objectName: 'empty' };
    expect(await named(() => create(made, 0, signed({ 'x-signature': empty })))).toEqual([
      'storage.tus.upload.create_signed',
    ]);
    expect(await named(() => call('POST', '/bucket/home/empty', { token: serviceKey }))).toEqual([
      'storage.bucket.empty',
    ]);
  });
});
