import type { ServiceId } from '../core/observe.ts';
import type { HttpReply, ReplyHeaders } from '../http/exchange.ts';
import { jsonReply } from '../http/exchange.ts';
import { PgFailure } from '../pg/failure.ts';
import type { AuthCode } from './failures/codes.ts';

/** What a refusal may carry beside its code and text. */
export type AuthErrorExtras = {
  /** Reasons of a weak password, in upstream's order. */
  readonly reasons?: readonly string[];
  /** The error that is behind a 5xx; only its class reaches a client, and only in the old envelope. */
  readonly cause?: unknown;
  /** Whether the code is in the body alone, since whoever refused named none; `x-sb-error-code` stays away then. */
  readonly isUncoded?: boolean;
};

/** A request that was refused, in the words that clients know. */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  readonly status: number;
  readonly code: AuthCode;
  readonly reasons: readonly string[] | null;
  /** The code where it is told of outside the body: in a header, in a redirect. Empty when nobody named one. */
  readonly namedCode: AuthCode | '';

  constructor(status: number, code: AuthCode, message: string, extras: AuthErrorExtras = {}) {
    super(message, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.status = status;
    this.code = code;
    this.reasons = extras.reasons ?? null;
    this.namedCode = extras.isUncoded ? '' : code;
  }
}

/** A refusal in the form of RFC 6749; always 400, whatever API version the client speaks. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly error: string;

  constructor(error: string, description: string) {
    super(description);
    this.error = error;
  }
}

/** Whether a failure of the database will pass by itself: then clients must get a 5xx and keep their session. */
const isTransient = (failure: PgFailure): boolean =>
  failure.kind !== 'server' || /^(08|40|53|55|57|58)/.test(failure.sqlstate);

/** What a reply to a failed request depends on. */
export type WireContext = {
  readonly requestId: string;
  /** The `X-Supabase-Api-Version` header as the client sent it. */
  readonly apiVersion: string | undefined;
  /** Told of everything that clients get no detail about. */
  readonly report: (service: ServiceId, message: string, error: unknown) => void;
};

const newEnvelopeFrom = '2024-01-01';
const unexpected = 'Unexpected failure, please check server logs for more information';

/** A day that there is not, such as the 30th of February, counts as no version. */
const isDay = (text: string): boolean => {
  const epochMs = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(epochMs) && new Date(epochMs).toISOString().startsWith(text);
};

const isNewVersion = (header: string | undefined): boolean =>
  header !== undefined && isDay(header) && header >= newEnvelopeFrom;

/**
 * The only place that decides status, envelope and headers of a failed request.
 * Upstream: internal/api/errors.go.
 */
export function toWire(thrown: unknown, context: WireContext): HttpReply {
  const isNew = isNewVersion(context.apiVersion);
  const echo: ReplyHeaders = isNew ? { 'x-supabase-api-version': newEnvelopeFrom } : {};
  if (thrown instanceof OAuthError) {
    return jsonReply(400, { error: thrown.error, error_description: thrown.message }, echo);
  }
  const error = thrown instanceof AuthError ? thrown : unhandled(thrown);
  if (error.status >= 500) context.report('auth', error.message, error.cause ?? error);
  const headers: ReplyHeaders =
    error.namedCode === '' ? echo : { ...echo, 'x-sb-error-code': error.namedCode };
  if (error.reasons !== null) return weakPasswordReply(error, isNew, isNew ? echo : headers);
  if (isNew) return jsonReply(error.status, { code: error.code, message: error.message }, headers);
  const exposed = exposedDatabaseError(error);
  if (exposed !== null) return jsonReply(exposed.status, exposed.body, headers);
  return jsonReply(
    error.status,
    {
      code: error.status,
      error_code: error.code,
      msg: error.message,
      ...(error.status >= 500 ? { error_id: context.requestId } : {}),
    },
    headers,
  );
}

function weakPasswordReply(error: AuthError, isNew: boolean, headers: ReplyHeaders): HttpReply {
  const weak = { weak_password: { reasons: error.reasons } };
  return isNew
    ? jsonReply(error.status, { code: error.code, message: error.message, ...weak }, headers)
    : jsonReply(
        error.status,
        { code: error.status, error_code: error.code, msg: error.message, ...weak },
        headers,
      );
}

function unhandled(thrown: unknown): AuthError {
  if (thrown instanceof PgFailure && isTransient(thrown)) {
    return new AuthError(503, 'unexpected_failure', 'The database cannot be reached, please retry', {
      cause: thrown,
    });
  }
  if (thrown instanceof PgFailure && thrown.constraint === 'users_email_partial_key') {
    return new AuthError(422, 'email_exists', 'A user with this email address has already been registered');
  }
  if (thrown instanceof PgFailure && thrown.constraint === 'users_phone_key') {
    return new AuthError(422, 'phone_exists', 'A user with this phone number has already been registered');
  }
  return new AuthError(500, 'unexpected_failure', unexpected, { cause: thrown, isUncoded: true });
}

/** Whether the detail of a failure is the row itself, whose hashes upstream shows to whoever asked for the change. */
const showsRow = ({ sqlstate }: PgFailure): boolean => sqlstate === '23502' || sqlstate === '23514';

/**
 * In the old envelope, an error that the project's own SQL raised (a trigger on auth.users) reaches the client.
 * Upstream: internal/utilities/postgres.go.
 */
function exposedDatabaseError(
  error: AuthError,
): { readonly status: number; readonly body: Record<string, string> } | null {
  const { cause } = error;
  if (!(cause instanceof PgFailure) || cause.kind !== 'server') return null;
  const chosen = /^PT(\d{3})$/.exec(cause.sqlstate)?.[1];
  const isRaised = cause.sqlstate === 'P0001' || cause.sqlstate.startsWith('23');
  if (chosen === undefined && !isRaised) return null;
  const body: Record<string, string> = { code: cause.sqlstate, message: cause.message };
  if (cause.hint !== null) body.hint = cause.hint;
  if (cause.detail !== null && !showsRow(cause)) body.detail = cause.detail;
  return { status: chosen === undefined ? 500 : Number(chosen), body };
}
