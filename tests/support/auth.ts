import { afterAll } from 'vitest';
import type { AuthDeps } from '../../src/auth/deps.ts';
import { smtpSettings } from '../../src/auth/mail/smtp.ts';
import { authMounts } from '../../src/auth/mounts.ts';
import { createAuthService } from '../../src/auth/service.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type Clock, systemRandom } from '../../src/core/clock.ts';
import type { Observation } from '../../src/core/observe.ts';
import { trustProxies } from '../../src/http/client-address.ts';
import { createGateway } from '../../src/http/gateway.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { loadInstanceKeys } from '../../src/identity/instance-keys.ts';
import { secretSigningKey, signToken } from '../../src/identity/sign.ts';
import { type Claims, createTokenVerifier } from '../../src/identity/verify.ts';
import { startInbox } from '../../src/inbox/inbox.ts';
import { createPool } from '../../src/pg/pool.ts';
import { createServiceDb } from '../../src/pg/session.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';

/** A clock that stands on the system's and can be moved on. */
export type MovableClock = Clock & { readonly advance: (seconds: number) => void };

const movableClock = (): MovableClock => {
  let offsetMs = 0;
  return {
    now: () => Date.now() + offsetMs,
    advance: (seconds) => {
      offsetMs += seconds * 1000;
    },
  };
};

/** A mail that arrived. */
export type ReceivedMail = {
  readonly subject: string;
  readonly to: string;
  readonly html: string;
  /** First link of the mail, with its entities resolved. */
  readonly link: URL;
  /** First run of six digits that stands alone. */
  readonly code: string;
};

/** A reply read to its end. */
export type AuthAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // Replies of many shapes are looked into; what is missing fails the expectation.
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests check
  readonly json: any;
};

/** Parts of a call. */
export type AuthCall = {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** An auth service of its own behind a gateway, with an inbox, for one test file. */
export type AuthInstance = {
  readonly url: string;
  readonly clock: MovableClock;
  readonly database: TestDatabase;
  readonly observed: Observation[];
  readonly anonKey: string;
  readonly serviceKey: string;
  readonly sign: (claims: Claims) => Promise<string>;
  readonly call: (method: string, path: string, options?: AuthCall) => Promise<AuthAnswer>;
  /** The next mail to an address, in order of arrival; each is handed out once. */
  readonly nextMail: (to: string) => Promise<ReceivedMail>;
  /** How many mails an address got so far, once all that were ordered have been sent. */
  readonly mailCount: (to: string) => Promise<number>;
  /** Waits for mails on their way. */
  readonly drain: () => Promise<void>;
};

/** What a file of tests may change of an instance. */
export type AuthInstanceOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly fixture?: string;
  readonly fetch?: typeof fetch;
  /** Cost of password hashes: the least there is, so that tests do not wait for them. */
  readonly hashCost?: number;
  /** A folder with a configuration of its own. */
  readonly projectDir?: string;
};

/** Starts an instance; it ends with the file's tests. */
export async function startAuth(options: AuthInstanceOptions = {}): Promise<AuthInstance> {
  const database = await createTestDatabase(options.fixture);
  const projectDir = options.projectDir ?? '/nonexistent';
  const { config } = loadConfig({ projectDir, env: options.env ?? {}, flags: {} });
  const keys = await loadInstanceKeys(config.keys, projectDir);
  const inbox = await startInbox({ host: '127.0.0.1', port: 0, smtpPort: 0 });
  const clock = movableClock();
  const observed: Observation[] = [];
  const pool = createPool({
    url: database.url('supabase_auth_admin'),
    max: 10,
    acquireTimeoutMs: 10_000,
    idleTimeoutMs: 10_000,
    applicationName: 'test',
  });
  const deps: Omit<AuthDeps, 'externalUrl'> = {
    config: config.auth,
    projectDir,
    db: createServiceDb(pool),
    keys,
    verifier: createTokenVerifier({
      source: keys.source,
      clock,
      leewaySeconds: 0,
      checkIssuedAt: false,
      cacheSize: 100,
    }),
    clock,
    random: systemRandom,
    observer: (observation) => observed.push(observation),
    smtp: smtpSettings(config.auth, {
      port: inbox.smtpPort,
      adminEmail: 'auth@example.com',
      senderName: 'Auth',
    }),
    fetch: options.fetch ?? fetch,
    hashCost: options.hashCost ?? 4,
    version: 'test',
  };
  const ready = await listen(deps, keys.api);
  afterAll(async () => {
    await ready.close();
    await pool.end();
    await inbox.close();
  });
  const base = `${ready.origin}/auth/v1`;
  return {
    url: ready.origin,
    clock,
    database,
    observed,
    anonKey: keys.api.anonToken,
    serviceKey: keys.api.serviceToken,
    sign: (claims) => signToken(claims, secretSigningKey(keys.jwtSecret)),
    call: (method, path, call = {}) => request(base, method, path, call),
    ...mailReader(`http://127.0.0.1:${inbox.port}`, ready.drain),
    drain: ready.drain,
  };
}

