import { cp, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeDataDir } from '../../src/embedded/placement.ts';
import { copyProject, type RunningInstance, runCli, startInstance } from '../support/cli.ts';

/*
 * The steps of docs/migration.md, from one backend to another: schema by `db pull`, keys by .env, data by `db dump`,
 * files over S3.
 */

const credentials = { email: 'ada@example.com', password: 'a long password' };

let old: { project: Awaited<ReturnType<typeof copyProject>>; instance: RunningInstance };
let moved: { dir: string; instance: RunningInstance };
let session: { access_token: string; refresh_token: string; userId: string };

const clientOf = ({ url, env }: RunningInstance): SupabaseClient =>
  createClient(url, env.ANON_KEY ?? '', { auth: { persistSession: false, autoRefreshToken: false } });

const s3Of = ({ env }: RunningInstance): S3Client =>
  new S3Client({
    endpoint: env.STORAGE_S3_URL ?? '',
    region: env.S3_PROTOCOL_REGION ?? '',
    forcePathStyle: true,
    credentials: {
      accessKeyId: env.S3_PROTOCOL_ACCESS_KEY_ID ?? '',
      secretAccessKey: env.S3_PROTOCOL_ACCESS_KEY_SECRET ?? '',
    },
  });

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(args);
  expect(stderr, args.join(' ')).not.toMatch(/error/i);
  expect(code, stderr).toBe(0);
  return stdout;
}

/** What `rclone copy --ignore-times --metadata` does. */
async function copyFiles(from: S3Client, to: S3Client): Promise<void> {
  const { Buckets = [] } = await from.send(new ListBucketsCommand({}));
  for (const { Name: Bucket = '' } of Buckets) {
    const { Contents = [] } = await from.send(new ListObjectsV2Command({ Bucket }));
    for (const { Key = '' } of Contents) {
      const { Body, ContentType, CacheControl, Metadata } = await from.send(
        new GetObjectCommand({ Bucket, Key }),
      );
      const bytes = (await Body?.transformToByteArray()) ?? '';
      await to.send(new PutObjectCommand({ Bucket, Key, Body: bytes, ContentType, CacheControl, Metadata }));
    }
  }
}

/** Somebody signs up, writes a post and keeps files; nobody knows yet that the project will move. */
async function live(instance: RunningInstance): Promise<typeof session> {
  const ada = clientOf(instance);
  const { data } = await ada.auth.signUp({ ...credentials, options: { data: { username: 'ada' } } });
  const userId = data.user?.id ?? '';
  expect((await ada.from('posts').insert({ title: 'Of old', is_published: false })).error).toBeNull();
  const bucket = ada.storage.from('private');
  const options = { contentType: 'text/markdown', cacheControl: '77' };
  expect((await bucket.upload(`${userId}/my file &+ (1).md`, '# Bytes', options)).error).toBeNull();
  return {
    access_token: data.session?.access_token ?? '',
    refresh_token: data.session?.refresh_token ?? '',
    userId,
  };
}

beforeAll(async () => {
  const project = await copyProject('journal');
  await run('keys', '--generate', '--project', project.dir);
  old = { project, instance: await startInstance(project.dir) };
  session = await live(old.instance);
  // As a project that was made in the dashboard, whose migrations nobody wrote down.
  const forget = 'drop schema supabase_migrations cascade';
  await run('db', 'query', forget, '--project', project.dir);

  const dir = await mkdtemp(join(tmpdir(), 'ownbase-moved-'));
  const here = ['--project', dir, '--db-url', old.instance.dbUrl];
  await mkdir(join(dir, 'supabase'));
  await cp(join(project.dir, 'supabase/config.toml'), join(dir, 'supabase/config.toml'));
  await cp(join(project.dir, 'supabase/samples'), join(dir, 'supabase/samples'), { recursive: true });
  const kept = ['JWT_SECRET', 'ANON_KEY', 'SERVICE_ROLE_KEY'];
  await writeFile(join(dir, '.env'), kept.map((name) => `${name}=${old.instance.env[name]}\n`).join(''));
  await run('db', 'pull', 'initial', ...here);
  await run('db', 'dump', '--data-only', '-f', join(dir, 'data.sql'), ...here);
  moved = { dir, instance: await startInstance(dir, ['--no-seed']) };
  await run('db', 'query', '-f', join(dir, 'data.sql'), '--project', dir);
  await copyFiles(s3Of(old.instance), s3Of(moved.instance));
});

