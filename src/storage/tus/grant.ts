import { StorageError } from '../errors.ts';
import { refuseTakenKey } from '../objects/upload.ts';
import { serviceRole } from '../principal.ts';
import { factsOf, requestScope } from '../scope.ts';
import { verifySigned } from '../signed/tokens.ts';
import { probeWrite } from '../store/objects.ts';
import type { TusCall } from './call.ts';
import { userMetadataOf } from './finish.ts';
import type { UploadId } from './upload-id.ts';
import type { UploadMetadata } from './uploads.ts';

/** What a request may do to an upload. */
export type Grant = { readonly owner: string | null; readonly isUpsert: boolean };

/** The terms of a signed upload; throws unless the request's signature is for this object. */
export async function requireSignature(
  { deps, request }: TusCall,
  id: Omit<UploadId, 'version'>,
): Promise<Grant> {
  const signature = request.headers['x-signature'];
  if (typeof signature !== 'string' || signature === '') {
    throw new StorageError('InvalidSignature', 'Missing x-signature header');
  }
  return verifySigned(deps.verifier, signature, 'upload', `${id.bucket}/${id.name}`);
}

/** What is known of the object that a request wants to write. */
export type Proposal = { readonly metadata: UploadMetadata; readonly size: number | null };

/** Whether the role's policies let the request write the object; throws unless they do. */
export async function requireRights(
  call: TusCall,
  id: Omit<UploadId, 'version'>,
  { metadata, size }: Proposal,
): Promise<Grant> {
  const { deps, request, principal } = call;
  const isUpsert = request.headers['x-upsert'] === 'true';
  if (principal.role === serviceRole) {
    await refuseTakenKey(deps, { key: id, isUpsert });
    return { owner: principal.owner, isUpsert };
  }
  const proposal = {
    bucket: id.bucket,
    name: id.name,
    owner: principal.owner,
    metadata: { mimetype: metadata.contentType ?? undefined, contentLength: size ?? undefined },
    userMetadata: userMetadataOf(metadata),
  };
  const scope = requestScope(principal, factsOf(request, call.operation));
  await probeWrite(deps.requestDb, scope, proposal, isUpsert);
  return { owner: principal.owner, isUpsert };
}
