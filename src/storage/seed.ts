import { createReadStream, type Dirent } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import mime from 'mime';
import type { BucketSeeds } from '../config/options/storage.ts';
import type { StorageInput } from './deps.ts';
import { type Upload, uploadFile } from './objects/upload.ts';
import { requestScope, servicePrincipal } from './scope.ts';
import { findBucket, insertBucket, updateBucket } from './store/buckets.ts';

/** What a seeding has done. */
export type SeedReport = { readonly buckets: number; readonly files: number };

type SeedDeps = Omit<StorageInput, 'verifier' | 'publicUrl' | 'keys'>;

const atOnce = 5;
const cacheControl = 'max-age=3600';

const scope = requestScope(servicePrincipal, {
  method: 'POST',
  path: '/object',
  headersText: '{}',
  operation: 'storage.object.upload',
  requestId: 'seed',
});

/**
 * Makes the buckets of `[storage.buckets.*]`, or brings them to what is said there, and uploads the files of their
 * `objects_path`, replacing those that are there. `supabaseDir` is what paths are relative to. Rejects with the first
 * failure, and with the file system's own for a path that is not there.
 */
export async function seedBuckets(
  deps: SeedDeps,
  seeds: BucketSeeds,
  supabaseDir: string,
): Promise<SeedReport> {
  let files = 0;
  for (const [name, seed] of Object.entries(seeds)) {
    await ensureBucket(deps, name, seed);
    if (seed.objects_path === undefined || seed.objects_path === '') continue;
    const found = await filesOf(resolve(supabaseDir, seed.objects_path));
    await inParallel(found, atOnce, (file) => uploadSeed(deps, name, file));
    files += found.length;
  }
  return { buckets: Object.keys(seeds).length, files };
}

async function ensureBucket(deps: SeedDeps, name: string, seed: BucketSeeds[string]): Promise<void> {
  const fileSizeLimit = seed.file_size_limit || null;
  const allowedMimeTypes = seed.allowed_mime_types ?? null;
  const existing = await findBucket(deps.serviceDb, name);
  if (existing !== null) {
    await updateBucket(deps.requestDb, scope, name, {
      isPublic: seed.public,
      fileSizeLimit,
      allowedMimeTypes,
    });
    return;
  }
  await insertBucket(deps.requestDb, scope, {
    ...{ id: name, name, owner: null, fileSizeLimit, allowedMimeTypes },
    isPublic: seed.public ?? false,
  });
}

type SeedFile = { readonly path: string; readonly key: string };

/** Regular files below a folder, by their path in it; a single file by its name. Links are not followed. */
async function filesOf(path: string): Promise<SeedFile[]> {
  if ((await lstat(path)).isFile()) return [{ path, key: basename(path) }];
  const walk = async (folder: string, prefix: string): Promise<SeedFile[]> => {
    const entries = await readdir(folder, { withFileTypes: true });
    const nested = entries
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((entry) => visit(entry, join(folder, entry.name), `${prefix}${entry.name}`));
    return (await Promise.all(nested)).flat();
  };
  const visit = async (entry: Dirent, here: string, key: string): Promise<SeedFile[]> => {
    if (entry.isDirectory()) return walk(here, `${key}/`);
    return entry.isFile() ? [{ path: here, key }] : [];
  };
  return walk(path, '');
}

async function uploadSeed(deps: SeedDeps, bucket: string, { path, key }: SeedFile): Promise<void> {
  const upload: Upload = {
    key: { bucket, name: key },
    owner: null,
    isUpsert: true,
    asRequest: null,
    asService: scope,
  };
  const { size } = await lstat(path);
  await uploadFile(deps, upload, {
    body: createReadStream(path),
    contentType: await typeOf(path),
    cacheControl,
    userMetadata: null,
    declaredBytes: size,
    knownBytes: size,
    robotsTag: undefined,
  });
}

const sniffBytes = 512;

/** The type that a file's name says; without one, text for what has no NUL in its beginning. */
async function typeOf(path: string): Promise<string> {
  const named = mime.getType(path);
  if (named !== null) return named.startsWith('text/') ? `${named}; charset=utf-8` : named;
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(sniffBytes), 0, sniffBytes, 0);
    const isText = !buffer.subarray(0, bytesRead).includes(0);
    return isText ? 'text/plain; charset=utf-8' : 'application/octet-stream';
  } finally {
    await handle.close();
  }
}

async function inParallel<T>(
  items: readonly T[],
  count: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: count }, worker));
}
