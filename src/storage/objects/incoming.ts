import type { Readable } from 'node:stream';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import type { HttpRequest } from '../../http/exchange.ts';
import { StorageError } from '../errors.ts';
import { requireRobotsTag } from '../robots-tag.ts';
import type { Json } from '../store/rows.ts';
import { parseMetadataField, parseMetadataHeader } from './user-metadata.ts';

/** A file that is arriving: what is known of it before its bytes are read. */
export type IncomingFile = {
  readonly body: Readable;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly userMetadata: Json | null;
  /** Content-Length of the request, which policies may ask for; of a form it is that of the whole form. */
  readonly declaredBytes: number | undefined;
  /** The file's own length when the request says it. */
  readonly knownBytes: number | undefined;
  readonly robotsTag: string | undefined;
  /** Sizes in bytes that whoever allowed the upload has set beside the bucket's own limit. */
  readonly sizes?: { readonly min: number; readonly max: number } | undefined;
};

const maxFieldBytes = 1024 * 1024 + 1;
const defaultType = 'application/octet-stream';
const defaultCacheControl = 'no-cache';

/**
 * Reads an upload's headers, and of a form the fields before its file; the file's bytes are left to the caller.
 * Throws `NoContentProvided`, `InvalidRobotsTag` or `EntityTooLarge` (metadata).
 * Upstream: fileUploadFromRequest in src/storage/uploader.ts.
 */
export function openIncoming(request: HttpRequest): Promise<IncomingFile> | IncomingFile {
  const robotsTag = single(request.headers['x-robots-tag']) || undefined;
  if (robotsTag !== undefined) requireRobotsTag(robotsTag);
  const contentType = request.headers['content-type'];
  if (contentType?.startsWith('multipart/form-data')) return openUpload(request, robotsTag);
  const declaredBytes = declaredLength(request);
  return {
    body: request.body,
    contentType: requireHeaderText(contentType ?? defaultType),
    cacheControl: request.headers['cache-control'] ?? defaultCacheControl,
    userMetadata: parseMetadataHeader(request.headers['x-metadata']),
    declaredBytes,
    knownBytes: declaredBytes,
    robotsTag,
  };
}

const single = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

function declaredLength(request: HttpRequest): number | undefined {
  const text = request.headers['content-length'];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** What is stored comes back as a header of every download: a control character would break them all. */
export function requireHeaderText(value: string): string {
  for (const character of value) {
    const code = character.codePointAt(0) ?? 0;
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) {
      throw new StorageError('InvalidHeaderChar', 'Invalid character in the content type or cache control');
    }
  }
  return value;
}

/** A form up to its file: the fields before it, and the file's bytes. */
export type OpenForm = {
  readonly fields: ReadonlyMap<string, string>;
  readonly file: Readable;
  readonly type: string;
};

/** Reads a form up to its file, whatever the file's field is called; throws `NoContentProvided`. */
export function openForm(request: HttpRequest, maxFields = 10): Promise<OpenForm> {
  return new Promise((resolve, reject) => {
    const form = createForm(request, maxFields);
    if (form instanceof StorageError) return reject(form);
    const fields = new Map<string, string>();
    const fail = (thrown: unknown): void => {
      request.body.unpipe(form);
      const text = thrown instanceof Error ? thrown.message : '';
      const options = { closesConnection: true };
      reject(thrown instanceof StorageError ? thrown : new StorageError('NoContentProvided', text, options));
    };
    form.on('field', (name, value) => fields.set(name, value));
    form.on('fieldsLimit', () => fail(new Error('Request stream closed before upload could begin')));
    form.on('error', fail);
    form.on('finish', () => fail(new StorageError('NoContentProvided')));
    form.once('file', (_name, file, _filename, _encoding, type) => {
      // A form that ends within its file is told by an event alone, which nobody may hear yet: the stream keeps it.
      file.on('error', (reason: Error) => file.destroy(reason));
      cutOffWith(request.body, file);
      resolve({ fields, file, type });
    });
    cutOffWith(request.body, form);
    request.body.pipe(form);
  });
}

type Form = InstanceType<typeof Busboy>;

function createForm(request: HttpRequest, maxFields: number): Form | StorageError {
  try {
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      limits: { fields: maxFields, fieldSize: maxFieldBytes, files: 1 },
    });
  } catch (thrown) {
    // A form without a boundary.
    const text = thrown instanceof Error ? thrown.message : '';
    return new StorageError('NoContentProvided', text, { closesConnection: true });
  }
}

/** A pipe does not carry the end of a broken connection: the reader would wait for ever. */
function cutOffWith(body: Readable, reader: { destroy(reason: Error): unknown }): void {
  const cutOff = (): void => {
    if (!body.readableEnded) reader.destroy(new Error('Request stream closed before upload could complete'));
  };
  body.once('close', cutOff);
  body.once('error', cutOff);
}

async function openUpload(request: HttpRequest, robotsTag: string | undefined): Promise<IncomingFile> {
  const { fields, file, type } = await openForm(request);
  const cacheSeconds = fields.get('cacheControl');
  const metadata = fields.get('metadata') ?? fields.get('userMetadata');
  return {
    body: file,
    contentType: requireHeaderText(fields.get('contentType') || type || defaultType),
    cacheControl: requireHeaderText(cacheSeconds ? `max-age=${cacheSeconds}` : defaultCacheControl),
    userMetadata: metadata === undefined ? null : parseMetadataField(metadata),
    declaredBytes: declaredLength(request),
    knownBytes: undefined,
    robotsTag,
  };
}
