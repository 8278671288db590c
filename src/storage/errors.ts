import { type ErrorRow, STORAGE_ERRORS } from './error-table.ts';

/** Name of a row of the table. */
export type StorageErrorName = keyof typeof STORAGE_ERRORS;

/** A failure that the service answers a client with. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly kind: StorageErrorName;
  /** Whether the rest of the request's body is left unread, so that the connection must end. */
  readonly closesConnection: boolean;

  constructor(
    kind: StorageErrorName,
    detail = '',
    options: ErrorOptions & { closesConnection?: boolean } = {},
  ) {
    super(STORAGE_ERRORS[kind].message(detail), options);
    this.kind = kind;
    this.closesConnection = options.closesConnection ?? false;
  }

  /** The row of the table. */
  get row(): ErrorRow {
    return STORAGE_ERRORS[this.kind];
  }
}
