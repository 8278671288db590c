import { createHash, createHmac } from 'node:crypto';
import { canonicalHash, encodeRfc3986 } from '../../../src/storage/s3/canonical.ts';

/** Keys of the S3 endpoint. */
export type S3Keys = {
  readonly accessKey: string;
  readonly secret: string;
  readonly region: string;
  readonly sessionToken?: string;
};

/** What a request signs otherwise than it should. */
export type Tampering = {
  readonly date?: Date;
  readonly service?: string;
  readonly payloadHash?: string;
  /** Lifetime of a signed URL, in seconds; without it the headers are signed. */
  readonly expires?: number;
  readonly unsignedHeaders?: boolean;
};

type Unsigned = {
  readonly method: string;
  /** Path as the client knows it, with every prefix. */
  readonly path: string;
  readonly query: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Signs a request; yields its headers and its query. */
export function signRequest(
  request: Unsigned,
  keys: S3Keys,
  tampering: Tampering = {},
): { readonly headers: Readonly<Record<string, string>>; readonly query: string } {
  const longDate = (tampering.date ?? new Date()).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${longDate.slice(0, 8)}/${keys.region}/${tampering.service ?? 's3'}/aws4_request`;
  const isUrl = tampering.expires !== undefined;
  const payloadHash =
    tampering.payloadHash ??
    (isUrl ? 'UNSIGNED-PAYLOAD' : createHash('sha256').update(request.body).digest('hex'));
  const session = keys.sessionToken;
  const headers: Record<string, string> = isUrl
    ? { ...request.headers }
    : {
        ...request.headers,
        'x-amz-date': longDate,
        'x-amz-content-sha256': payloadHash,
        ...(session === undefined ? {} : { 'x-amz-security-token': session }),
      };
  const signedHeaders = isUrl ? ['host'] : ['host', ...Object.keys(headers)].sort();
  const extra = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${keys.accessKey}/${scope}`,
    'X-Amz-Date': longDate,
    'X-Amz-Expires': String(tampering.expires),
    'X-Amz-SignedHeaders': signedHeaders.join(';'),
    ...(session === undefined ? {} : { 'X-Amz-Security-Token': session }),
  };
  const added = Object.entries(extra).map(([name, value]) => `${name}=${encodeRfc3986(value)}`);
  const query = [request.query, ...(isUrl ? added : [])].filter((part) => part !== '').join('&');
  const hash = canonicalHash({ ...request, query, headers, signedHeaders, payloadHash });
  const text = ['AWS4-HMAC-SHA256', longDate, scope, hash].join('\n');
  const key = scope
    .split('/')
    .reduce<string | Buffer>((signed, part) => hmac(signed, part), `AWS4${keys.secret}`);
  const signature = hmac(key, text).toString('hex');
  if (isUrl) return { headers, query: `${query}&X-Amz-Signature=${signature}` };
  const authorization = `AWS4-HMAC-SHA256 Credential=${keys.accessKey}/${scope}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`;
  return { headers: { ...headers, authorization }, query };
}
