import { type Call, scopeOf, serviceScopeOf } from '../call.ts';
import type { StorageDeps } from '../deps.ts';
import { StorageError } from '../errors.ts';
import { requireObjectName } from '../names.ts';
import { locate, moveObject, type ObjectKey, probeMove, type Relocation } from '../store/objects.ts';
import { aftermathOf } from './aftermath.ts';
import { settleFailedWrite } from './upload.ts';

/**
 * Moves an object: SELECT and UPDATE on its row as the request, before and after. The bytes get a second version that
 * belongs to the new place, and the old one goes to the outbox with the row's change: a version never names two places.
 * Throws `NoSuchKey`, `ResourceAlreadyExists` and what the database says.
 */
export async function moveTo(deps: StorageDeps, call: Call, from: ObjectKey, to: ObjectKey): Promise<void> {
  requireObjectName(to.name);
  const move: Relocation = {
    from,
    to,
    oldVersion: null,
    newVersion: deps.random.uuid(),
    owner: call.principal.owner,
    metadata: null,
    oldMetadata: null,
  };
  await probeMove(deps.requestDb, scopeOf(call), move);
  if (from.bucket === to.bucket && from.name === to.name) return;
  const source = (await locate(deps.serviceDb, from))?.object ?? null;
  if (source === null) throw new StorageError('NoSuchKey');
  if (!(await deps.store.copy(source.version ?? '', move.newVersion))) throw new StorageError('BlobMissing');
  const metadata = { ...source.metadata, lastModified: new Date(deps.clock.now()).toISOString() };
  await commitMove(deps, call, {
    ...move,
    oldVersion: source.version,
    metadata,
    oldMetadata: source.metadata,
  });
}

async function commitMove(deps: StorageDeps, call: Call, move: Relocation): Promise<void> {
  try {
    const row = await moveObject(deps.requestDb, serviceScopeOf(call), move, aftermathOf(deps.config));
    // Somebody replaced, moved or deleted the source since it was read.
    if (row === null) throw new StorageError('NoSuchKey');
  } catch (thrown) {
    await settleFailedWrite(deps, { key: move.to, version: move.newVersion }, thrown);
  }
}
