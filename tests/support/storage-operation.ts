import { createHash, createHmac } from 'node:crypto';
import { expect } from 'vitest';

/*
 * What clients do to a storage service, one operation at a time, so that something may break in the middle of it: what
 * its names hold before and after, and what a client does next when it was not acknowledged.
 */

/** A service as its clients reach it. */
export type Service = {
  /** Its URL with `/storage/v1`. */
  readonly url: string;
  readonly serviceKey: string;
  readonly s3: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly region: string };
};

/** Digests of names' contents; null where there is no such object. */
export type State = Readonly<Record<string, string | null>>;

/** What an operation has told its client. */
export type Outcome = { readonly isAcknowledged: boolean; readonly status: number; readonly text: string };

/** An operation under way: made by `prepare`, on a service that works. */
export type Prepared = {
  readonly before: State;
  /** What names hold once the operation is acknowledged. */
  readonly after: State;
  /** What they hold in the end, when later requests belong to the whole. */
  readonly end?: State;
  /** Does it once; a connection that breaks is an outcome too. */
  readonly run: (service: Service) => Promise<Outcome>;
  /**
   * Looks at what is not an object (progress, parts), and goes on to the end, as the client would; on a service that
   * works again.
   */
  readonly settle: (service: Service, outcome: Outcome) => Promise<void>;
};

/** One operation. */
export type Operation = {
  readonly name: string;
  readonly prepare: (service: Service) => Promise<Prepared>;
};

/** The bucket of all operations. */
export const bucket = 'faults';
/** More than one buffer's worth, so that bodies arrive in several chunks. */
export const halfBytes = 80_000;

/** The digest by which contents are told apart. */
export const digest = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');

/** Bytes that differ from name to name. */
export const bytesOf = (text: string, length = halfBytes): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(length / 32) }, (_, i) =>
      createHmac('sha256', text).update(String(i)).digest(),
    ),
  ).subarray(0, length);

/** Headers of a request. */
export type Headers = Readonly<Record<string, string>>;

/** Sends a request as the service role; an object is sent as JSON. */
export async function call(
  service: Service,
  method: string,
  path: string,
  body?: Buffer | object,
  headers: Headers = {},
) {
  const isJson = body !== undefined && !Buffer.isBuffer(body);
  const answer = await fetch(service.url + path, {
    method,
    headers: {
      authorization: `Bearer ${service.serviceKey}`,
      ...(isJson ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    body: body === undefined ? null : isJson ? JSON.stringify(body) : body,
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  return { status: answer.status, headers: answer.headers, bytes };
}

/** Makes the bucket of all operations. */
export async function makeBucket(service: Service): Promise<void> {
  expect((await call(service, 'POST', '/bucket', { name: bucket })).status).toBe(200);
}

/** What names hold; a download that breaks off or is refused for another reason than absence throws. */
export async function contents(service: Service, names: readonly string[]): Promise<State> {
  const found: Record<string, string | null> = {};
  for (const name of names) {
    const { status, bytes } = await call(service, 'GET', `/object/authenticated/${bucket}/${name}`);
    if (status !== 200 && !bytes.includes('"not_found"')) throw new Error(`${name}: ${status} ${bytes}`);
    found[name] = status === 200 ? digest(bytes) : null;
  }
  return found;
}

const isGone: Outcome = { isAcknowledged: false, status: 0, text: 'the connection broke' };

/** The outcome of a request over HTTP. */
export async function outcome(work: () => ReturnType<typeof call>): Promise<Outcome> {
  try {
    const { status, bytes } = await work();
    return { isAcknowledged: status < 300, status, text: String(bytes) };
  } catch {
    // The service is gone, or has closed the connection.
    return isGone;
  }
}

/** A request that must succeed. */
export async function must(work: () => ReturnType<typeof call>): ReturnType<typeof call> {
  const answer = await work();
  expect([answer.status, answer.status < 300 ? '' : String(answer.bytes)]).toEqual([expect.any(Number), '']);
  return answer;
}

let made = 0;
/** A name that no operation before had. */
export const fresh = (base: string): string => `${base}-${++made}`;

/** Stores an object. */
export const put = (service: Service, name: string, bytes: Buffer) =>
  must(() => call(service, 'PUT', `/object/${bucket}/${name}`, bytes));
