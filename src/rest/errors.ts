/** An error in PostgREST's terms: the status and the four members of its body. */
export type RestError = {
  readonly status: number;
  /** `PGRSTxxx`, an SQLSTATE, or whatever a function raised. */
  readonly code: string;
  readonly message: string;
  /** Text or, for ambiguous embeds, a list of candidates. */
  readonly details: unknown;
  readonly hint: string | null;
  /** Headers of the answer besides `Proxy-Status` and the content's own. */
  readonly headers: readonly (readonly [name: string, value: string])[];
};

type Extras = Partial<Pick<RestError, 'details' | 'hint' | 'headers'>>;

const error = (status: number, code: string, message: string, extras: Extras = {}): RestError => ({
  status,
  code,
  message,
  details: extras.details ?? null,
  hint: extras.hint ?? null,
  headers: extras.headers ?? [],
});

const unsatisfiableRange = (details: string): RestError =>
  error(416, 'PGRST103', 'Requested range not satisfiable', { details });

const invalidToken = (code: string, message: string, details: string | null = null): RestError =>
  error(401, code, message, {
    details,
    headers: [
      ['WWW-Authenticate', `Bearer error="invalid_token", error_description=${JSON.stringify(message)}`],
    ],
  });

/**
 * Every error that the service itself raises, in the order of the codes.
 * Errors of the database are in `pg-error.ts`.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Error.hs.
 */
