import { createHmac, timingSafeEqual } from 'node:crypto';
import { parse as parseQuery } from 'node:querystring';
import type { HttpRequest } from '../../http/exchange.ts';
import { StorageError } from '../errors.ts';

/** What a signature claims. */
export type Signature = {
  readonly accessKey: string;
  readonly shortDate: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `YYYYMMDDThhmmssZ`. */
  readonly longDate: string;
  readonly sessionToken: string | undefined;
  /** Hash of the payload as the client says it: hexadecimal, or one of the protocol's words. */
  readonly payloadHash: string;
  /** Lifetime of a signed URL in seconds; null for a signed request. */
  readonly expiresSeconds: number | null;
};

const algorithm = 'AWS4-HMAC-SHA256';
const unsigned = 'UNSIGNED-PAYLOAD';
const longestUrlSeconds = 604_800;
const skewMs = 15 * 60_000;

const one = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Reads the signature of a request, from its header or its query; throws for a malformed one, or none. */
export function readSignature(request: HttpRequest): Signature {
  const { headers } = request;
  const query = parseQuery(request.query);
  const authorization = headers.authorization;
  if (authorization?.startsWith(`${algorithm} `)) return fromHeader(authorization, headers);
  if (query['X-Amz-Signature'] !== undefined) return fromQuery(query, headers);
  throw new StorageError('AccessDenied', 'Missing signature');
}

type Values = Readonly<Record<string, unknown>>;

function fromHeader(authorization: string, headers: Values): Signature {
  const fields = new Map<string, string>();
  for (const field of authorization.slice(algorithm.length + 1).split(',')) {
    const at = field.indexOf('=');
    fields.set(field.slice(0, at).trim(), field.slice(at + 1).trim());
  }
  return build({
    credential: fields.get('Credential'),
    signedHeaders: fields.get('SignedHeaders'),
    signature: fields.get('Signature'),
    longDate: one(headers['x-amz-date']),
    sessionToken: one(headers['x-amz-security-token']),
    payloadHash: one(headers['x-amz-content-sha256']) ?? unsigned,
    expiresSeconds: null,
  });
}

function fromQuery(query: Values, headers: Values): Signature {
  const expires = Number(one(query['X-Amz-Expires']) ?? Number.NaN);
  if (!Number.isInteger(expires) || expires < 0) {
    throw new StorageError('InvalidSignature', 'Invalid expiration');
  }
  if (expires > longestUrlSeconds) {
    throw new StorageError(
      'AuthorizationQueryParametersError',
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    );
  }
  return build({
    credential: one(query['X-Amz-Credential']),
    signedHeaders: one(query['X-Amz-SignedHeaders']),
    signature: one(query['X-Amz-Signature']),
    longDate: one(query['X-Amz-Date']),
    sessionToken: one(query['X-Amz-Security-Token']),
    payloadHash: one(query['X-Amz-Content-Sha256']) ?? one(headers['x-amz-content-sha256']) ?? unsigned,
    expiresSeconds: expires,
  });
}

type Parts = {
  readonly credential: string | undefined;
  readonly signedHeaders: string | undefined;
  readonly signature: string | undefined;
  readonly longDate: string | undefined;
  readonly sessionToken: string | undefined;
  readonly payloadHash: string;
  readonly expiresSeconds: number | null;
};

/** Splits `<key>/<date>/<region>/<service>/aws4_request`; throws for anything else. */
export function readCredential(
  credential: string,
): Pick<Signature, 'accessKey' | 'shortDate' | 'region' | 'service'> {
  const parts = credential.split('/');
  const [accessKey = '', shortDate = '', region = '', service = ''] = parts;
  if (parts.length !== 5) throw new StorageError('InvalidSignature', 'Invalid credentials');
  return { accessKey, shortDate, region, service };
}

function build(parts: Parts): Signature {
  const { credential, signedHeaders, signature, longDate, ...rest } = parts;
  const isWhole =
    credential !== undefined &&
    signedHeaders !== undefined &&
    signature !== undefined &&
    longDate !== undefined;
  if (!isWhole || !/^\d{8}T\d{6}Z$/.test(longDate)) {
    throw new StorageError('InvalidSignature', 'Invalid signature format');
  }
  return {
    ...readCredential(credential),
    ...rest,
    signedHeaders: signedHeaders.split(';'),
    signature,
    longDate,
  };
}

/** Milliseconds since the epoch of `YYYYMMDDThhmmssZ`. */
const dateMs = (longDate: string): number =>
  Date.parse(longDate.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));

/** Throws for a request that is signed for another time, or a URL whose time is over. */
export function requireTimely(signature: Signature, nowMs: number): void {
  const signedMs = dateMs(signature.longDate);
  if (signature.expiresSeconds === null) {
    if (Math.abs(nowMs - signedMs) > skewMs || !signature.longDate.startsWith(signature.shortDate)) {
      throw new StorageError(
        'RequestTimeTooSkewed',
        'The difference between the request time and the current time is too large.',
      );
    }
    return;
  }
  if (signedMs - nowMs > skewMs || nowMs >= signedMs + signature.expiresSeconds * 1000) {
    throw new StorageError('ExpiredToken');
  }
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

type KeyScope = Pick<Signature, 'shortDate' | 'region' | 'service'>;

/** The key of a day, region and service that a secret yields. */
export const signingKey = (secret: string, { shortDate, region, service }: KeyScope): Buffer =>
  hmac(hmac(hmac(hmac(`AWS4${secret}`, shortDate), region), service), 'aws4_request');

/** The scope line of what is signed. */
const scopeOf = ({ shortDate, region, service }: Signature): string =>
  `${shortDate}/${region}/${service}/aws4_request`;

/** Whether the key signs the canonical request's hash to what the client sent; takes the same time for any answer. */
export function isSignedBy(key: Buffer, signature: Signature, canonicalRequestHash: string): boolean {
  const text = [algorithm, signature.longDate, scopeOf(signature), canonicalRequestHash].join('\n');
  return equals(hmac(key, text).toString('hex'), signature.signature);
}

/** Signature of a chunk of a body that is signed piece by piece. */
export const signChunk = (key: Buffer, signature: Signature, previous: string, hash: string): string =>
  hmac(
    key,
    [`${algorithm}-PAYLOAD`, signature.longDate, scopeOf(signature), previous, emptyHash, hash].join('\n'),
  ).toString('hex');

/** Signature of a form's policy. */
export const signPolicy = (key: Buffer, policy: string): string => hmac(key, policy).toString('hex');

const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** Compares texts in a time that depends on their length alone. */
export function equals(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
