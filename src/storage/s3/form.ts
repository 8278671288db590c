import type { HttpReply, HttpRequest } from '../../http/exchange.ts';
import { scopeOf, serviceScopeOf } from '../call.ts';
import type { StorageDeps } from '../deps.ts';
import { StorageError } from '../errors.ts';
import { requireBucketId } from '../names.ts';
import { openForm, requireHeaderText } from '../objects/incoming.ts';
import { uploadFile } from '../objects/upload.ts';
import type { Principal } from '../principal.ts';
import { metadataOf } from '../store/rows.ts';
import type { PathParams } from '../wire/path.ts';
import { claimantOf, requireScope } from './authorize.ts';
import { requirePolicy, type SizeRange } from './policy.ts';
import { equals, readCredential, signingKey, signPolicy } from './signature.ts';
import { userMetadataOf } from './user-metadata.ts';

const maxFields = 40;

type Fields = ReadonlyMap<string, string>;

/** What a form's signature and policy give. */
type Permission = { readonly principal: Principal; readonly sizes: SizeRange | undefined };

async function authorizeForm(deps: StorageDeps, fields: Fields, bucket: string): Promise<Permission> {
  const [credential, signature, policy] = ['x-amz-credential', 'x-amz-signature', 'policy'].map((name) =>
    fields.get(name),
  );
  if (credential === undefined || signature === undefined || policy === undefined) {
    throw new StorageError('InvalidSignature', 'Invalid signature format');
  }
  const claim = readCredential(credential);
  requireScope(deps, claim);
  const claimant = claimantOf(deps, claim.accessKey, fields.get('x-amz-security-token'));
  if (!equals(signPolicy(signingKey(claimant.secret, claim), policy), signature)) {
    throw new StorageError('SignatureDoesNotMatch', 'The signature of the policy does not match.');
  }
  const sizes = requirePolicy(policy, new Map([...fields, ['bucket', bucket]]), deps.clock.now());
  return { principal: await claimant.principal(), sizes };
}

/** A browser's form upload: its fields say where to, its policy says that it may. Always replaces. */
export async function uploadForm(
  deps: StorageDeps,
  request: HttpRequest,
  path: PathParams,
): Promise<HttpReply> {
  requireBucketId(path.bucket);
  const form = await openForm(request, maxFields);
  const fields = lowerCased(form.fields);
  const { principal, sizes } = await authorizeForm(deps, fields, path.bucket);
  const key = { bucket: path.bucket, name: fields.get('key') ?? '' };
  const call = { request, params: key, input: null, principal, operation: 'storage.s3.upload' };
  const row = await uploadFile(
    deps,
    {
      key,
      owner: principal.owner,
      isUpsert: true,
      asRequest: scopeOf(call),
      asService: serviceScopeOf(call),
    },
    {
      body: form.file,
      contentType: requireHeaderText(fields.get('content-type') || form.type || 'application/octet-stream'),
      cacheControl: requireHeaderText(fields.get('cache-control') || 'no-cache'),
      userMetadata: userMetadataOf(Object.fromEntries(fields)),
      declaredBytes: undefined,
      knownBytes: undefined,
      robotsTag: undefined,
      sizes,
    },
  );
  return { status: 200, headers: { etag: metadataOf(row.metadata).eTag }, body: '', role: principal.role };
}

/** Field names without regard to case; one that stands twice is refused, since only one of them was checked. */
function lowerCased(fields: Fields): Fields {
  const lower = new Map<string, string>();
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    if (lower.has(key))
      throw new StorageError('InvalidSignature', 'Duplicate form field in POST policy request');
    lower.set(key, value);
  }
  return lower;
}
