import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { type Answer, callStorage } from './storage.ts';

/** Path of the resumable protocol, below the service's prefix. */
export const tusPath = '/upload/resumable';

/** The media type of a piece. */
export const pieceType = 'application/offset+octet-stream';

/** The header text of an upload's metadata. */
export const encodeMetadata = (fields: Readonly<Record<string, string>>): string =>
  Object.entries(fields)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');

type Options = {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  readonly path?: string;
};

/** A client of the resumable protocol, without a library between. */
export type Tus = {
  readonly tus: (method: string, path: string, options?: Options) => Promise<Answer>;
  /** Makes an upload; a length of null is put off. */
  readonly create: (
    fields: Readonly<Record<string, string>>,
    length: number | null,
    options?: Options,
  ) => Promise<Answer>;
  readonly patch: (path: string, offset: number, body: Buffer | string, options?: Options) => Promise<Answer>;
  /** The path of a new upload, below the service's prefix. */
  readonly pathOf: (created: Answer) => string;
  /** Begins a piece whose bytes the test sends as it likes. */
  readonly begin: (path: string, offset: number, length: number) => SlowPiece;
};

/** A piece that is on its way. */
export type SlowPiece = {
  readonly write: (bytes: Buffer) => void;
  /** The answer's status; null for a connection that broke. */
  readonly status: Promise<number | null>;
  /** How far the answer says that the upload is; null when it does not. */
  readonly offset: Promise<number | null>;
  readonly destroy: () => void;
};

/** A client of the service that listens at the URL. */
export function tusOf(url: string, serviceKey: string): Tus {
  const tus: Tus['tus'] = (method, path, options = {}) =>
    callStorage(`${url}/storage/v1${path}`, method, {
      token: options.token ?? serviceKey,
      headers: { 'tus-resumable': '1.0.0', ...options.headers },
      ...(options.body === undefined ? {} : { body: options.body }),
    });
  return {
    tus,
    create: (fields, length, options = {}) =>
      tus('POST', options.path ?? tusPath, {
        ...options,
        headers: {
          ...(length === null ? { 'upload-defer-length': '1' } : { 'upload-length': String(length) }),
          'upload-metadata': encodeMetadata(fields),
          ...options.headers,
        },
      }),
    patch: (path, offset, body, options = {}) =>
      tus('PATCH', path, {
        ...options,
        body,
        headers: { 'content-type': pieceType, 'upload-offset': String(offset), ...options.headers },
      }),
    pathOf: (created) => new URL(created.headers.get('location') ?? '').pathname.replace('/storage/v1', ''),
    begin: (path, offset, length) =>
      slowPiece(
        request(`${url}/storage/v1${path}`, {
          method: 'PATCH',
          agent: false,
          headers: {
            authorization: `Bearer ${serviceKey}`,
            'tus-resumable': '1.0.0',
            'content-type': pieceType,
            'upload-offset': String(offset),
            'content-length': String(length),
          },
        }),
      ),
  };
}

function slowPiece(outgoing: ClientRequest): SlowPiece {
  outgoing.flushHeaders();
  const answer = new Promise<IncomingMessage | null>((resolve) => {
    outgoing.once('error', () => resolve(null));
    outgoing.once('response', (incoming) => resolve(incoming.resume()));
  });
  return {
    write: (bytes) => void outgoing.write(bytes),
    status: answer.then((incoming) => incoming?.statusCode ?? null),
    offset: answer.then((incoming) => {
      const offset = incoming?.headers['upload-offset'];
      return offset === undefined ? null : Number(offset);
    }),
    destroy: () => void outgoing.destroy(),
  };
}
