import type { HttpReply, HttpRequest } from '../../http/exchange.ts';
import type { StorageDeps } from '../deps.ts';
import { StorageError } from '../errors.ts';
import { report, toStorageError, toWire } from '../failures.ts';
import { discardBody } from '../objects/discard-body.ts';
import { anonymous, authenticate } from '../principal.ts';
import { notFoundReply } from '../wire/not-found.ts';
import { createUpload, type TusCall } from './create.ts';
import { patchUpload, showUpload, terminateUpload } from './requests.ts';
import { capabilities, refuse, requireProtocol, tusFailure } from './wire.ts';

/** Path of the protocol, below the service's prefix. */
export const tusPath = '/upload/resumable';
const signedPath = `${tusPath}/sign`;

const operations: Readonly<Record<string, string>> = {
  POST: 'storage.tus.upload.create',
  PATCH: 'storage.tus.upload.part',
  PUT: 'storage.tus.upload.part',
  HEAD: 'storage.tus.upload.get',
  DELETE: 'storage.tus.upload.delete',
  OPTIONS: 'storage.tus.options',
};

/** Answers resumable uploads; rejects for failures of ours. */
export function createTusHandler(deps: StorageDeps): (request: HttpRequest) => Promise<HttpReply> {
  return async (request) => {
    const isSigned = isSignedPath(request);
    if (!isServed(request)) return { ...notFoundReply(request), route: 'unmatched' };
    const route = isSigned ? `${signedPath}/*` : `${tusPath}/*`;
    if (request.method === 'OPTIONS') return { ...capabilities(deps.config.fileSizeLimit), route };
    const suffix = isSigned ? '_signed' : '';
    try {
      const principal = isSigned ? anonymous : await authenticate(request, deps.verifier);
      const operation = `${operations[request.method] ?? ''}${suffix}`;
      const call: TusCall = { deps, request, principal, operation, isSigned };
      return { ...(await answer(call)), route, role: principal.role };
    } catch (thrown) {
      // A bad token is refused before the protocol begins, in the form of the other routes.
      return { ...(thrown instanceof StorageError ? toWire(thrown) : tusFailure(thrown)), route };
    }
  };
}

/** The signed variant: everything below its path, and what is sent to the path itself. */
const isSignedPath = ({ path, method }: HttpRequest): boolean =>
  path.startsWith(`${signedPath}/`) || (path === signedPath && ['POST', 'OPTIONS'].includes(method));

/** The path itself takes new uploads; what concerns one upload is served below it. */
const isServed = ({ path, method }: HttpRequest): boolean =>
  ['POST', 'OPTIONS'].includes(method) ||
  (path !== tusPath && ['PATCH', 'PUT', 'HEAD', 'DELETE'].includes(method));

/** The last segment of a path, which names an upload unless it is part of the protocol's own path. */
function uploadSegment(path: string): string {
  const last = /([^/]+)\/?$/.exec(path)?.[1] ?? '';
  return tusPath.includes(last) ? '' : last;
}

async function answer(call: TusCall): Promise<HttpReply> {
  const { request } = call;
  try {
    requireProtocol(request.method, request.headers);
    return await dispatch(call);
  } catch (thrown) {
    await discardBody(request.body);
    const reply = tusFailure(thrown);
    if (reply.status >= 500) report(call.deps, request, toStorageError(thrown));
    return reply;
  }
}

function dispatch(call: TusCall): Promise<HttpReply> {
  const { method, path } = call.request;
  const segment = uploadSegment(path);
  switch (method) {
    case 'POST':
      return createUpload(call);
    case 'PATCH':
      return patchUpload(call, segment);
    case 'HEAD':
      return showUpload(call, segment);
    case 'DELETE':
      return terminateUpload(call, segment);
    default:
      throw refuse.unknownMethod();
  }
}