export const restErrors = {
  connectionFailed: (details: string | null) =>
    error(503, 'PGRST000', 'Database connection error.', { details }),
  connectionLost: (details: string | null) =>
    error(503, 'PGRST001', 'Database client error. Retrying the connection.', { details }),
  noSchemaCache: () => error(503, 'PGRST002', 'Could not query the database for the schema cache. Retrying.'),
  poolTimeout: () => error(504, 'PGRST003', 'Timed out acquiring connection from connection pool.'),

  invalidQuery: (message: string, details: string) => error(400, 'PGRST100', message, { details }),
  invalidRpcMethod: (method: string) => error(405, 'PGRST101', `Cannot use the ${method} method on RPC`),
  invalidBody: (message: string) => error(400, 'PGRST102', message),
  negativeLimit: () => unsatisfiableRange('Limit should be greater than or equal to zero.'),
  rangeUpsideDown: () =>
    unsatisfiableRange(
      'The lower boundary must be lower than or equal to the upper boundary in the Range header.',
    ),
  rangeOutOfBounds: (lower: string, total: string) =>
    unsatisfiableRange(`An offset of ${lower} was requested, but there are only ${total} rows.`),
  putWithoutKey: () =>
    error(405, 'PGRST105', "Filters must include all and only primary key columns with 'eq' operators"),
  unknownSchema: (schema: string, exposed: readonly string[]) =>
    error(406, 'PGRST106', `Invalid schema: ${schema}`, {
      hint: `Only the following schemas are exposed: ${exposed.join(', ')}`,
    }),
  notAcceptable: (mediaTypes: readonly string[]) =>
    error(406, 'PGRST107', `None of these media types are available: ${mediaTypes.join(', ')}`),
  notEmbedded: (resource: string) =>
    error(400, 'PGRST108', `'${resource}' is not an embedded resource in this request`, {
      hint: `Verify that '${resource}' is included in the 'select' query parameter.`,
    }),
  badResponseHeaders: () =>
    error(
      500,
      'PGRST111',
      'response.headers guc must be a JSON array composed of objects with a single key and a string value',
    ),
  badResponseStatus: () => error(500, 'PGRST112', 'response.status guc must be a valid status code'),
  putWithLimit: () => error(400, 'PGRST114', 'limit/offset querystring parameters are not allowed for PUT'),
  putKeyMismatch: () => error(400, 'PGRST115', 'Payload values do not match URL in primary key column(s)'),
  notSingular: (rows: number) =>
    error(406, 'PGRST116', 'Cannot coerce the result to a single JSON object', {
      details: `The result contains ${rows} rows`,
    }),
  unsupportedMethod: (method: string) => error(405, 'PGRST117', `Unsupported HTTP method: ${method}`),
  orderByToMany: (origin: string, target: string) =>
    error(400, 'PGRST118', `A related order on '${target}' is not possible`, {
      details: `'${origin}' and '${target}' do not form a many-to-one or one-to-one relationship`,
    }),
  badRaise: (details: string, hint: string) =>
    error(500, 'PGRST121', `Could not parse JSON in the "RAISE SQLSTATE 'PGRST'" error`, { details, hint }),
  invalidPreferences: (preferences: readonly string[]) =>
    error(400, 'PGRST122', 'Invalid preferences given with handling=strict', {
      details: `Invalid preferences: ${preferences.join(', ')}`,
    }),
  aggregatesDisabled: () => error(400, 'PGRST123', 'Use of aggregate functions is not allowed'),
  tooManyAffected: (rows: number) =>
    error(400, 'PGRST124', 'Query result exceeds max-affected preference constraint', {
      details: `The query affects ${rows} rows`,
    }),
  invalidPath: () => error(404, 'PGRST125', 'Invalid path specified in request URL'),
  openApiDisabled: () => error(404, 'PGRST126', 'Root endpoint metadata is disabled'),
  notImplemented: (details: string) => error(400, 'PGRST127', 'Feature not implemented', { details }),
  maxAffectedOfSingle: () =>
    error(
      400,
      'PGRST128',
      'Function must return SETOF or TABLE when max-affected preference is used with handling=strict',
    ),

  noRelationship: (search: { parent: string; child: string; details: string; hint: string | null }) =>
    error(
      400,
      'PGRST200',
      `Could not find a relationship between '${search.parent}' and '${search.child}' in the schema cache`,
      { details: search.details, hint: search.hint },
    ),
  ambiguousRelationship: (search: {
    parent: string;
    child: string;
    candidates: readonly unknown[];
    hints: readonly string[];
  }) =>
    error(
      300,
      'PGRST201',
      `Could not embed because more than one relationship was found for '${search.parent}' and '${search.child}'`,
      {
        details: search.candidates,
        hint: `Try changing '${search.child}' to one of the following: ${search.hints.join(', ')}. Find the desired relationship in the 'details' key.`,
      },
    ),
  noRoutine: (search: { called: string; details: string; hint: string | null }) =>
    error(404, 'PGRST202', `Could not find the function ${search.called} in the schema cache`, {
      details: search.details,
      hint: search.hint,
    }),
  ambiguousRoutine: (signatures: readonly string[]) =>
    error(300, 'PGRST203', `Could not choose the best candidate function between: ${signatures.join(', ')}`, {
      hint: 'Try renaming the parameters or the function itself in the database so function overloading can be resolved',
    }),
  noColumn: (relation: string, column: string) =>
    error(400, 'PGRST204', `Could not find the '${column}' column of '${relation}' in the schema cache`),
  noTable: (schema: string, table: string, closest: string | null) =>
    error(404, 'PGRST205', `Could not find the table '${schema}.${table}' in the schema cache`, {
      hint: closest === null ? null : `Perhaps you meant the table '${schema}.${closest}'`,
    }),

  noJwtSecret: () => error(500, 'PGRST300', 'Server lacks JWT secret'),
  undecodableToken: (message: string, details: string | null) => invalidToken('PGRST301', message, details),
  tokenRequired: () =>
    error(401, 'PGRST302', 'Anonymous access is disabled', { headers: [['WWW-Authenticate', 'Bearer']] }),
  invalidClaims: (message: string) => invalidToken('PGRST303', message),

  bodyTooLarge: (bytes: number) => error(413, 'PGRST102', `The request body is larger than ${bytes} bytes`),
  internal: () => error(500, 'PGRSTX00', 'Internal server error'),
};

/** The body of an error's answer; members in upstream's order. */
export const errorBody = ({ code, details, hint, message }: RestError): string =>
  JSON.stringify({ code, details, hint, message });

/** The answer's headers of an error, without those of its content. */
export function errorHeaders({
  code,
  headers,
}: RestError): readonly (readonly [name: string, value: string])[] {
  return [['Proxy-Status', `PostgREST; error=${code}`], ...headers];
}
