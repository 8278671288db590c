import { parse as parseQuery } from 'node:querystring';
import type { HttpReply, HttpRequest } from '../../http/exchange.ts';
import type { StorageDeps } from '../deps.ts';
import { StorageError } from '../errors.ts';
import { report, toStorageError } from '../failures.ts';
import { requireBucketId } from '../names.ts';
import { discardBody } from '../objects/discard-body.ts';
import { notFoundReply } from '../wire/not-found.ts';
import type { PathParams } from '../wire/path.ts';
import { authorize } from './authorize.ts';
import { openBody } from './body.ts';
import { s3ErrorReply } from './errors.ts';
import { uploadForm } from './form.ts';
import { findOperation, type Target } from './operations.ts';

/** Path of the protocol, below the service's prefix. */
const s3Path = '/s3';

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE']);

type Named = PathParams & { readonly target: Target };

/** Answers S3 requests in the path style. */
export async function handleS3(deps: StorageDeps, request: HttpRequest): Promise<HttpReply> {
  if (!methods.has(request.method)) return { ...notFoundReply(request), route: 'unmatched' };
  let route = `${s3Path}/*`;
  try {
    const named = readPath(request.path);
    const query = parseQuery(request.query);
    if (isForm(named, request)) return { ...(await uploadForm(deps, request, named)), route };
    const operation = findOperation(named.target, request, query);
    const authorized = await authorize(deps, request);
    if (operation === null) return { status: 404, headers: {}, body: '', route };
    route = `${s3Path}/* ${operation.name}`;
    if (named.target !== 'service') requireBucketId(named.bucket);
    const { principal } = authorized;
    const call = { request, params: named, input: null, principal, operation: operation.name };
    const reply = await operation.run({ deps, call, query, body: openBody(request, authorized) });
    return { ...reply, route, role: principal.role };
  } catch (thrown) {
    const error = toStorageError(thrown);
    report(deps, request, error);
    await discardBody(request.body);
    const resource = request.path.slice(s3Path.length + 1).replace(/\/$/, '');
    return { ...s3ErrorReply(error, resource), route };
  }
}

/** A browser's form carries its signature in its fields. */
const isForm = ({ target }: Named, { method, headers }: HttpRequest): boolean =>
  method === 'POST' &&
  target === 'bucket' &&
  headers['content-type']?.startsWith('multipart/form-data') === true;

/** Bucket and key of a raw path; a slash behind the bucket names the bucket. */
function readPath(path: string): Named {
  const rest = path.slice(s3Path.length + 1);
  const at = rest.indexOf('/');
  const [bucket, name] = at === -1 ? [rest, ''] : [rest.slice(0, at), rest.slice(at + 1)];
  const target = bucket === '' ? 'service' : name === '' ? 'bucket' : 'object';
  try {
    return { target, bucket: decodeURIComponent(bucket), name: decodeURIComponent(name) };
  } catch {
    // The only failure is a malformed escape.
    throw new StorageError('MalformedUrl', path);
  }
}
