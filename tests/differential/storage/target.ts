import { createHmac } from 'node:crypto';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { XMLParser } from 'fast-xml-parser';
import { Client } from 'pg';
import { createMask, type Mask } from './mask.ts';
import { type S3Keys, signRequest, type Tampering } from './sign-s3.ts';

/** A server to replay on. */
export type TargetOptions = {
  /** URL of its storage service. */
  readonly url: string;
  /** Owner of its database. */
  readonly db: string;
  readonly jwtSecret: string;
  readonly s3: S3Keys;
};

/** What happened at one step, masked. */
export type Recorded = { readonly step: string; readonly result: unknown };

/** An answer, as scenarios look into it. */
export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // Scenarios reach into answers of many shapes; what is missing shows as a difference.
  // biome-ignore lint/suspicious/noExplicitAny: the shapes are what is compared
  readonly json: any;
};

/** Whose token a request carries. */
export type Caller = 'service' | 'anon' | 'user' | 'other';

/** A request of a scenario. */
export type Ask = {
  readonly as?: Caller | undefined;
  /** Anything else as a bearer. */
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes as they are; an object is sent as JSON. */
  readonly body?: string | Buffer | object;
  /** Sends the body without its length. */
  readonly isChunked?: boolean;
};

/** A request to the S3 endpoint. */
export type AskS3 = Omit<Ask, 'as' | 'token'> & {
  readonly query?: string;
  readonly keys?: Partial<S3Keys>;
  readonly tampering?: Tampering;
};

/** One target during a replay; every request is recorded. */
export interface Target {
  ask(step: string, method: string, path: string, ask?: Ask): Promise<Answer>;
  /** Sends a form: fields in their order, the file last. */
  form(step: string, method: string, path: string, form: Form, ask?: Ask): Promise<Answer>;
  s3(step: string, method: string, path: string, ask?: AskS3): Promise<Answer>;
  /** Runs statements as the owner. */
  sql(text: string): Promise<void>;
  /** Records rows that a statement yields, by their first column. */
  rows(step: string, text: string): Promise<void>;
  sign(claims: object, secret?: string): string;
  readonly recorded: readonly Recorded[];
  close(): Promise<void>;
}

/** A form. */
export type Form = {
  readonly fields?: readonly (readonly [name: string, value: string])[];
  readonly file?: { readonly name?: string; readonly type?: string; readonly bytes: string | Buffer };
};

const users: Readonly<Record<Caller, object>> = {
  service: { role: 'service_role' },
  anon: { role: 'anon' },
  user: { role: 'authenticated', sub: '11111111-1111-4111-8111-111111111111' },
  other: { role: 'authenticated', sub: '22222222-2222-4222-8222-222222222222' },
};

/** Headers that every server has its own of. */
const ignored =
  /^(date|connection|keep-alive|transfer-encoding|access-control-allow-origin|access-control-expose-headers|vary|sb-request-id|x-content-type-options|content-security-policy|server|created-at|upload-expires)$/;

const lifetimeSeconds = 3600;

/** Opens a target; its buckets and its policies go. */
export async function openTarget(options: TargetOptions): Promise<Target> {
  const recorded: Recorded[] = [];
  const mask = createMask(options.url);
  const db = new Client({ connectionString: options.db });
  await db.connect();
  await db.query(emptyDatabase);
  const sign = (claims: object, secret = options.jwtSecret): string => signToken(claims, secret);
  const exp = Math.floor(Date.now() / 1000) + lifetimeSeconds;
  const tokens = Object.fromEntries(
    Object.entries(users).map(([name, claims]) => [name, sign({ ...claims, exp })]),
  );
  const note = async (step: string, work: Promise<Answer>): Promise<Answer> => {
    const answer = await work;
    recorded.push({ step, result: record(mask, answer) });
    return answer;
  };
  const ask: Target['ask'] = (step, method, path, given = {}) => {
    const token = given.token ?? (given.as === undefined ? undefined : tokens[given.as]);
    const { body, isJson } = bodyOf(given.body);
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(isJson ? { 'content-type': 'application/json' } : {}),
      ...given.headers,
    };
    return note(step, exchange(options.url, { method, path, headers, body, isChunked: given.isChunked }));
  };
  return {
    ask,
    form: (step, method, path, form, given = {}) =>
      ask(step, method, path, {
        ...given,
        headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, ...given.headers },
        body: formBody(form),
      }),
    s3: (step, method, path, given = {}) => {
      const { body } = bodyOf(given.body);
      const { pathname, host } = new URL(options.url);
      const [rawPath = '', inPath = ''] = path.split('?');
      const query = given.query ?? inPath;
      const signed = signRequest(
        // The real server stands behind no gateway; it is told the prefix that its clients sign.
        {
          method,
          path: `${pathname === '/' ? '/storage/v1' : pathname}/s3${rawPath}`,
          query,
          host,
          headers: given.headers ?? {},
          body,
        },
        { ...options.s3, ...given.keys },
        given.tampering,
      );
      const target = `/s3${rawPath}${signed.query === '' ? '' : `?${signed.query}`}`;
      const { headers } = signed;
      return note(
        step,
        exchange(options.url, { method, path: target, headers, body, isChunked: given.isChunked }),
      );
    },
    async sql(text) {
      await db.query(text);
    },
    async rows(step, text) {
      const { rows } = await db.query({ text, rowMode: 'array' });
      // The first column tells rows apart, so that one more does not shift the others.
      const byKey = rows.map(([key, ...values]) => [key, JSON.parse(JSON.stringify(values))]);
      recorded.push({ step, result: mask.value(Object.fromEntries(byKey)) });
    },
    sign,
    recorded,
    close: () => db.end(),
  };
}

