import type { Table } from '../../catalog/model.ts';
import { returnsVoid } from '../../catalog/model.ts';
import { ok, type Result } from '../../core/result.ts';
import { errorBody, errorHeaders, type RestError, restErrors } from '../errors.ts';
import type { ResultSet } from '../execute.ts';
import type { ApiRequest } from '../parse/api-request.ts';
import { contentType, mediaTypes } from '../parse/media-type.ts';
import { percentEncode } from '../parse/percent.ts';
import type { ActionPlan, RowsPlan } from '../plan/model.ts';
import { preferenceApplied } from './applied.ts';
import { contentRange, rangeStatus } from './content-range.ts';
import type { Header } from './header-text.ts';
import { type Head, overrideHead } from './override.ts';

type Body = string | Buffer | readonly Buffer[];

/** An answer of the service, before it is sent. */
export type Answer = Head & { readonly body: Body };

type ReadPlan = Extract<ActionPlan, { readonly kind: 'read' }>;
type MutatePlan = Extract<ActionPlan, { readonly kind: 'mutate' }>;
type CallPlan = Extract<ActionPlan, { readonly kind: 'call' }>;

/**
 * Turns the result of a plan into an answer.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Response.hs (actionResponse).
 */
export function answerRows(
  plan: RowsPlan,
  request: ApiRequest,
  result: ResultSet,
): Result<Answer, RestError> {
  const answer = answerOf(plan, request, result);
  const head = overrideHead(answer, result);
  return head.ok ? ok({ ...head.value, body: answer.body }) : head;
}

function answerOf(plan: RowsPlan, request: ApiRequest, result: ResultSet): Answer {
  switch (plan.kind) {
    case 'read':
      return answerRead(plan, request, result);
    case 'mutate':
      return answerMutation(plan, request, result);
    case 'call':
      return answerCall(plan, request, result);
  }
}

/** The answer to a request for a query's plan. */
export function answerExplained(plan: RowsPlan, request: ApiRequest, text: string): Answer {
  return { status: 200, headers: contentHeaders(plan, request), body: text };
}

/** The OpenAPI document of a schema. */
export function answerDocument(request: ApiRequest, document: string, headersOnly: boolean): Answer {
  const body = headersOnly ? '' : document;
  const type: Header = ['Content-Type', contentType(mediaTypes.openapi)];
  return { status: 200, headers: [type, ...profile(request)], body };
}

/** The answer to a request that failed. */
export const answerError = (error: RestError): Answer => ({
  status: error.status,
  headers: [['Content-Type', contentType(mediaTypes.json)], ...errorHeaders(error)],
  body: errorBody(error),
});

/** Names the schema where the client could have chosen another. */
const profile = ({ schema, namesSchema }: ApiRequest): Header[] =>
  namesSchema ? [['Content-Profile', schema]] : [];

const contentHeaders = ({ mediaType }: RowsPlan, request: ApiRequest): Header[] => [
  ['Content-Type', contentType(mediaType)],
  ...profile(request),
];

function applied(plan: RowsPlan, request: ApiRequest): Header[] {
  const value = preferenceApplied(plan, request);
  return value === null ? [] : [['Preference-Applied', value]];
}

/**
 * The answer's bytes. Upstream takes what custom handlers give in the server's binary format: bytes, which arrive here
 * as hex text, are sent as they are, and `jsonb` has the number of its version in front.
 */
function bodyOf({ handler }: RowsPlan, { body }: ResultSet): Body {
  if (handler.kind !== 'custom') return body;
  const isText = typeof body === 'string';
  switch (handler.baseType) {
    case 'bytea':
      return isText ? Buffer.from(body.slice(2), 'hex') : fromHex(body);
    case 'jsonb':
      return isText ? `\x01${body}` : [Buffer.of(1), ...body];
    default:
      return body;
  }
}

/** The bytes of `\x` and hex text in pieces, whose boundaries may part the two digits of a byte. */
function fromHex(pieces: readonly Buffer[]): Buffer[] {
  let digit = '';
  let prefix = 2;
  return pieces.map((piece) => {
    const digits = digit + piece.toString('latin1', prefix);
    prefix = Math.max(0, prefix - piece.length);
    const even = digits.length - (digits.length % 2);
    digit = digits.slice(even);
    return Buffer.from(digits.slice(0, even), 'hex');
  });
}

type Ranged = { readonly status: 200 | 206 | 416; readonly range: Header; readonly body: Body };

/** Rows with their place among all rows, or the error of a place beyond their end. */
function ranged(plan: RowsPlan, { topRange }: ApiRequest, result: ResultSet): Ranged {
  const { rows, total } = result;
  const lower = topRange.first;
  const status = rangeStatus(lower, rows, total);
  const range: Header = ['Content-Range', contentRange(lower, lower + BigInt(rows) - 1n, total)];
  const body =
    status === 416
      ? errorBody(restErrors.rangeOutOfBounds(String(lower), String(total ?? 0)))
      : bodyOf(plan, result);
  return { status, range, body };
}

