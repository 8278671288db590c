import type { IncomingHttpHeaders } from 'node:http';
import { err, ok, type Result } from '../../core/result.ts';
import type { RestConfig } from '../config/model.ts';
import { type RestError, restErrors } from '../errors.ts';
import { type MediaType, mediaTypes, parseAccept, parseMediaType } from './media-type.ts';
import { type Payload, parsePayload } from './payload.ts';
import { percentDecode } from './percent.ts';
import { type Preferences, parsePreferences } from './preferences.ts';
import { parseQueryParams, type QueryParams } from './query-params.ts';
import {
  allRows,
  intersectRanges,
  isEmptyRange,
  isLimitZero,
  noRows,
  parseRangeHeader,
  type RowRange,
} from './row-range.ts';

/** How a function is called: by a safe method, and then perhaps for the headers alone, or by POST. */
export type CallMethod = 'get' | 'head' | 'post';

/** What a request wants done to a relation's rows. */
export type Mutation = 'insert' | 'upsert' | 'update' | 'delete';

/** What a request is about, by its path and method. */
type Action =
  | { readonly kind: 'read'; readonly relation: string; readonly headersOnly: boolean }
  | { readonly kind: 'mutate'; readonly relation: string; readonly mutation: Mutation }
  | { readonly kind: 'call'; readonly routine: string; readonly method: CallMethod }
  | { readonly kind: 'inspect'; readonly headersOnly: boolean }
  | { readonly kind: 'relation-options'; readonly relation: string }
  | { readonly kind: 'routine-options'; readonly routine: string }
  | { readonly kind: 'root-options' };

