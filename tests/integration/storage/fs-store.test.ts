import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { openFsStore } from '../../../src/storage/backends/fs.ts';
import type { ObjectStore } from '../../../src/storage/backends/object-store.ts';
import { watchSteps } from '../../support/fs-steps.ts';
import { until } from '../../support/until.ts';
import { describeObjectStore } from './object-store.suite.ts';

const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'ownbase-store-'));

describeObjectStore('the file system', async () => openFsStore({ root: await folder() }));

it('does not follow links out of its folder', async () => {
  const root = await folder();
  const store = await openFsStore({ root, isDurable: false });
  await writeFile(join(root, 'secret'), 'secret');
  await mkdir(join(root, 'blobs', 'li'), { recursive: true });
  await symlink(join(root, 'secret'), join(root, 'blobs', 'li', 'link'));
  await expect(store.get('link')).rejects.toThrow();
  expect(await store.head('link')).toBeNull();
  await mkdir(join(root, 'growing'), { recursive: true });
  await symlink(join(root, 'secret'), join(root, 'growing', 'link'));
  await expect(
    store.growing.append('link', 0, Readable.from([Buffer.from('x')]), { maxBytes: 9 }),
  ).rejects.toThrow();
  expect(await store.growing.finish('link', 'made', 6)).toBe(false);
  await mkdir(join(root, 'parts', 'upload'), { recursive: true });
  await symlink(join(root, 'secret'), join(root, 'parts', 'upload', 'link'));
  await expect(store.parts.complete('upload', ['link'], 'made')).rejects.toThrow();
  await expect(
    store.parts.put('upload', 'link', Readable.from([Buffer.from('x')]), { maxBytes: 9 }),
  ).rejects.toThrow();
  expect(await store.copy('link', 'copied')).toBe(false);
  expect(await store.remove(['link'])).toEqual([]);
  expect(await readFile(join(root, 'secret'), 'utf8')).toBe('secret');
  await store.close();
});

describe('a folder of the store that is a link', () => {
  /** A store, and a folder outside of it with a file that must stay as it is. */
  async function storeAndOutside(): Promise<{ root: string; outside: string; store: ObjectStore }> {
    const root = await folder();
    const outside = await folder();
    await writeFile(join(outside, 'ab-secret'), 'secret');
    return { root, outside, store: await openFsStore({ root, isDurable: false }) };
  }
  const any = { maxBytes: 9 };
  const body = (): Readable => Readable.from([Buffer.from('x')]);
  const isRefused = (work: Promise<unknown>): Promise<void> => expect(work).rejects.toThrow('is no folder');

  it('is read and written by nothing', async () => {
    const { root, outside, store } = await storeAndOutside();
    await symlink(outside, join(root, 'blobs', 'ab'));
    await symlink(outside, join(root, 'parts', 'ab-upload'));
    await store.put('cd-blob', body(), any);
    await store.growing.append('ab-growing', 0, body(), any);
    await store.parts.put('upload', 'part', body(), any);
    await isRefused(store.get('ab-secret'));
    await isRefused(store.head('ab-secret'));
    await isRefused(store.put('ab-new', body(), any));
    await isRefused(store.copy('ab-secret', 'cd-copy'));
    await isRefused(store.copy('cd-blob', 'ab-copy'));
    await isRefused(store.growing.finish('ab-growing', 'ab-growing', 1));
    await isRefused(store.parts.complete('upload', ['part'], 'ab-whole'));
    await isRefused(store.parts.put('ab-upload', 'part', body(), any));
    await isRefused(store.parts.complete('ab-upload', ['ab-secret'], 'cd-whole'));
    await isRefused(store.list()[Symbol.asyncIterator]().next());
    expect(await store.remove(['ab-secret'])).toEqual(['ab-secret']);
    await store.parts.discard('ab-upload');
    expect(await readdir(outside)).toEqual(['ab-secret']);
    await store.close();
  });

  it('is refused soon after it has taken the place of a folder that was in use', async () => {
    const { root, outside, store } = await storeAndOutside();
    await store.put('ab-secret', body(), any);
    await rename(join(root, 'blobs', 'ab'), join(root, 'moved'));
    await symlink(outside, join(root, 'blobs', 'ab'));
    await until(() =>
      store.head('ab-secret').then(
        () => false,
        () => true,
      ),
    );
    await isRefused(store.get('ab-secret'));
    await store.close();
  });

  it.each(['blobs', 'incoming', 'parts', 'growing'])(
    'as %s keeps the store from being opened',
    async (name) => {
      const { root, outside, store } = await storeAndOutside();
      await store.close();
      await rm(join(root, name), { recursive: true });
      await symlink(outside, join(root, name));
      await isRefused(openFsStore({ root }));
    },
  );

  it('may be its root', async () => {
    const link = join(await folder(), 'link');
    await symlink(await folder(), link);
    const store = await openFsStore({ root: link });
    await store.put('ab-blob', body(), any);
    expect(await store.head('ab-blob')).toMatchObject({ size: 1 });
    await store.close();
  });
});