afterAll(async () => {
  await Promise.all([moved.instance.stop(), old.instance.stop()]);
  await old.project.remove();
  await removeDataDir(join(moved.dir, '.ownbase', 'postgres'));
});

describe('a project that moved', () => {
  it('has the whole schema of the old one, what is on tables of the platform too', async () => {
    const { stdout, stderr } = await runCli([
      ...['db', 'diff', '--from', moved.instance.dbUrl, '--to', old.instance.dbUrl],
      ...['--project', moved.dir],
    ]);
    expect({ stdout, stderr }).toEqual({
      stdout: '',
      stderr: expect.stringContaining('No schema changes found'),
    });
    expect(await readFile(join(moved.dir, 'data.sql'), 'utf8')).toContain('ada@example.com');
  });

  it('keeps the API keys, passwords, access tokens and sessions of its people', async () => {
    expect(moved.instance.env.ANON_KEY).toBe(old.instance.env.ANON_KEY);
    const client = clientOf(moved.instance);
    expect((await client.auth.getUser(session.access_token)).data.user?.id).toBe(session.userId);
    const { refresh_token } = session;
    expect((await client.auth.refreshSession({ refresh_token })).data.user?.id).toBe(session.userId);
    expect((await client.auth.signInWithPassword(credentials)).error).toBeNull();
    const wrong = { ...credentials, password: 'another' };
    expect((await client.auth.signInWithPassword(wrong)).error?.code).toBe('invalid_credentials');
  });

  it('has their rows, and goes on counting where the old one stopped', async () => {
    const ada = clientOf(moved.instance);
    await ada.auth.signInWithPassword(credentials);
    expect((await ada.from('posts').select('title')).data).toEqual([{ title: 'Of old' }]);
    const { data } = await ada.from('posts').insert({ title: 'Anew' }).select('id').single();
    expect(data?.id).toBe(2);
    expect((await clientOf(moved.instance).from('posts').select('title')).data).toEqual([]);
  });

  it('did not make profiles twice, and makes one for who comes new', async () => {
    const client = clientOf(moved.instance);
    await client.auth.signUp({
      email: 'bob@example.com',
      password: 'secret words',
      options: { data: { username: 'bob' } },
    });
    const { data } = await client.from('profiles').select('username').order('username');
    expect(data).toEqual([{ username: 'ada' }, { username: 'bob' }]);
  });

  it('gives files to their owner alone, as they were', async () => {
    const ada = clientOf(moved.instance);
    await ada.auth.signInWithPassword(credentials);
    const path = `${session.userId}/my file &+ (1).md`;
    const { data } = await ada.storage.from('private').download(path);
    expect([data?.type, await data?.text()]).toEqual(['text/markdown', '# Bytes']);
    expect((await clientOf(moved.instance).storage.from('private').download(path)).data).toBeNull();
    const owner = "select owner_id, metadata from storage.objects where bucket_id = 'private'";
    const rows = JSON.parse(await run('db', 'query', owner, '--json', '--project', moved.dir));
    expect(rows).toMatchObject([{ owner_id: session.userId, metadata: { cacheControl: 'max-age=77' } }]);
    const check = await runCli(['storage', 'check', '--project', moved.dir]);
    expect(check.stderr).toMatch(/^2 objects, 2 files, 0 findings/);
  });
});
