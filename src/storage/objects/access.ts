import { type Call, scopeOf } from '../call.ts';
import type { StorageDeps } from '../deps.ts';
import { StorageError } from '../errors.ts';
import { requireBucketId, requireNameCharacters } from '../names.ts';
import { serviceRole } from '../principal.ts';
import { findObject, locate, type ObjectKey } from '../store/objects.ts';
import type { ObjectRow } from '../store/rows.ts';

/** Whose word decides about a read. */
export type Access =
  /** Only a public bucket's objects, to everybody. */
  | 'public'
  /** A public bucket's objects to everybody, others as policies say. */
  | 'policies'
  /** As policies say, in public buckets too. */
  | 'policies-only'
  /** A signed URL has decided. */
  | 'signed';

/** Throws `InvalidBucketName` or `InvalidKey` for what no bucket or object is called. */
export function requireReadableNames({ bucket, name }: ObjectKey): void {
  requireBucketId(bucket);
  requireNameCharacters(name);
}

/**
 * Finds the object that a call reads. Throws `NoSuchBucket` for a missing bucket, or a private one without access by
 * policies, and `NoSuchKey` for a missing object, or one that policies hide: nobody learns which.
 */
export async function readObject(deps: StorageDeps, call: Call, access: Access): Promise<ObjectRow> {
  const key = call.params;
  const asksBucket = access === 'public' || access === 'policies';
  // Where the bucket decides, an id that none can have is one that is not there.
  if (!asksBucket) requireBucketId(key.bucket);
  // No text of the database holds this character, so that it cannot even be asked for.
  if (key.name.includes('\0')) throw new StorageError('InvalidKey', key.name);
  const { principal } = call;
  const isBound = principal.isAuthenticated && principal.role !== serviceRole;
  const asksPolicies = isBound && access.startsWith('policies');
  // Both questions go out at once; a policy's failure counts only where policies decide.
  const [located, visible] = await Promise.all([
    locate(deps.serviceDb, key),
    asksPolicies ? settled(findObject(deps.requestDb, scopeOf(call), key)) : null,
  ]);
  const isOpen = located?.isPublic === true;
  if (asksBucket && located === null) throw new StorageError('NoSuchBucket');
  if (access === 'public' && !isOpen) throw new StorageError('NoSuchBucket');
  if (access === 'policies' && !isOpen && !principal.isAuthenticated) throw new StorageError('NoSuchBucket');
  requireNameCharacters(key.name);
  const policiesDecide = visible !== null && (access === 'policies-only' || !isOpen);
  const row = policiesDecide ? visible() : (located?.object ?? null);
  if (row === null) throw new StorageError('NoSuchKey');
  return row;
}

/** Keeps a failure until it is asked for. */
async function settled<T>(work: Promise<T>): Promise<() => T> {
  try {
    const value = await work;
    return () => value;
  } catch (thrown) {
    return () => {
      throw thrown;
    };
  }
}
