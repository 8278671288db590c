import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll } from 'vitest';
import { introspect } from '../../src/catalog/introspect.ts';
import { silent } from '../../src/core/observe.ts';
import { ok } from '../../src/core/result.ts';
import type { HttpReply, HttpRequest } from '../../src/http/exchange.ts';
import { createPool } from '../../src/pg/pool.ts';
import { createRequestDb } from '../../src/pg/session.ts';
import type { RestConfig } from '../../src/rest/config/model.ts';
import type { RestContext } from '../../src/rest/context.ts';
import { handleRequest } from '../../src/rest/handle.ts';
import type { Authenticate } from '../../src/rest/jwt/authenticate.ts';
import type { TestDatabase } from './database.ts';
import { plainRestConfig } from './rest-catalog.ts';

/** What a request carries besides its method and target. */
export type RestCall = {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Claims of the caller; the anonymous role without them. */
  readonly claims?: { readonly role: string } & Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
};

/** An answer with its headers by name in lower case. */
type RestAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly json: () => unknown;
};

/** The REST service on a database, called without a network. */
export interface RestApp {
  call(method: string, target: string, call?: RestCall): Promise<RestAnswer>;
  /** Reads the catalog again, as after a change of the schema. */
  reload(): Promise<void>;
}

/** The tests name the caller's claims where a client would send a token. */
const authenticate: Authenticate = (authorization) => {
  const claimsText = authorization ?? '{"role":"anon"}';
  return ok({ role: (JSON.parse(claimsText) as { role: string }).role, claimsText });
};

/** Starts the service for the calling file; its pool ends with the file's tests. */
export async function createRestApp(
  database: TestDatabase,
  changes: Partial<RestConfig> = {},
  pooling: { readonly max: number; readonly acquireTimeoutMs: number } = { max: 8, acquireTimeoutMs: 10_000 },
): Promise<RestApp> {
  const config = { ...plainRestConfig, ...changes };
  const pool = createPool({
    url: database.url('authenticator'),
    ...pooling,
    idleTimeoutMs: 10_000,
    applicationName: 'test',
  });
  afterAll(() => pool.end());
  const load = async () => {
    const lease = await pool.acquire();
    try {
      const { schemas, extraSearchPath: extraSchemas, hoistedSettings } = config;
      return await introspect(lease, { schemas, extraSchemas, hoistedSettings });
    } finally {
      lease.release(false);
    }
  };
  const db = createRequestDb(pool);
  const fixed = { config, db, authenticate, observer: silent, maxBodyBytes: 1024 ** 2 };
  let context: RestContext = { ...fixed, catalog: await load() };
  return {
    call: async (method, target, call = {}) => {
      const reply = await handleRequest(context, toRequest(method, target, call));
      const body = bodyText(reply.body);
      const headers = Object.fromEntries(
        Object.entries(reply.headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
      );
      return { status: reply.status, headers, body, json: () => JSON.parse(body) as unknown };
    },
    reload: async () => {
      context = { ...context, catalog: await load() };
    },
  };
}

function bodyText(body: HttpReply['body']): string {
  if (Buffer.isBuffer(body)) return body.toString('latin1');
  return Array.isArray(body) ? Buffer.concat(body as Buffer[]).toString() : String(body ?? '');
}

function toRequest(method: string, target: string, call: RestCall): HttpRequest {
  const url = new URL(target, 'http://localhost');
  const headers: IncomingHttpHeaders = { host: 'localhost', ...call.headers };
  const { body } = call;
  const bytes =
    body === undefined ? '' : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return {
    id: 'test',
    method,
    path: url.pathname,
    fullPath: url.pathname,
    query: url.search.slice(1),
    headers,
    rawHeaders: [],
    authorization: call.claims === undefined ? null : JSON.stringify(call.claims),
    ip: '127.0.0.1',
    protocol: 'http',
    body: Readable.from(bytes.length === 0 ? [] : [Buffer.from(bytes)]),
    onGone(listener) {
      call.signal?.addEventListener('abort', listener);
      return () => call.signal?.removeEventListener('abort', listener);
    },
  };
}
