import { parse as parseQuery } from 'node:querystring';
import { assertNever } from '../core/result.ts';
import type { Handler, HttpReply, HttpRequest } from '../http/exchange.ts';
import type { StorageDeps, StorageInput } from './deps.ts';
import { StorageError } from './errors.ts';
import { report, toStorageError, toWire } from './failures.ts';
import { createRenderer } from './images/renderer.ts';
import { createLocks } from './locks.ts';
import { requireContentType } from './mime-types.ts';
import { anonymous, authenticate, authenticateLeniently, type Principal, serviceRole } from './principal.ts';
import { createRouteFinder, type Route, renderRoutes, routes } from './routes.ts';
import { createSharedLocks } from './shared-locks.ts';
import { tusPath } from './tus/path.ts';
import { readJsonBody } from './wire/json-body.ts';
import { notFoundReply } from './wire/not-found.ts';
import { pathParams } from './wire/path.ts';
import { runWorker } from './worker.ts';

/** The storage service. */
export interface StorageService {
  /** Answers requests under `/storage/v1`, with the path behind that prefix. */
  readonly handle: Handler;
  /** Deletes what no row needs any more, until the signal. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Releases the store; call it after the last request. */
  readonly close: () => Promise<void>;
}

/** Composes the service. */
export function createStorageService(input: StorageInput): StorageService {
  const shared = createSharedLocks(input.openLockSession);
  const deps: StorageDeps = { ...input, renderer: createRenderer(), locks: createLocks(shared) };
  const find = createRouteFinder(input.config.transformsImages ? [...routes, ...renderRoutes] : routes);
  return {
    handle(request) {
      if (isUnder(request.path, tusPath)) return answerResumable(deps, request);
      if (deps.config.s3Enabled && isUnder(request.path, s3Path)) return answerS3(deps, request);
      return answer(deps, request, find(request.method, request.path));
    },
    run: (signal) => runWorker(deps, signal),
    async close() {
      await shared.close();
      await deps.store.close();
    },
  };
}

const s3Path = '/s3';

/** The S3 endpoint is loaded when somebody speaks it. */
async function answerS3(deps: StorageDeps, request: HttpRequest): Promise<HttpReply> {
  const { handleS3 } = await import('./s3/handler.ts');
  return handleS3(deps, request);
}

/** So are resumable uploads. */
async function answerResumable(deps: StorageDeps, request: HttpRequest): Promise<HttpReply> {
  const { handleTus } = await import('./tus/handler.ts');
  return handleTus(deps, request);
}

const isUnder = (path: string, prefix: string): boolean => path === prefix || path.startsWith(`${prefix}/`);

async function answer(deps: StorageDeps, request: HttpRequest, route: Route | null): Promise<HttpReply> {
  if (route === null) return { ...notFoundReply(request), route: 'unmatched' };
  let role: string | undefined;
  try {
    const params = pathParams(route.path, request.path);
    const body = await bodyOf(request, route);
    const input = route.endpoint.input({ query: parseQuery(request.query), body, request });
    const principal = await principalFor(deps, request, route);
    role = principal.role;
    const call = { request, params, input, principal, operation: route.operation };
    // The endpoint's own `input` made the input, so it has the type that its `handle` takes.
    const reply = await route.endpoint.handle(deps, call as typeof call & { input: never });
    return { ...reply, route: route.path, role };
  } catch (thrown) {
    const error = toStorageError(thrown);
    report(deps, request, error);
    return { ...toWire(error), route: route.path, ...(role === undefined ? {} : { role }) };
  }
}

function bodyOf(request: HttpRequest, route: Route): Promise<unknown> | undefined {
  const type = request.headers['content-type'];
  if (route.body !== 'none' && type !== undefined) requireContentType(type);
  switch (route.body) {
    case 'json':
      return readJsonBody(request, { mayBeEmpty: false });
    case 'json-or-empty':
      return readJsonBody(request, { mayBeEmpty: true });
    case 'none':
    case 'bytes':
      return undefined;
    default:
      return assertNever(route.body);
  }
}

async function principalFor(deps: StorageDeps, request: HttpRequest, route: Route): Promise<Principal> {
  switch (route.auth) {
    case 'none':
      return anonymous;
    case 'optional':
      return authenticateLeniently(request, deps.verifier);
    case 'verified':
      return authenticate(request, deps.verifier);
    case 'required':
      requireCredentials(request);
      return authenticate(request, deps.verifier);
    case 'service': {
      requireCredentials(request);
      const principal = await authenticate(request, deps.verifier);
      if (principal.role !== serviceRole) throw new StorageError('RoleDenied', 'Access denied: Invalid role');
      return principal;
    }
    default:
      return assertNever(route.auth);
  }
}

/**
 * A request without credentials is refused by its missing header, as upstream's server does it. A client library's is
 * refused by its empty token instead: the CLI's gateway, which stands between them, adds an empty header.
 */
function requireCredentials({ authorization, headers }: HttpRequest): void {
  if (authorization === null && headers['x-client-info'] === undefined) {
    throw new StorageError('InvalidSchema', "headers must have required property 'authorization'");
  }
}
