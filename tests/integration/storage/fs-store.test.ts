import { mkdir, mkdtemp, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { openFsStore } from '../../../src/storage/backends/fs.ts';
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
