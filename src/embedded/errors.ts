/** What went wrong with the embedded Postgres, for programs; the message is for people. */
export type EmbeddedErrorCode =
  | 'account_unusable'
  | 'binaries_missing'
  | 'binaries_unsupported'
  | 'data_dir_foreign'
  | 'data_dir_in_use'
  | 'data_dir_version'
  | 'initdb_failed'
  | 'password_missing'
  | 'port_taken'
  | 'start_failed';

/** A failure to bring up the embedded Postgres. The message says what happened and what to do about it. */
export class EmbeddedError extends Error {
  override readonly name = 'EmbeddedError';
  readonly code: EmbeddedErrorCode;

  constructor(code: EmbeddedErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
