/** Where a failed statement came to grief: in the server, on the way to it, or while waiting for a connection. */
export type FailureKind = 'server' | 'connection' | 'pool-timeout';

/** Fields of a Postgres error message that clients may see; absent fields are null. */
export type PgFailureFields = {
  readonly kind: FailureKind;
  /**
   * Five-character SQLSTATE; 08006 for a connection that was lost, 08001 for one that could not be made unless the
   * server said why, 53300 when no connection was free in time.
   */
  readonly sqlstate: string;
  readonly message: string;
  readonly detail: string | null;
  readonly hint: string | null;
  /** 1-based character offset into the statement text. */
  readonly position: number | null;
  readonly where: string | null;
  readonly schema: string | null;
  readonly table: string | null;
  readonly column: string | null;
  readonly constraint: string | null;
  /** Name of the server's C function, which tells apart errors that share an SQLSTATE. */
  readonly routine: string | null;
};

/** A statement that failed, in the words of the database. Every database effect of the project rejects with this. */
export class PgFailure extends Error implements PgFailureFields {
  override readonly name = 'PgFailure';
  readonly kind: FailureKind;
  readonly sqlstate: string;
  readonly detail: string | null;
  readonly hint: string | null;
  readonly position: number | null;
  readonly where: string | null;
  readonly schema: string | null;
  readonly table: string | null;
  readonly column: string | null;
  readonly constraint: string | null;
  readonly routine: string | null;

  constructor(fields: PgFailureFields) {
    super(fields.message);
    this.kind = fields.kind;
    this.sqlstate = fields.sqlstate;
    this.detail = fields.detail;
    this.hint = fields.hint;
    this.position = fields.position;
    this.where = fields.where;
    this.schema = fields.schema;
    this.table = fields.table;
    this.column = fields.column;
    this.constraint = fields.constraint;
    this.routine = fields.routine;
  }
}

/** Whether the connection is gone: lost on the way, or ended by the server (SQLSTATE 57P01 to 57P05 say so). */
export const endsConnection = ({ kind, sqlstate }: PgFailureFields): boolean =>
  kind === 'connection' || sqlstate.startsWith('57P');

/** What a failed attempt to connect is: the server may have answered, but there is no connection. */
export function notConnected(thrown: unknown): PgFailure {
  const failure = toPgFailure(thrown);
  if (failure.kind === 'pool-timeout') return failure;
  const sqlstate = failure.kind === 'server' ? failure.sqlstate : '08001';
  return new PgFailure({ ...failure, message: failure.message, kind: 'connection', sqlstate });
}

const text = (source: object, key: string): string | null => {
  const value = (source as Record<string, unknown>)[key];
  return typeof value === 'string' ? value : null;
};

/** Turns whatever the driver rejected with into a `PgFailure`; one that already is passes through. */
export function toPgFailure(thrown: unknown): PgFailure {
  if (thrown instanceof PgFailure) return thrown;
  const source = typeof thrown === 'object' && thrown !== null ? thrown : { message: String(thrown) };
  const code = text(source, 'code') ?? '';
  const fromServer = /^[0-9A-Z]{5}$/.test(code) && text(source, 'severity') !== null;
  const waited = text(source, 'message') === 'timeout exceeded when trying to connect';
  const kind: FailureKind = fromServer ? 'server' : waited ? 'pool-timeout' : 'connection';
  const position = text(source, 'position');
  return new PgFailure({
    kind,
    sqlstate: fromServer ? code : waited ? '53300' : '08006',
    message: text(source, 'message') ?? 'unknown database error',
    detail: text(source, 'detail'),
    hint: text(source, 'hint'),
    position: position === null ? null : Number(position),
    where: text(source, 'where'),
    schema: text(source, 'schema'),
    table: text(source, 'table'),
    column: text(source, 'column'),
    constraint: text(source, 'constraint'),
    routine: text(source, 'routine'),
  });
}
