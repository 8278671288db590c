import { readdir, readFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { realDataDir } from '../../src/embedded/placement.ts';
import { connect } from '../../src/pg/connect.ts';
import { sql } from '../../src/pg/sql/sql.ts';
import { copyProject, type RunningInstance, startInstance } from '../support/cli.ts';
import { send } from '../support/http.ts';

/*
 * What goes wrong around a running instance: a database that dies under load, clients that leave in the middle,
 * requests that make no sense. Each gets an answer in its service's own format, and the instance goes on.
 */
let project: Awaited<ReturnType<typeof copyProject>>;
let instance: RunningInstance;
let port: number;
let client: SupabaseClient;
let userId: string;

beforeAll(async () => {
  project = await copyProject('journal');
  instance = await startInstance(project.dir, ['--log-level', 'info']);
  port = Number(new URL(instance.url).port);
  client = createClient(instance.url, instance.env.ANON_KEY ?? '', {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: WebSocket as never },
  });
  const { data } = await client.auth.signUp({ email: 'ada@example.com', password: 'correct horse battery' });
  userId = data.user?.id ?? '';
});

afterAll(async () => {
  await client.removeAllChannels();
  expect(await instance.stop()).toBe(0);
  await project.remove();
});

const blobCount = async (): Promise<number> => {
  const entries = await readdir(join(project.dir, '.ownbase', 'storage'), {
    recursive: true,
    withFileTypes: true,
  });
  return entries.filter((entry) => entry.isFile()).length;
};

const postmasterPid = async (): Promise<number> => {
  const dataDir = await realDataDir(join(project.dir, '.ownbase', 'postgres'));
  const text = await readFile(join(dataDir ?? '', 'postmaster.pid'), 'utf8');
  return Number(text.split('\n')[0]);
};

describe('a database that is killed under load', () => {
  it('costs some answers a 5xx, and everything works again by itself, live changes included', async () => {
    const seen: unknown[] = [];
    await client.realtime.setAuth((await client.auth.getSession()).data.session?.access_token ?? null);
    await new Promise<void>((resolve) => {
      client
        .channel('posts')
        .on('postgres_changes', { event: 'INSERT', schema: 'public', table: 'posts' }, (change) =>
          seen.push(change.new.title),
        )
        .on('system', {}, (message: { status?: string }) => message.status === 'ok' && resolve())
        .subscribe();
    });
    const statuses = new Set<number>();
    let isLoading = true;
    const load = async (): Promise<void> => {
      while (isLoading) statuses.add((await client.from('posts').select('id').limit(1)).status);
    };
    const loads = Array.from({ length: 8 }, load);
    await expect.poll(() => statuses.has(200)).toBe(true);
    process.kill(await postmasterPid(), 'SIGKILL');
    await expect.poll(() => [...statuses].some((status) => status >= 500), { timeout: 10_000 }).toBe(true);
    await expect
      .poll(async () => (await client.from('posts').insert({ title: 'after' })).error, { timeout: 20_000 })
      .toBeNull();
    isLoading = false;
    await Promise.all(loads);
    expect([...statuses].filter((status) => status >= 400 && status < 500)).toEqual([]);
    await expect.poll(() => seen, { timeout: 20_000 }).toContain('after');
    expect((await client.auth.getUser()).data.user?.id).toBe(userId);
    expect((await client.storage.from('avatars').upload('after', 'x')).error).toBeNull();
  });

  it('leaves one slot and no connection that waits for ever', async () => {
    const owner = await connect(instance.dbUrl);
    try {
      const [row] = await owner.query(
        sql`select (select count(*)::int from pg_replication_slots where active) as slots,
          (select count(*)::int from pg_stat_activity where state like 'idle in transaction%') as stuck`,
      );
      expect(row).toEqual({ slots: 1, stuck: 0 });
    } finally {
      await owner.end();
    }
  });
});