/** The parts of a request that parsing looks at. */
export type RequestParts = {
  readonly method: string;
  /** Raw path after the service's prefix. */
  readonly path: string;
  /** Raw query, without its `?`. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
};

/** A request, understood; whether the database can do what it asks is for planning to say. */
export type ApiRequest = {
  readonly action: Action;
  readonly schema: string;
  /** Whether the answer names the schema, because there was more than one to choose from. */
  readonly namesSchema: boolean;
  readonly query: QueryParams;
  /** Rows asked for, by the key of the limit parameter; `limit` takes the Range header in. */
  readonly ranges: ReadonlyMap<string, RowRange>;
  readonly topRange: RowRange;
  readonly preferences: Preferences;
  readonly accept: readonly MediaType[];
  readonly contentType: MediaType;
  readonly payload: Payload | null;
};

/**
 * Understands a request.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/ApiRequest.hs (userApiRequest).
 */
export function parseRequest(
  parts: RequestParts,
  config: RestConfig,
  timezones: ReadonlySet<string>,
): Result<ApiRequest, RestError> {
  const { headers } = parts;
  const resource = parseResource(parts.path, config);
  if (!resource.ok) return resource;
  const schema = chooseSchema(parts.method, headers, config);
  if (!schema.ok) return schema;
  const action = chooseAction(resource.value, parts.method);
  if (!action.ok) return action;
  const query = parseQueryParams(parts.query, action.value.kind === 'call' && action.value.method !== 'post');
  if (!query.ok) return query;
  const ranges = parseRanges(parts.method, query.value.ranges, headerOf(headers, 'range'));
  if (!ranges.ok) return ranges;
  const given = headerOf(headers, 'content-type');
  const contentType = given === undefined ? mediaTypes.json : parseMediaType(given);
  const payload = payloadOf(parts.body, contentType, action.value, query.value);
  if (!payload.ok) return payload;
  return ok({
    action: action.value,
    ...schema.value,
    query: query.value,
    ...ranges.value,
    preferences: parsePreferences(
      headerOf(headers, 'prefer'),
      config.transactionEnd.allowOverride,
      timezones,
    ),
    accept: parseAccept(headerOf(headers, 'accept')),
    contentType,
    payload: payload.value,
  });
}

/** A header's one text; repeated headers come joined with commas. */
function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

type Resource =
  | { readonly kind: 'root' }
  | { readonly kind: 'relation'; readonly name: string }
  | { readonly kind: 'routine'; readonly name: string };

function parseResource(path: string, config: RestConfig): Result<Resource, RestError> {
  const trimmed = path.startsWith('/') ? path.slice(1) : path;
  if (trimmed === '') {
    if (config.openApiMode === 'disabled') return err(restErrors.openApiDisabled());
    const { rootSpec } = config;
    return ok(rootSpec === null ? { kind: 'root' } : { kind: 'routine', name: rootSpec.name });
  }
  const [first = '', second, ...rest] = trimmed.split('/');
  if (second === undefined) return ok({ kind: 'relation', name: percentDecode(first, false) });
  if (percentDecode(first, false) === 'rpc' && rest.length === 0)
    return ok({ kind: 'routine', name: percentDecode(second, false) });
  return err(restErrors.invalidPath());
}

function chooseSchema(
  method: string,
  headers: IncomingHttpHeaders,
  { schemas }: RestConfig,
): Result<Pick<ApiRequest, 'schema' | 'namesSchema'>, RestError> {
  const writes = method === 'POST' || method === 'PATCH' || method === 'PUT' || method === 'DELETE';
  const raw = headerOf(headers, writes ? 'content-profile' : 'accept-profile');
  if (raw === undefined) return ok({ schema: schemas[0], namesSchema: schemas.length !== 1 });
  // Header values come with one byte in each character.
  const profile = Buffer.from(raw, 'latin1').toString();
  if (!schemas.includes(profile)) return err(restErrors.unknownSchema(profile, schemas));
  return ok({ schema: profile, namesSchema: true });
}

function chooseAction(resource: Resource, method: string): Result<Action, RestError> {
  switch (resource.kind) {
    case 'routine':
      return routineAction(resource.name, method);
    case 'relation':
      return relationAction(resource.name, method);
    case 'root':
      if (method === 'GET' || method === 'HEAD')
        return ok({ kind: 'inspect', headersOnly: method === 'HEAD' });
      if (method === 'OPTIONS') return ok({ kind: 'root-options' });
      return err(restErrors.unsupportedMethod(method));
  }
}

function routineAction(routine: string, method: string): Result<Action, RestError> {
  switch (method) {
    case 'HEAD':
      return ok({ kind: 'call', routine, method: 'head' });
    case 'GET':
      return ok({ kind: 'call', routine, method: 'get' });
    case 'POST':
      return ok({ kind: 'call', routine, method: 'post' });
    case 'OPTIONS':
      return ok({ kind: 'routine-options', routine });
    default:
      return err(restErrors.invalidRpcMethod(method));
  }
}

function relationAction(relation: string, method: string): Result<Action, RestError> {
  switch (method) {
    case 'HEAD':
      return ok({ kind: 'read', relation, headersOnly: true });
    case 'GET':
      return ok({ kind: 'read', relation, headersOnly: false });
    case 'POST':
      return ok({ kind: 'mutate', relation, mutation: 'insert' });
    case 'PUT':
      return ok({ kind: 'mutate', relation, mutation: 'upsert' });
    case 'PATCH':
      return ok({ kind: 'mutate', relation, mutation: 'update' });
    case 'DELETE':
      return ok({ kind: 'mutate', relation, mutation: 'delete' });
    case 'OPTIONS':
      return ok({ kind: 'relation-options', relation });
    default:
      return err(restErrors.unsupportedMethod(method));
  }
}

const isAllRows = ({ first, last }: RowRange): boolean => first === 0n && last === null;

function parseRanges(
  method: string,
  limits: ReadonlyMap<string, RowRange>,
  header: string | undefined,
): Result<Pick<ApiRequest, 'ranges' | 'topRange'>, RestError> {
  // Range means nothing on any other method (RFC 9110).
  const fromHeader = method === 'GET' && header !== undefined ? parseRangeHeader(header) : allRows;
  const limit = limits.get('limit') ?? allRows;
  const topRange = isLimitZero(limit) ? noRows : intersectRanges(fromHeader, limit);
  if (topRange === null)
    return err(isEmptyRange(fromHeader) ? restErrors.rangeUpsideDown() : restErrors.negativeLimit());
  if (method === 'PUT' && !isAllRows(topRange)) return err(restErrors.putWithLimit());
  const isAsked = limits.size > 0 || !isAllRows(topRange);
  return ok({ ranges: isAsked ? new Map(limits).set('limit', topRange) : limits, topRange });
}

function payloadOf(
  body: Buffer,
  contentType: MediaType,
  action: Action,
  query: QueryParams,
): Result<Payload | null, RestError> {
  const hasColumns = query.columns !== null;
  if (action.kind === 'call' && action.method === 'post')
    return parsePayload(body, contentType, 'call', hasColumns);
  if (action.kind === 'mutate' && action.mutation !== 'delete')
    return parsePayload(body, contentType, 'rows', hasColumns && action.mutation !== 'upsert');
  return ok(null);
}
