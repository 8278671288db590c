import type { IncomingHttpHeaders } from 'node:http';
import type { HttpReply, ReplyHeaders } from '../../http/exchange.ts';
import { StorageError } from '../errors.ts';
import { toStorageError } from '../failures.ts';

/*
 * The resumable upload protocol, version 1.0.0, as its reference server speaks it.
 * Upstream: @tus/server, which supabase/storage mounts.
 */

/** A refusal in the protocol's own words. */
class TusError extends Error {
  override readonly name = 'TusError';
  readonly status: number;

  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

/** The protocol's refusals. */
export const refuse = {
  invalidId: (text: string) => new TusError(400, text),
  noVersion: () => new TusError(412, 'Tus-Resumable Required\n'),
  badHeaders: (names: readonly string[]) => new TusError(400, `Invalid ${names.join(' ')}\n`),
  noOffset: () => new TusError(403, 'Upload-Offset header required\n'),
  noContentType: () => new TusError(403, 'Content-Type header required\n'),
  notFound: () => new TusError(404, 'The file for this url was not found\n'),
  gone: () => new TusError(410, 'The file for this url no longer exists\n'),
  offsetConflict: () => new TusError(409, 'Upload-Offset conflict\n'),
  sizeExceeded: () => new TusError(413, "upload's size exceeded\n"),
  maxSizeExceeded: () => new TusError(413, 'Maximum size exceeded\n'),
  noLength: () => new TusError(400, 'Upload-Length or Upload-Defer-Length header required\n'),
  noMetadata: () => new TusError(400, 'Metadata header is required'),
  finished: () => new TusError(400, 'Cannot terminate an already completed upload'),
  interrupted: () => new TusError(400, 'Request aborted due to lock acquired'),
  concatenation: () =>
    new TusError(
      501,
      'Concatenation extension is not (yet) supported. Disable parallel uploads in the tus client.\n',
    ),
  unknownMethod: () => new TusError(404, 'Not found\n'),
} as const;

const version = '1.0.0';

/** The media type of a piece of an upload. */
export const pieceType = 'application/offset+octet-stream';

const exposed =
  'Authorization, Content-Type, Location, Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Concat, ' +
  'Upload-Defer-Length, Upload-Length, Upload-Metadata, Upload-Offset, X-HTTP-Method-Override, X-Requested-With, ' +
  'X-Forwarded-Host, X-Forwarded-Proto, Forwarded';

/** Headers of every answer. */
const common: ReplyHeaders = {
  'tus-resumable': version,
  'access-control-allow-origin': '*',
  'access-control-expose-headers': `${exposed}, Upload-Expires, Tus-Complete`,
};

const plainText = 'text/plain;charset=UTF-8';

/** An answer of the protocol; it has no body. */
export const tusReply = (status: number, headers: ReplyHeaders = {}): HttpReply => ({
  status,
  headers: { ...common, ...(status === 204 ? {} : { 'content-type': plainText }), ...headers },
  body: status === 204 ? null : '',
});

/** The answer to OPTIONS: what the server can do. */
export const capabilities = (maxBytes: number): HttpReply =>
  tusReply(204, {
    'tus-version': version,
    'tus-extension': 'creation,creation-with-upload,creation-defer-length,termination,expiration',
    'tus-max-size': maxBytes,
    'access-control-allow-methods': 'POST, HEAD, PATCH, OPTIONS, DELETE',
    'access-control-allow-headers': `${exposed}, Authorization, X-Upsert, Upload-Expires, ApiKey, x-signature`,
    'access-control-max-age': 86_400,
  });

/** The answer to a failure: the real status, and the message as text. */
export function tusFailure(thrown: unknown): HttpReply {
  const error =
    thrown instanceof TusError || thrown instanceof StorageError ? thrown : toStorageError(thrown);
  const status = error instanceof TusError ? error.status : error.row.status;
  return {
    status,
    headers: { ...common, 'content-type': plainText, 'cache-control': 'no-store' },
    body: error.message,
  };
}

const isCount = (value: string): boolean => /^(0|[1-9]\d{0,15})$/.test(value);

const validators: Readonly<Record<string, (value: string) => boolean>> = {
  'upload-offset': isCount,
  'upload-length': isCount,
  'upload-defer-length': (value) => value === '1',
  'upload-metadata': (value) => parseMetadata(value) !== null,
  'tus-resumable': (value) => value === version,
  'upload-concat': (value) => value === 'partial' || value.startsWith('final;'),
};

/** Throws unless the request speaks the protocol and its headers are well-formed. */
export function requireProtocol(method: string, headers: IncomingHttpHeaders): void {
  if (headers['tus-resumable'] === undefined) throw refuse.noVersion();
  const bad = Object.entries(validators)
    .filter(([name, isValid]) => headers[name] !== undefined && !isValid(String(headers[name])))
    .map(([name]) => name);
  const type = headers['content-type'];
  if (method === 'PATCH' && type !== undefined && type !== pieceType) bad.push('content-type');
  if (bad.length > 0) throw refuse.badHeaders(bad);
}

/** The metadata of an upload: values by key; a key without a value has null. */
export type UploadMetadata = Readonly<Record<string, string | null>>;

/** Reads `key base64, key base64`; null when it is not that, or a key stands twice. */
export function parseMetadata(header: string): UploadMetadata | null {
  const metadata = new Map<string, string | null>();
  for (const pair of header.split(',')) {
    const [key = '', value, ...more] = pair.trim().split(' ');
    const isBase64 = value === undefined || /^[A-Za-z0-9+/]*={0,2}$/.test(value);
    if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(key) || !isBase64 || more.length > 0 || metadata.has(key))
      return null;
    metadata.set(key, value === undefined ? null : Buffer.from(value, 'base64').toString('utf8'));
  }
  return Object.fromEntries(metadata);
}

/** The header text of metadata. */
export const formatMetadata = (metadata: UploadMetadata): string =>
  Object.entries(metadata)
    .map(([key, value]) => (value === null ? key : `${key} ${Buffer.from(value).toString('base64')}`))
    .join(',');