function answerRead(plan: ReadPlan, request: ApiRequest, result: ResultSet): Answer {
  const { status, range, body } = ranged(plan, request, result);
  const { canonical } = request.query;
  // Upstream answers an impossible range with its error even to HEAD, where it is never sent.
  const sent = plan.headersOnly ? '' : body;
  const place = `/${plan.relation.name}${canonical === '' ? '' : `?${canonical}`}`;
  return {
    status,
    headers: [
      range,
      ['Content-Location', place],
      ...contentHeaders(plan, request),
      ...applied(plan, request),
    ],
    body: sent,
  };
}

function answerCall(plan: CallPlan, request: ApiRequest, result: ResultSet): Answer {
  const { status, range, body } = ranged(plan, request, result);
  const headers = [range, ...applied(plan, request)];
  if (returnsVoid(plan.routine)) return { status: 204, headers, body: '' };
  return {
    status,
    headers: [...headers, ...contentHeaders(plan, request)],
    body: plan.method === 'head' ? '' : body,
  };
}

function answerMutation(plan: MutatePlan, request: ApiRequest, result: ResultSet): Answer {
  switch (plan.mutation) {
    case 'insert':
      return answerInsert(plan, request, result);
    case 'upsert': {
      const status = (result.inserted ?? 0) > 0 ? 201 : 200;
      return withRepresentation(plan, request, result, status, applied(plan, request));
    }
    case 'update': {
      const range = contentRange(0n, BigInt(result.rows) - 1n, countedRows(request, result));
      return withRepresentation(plan, request, result, 200, [
        ['Content-Range', range],
        ...applied(plan, request),
      ]);
    }
    case 'delete': {
      const range = contentRange(1n, 0n, countedRows(request, result));
      return withRepresentation(plan, request, result, 200, [
        ['Content-Range', range],
        ...applied(plan, request),
      ]);
    }
  }
}

const countedRows = ({ preferences: { count } }: ApiRequest, { rows }: ResultSet): number | null =>
  count === 'exact' || count === 'estimated' ? rows : null;

const isRepresented = ({ preferences }: ApiRequest): boolean =>
  preferences.representation === 'representation';

function withRepresentation(
  plan: MutatePlan,
  request: ApiRequest,
  result: ResultSet,
  status: number,
  headers: readonly Header[],
): Answer {
  if (!isRepresented(request)) return { status: 204, headers, body: '' };
  const body = bodyOf(plan, result);
  return { status, headers: [...headers, ...contentHeaders(plan, request)], body };
}

function answerInsert(plan: MutatePlan, request: ApiRequest, result: ResultSet): Answer {
  const merges = request.preferences.resolution === 'merge-duplicates';
  const { inserted } = result;
  const status = inserted === null || (inserted <= 0 && merges) ? 200 : 201;
  const body = isRepresented(request) ? bodyOf(plan, result) : '';
  return {
    status,
    headers: [
      ...location(plan, result),
      ['Content-Range', contentRange(1n, 0n, countedRows(request, result))],
      ...applied(plan, request),
      ...(isRepresented(request) ? contentHeaders(plan, request) : []),
    ],
    body,
  };
}

/** Where the inserted row is found, by its key. */
function location({ relation }: MutatePlan, { location: pairs }: ResultSet): Header[] {
  if (pairs === null || pairs.length === 0) return [];
  const query = pairs.map((pair) => {
    const at = pair.indexOf('=');
    return `${percentEncode(pair.slice(0, at))}=${percentEncode(pair.slice(at + 1))}`;
  });
  return [['Location', `/${relation.name}?${query.join('&')}`]];
}

type InfoPlan = Extract<ActionPlan, { readonly kind: 'relation-info' | 'routine-info' | 'root-info' }>;

/** The answer to OPTIONS: the methods that make sense here, whatever the caller's privileges. */
export function answerInfo(plan: InfoPlan): Answer {
  return {
    status: 200,
    headers: [
      ['Access-Control-Allow-Origin', '*'],
      ['Allow', allowedMethods(plan)],
    ],
    body: '',
  };
}

function allowedMethods(plan: InfoPlan): string {
  switch (plan.kind) {
    case 'relation-info':
      return relationMethods(plan.table).join(',');
    case 'routine-info':
      return plan.routine.volatility === 'volatile' ? 'OPTIONS,POST' : 'OPTIONS,GET,HEAD,POST';
    case 'root-info':
      return 'OPTIONS,GET,HEAD';
  }
}

function relationMethods({ insertable, updatable, deletable, primaryKeyColumns }: Table): string[] {
  return [
    'OPTIONS,GET,HEAD',
    ...(insertable ? ['POST'] : []),
    ...(insertable && updatable && primaryKeyColumns.length > 0 ? ['PUT'] : []),
    ...(updatable ? ['PATCH'] : []),
    ...(deletable ? ['DELETE'] : []),
  ];
}
