import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { DirectorySync } from './fs-directory.ts';
import { moveIntoPlace, type Place } from './fs-place.ts';
import { writeFileFrom } from './fs-write.ts';
import { isSafeId, type PartStore, type PutOptions, type StoredBlob } from './object-store.ts';

/*
 *   <root>/<upload>/<number>         the part's bytes
 *   <root>/<upload>/<number>.md5     its MD5, needed for the ETag of the whole
 */

type FsParts = { readonly root: string; readonly directories: DirectorySync; readonly place: Place };

const partName = /^\d+$/;

/** Parts as files beside each other; completing copies them into one blob. */
export function createFsParts(options: FsParts): PartStore {
  const folderOf = (upload: string): string => {
    if (!isSafeId(upload)) throw new RangeError('an upload id must be letters, digits, - and _');
    return join(options.root, upload);
  };
  return {
    put: (upload, part, body, put) => putPart(options, folderOf(upload), part, body, put),
    async size(upload, part) {
      try {
        return (await lstat(join(folderOf(upload), String(part)))).size;
      } catch {
        // Missing, or not readable, which the completion would find out with its reason.
        return null;
      }
    },
    complete: (upload, parts, version) => complete(options, folderOf(upload), parts, version),
    discard: (upload) => rm(folderOf(upload), { recursive: true, force: true }),
    list: () => listUploads(options.root),
  };
}

async function putPart(
  { directories }: FsParts,
  folder: string,
  part: number,
  body: Readable,
  options: PutOptions,
): Promise<StoredBlob> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, String(part));
  const temporary = `${path}.${process.hrtime.bigint()}.incoming`;
  const { handle, size, md5 } = await writeFileFrom(temporary, body, options);
  try {
    await directories.flushFile(handle);
  } finally {
    await handle.close();
  }
  const checksum = await open(`${temporary}.md5`, 'wx', 0o600);
  await checksum.writeFile(md5);
  await checksum.close();
  await rename(`${temporary}.md5`, `${path}.md5`);
  await rename(temporary, path);
  return { size, md5, modifiedAt: new Date() };
}

async function complete(
  { directories, place }: FsParts,
  folder: string,
  parts: readonly number[],
  version: string,
): Promise<StoredBlob> {
  const digests = createHash('md5');
  for (const part of parts) {
    const file = await open(join(folder, `${part}.md5`), 'r');
    digests.update(Buffer.from(await file.readFile('utf8'), 'hex'));
    await file.close();
  }
  const temporary = place.incoming(version);
  await rm(temporary, { force: true });
  const { handle, size } = await writeFileFrom(temporary, Readable.from(contents(folder, parts)), {
    maxBytes: Number.POSITIVE_INFINITY,
  });
  try {
    await moveIntoPlace(place, directories, temporary, version);
    await directories.flushFile(handle);
    await directories.flush(place.folder(version));
  } finally {
    await handle.close();
  }
  return { size, md5: `${digests.digest('hex')}-${parts.length}`, modifiedAt: new Date() };
}

async function* contents(folder: string, parts: readonly number[]): AsyncGenerator<Buffer> {
  for (const part of parts)
    yield* createReadStream(join(folder, String(part)), { highWaterMark: 256 * 1024 });
}

async function* listUploads(root: string): AsyncIterable<{ upload: string; modifiedAt: Date }> {
  const uploads = await readdir(root).catch(() => []);
  for (const upload of uploads.filter(isSafeId).sort()) {
    const stats = await lstat(join(root, upload));
    const files = (await readdir(join(root, upload))).filter((name) => partName.test(name));
    if (stats.isDirectory() && files.length >= 0) yield { upload, modifiedAt: stats.mtime };
  }
}
