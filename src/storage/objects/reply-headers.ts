import type { IncomingHttpHeaders } from 'node:http';
import type { ReplyHeaders } from '../../http/exchange.ts';
import type { StorageConfig } from '../deps.ts';
import { StorageError } from '../errors.ts';
import { servedContentType } from '../mime-types.ts';
import { robotsTagOf } from '../robots-tag.ts';
import type { ObjectMetadata } from '../store/rows.ts';

/** Headers that every answer about an object carries. Upstream: src/storage/renderer/renderer.ts. */
export function objectHeaders(metadata: Partial<ObjectMetadata>): ReplyHeaders {
  const contentType = servedContentType(metadata.mimetype ?? 'application/octet-stream');
  return {
    'accept-ranges': 'bytes',
    'content-type': contentType,
    etag: metadata.eTag,
    'last-modified': httpDate(metadata.lastModified),
    'x-robots-tag': robotsTagOf(metadata.xRobotsTag),
    ...safetyHeaders(contentType),
  };
}

/** Documents that can hold scripts, or others that can: pages, what is read as XML, and messages of several parts. */
const canHoldScripts = /html|xml|svg|xsl|multipart|message/i;

/**
 * Uploads share the API's origin: no browser may guess their type, and documents that can hold scripts are sandboxed.
 */
export function safetyHeaders(contentType: string): ReplyHeaders {
  return {
    'x-content-type-options': 'nosniff',
    ...(canHoldScripts.test(contentType)
      ? { 'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox" }
      : {}),
  };
}

/** An ISO time as HTTP writes dates; undefined for none. */
export function httpDate(iso: string | undefined): string | undefined {
  if (iso === undefined || Number.isNaN(Date.parse(iso))) return undefined;
  return new Date(iso).toUTCString();
}

/** `Content-Disposition` of the `download` parameter: absent, empty, or a file name. */
export function dispositionOf(download: string | undefined): ReplyHeaders {
  if (download === undefined) return {};
  if (download === '') return { 'content-disposition': 'attachment;' };
  const encoded = encodeURIComponent(download);
  return { 'content-disposition': `attachment; filename=${encoded}; filename*=UTF-8''${encoded}` };
}

/** The ETag that a cache says it has, by whichever header is configured for it. */
function cachedTag(headers: IncomingHttpHeaders, config: StorageConfig): string | undefined {
  for (const name of config.etagHeaders) {
    const value = headers[name.toLowerCase()];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

const joined = (values: readonly (string | undefined)[]): string | undefined => {
  const kept = values.filter((value) => value !== undefined && value !== '');
  return kept.length === 0 ? undefined : kept.join(', ');
};

/** `Cache-Control` of an answer to a client that may have the object. */
function cacheControl(
  headers: IncomingHttpHeaders,
  metadata: Partial<ObjectMetadata>,
  config: StorageConfig,
  extra: (isSame: boolean, shared: string | undefined) => readonly (string | undefined)[],
): string | undefined {
  const tag = cachedTag(headers, config);
  if (tag === undefined) return metadata.cacheControl;
  const { responseSharedMaxAge: seconds } = config;
  const shared = seconds > 0 ? `s-maxage=${seconds}` : undefined;
  return joined([metadata.cacheControl, ...extra(tag === metadata.eTag, shared)]);
}

/** `Cache-Control` of a download. */
export const downloadCacheControl = (
  headers: IncomingHttpHeaders,
  metadata: Partial<ObjectMetadata>,
  config: StorageConfig,
): string | undefined =>
  cacheControl(headers, metadata, config, (isSame, shared) => [
    shared,
    isSame ? undefined : 'stale-while-revalidate=30',
  ]);

/** `Cache-Control` of a HEAD. */
export const headCacheControl = (
  headers: IncomingHttpHeaders,
  metadata: Partial<ObjectMetadata>,
  config: StorageConfig,
): string | undefined =>
  cacheControl(headers, metadata, config, (isSame, shared) => [isSame ? shared : 'must-revalidate']);

const forbidden = /[^\t\x20-\x7e\x80-\xff]/;

/** Throws `InvalidHeaderChar` for a stored value that cannot be a header. */
export function requireSendable(headers: ReplyHeaders): ReplyHeaders {
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string' && forbidden.test(value)) {
      const shown = value.slice(0, 50);
      throw new StorageError('InvalidHeaderChar', `Invalid character in response header "${name}": ${shown}`);
    }
  }
  return headers;
}
