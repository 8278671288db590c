import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { copyProject, type RunningInstance, startInstance } from '../support/cli.ts';

/*
 * The first journey of an app: its own project, its own client, one changed URL. Two people sign up, write, comment,
 * keep private files, and see live changes; what one may not see never reaches them.
 */
let project: Awaited<ReturnType<typeof copyProject>>;
let instance: RunningInstance;
const clients: SupabaseClient[] = [];

const newClient = (): SupabaseClient => {
  const client = createClient(instance.url, instance.env.ANON_KEY ?? '', {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: WebSocket as never },
  });
  clients.push(client);
  return client;
};

const signUp = async (username: string): Promise<{ client: SupabaseClient; id: string }> => {
  const client = newClient();
  const { data, error } = await client.auth.signUp({
    email: `${username}@example.com`,
    password: 'correct horse battery',
    options: { data: { username } },
  });
  expect(error).toBeNull();
  return { client, id: data.user?.id ?? '' };
};

let ada: Awaited<ReturnType<typeof signUp>>;
let bob: Awaited<ReturnType<typeof signUp>>;

beforeAll(async () => {
  project = await copyProject('journal');
  instance = await startInstance(project.dir);
  ada = await signUp('ada');
  bob = await signUp('bob');
});

afterAll(async () => {
  await Promise.all(clients.map((client) => client.removeAllChannels()));
  expect(await instance.stop()).toBe(0);
  await project.remove();
});

describe('people', () => {
  it('have a profile made by the project’s own trigger', async () => {
    const { data } = await ada.client.from('profiles').select('username').order('username');
    expect(data).toEqual([{ username: 'ada' }, { username: 'bob' }]);
  });

  it('sign in again, refresh their session and sign out', async () => {
    const client = newClient();
    const signedIn = await client.auth.signInWithPassword({
      email: 'ada@example.com',
      password: 'correct horse battery',
    });
    expect(signedIn.data.user?.id).toBe(ada.id);
    const refreshed = await client.auth.refreshSession();
    expect(refreshed.data.session?.refresh_token).not.toBe(signedIn.data.session?.refresh_token);
    expect((await client.auth.getUser()).data.user?.email).toBe('ada@example.com');
    expect(
      (await client.auth.updateUser({ data: { theme: 'dark' } })).data.user?.user_metadata,
    ).toMatchObject({
      theme: 'dark',
      username: 'ada',
    });
    expect((await client.auth.signOut()).error).toBeNull();
  });

  it('are told that a password is wrong without learning more', async () => {
    const { error } = await newClient().auth.signInWithPassword({
      email: 'ada@example.com',
      password: 'nope',
    });
    expect(error).toMatchObject({ status: 400, code: 'invalid_credentials' });
  });

  it('may stay anonymous, and are listed for an admin', async () => {
    const guest = await newClient().auth.signInAnonymously();
    expect(guest.data.user?.is_anonymous).toBe(true);
    const admin = createClient(instance.url, instance.env.SERVICE_ROLE_KEY ?? '', {
      auth: { persistSession: false, autoRefreshToken: false },
      realtime: { transport: WebSocket as never },
    });
    const { data } = await admin.auth.admin.listUsers();
    expect(data.users.map((user) => user.email)).toEqual(
      expect.arrayContaining(['ada@example.com', 'bob@example.com']),
    );
  });
});