describe('a client that goes away in the middle of an upload', () => {
  it('leaves no object, no blob, and an instance that answers', async () => {
    const before = await blobCount();
    const token = (await client.auth.getSession()).data.session?.access_token ?? '';
    const path = `/storage/v1/object/private/${userId}/cut.bin`;
    await new Promise<void>((resolve) => {
      const socket = connectSocket(port, '127.0.0.1', () => {
        socket.write(
          `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n` +
            'content-type: application/octet-stream\r\ncontent-length: 1000000\r\n\r\n',
        );
        socket.write(Buffer.alloc(400_000), () => socket.destroy());
      });
      socket.once('close', () => resolve());
    });
    await expect.poll(blobCount).toBe(before);
    const { data } = await client.storage.from('private').list(userId);
    expect(data).toEqual([]);
  });
});

describe('a request that makes no sense', () => {
  const anon = (): Record<string, string> => ({ apikey: instance.env.ANON_KEY ?? '' });
  const json = (): Record<string, string> => ({ ...anon(), 'content-type': 'application/json' });

  const cases: [string, string, Parameters<typeof send>[2], number, Record<string, unknown>][] = [
    [
      'malformed JSON to REST',
      '/rest/v1/posts',
      { method: 'POST', body: '{"a":' },
      400,
      { code: 'PGRST102' },
    ],
    ['an unknown table', '/rest/v1/nothing', {}, 404, { code: 'PGRST205' }],
    ['a broken filter', '/rest/v1/posts?id=what.1', {}, 400, { code: 'PGRST100' }],
    ['an unknown method', '/rest/v1/posts', { method: 'PURGE' }, 405, { code: 'PGRST117' }],
    [
      'malformed JSON to auth',
      '/auth/v1/token?grant_type=password',
      { method: 'POST', body: '{' },
      400,
      { error_code: 'bad_json' },
    ],
    [
      'an unknown grant',
      '/auth/v1/token?grant_type=magic',
      { method: 'POST', body: '{}' },
      400,
      { error_code: 'invalid_credentials' },
    ],
    ['an unknown bucket', '/storage/v1/object/public/none/x', {}, 400, { statusCode: '404' }],
    ['an escape that is none', '/storage/v1/object/public/avatars/%zz', {}, 400, { code: 'FST_ERR_BAD_URL' }],
    ['a path that climbs out', '/storage/v1/object/public/avatars/../../../../etc/passwd', {}, 400, {}],
  ];
  it.each(cases)(
    '%s is answered in the service’s own format',
    async (_name, target, options, status, body) => {
      const answer = await send(port, target, { ...options, headers: json() });
      expect([answer.status, answer.body]).toEqual([status, expect.any(String)]);
      expect(answer.json()).toMatchObject(body);
      expect(answer.headers['access-control-allow-origin']).toBe('*');
      expect(answer.body).not.toMatch(/node_modules|at .*\.[jt]s:|\/tmp\//);
    },
  );

  it('with a token of nonsense is refused by each service in its own words', async () => {
    const headers = { ...anon(), authorization: 'Bearer not.a.token' };
    expect((await send(port, '/rest/v1/posts', { headers })).json()).toMatchObject({ code: 'PGRST301' });
    expect((await send(port, '/auth/v1/user', { headers })).json()).toMatchObject({ error_code: 'bad_jwt' });
    expect((await send(port, '/storage/v1/bucket', { headers })).json()).toMatchObject({ statusCode: '403' });
  });

  it('over the body limit of REST and auth is answered 413, before the body has come', async () => {
    const headers = { ...json(), 'content-length': String(110 * 1024 ** 2) };
    for (const target of ['/rest/v1/posts', '/auth/v1/signup']) {
      const answer = await send(port, target, { method: 'POST', body: '[', headers });
      expect(answer.status).toBe(413);
    }
  });

  it('leaves no secret and no token in the log', async () => {
    const token = (await client.auth.getSession()).data.session?.access_token ?? '';
    const output = instance.output().split('"msg"').slice(1).join('');
    expect(output).not.toContain(token);
    expect(output).not.toContain('correct horse');
    expect(output).not.toContain(instance.env.JWT_SECRET);
  });
});
