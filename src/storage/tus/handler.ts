import type { HttpReply, HttpRequest } from '../../http/exchange.ts';
import type { StorageDeps } from '../deps.ts';
import { report, toStorageError, toWire } from '../failures.ts';
import { discardBody } from '../objects/discard-body.ts';
import { anonymous, authenticate, type Principal } from '../principal.ts';
import { notFoundReply } from '../wire/not-found.ts';
import type { TusCall } from './call.ts';
import { tusPath } from './path.ts';
import { createTusServer } from './server.ts';
import { fromWebResponse, toWebRequest } from './web-request.ts';

const signedPath = `${tusPath}/sign`;

const operations: Readonly<Record<string, string>> = {
  POST: 'storage.tus.upload.create',
  PATCH: 'storage.tus.upload.part',
  PUT: 'storage.tus.upload.part',
  HEAD: 'storage.tus.upload.get',
  DELETE: 'storage.tus.upload.delete',
  OPTIONS: 'storage.tus.options',
};

/** Answers a request of resumable uploads. */
export async function handleTus(deps: StorageDeps, request: HttpRequest): Promise<HttpReply> {
  if (!isServed(request)) return { ...notFoundReply(request), route: 'unmatched' };
  const isSigned = isSignedPath(request);
  const route = isSigned ? `${signedPath}/*` : `${tusPath}/*`;
  const isOpen = isSigned || request.method === 'OPTIONS';
  let principal: Principal;
  try {
    principal = isOpen ? anonymous : await authenticate(request, deps.verifier);
  } catch (thrown) {
    // A bad token is refused before the protocol begins, in the form of the other routes.
    const error = toStorageError(thrown);
    report(deps, request, error);
    return { ...toWire(error), route };
  }
  const operation = `${operations[request.method] ?? ''}${isSigned ? '_signed' : ''}`;
  const reply = await answer({ deps, request, principal, operation, isSigned });
  return isOpen && !isSigned ? { ...reply, route } : { ...reply, route, role: principal.role };
}

async function answer(call: TusCall): Promise<HttpReply> {
  const { request, release } = toWebRequest(call.request);
  const server = createTusServer(call, tusPath, uploadSegment(call.request.path));
  const reply = await fromWebResponse(await server.handleWeb(request));
  release();
  const isCutShort = reply.status >= 400 || reply.headers.connection === 'close';
  if (isCutShort) await discardBody(call.request.body);
  return reply;
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
