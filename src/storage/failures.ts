import type { HttpReply, HttpRequest } from '../http/exchange.ts';
import { jsonReply } from '../http/exchange.ts';
import { PgFailure } from '../pg/failure.ts';
import type { StorageInput } from './deps.ts';
import { StorageError } from './errors.ts';

/*
 * From what was thrown to what a client hears and an operator sees.
 */

const rowSecurity = 'row-level security';
const pendingUploads = ['s3_multipart_uploads_bucket_id_fkey', 's3_multipart_uploads_parts_bucket_id_fkey'];

/**
 * What a failed statement means to a client.
 * Upstream: src/storage/database/errors.ts.
 */
function fromPgFailure(failure: PgFailure): StorageError {
  const options = { cause: failure };
  if (failure.kind === 'pool-timeout' || failure.sqlstate === '53300') {
    return new StorageError('TooManyConnections', '', options);
  }
  switch (failure.sqlstate) {
    case '42501':
      return new StorageError(
        'AccessDenied',
        failure.message.includes(rowSecurity)
          ? 'new row violates row-level security policy'
          : failure.message,
        options,
      );
    case '23505':
      return new StorageError('ResourceAlreadyExists', '', options);
    case '23503':
      return fromForeignKey(failure);
    case '55P03':
      return new StorageError('ResourceLocked', '', options);
    case '57014':
      return new StorageError('DatabaseTimeout', '', options);
    case '25006':
      return new StorageError('DatabaseReadOnly', '', options);
    case '42P17':
      return new StorageError('DatabaseInvalidObjectDefinition', '', options);
    case '22P02':
    // A NUL character, which no text of the database can hold, nor any of its JSON.
    case '22021':
    case '22P05':
      return new StorageError('InvalidValue', failure.message, options);
    case '42703':
    case '42P01':
      return new StorageError('DatabaseSchemaMismatch', failure.where ?? '', options);
    default:
      return new StorageError('DatabaseError', failure.sqlstate, options);
  }
}

function fromForeignKey(failure: PgFailure): StorageError {
  const options = { cause: failure };
  if (!failure.detail?.includes('is still referenced from table')) {
    return new StorageError('RelatedResourceNotFound', '', options);
  }
  if (failure.constraint === 'objects_bucketId_fkey') {
    return new StorageError('ResourceNotEmpty', '', options);
  }
  const text = pendingUploads.includes(failure.constraint ?? '')
    ? 'The bucket could not be updated because it is referenced by a pending multipart upload.'
    : 'The resource could not be updated or removed due to a foreign key constraint';
  return new StorageError('ResourceReferenced', text, options);
}

/** Whatever was thrown, as a failure of the table; unknown errors become `InternalError` and keep their cause. */
export function toStorageError(thrown: unknown): StorageError {
  if (thrown instanceof StorageError) return thrown;
  if (thrown instanceof PgFailure) return fromPgFailure(thrown);
  return new StorageError('InternalError', '', { cause: thrown });
}

/** Reports a failure of ours with its cause; what a client did wrong is in the access log. */
export function report(
  { observer }: Pick<StorageInput, 'observer'>,
  request: HttpRequest,
  error: StorageError,
): void {
  if (error.row.status < 500) return;
  observer({
    kind: 'fault',
    service: 'storage',
    message: error.message,
    error: error.cause ?? error,
    requestId: request.id,
  });
}

/**
 * The answer of the REST family: the real status is only in the body, HTTP says 400.
 * Upstream: src/http/error-handler.ts.
 */
export function toWire(error: StorageError): HttpReply {
  const row = error.row;
  return jsonReply(
    row.http ?? (row.status === 500 ? 500 : 400),
    {
      statusCode: String(row.status),
      error: row.label ?? row.code,
      message: error.message,
      code: row.code,
    },
    {
      'cache-control': 'no-store',
      ...(error.closesConnection ? { connection: 'close' } : {}),
    },
  );
}
