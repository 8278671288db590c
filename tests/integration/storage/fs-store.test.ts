import { mkdir, mkdtemp, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { openFsStore } from '../../../src/storage/backends/fs.ts';
import { watchSteps } from '../../support/fs-steps.ts';
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