describe('data', () => {
  it('is written with defaults, read with embeds, filtered and counted', async () => {
    const written = await ada.client
      .from('posts')
      .insert(
        [
          { title: 'First', body: 'hello', is_published: true, meta: { lang: 'en' } },
          { title: 'Draft', body: 'later' },
        ],
        { defaultToNull: false },
      )
      .select('id, title, author_id')
      .order('id');
    expect(written.error).toBeNull();
    expect(written.data?.map((post) => [post.title, post.author_id])).toEqual([
      ['First', ada.id],
      ['Draft', ada.id],
    ]);
    const first = written.data?.[0]?.id as number;
    await ada.client.from('post_tags').insert([
      { post_id: first, tag_id: 1 },
      { post_id: first, tag_id: 3 },
    ]);
    await bob.client.from('comments').insert({ post_id: first, body: 'nice' });
    const read = await bob.client
      .from('posts')
      .select(
        'title, lang:meta->>lang, author:profiles!posts_author_id_fkey(username), tags(name), comments(body)',
        {
          count: 'exact',
        },
      )
      .eq('is_published', true)
      .order('name', { referencedTable: 'tags' })
      .limit(10);
    expect(read).toMatchObject({
      error: null,
      count: 1,
      data: [
        {
          title: 'First',
          lang: 'en',
          author: { username: 'ada' },
          tags: [{ name: 'news' }, { name: 'travel' }],
          comments: [{ body: 'nice' }],
        },
      ],
    });
  });

  it('of others stays unseen and untouched under row level security', async () => {
    expect((await bob.client.from('posts').select('title').eq('title', 'Draft')).data).toEqual([]);
    const stolen = await bob.client.from('posts').update({ title: 'mine' }).eq('title', 'First').select();
    expect(stolen.data).toEqual([]);
    const forged = await bob.client.from('posts').insert({ title: 'forged', author_id: ada.id });
    expect(forged.error).toMatchObject({ code: '42501' });
    expect(forged.status).toBe(403);
  });

  it('is upserted, updated, deleted, and changed by functions', async () => {
    const { data: draft } = await ada.client.from('posts').select('id').eq('title', 'Draft').single();
    const published = await ada.client
      .rpc('publish', { post: draft?.id })
      .select('title, is_published')
      .single();
    expect(published.data).toEqual({ title: 'Draft', is_published: true });
    const upserted = await ada.client
      .from('posts')
      .upsert({ id: draft?.id, title: 'Second', is_published: true })
      .select('title')
      .single();
    expect(upserted.data).toEqual({ title: 'Second' });
    const removed = await ada.client.from('posts').delete().eq('id', draft?.id).select('id');
    expect(removed.data).toEqual([{ id: draft?.id }]);
    expect((await ada.client.from('posts').select().eq('id', draft?.id).maybeSingle()).data).toBeNull();
    const single = await ada.client.from('posts').select().eq('id', draft?.id).single();
    expect(single.error).toMatchObject({ code: 'PGRST116' });
    expect(single.status).toBe(406);
  });
});