it('removes what a crash has left of writes, once it is old', async () => {
  const root = await folder();
  await (await openFsStore({ root })).close();
  const [old, young] = [join(root, 'incoming', 'old'), join(root, 'incoming', 'young')];
  await writeFile(old, 'x');
  await writeFile(young, 'x');
  await utimes(old, 0, 0);
  await (await openFsStore({ root })).close();
  expect(await readdir(join(root, 'incoming'))).toEqual(['young']);
});

it.each(['datasync', 'sync'])('leaves nothing of a blob whose %s fails', async (failing) => {
  const root = await folder();
  const store = await openFsStore({ root });
  const put = (version: string): Promise<unknown> =>
    store.put(version, Readable.from([Buffer.from('x')]), { maxBytes: 9 });
  let isBroken = false;
  const unwatch = await watchSteps(root, (step) => {
    if (isBroken && step === failing) throw new Error('the disk fails');
  });
  try {
    await put('ab-first');
    isBroken = true;
    await expect(put('ab-second')).rejects.toThrow('the disk fails');
  } finally {
    unwatch();
  }
  expect(await store.head('ab-second')).toBeNull();
  expect(await readdir(join(root, 'incoming'))).toEqual([]);
  await store.close();
});

it('flushes bytes and names before it acknowledges them', async () => {
  const root = await folder();
  const store = await openFsStore({ root });
  const steps: string[] = [];
  const unwatch = await watchSteps(root, (step) => steps.push(step));
  const stepsOf = async (work: () => Promise<unknown>): Promise<string[]> => {
    steps.length = 0;
    await work();
    return [...steps];
  };
  const any = { maxBytes: 9 };
  const body = (): Readable => Readable.from([Buffer.from('x')]);
  const [shard, upload] = ['ab-first', 'upload'];
  try {
    // The first of a shard makes its folder, whose name is flushed too.
    const first = await stepsOf(() => store.put(shard, body(), any));
    expect(first).toEqual(['open', 'write', 'rename', 'mkdir', 'sync', 'rename', 'datasync', 'sync']);
    const second = await stepsOf(() => store.put('ab-second', body(), any));
    expect(second).toEqual(['open', 'write', 'rename', 'datasync', 'sync']);
    expect(await stepsOf(() => store.copy(shard, 'ab-third'))).toEqual(['mkdir', 'link', 'sync']);
    const part = await stepsOf(() => store.parts.put(upload, 'part', body(), any));
    expect(part).toEqual(['mkdir', 'sync', 'open', 'write', 'datasync', 'sync']);
    const completed = await stepsOf(() => store.parts.complete(upload, ['part'], 'ab-fourth'));
    expect(completed).toEqual(['open', 'write', 'rename', 'datasync', 'sync']);
    const appended = await stepsOf(() => store.growing.append(upload, 0, body(), any));
    expect(appended).toEqual(['open', 'truncate', 'write', 'datasync', 'sync']);
    const grown = await stepsOf(() => store.growing.append(upload, 1, body(), any));
    expect(grown).toEqual(['truncate', 'write', 'datasync']);
    expect(await stepsOf(() => store.growing.finish(upload, 'ab-fifth', 2))).toEqual(['rename', 'sync']);
  } finally {
    unwatch();
    await store.close();
  }
});
