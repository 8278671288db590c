import type { PgFailure } from '../pg/failure.ts';
import { type RestError, restErrors } from './errors.ts';
import { isFinalStatus } from './respond/header-text.ts';

/** Status by SQLSTATE: exact codes first, then classes; anything else is the client's fault. */
const statusByCode: Readonly<Record<string, number>> = {
  '23503': 409,
  '23505': 409,
  '25006': 405,
  '42883': 404,
  '42P01': 404,
  '42P17': 500,
  '53400': 500,
  '57P01': 503,
  P0001: 400,
};

const statusByClass: Readonly<Record<string, number>> = {
  '08': 503,
  '09': 500,
  '0L': 403,
  '0P': 403,
  '25': 500,
  '28': 403,
  '2D': 500,
  '38': 500,
  '39': 500,
  '3B': 500,
  '40': 500,
  '53': 503,
  '54': 500,
  '55': 500,
  '57': 500,
  '58': 500,
  F0: 500,
  HV: 500,
  P0: 500,
  XX: 500,
};

/** Status of what the database reported. A missing privilege is 401 as long as nobody has said who they are. */
function statusOf({ sqlstate, message }: PgFailure, isAuthenticated: boolean): number {
  switch (sqlstate) {
    case '42501':
      return isAuthenticated ? 403 : 401;
    case '21000':
      // pg-safeupdate speaks of the client's request; any other violation lies in a function or view.
      return message.endsWith('requires a WHERE clause') ? 400 : 500;
    case '22023':
      // The role of a token that nobody created.
      return message.startsWith('role') && message.endsWith('does not exist') ? 401 : 400;
    case '42883':
      return message.startsWith('function xmlagg(') ? 406 : 404;
    default:
  }
  if (sqlstate.startsWith('PT')) {
    const status = Number(sqlstate.slice(2));
    return isFinalStatus(status) ? status : 500;
  }
  return statusByCode[sqlstate] ?? statusByClass[sqlstate.slice(0, 2)] ?? 400;
}

/**
 * What a failed statement means to the client.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Error.hs (pgErrorStatus).
 */
export function fromPgFailure(failure: PgFailure, isAuthenticated: boolean): RestError {
  if (failure.kind === 'pool-timeout') return restErrors.poolTimeout();
  if (failure.kind === 'connection')
    return failure.sqlstate === '08006'
      ? restErrors.connectionLost(failure.message)
      : restErrors.connectionFailed(failure.message);
  if (failure.sqlstate === 'PGRST') return raised(failure);
  const status = statusOf(failure, isAuthenticated);
  return {
    status,
    code: failure.sqlstate,
    message: failure.message,
    details: failure.detail,
    hint: failure.hint,
    headers: status === 401 ? [['WWW-Authenticate', 'Bearer']] : [],
  };
}

type Members = Readonly<Record<string, unknown>>;

function parseObject(text: string): Members | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : null;
  } catch {
    // Not JSON: the caller says which part it was.
    return null;
  }
}

const isOptionalText = (value: unknown): value is string | null | undefined =>
  value === undefined || value === null || typeof value === 'string';

const messageHint =
  "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', 'hint'.";
const detailHint =
  "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'.";

/** `raise sqlstate 'PGRST'` lets a function write the whole answer, as JSON in its message and detail. */
function raised({ message, detail }: PgFailure): RestError {
  const body = parseObject(message);
  if (
    typeof body?.code !== 'string' ||
    typeof body.message !== 'string' ||
    !isOptionalText(body.details) ||
    !isOptionalText(body.hint)
  )
    return restErrors.badRaise(`Invalid JSON value for MESSAGE: '${message}'`, messageHint);
  if (detail === null) return restErrors.badRaise('DETAIL is missing in the RAISE statement', detailHint);
  const head = parseObject(detail);
  const headers = head === null ? null : textMembers(head.headers);
  if (
    typeof head?.status !== 'number' ||
    !isFinalStatus(head.status) ||
    headers === null ||
    !isOptionalText(head.status_text)
  )
    return restErrors.badRaise(`Invalid JSON value for DETAIL: '${detail}'`, detailHint);
  return {
    status: head.status,
    code: body.code,
    message: body.message,
    details: body.details ?? null,
    hint: body.hint ?? null,
    headers,
  };
}

function textMembers(value: unknown): (readonly [string, string])[] | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const members = Object.entries(value);
  return members.every((member): member is [string, string] => typeof member[1] === 'string')
    ? members.sort(([a], [b]) => (a < b ? -1 : 1))
    : null;
}