describe('files', () => {
  const bytes = new Uint8Array(200_000).map((_, i) => i % 251);

  it('in a private folder come back to their owner byte for byte, and to nobody else', async () => {
    const path = `${ada.id}/journal/2026.bin`;
    const up = await ada.client.storage
      .from('private')
      .upload(path, bytes, { contentType: 'application/x-own' });
    expect(up.error).toBeNull();
    const down = await ada.client.storage.from('private').download(path);
    expect(new Uint8Array((await down.data?.arrayBuffer()) ?? new ArrayBuffer(0))).toEqual(bytes);
    expect((await bob.client.storage.from('private').download(path)).error).not.toBeNull();
    expect(
      (await bob.client.storage.from('private').upload(path, 'x', { upsert: true })).error,
    ).not.toBeNull();
    expect((await ada.client.storage.from('private').list(`${ada.id}/journal`)).data).toMatchObject([
      { name: '2026.bin', metadata: { size: 200_000, mimetype: 'application/x-own' } },
    ]);
  });

  it('are lent by a signed URL, moved, copied and removed', async () => {
    const bucket = ada.client.storage.from('private');
    const path = `${ada.id}/journal/2026.bin`;
    const { data: signed } = await bucket.createSignedUrl(path, 60);
    const lent = await fetch(signed?.signedUrl ?? '');
    expect([lent.status, (await lent.arrayBuffer()).byteLength]).toEqual([200, bytes.length]);
    expect((await bucket.move(path, `${ada.id}/a.bin`)).error).toBeNull();
    expect((await bucket.copy(`${ada.id}/a.bin`, `${ada.id}/b.bin`)).error).toBeNull();
    const removed = await bucket.remove([`${ada.id}/a.bin`, `${ada.id}/b.bin`]);
    expect(removed.data?.map((object) => object.name).sort()).toEqual([`${ada.id}/a.bin`, `${ada.id}/b.bin`]);
    expect((await bucket.download(`${ada.id}/a.bin`)).error).not.toBeNull();
  });

  it('in a public bucket are served to anybody', async () => {
    await ada.client.storage.from('avatars').upload('ada.txt', 'A', { contentType: 'text/plain' });
    const { data } = ada.client.storage.from('avatars').getPublicUrl('ada.txt');
    const answer = await fetch(data.publicUrl);
    expect([answer.status, await answer.text()]).toEqual([200, 'A']);
  });

  it('of the project’s own folder are there from the first start', async () => {
    const { data } = ada.client.storage.from('samples').getPublicUrl('hello.txt');
    expect(await (await fetch(data.publicUrl)).text()).toBe('a sample\n');
  });

  it('over the project’s limit are refused', async () => {
    const { error } = await ada.client.storage
      .from('private')
      .upload(`${ada.id}/big`, new Uint8Array(6 * 1024 ** 2));
    expect(error).toMatchObject({ message: 'The object exceeded the maximum allowed size' });
  });
});

describe('live updates', () => {
  type Change = { readonly eventType: string; readonly new: Record<string, unknown> };

  const watch = async (client: SupabaseClient, name: string): Promise<Change[]> => {
    const seen: Change[] = [];
    const session = await client.auth.getSession();
    await client.realtime.setAuth(session.data.session?.access_token ?? null);
    const ready = new Promise<void>((resolve, reject) => {
      client
        .channel(name)
        .on('postgres_changes', { event: '*', schema: 'public', table: 'posts' }, (change) => {
          seen.push(change as unknown as Change);
        })
        .on('system', {}, (message: { status?: string; extension?: string; message?: string }) => {
          if (message.extension !== 'postgres_changes') return;
          if (message.status === 'ok') resolve();
          else reject(new Error(message.message));
        })
        .subscribe();
    });
    await ready;
    return seen;
  };

  it('reach those who may see the row, and only them', async () => {
    const adaSees = await watch(ada.client, 'ada-posts');
    const bobSees = await watch(bob.client, 'bob-posts');
    await ada.client.from('posts').insert({ title: 'private thought' });
    await ada.client.from('posts').insert({ title: 'for all', is_published: true });
    const titles = (seen: readonly Change[]): unknown[] => seen.map((change) => change.new.title);
    await expect.poll(() => titles(bobSees)).toEqual(['for all']);
    await expect.poll(() => titles(adaSees)).toEqual(['private thought', 'for all']);
  });

  it('carry broadcasts and presence between clients', async () => {
    const heard: unknown[] = [];
    const room = bob.client.channel('room', { config: { presence: { key: 'bob' } } });
    room.on('broadcast', { event: 'wave' }, ({ payload }) => heard.push(payload));
    await new Promise<void>((resolve) => room.subscribe((status) => status === 'SUBSCRIBED' && resolve()));
    await room.track({ mood: 'fine' });
    const other = ada.client.channel('room', { config: { presence: { key: 'ada' } } });
    other.on('presence', { event: 'sync' }, () => {});
    await new Promise<void>((resolve) => other.subscribe((status) => status === 'SUBSCRIBED' && resolve()));
    await expect.poll(() => other.presenceState()).toMatchObject({ bob: [{ mood: 'fine' }] });
    await other.send({ type: 'broadcast', event: 'wave', payload: { from: 'ada' } });
    await expect.poll(() => heard).toEqual([{ from: 'ada' }]);
  });
});