const emptyDatabase = `begin;
  set local storage.allow_delete_query = 'true';
  delete from storage.s3_multipart_uploads;
  delete from storage.objects;
  delete from storage.buckets;
  delete from storage.buckets_analytics;
  do $$ declare found record; begin
    for found in select policyname, tablename from pg_policies where schemaname = 'storage' loop
      execute format('drop policy %I on storage.%I', found.policyname, found.tablename);
    end loop;
  end $$;
  commit`;

function signToken(claims: object, secret: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function bodyOf(given: Ask['body']): { readonly body: Buffer; readonly isJson: boolean } {
  if (given === undefined) return { body: Buffer.alloc(0), isJson: false };
  if (Buffer.isBuffer(given)) return { body: given, isJson: false };
  if (typeof given === 'string') return { body: Buffer.from(given), isJson: false };
  return { body: Buffer.from(JSON.stringify(given)), isJson: true };
}

const boundary = 'form-boundary';

function formBody({ fields = [], file }: Form): Buffer {
  const parts = fields.map(([name, value]) =>
    Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`),
  );
  if (file !== undefined) {
    const type = file.type === undefined ? '' : `content-type: ${file.type}\r\n`;
    const head = `--${boundary}\r\ncontent-disposition: form-data; name="${file.name ?? ''}"; filename="f"\r\n${type}\r\n`;
    parts.push(Buffer.from(head), Buffer.from(file.bytes), Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]);
}

type Exchange = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly isChunked: boolean | undefined;
};

const patienceMs = 20_000;

/** Sends one request, its target raw, and reads the answer to its end. */
function exchange(url: string, { method, path, headers, body, isChunked }: Exchange): Promise<Answer> {
  const { hostname, port, pathname } = new URL(url);
  const prefix = pathname === '/' ? '' : pathname;
  const hasBody = body.length > 0 || ['POST', 'PUT', 'PATCH'].includes(method);
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        hostname,
        port,
        method,
        path: prefix + path,
        headers: {
          ...(hasBody && isChunked !== true ? { 'content-length': String(body.length) } : {}),
          ...headers,
        },
        agent: false,
        timeout: patienceMs,
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.once('error', reject);
        incoming.once('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text,
            json: parse(text),
          });
        });
      },
    );
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer')));
    outgoing.once('error', reject);
    outgoing.end(body);
  }).catch((thrown: unknown) => ({
    status: 0,
    headers: {},
    text: `no answer: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    json: null,
  })) as Promise<Answer>;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not every answer is JSON; the text is recorded then.
    return null;
  }
}

const maxShown = 2000;
const xml = new XMLParser({ ignoreAttributes: false, parseTagValue: false });

/** A document as a tree: the order of different elements does not count. */
const readXml = (text: string): unknown => xml.parse(text);

function record(mask: Mask, { status, headers, text, json }: Answer): unknown {
  const compared = Object.entries(headers)
    .filter(([name]) => !ignored.test(name))
    // The length of a document with ids and dates in it is compared by the document.
    .filter(([name]) => name !== 'content-length' || (json === null && text !== '' && status !== 304))
    // No failure may be kept by a cache; upstream leaves that to its own.
    .filter(([name, value]) => !(status >= 400 && name === 'cache-control' && value === 'no-store'))
    .map(([name, value]) => [name, mask.text(String(value))]);
  const isObject = typeof json === 'object' && json !== null;
  if (text.startsWith('<?xml')) {
    const { 'content-length': _length, ...rest } = Object.fromEntries(compared);
    return { status, headers: rest, body: mask.value(readXml(text)) };
  }
  return {
    status,
    headers: Object.fromEntries(compared),
    body: isObject ? mask.value(json) : mask.text(text.slice(0, maxShown)),
  };
}