/** The service needs to know its own URL, so the server listens before the service is made. */
async function listen(
  deps: Omit<AuthDeps, 'externalUrl'>,
  keys: Parameters<typeof createGateway>[0]['keys'],
) {
  let handler: ReturnType<typeof createAuthService> | null = null;
  const server = createHttpServer({
    router: createGateway({
      mounts: authMounts((incoming) => {
        if (handler === null) throw new TypeError('the service is not there yet');
        return handler.handle(incoming);
      }),
      keys,
      requireApikey: false,
    }),
    observer: deps.observer,
    isTrustedProxy: trustProxies([]),
    requestTimeoutMs: 30_000,
  });
  const port = await server.listen(0, '127.0.0.1');
  const origin = `http://127.0.0.1:${port}`;
  const externalUrl = deps.config.externalUrl ?? `${origin}/auth/v1`;
  const service = createAuthService({ ...deps, externalUrl });
  handler = service;
  return {
    origin,
    drain: () => service.settle(),
    async close() {
      await server.close(1000);
      await service.drain(1000);
    },
  };
}

async function request(base: string, method: string, path: string, call: AuthCall): Promise<AuthAnswer> {
  const reply = await fetch(base + path, {
    method,
    redirect: 'manual',
    headers: {
      ...(call.token === undefined ? {} : { authorization: `Bearer ${call.token}` }),
      ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...call.headers,
    },
    ...(call.body === undefined
      ? {}
      : { body: typeof call.body === 'string' ? call.body : JSON.stringify(call.body) }),
  });
  const text = await reply.text();
  const isJson = reply.headers.get('content-type')?.includes('json') === true;
  return { status: reply.status, headers: reply.headers, text, json: isJson ? JSON.parse(text) : null };
}

function mailReader(inboxUrl: string, drain: () => Promise<void>) {
  const seen = new Set<string>();
  const idsTo = async (to: string): Promise<string[]> => {
    const query = encodeURIComponent(`to:"${to}"`);
    const reply = await fetch(`${inboxUrl}/api/v1/search?limit=500&query=${query}`);
    const { messages } = (await reply.json()) as { messages: { ID: string }[] };
    return messages.map(({ ID }) => ID).reverse();
  };
  return {
    async nextMail(to: string): Promise<ReceivedMail> {
      await drain();
      const id = (await idsTo(to)).find((candidate) => !seen.has(candidate));
      if (id === undefined) throw new Error(`no mail to ${to}`);
      seen.add(id);
      const reply = await fetch(`${inboxUrl}/api/v1/message/${id}`);
      const mail = (await reply.json()) as { Subject: string; HTML: string; To: { Address: string }[] };
      const href = /href="([^"]+)"/.exec(mail.HTML)?.[1] ?? 'http://no-link/';
      const code = /(?<![\w%])(\d{6})(?![\w%])/.exec(
        mail.HTML.replace(/<style[\s\S]*?<\/style>|#\d{6}/g, ''),
      )?.[1];
      return {
        subject: mail.Subject,
        to: mail.To[0]?.Address ?? '',
        html: mail.HTML,
        link: new URL(href.replaceAll('&amp;', '&').replaceAll('&#43;', '+')),
        code: code ?? '',
      };
    },
    async mailCount(to: string): Promise<number> {
      await drain();
      return (await idsTo(to)).length;
    },
  };
}
