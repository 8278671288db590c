/** One kind of failure: its code on the wire, the status that it means, and the legacy label when it has one. */
export type ErrorRow = {
  readonly code: string;
  /** Real status: `statusCode` of the body; the HTTP status of the S3 and TUS families. */
  readonly status: number;
  readonly label?: string;
  /** HTTP status of the REST family where it is neither 400 nor (for 500) 500. */
  readonly http?: number;
  readonly message: (detail: string) => string;
};

const says = (text: string) => (): string => text;
const verbatim = (detail: string): string => detail;
const defaulting = (text: string) => (detail: string) => detail || text;

/**
 * Every failure that the storage service answers with.
 * Upstream: src/internal/errors/codes.ts.
 */
export const STORAGE_ERRORS = {
  NoSuchBucket: {
    code: 'NoSuchBucket',
    status: 404,
    label: 'Bucket not found',
    message: says('Bucket not found'),
  },
  NoSuchKey: { code: 'NoSuchKey', status: 404, label: 'not_found', message: says('Object not found') },
  BlobMissing: {
    code: 'NoSuchKey',
    status: 404,
    label: 'Not found',
    message: says('The resource was not found'),
  },
  NoSuchUpload: { code: 'NoSuchUpload', status: 404, message: says('Upload not found') },
  AccessDenied: {
    code: 'AccessDenied',
    status: 403,
    label: 'Unauthorized',
    message: defaulting('Access denied'),
  },
  RoleDenied: {
    code: 'AccessDenied',
    status: 403,
    label: 'Unauthorized',
    http: 403,
    message: verbatim,
  },
  InvalidJWT: { code: 'InvalidJWT', status: 400, message: defaulting('Invalid JWT') },
  InvalidSignature: {
    code: 'InvalidSignature',
    status: 400,
    message: defaulting('Invalid signature'),
  },
  ExpiredToken: { code: 'ExpiredToken', status: 400, message: says('The provided token has expired.') },
  KeyAlreadyExists: {
    code: 'KeyAlreadyExists',
    status: 409,
    label: 'Duplicate',
    message: says('The resource already exists'),
  },
  BucketAlreadyExists: {
    code: 'BucketAlreadyExists',
    status: 409,
    label: 'Duplicate',
    message: says('The resource already exists'),
  },
  ResourceAlreadyExists: {
    code: 'ResourceAlreadyExists',
    status: 409,
    label: 'Duplicate',
    message: says('The resource already exists'),
  },
  ResourceNotEmpty: {
    code: 'ResourceNotEmpty',
    status: 409,
    message: says('The bucket you tried to delete is not empty'),
  },
  ResourceReferenced: { code: 'ResourceReferenced', status: 409, message: verbatim },
  RelatedResourceNotFound: {
    code: 'InvalidRequest',
    status: 404,
    message: says('The related resource does not exist'),
  },
  BucketTooFull: {
    code: 'InvalidRequest',
    status: 409,
    message: says('Unable to empty the bucket because it contains too many objects'),
  },
  InvalidBucketName: {
    code: 'InvalidBucketName',
    status: 400,
    label: 'Invalid Input',
    message: says('Bucket name invalid'),
  },
  InvalidKey: { code: 'InvalidKey', status: 400, message: (key) => `Invalid key: ${key}` },
  InvalidMimeType: {
    code: 'InvalidMimeType',
    status: 415,
    label: 'invalid_mime_type',
    message: (type) => `mime type ${type} is not supported`,
  },
  InvalidContentType: {
    code: 'InvalidMimeType',
    status: 415,
    label: 'invalid_mime_type',
    message: says('Invalid Content-Type header'),
  },
  EntityTooLarge: {
    code: 'EntityTooLarge',
    status: 413,
    label: 'Payload too large',
    message: (entity) => `The ${entity || 'object'} exceeded the maximum allowed size`,
  },
  InvalidRange: {
    code: 'InvalidRange',
    status: 416,
    label: 'invalid_range',
    http: 416,
    message: says('invalid range provided'),
  },
  NoContentProvided: {
    code: 'InvalidRequest',
    status: 400,
    message: defaulting('No content provided'),
  },
  InvalidFileSizeLimit: {
    code: 'InvalidRequest',
    status: 400,
    message: says('Invalid file size format, hint: use 20GB / 20MB / 30KB / 3B'),
  },
  InvalidRobotsTag: {
    code: 'InvalidRequest',
    status: 400,
    label: 'invalid_x_robots_tag',
    message: (why) => `Invalid X-Robots-Tag header: ${why}`,
  },
  InvalidHeaderChar: {
    code: 'InvalidRequest',
    status: 400,
    label: 'invalid_header_char',
    message: verbatim,
  },
  InvalidParameter: {
    code: 'InvalidParameter',
    status: 400,
    message: (name) => `Invalid Parameter ${name}`,
  },
  InvalidValue: { code: 'InvalidParameter', status: 400, message: verbatim },
  MissingParameter: {
    code: 'MissingParameter',
    status: 400,
    message: (name) => `Missing Required Parameter ${name}`,
  },
  /** A request that its schema refuses; HTTP status 400 like the rest, labelled by the validator. */
  InvalidSchema: { code: 'InvalidRequest', status: 400, label: 'Error', message: verbatim },
  /** A body that could not be read at all. */
  InvalidBody: { code: 'InvalidRequest', status: 400, label: 'FastifyError', message: verbatim },
  BodyTooLarge: {
    code: 'EntityTooLarge',
    status: 413,
    label: 'FastifyError',
    http: 413,
    message: says('Request body is too large'),
  },
  MalformedUrl: {
    code: 'InternalError',
    status: 400,
    label: 'FastifyError',
    message: (path) => `'${path}' is not a valid url component`,
  },
  FeatureNotEnabled: {
    code: 'FeatureNotEnabled',
    status: 409,
    message: (feature) => `The feature ${feature} is not enabled for this resource`,
  },
  UnusableImage: { code: 'InvalidRequest', status: 400, message: verbatim },
  ImageTimeout: { code: 'InvalidRequest', status: 408, message: says('Image request timed out') },
  ImagesBusy: { code: 'InvalidRequest', status: 429, message: says('Too many requests') },
  ImagesUnavailable: {
    code: 'NotSupported',
    status: 501,
    http: 501,
    message: says('Image transformation needs the package "sharp", which is not installed'),
  },
  // The S3 endpoint's own, by the names of its protocol.
  SignatureDoesNotMatch: { code: 'SignatureDoesNotMatch', status: 403, message: verbatim },
  RequestTimeTooSkewed: { code: 'RequestTimeTooSkewed', status: 403, message: verbatim },
  AuthorizationQueryParametersError: {
    code: 'AuthorizationQueryParametersError',
    status: 400,
    message: verbatim,
  },
  MalformedXML: { code: 'MalformedXML', status: 400, message: verbatim },
  InvalidPart: { code: 'InvalidPart', status: 400, message: verbatim },
  InvalidPartOrder: { code: 'InvalidPartOrder', status: 400, message: verbatim },
  InvalidArgument: { code: 'InvalidArgument', status: 400, message: verbatim },
  MissingContentLength: { code: 'MissingContentLength', status: 400, message: verbatim },
  InvalidCopyRange: { code: 'InvalidRange', status: 400, message: says('invalid range provided') },
  EntityTooSmall: { code: 'EntityTooSmall', status: 400, message: verbatim },
  IncompleteBody: { code: 'IncompleteBody', status: 400, message: verbatim },
  BadDigest: { code: 'BadDigest', status: 400, message: verbatim },
  XAmzContentSHA256Mismatch: { code: 'XAmzContentSHA256Mismatch', status: 400, message: verbatim },
  PreconditionFailed: { code: 'PreconditionFailed', status: 412, message: verbatim },
  InvalidPolicyDocument: { code: 'InvalidPolicyDocument', status: 400, message: verbatim },
  ResourceLocked: { code: 'ResourceLocked', status: 423, message: says('The resource is locked') },
  LockTimeout: {
    code: 'LockTimeout',
    status: 503,
    label: 'acquiring_lock_timeout',
    message: says('acquiring lock timeout'),
  },
  DatabaseTimeout: {
    code: 'DatabaseTimeout',
    status: 544,
    http: 544,
    message: says('The connection to the database timed out'),
  },
  DatabaseReadOnly: {
    code: 'DatabaseReadOnly',
    status: 503,
    message: says('The database is currently in read-only mode. Please try again later.'),
  },
  DatabaseInvalidObjectDefinition: {
    code: 'DatabaseInvalidObjectDefinition',
    status: 503,
    message: says('The database schema is invalid or incompatible.'),
  },
  DatabaseSchemaMismatch: {
    code: 'DatabaseSchemaMismatch',
    status: 503,
    message: (where) =>
      where === ''
        ? 'The database schema is out of sync. Please run migrations or contact support.'
        : `There is a database schema mismatch in a trigger or RLS policy: ${where}`,
  },
  DatabaseError: {
    code: 'DatabaseError',
    status: 500,
    message: (sqlstate) => `database error, code: ${sqlstate}`,
  },
  TooManyConnections: {
    code: 'SlowDown',
    status: 429,
    label: 'too_many_connections',
    http: 429,
    message: says('Too many connections issued to the database'),
  },
  Aborted: {
    code: 'Aborted',
    status: 499,
    label: 'Request aborted',
    http: 499,
    message: says('Request aborted'),
  },
  PurgeFailed: { code: 'InternalError', status: 500, message: says('Error purging cache') },
  InternalError: {
    code: 'InternalError',
    status: 500,
    label: 'Internal',
    message: says('Internal Server Error'),
  },
} as const satisfies Readonly<Record<string, ErrorRow>>;
