import { type Call, scopeOf, serviceScopeOf } from '../call.ts';
import type { StorageDeps } from '../deps.ts';
import { StorageError } from '../errors.ts';
import { requireObjectName } from '../names.ts';
import { serviceRole } from '../principal.ts';
import { findObject, type ObjectKey, probeWrite } from '../store/objects.ts';
import type { Json, ObjectRow } from '../store/rows.ts';
import { publishBlob } from './upload.ts';

/** A copy as it was asked for. */
export type Copy = {
  readonly from: ObjectKey;
  readonly to: ObjectKey;
  readonly isUpsert: boolean;
  /** Null takes over the source's metadata; otherwise these replace it. */
  readonly replacement: { readonly metadata: Json; readonly userMetadata: Json | null } | null;
};

/**
 * Copies an object: SELECT on the source and the rights of an upload at the destination, as the request. Throws
 * `NoSuchKey`, `KeyAlreadyExists` and what the database says.
 */
export async function copyObject(deps: StorageDeps, call: Call, copy: Copy): Promise<ObjectRow> {
  requireObjectName(copy.to.name);
  const scope = scopeOf(call);
  const source = await findObject(deps.requestDb, scope, copy.from);
  if (source === null) throw new StorageError('NoSuchKey');
  const metadata = { ...source.metadata, ...copy.replacement?.metadata };
  const userMetadata = copy.replacement === null ? source.user_metadata : copy.replacement.userMetadata;
  const { owner, role } = call.principal;
  if (role !== serviceRole) {
    await probeWrite(deps.requestDb, scope, { ...copy.to, owner, metadata, userMetadata }, copy.isUpsert);
  }
  const version = deps.random.uuid();
  if (!(await deps.store.copy(source.version ?? '', version))) throw new StorageError('BlobMissing');
  return publishBlob(
    deps,
    { key: copy.to, isUpsert: copy.isUpsert, isCopy: true, asService: serviceScopeOf(call) },
    {
      ...copy.to,
      owner,
      version,
      metadata: { ...metadata, lastModified: new Date(deps.clock.now()).toISOString() },
      userMetadata,
    },
  );
}
