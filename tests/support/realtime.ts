import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Bus } from '../../src/cluster/bus.ts';
import { soloBus } from '../../src/cluster/memory.ts';
import { realtimeOptions } from '../../src/config/options/realtime.ts';
import { systemClock, systemRandom } from '../../src/core/clock.ts';
import type { Observation } from '../../src/core/observe.ts';
import type { HttpRequest } from '../../src/http/exchange.ts';
import { secretKey } from '../../src/identity/key-set.ts';
import { secretSigningKey, signToken } from '../../src/identity/sign.ts';
import { createTokenVerifier, fixedKeys } from '../../src/identity/verify.ts';
import { createPool } from '../../src/pg/pool.ts';
import { createRequestDb } from '../../src/pg/session.ts';
import type { RealtimeConfig } from '../../src/realtime/config.ts';
import { createRealtimeService, type RealtimeService } from '../../src/realtime/service.ts';

/** What the tokens of these tests are signed with. */
export const jwtSecret = 'a-secret-for-tests-that-is-long-enough';
const signing = secretSigningKey(jwtSecret);

/** Signs a token that is good for an hour unless it says otherwise. */
export function testToken(claims: Record<string, unknown>): Promise<string> {
  return signToken({ exp: Math.floor(Date.now() / 1000) + 3600, ...claims }, signing);
}

/** The defaults, without the delays of refused clients. */
const realtimeTestConfig: RealtimeConfig = {
  ...(Object.fromEntries(
    Object.entries(realtimeOptions).map(([name, { default: value }]) => [name, value]),
  ) as RealtimeConfig),
  channelErrorDelayMs: 0,
  connectErrorDelayMs: 0,
};

/** A realtime service that listens on a port of its own. */
export type RealtimeHarness = {
  readonly service: RealtimeService;
  /** `http://127.0.0.1:PORT`; the service answers under `/realtime/v1`. */
  readonly url: string;
  readonly anonToken: string;
  readonly serviceToken: string;
  readonly publishableKey: string;
  readonly secretKey: string;
  readonly observations: Observation[];
  readonly stop: () => Promise<void>;
};

/** Which database to run on, and what to change. */
export type RealtimeHarnessOptions = {
  readonly ownerUrl: string;
  readonly authenticatorUrl: string;
  readonly config?: Partial<RealtimeConfig>;
  /** What joins it with other instances; without one it is alone. */
  readonly bus?: Bus;
  readonly nodeId?: string;
  /** Whether the change feed runs; without it only channels work. */
  readonly withFeed?: boolean;
};

const prefix = '/realtime/v1';

/** Starts the service behind a bare HTTP server. */
export async function startRealtime(options: RealtimeHarnessOptions): Promise<RealtimeHarness> {
  const pool = createPool({
    url: options.authenticatorUrl,
    max: 4,
    acquireTimeoutMs: 10_000,
    idleTimeoutMs: 10_000,
    applicationName: 'realtime-test',
  });
  const keys = {
    publishableKey: 'sb_publishable_test',
    secretKey: 'sb_secret_test',
    anonToken: await testToken({ role: 'anon' }),
    serviceToken: await testToken({ role: 'service_role' }),
  };
  const observations: Observation[] = [];
  const service = createRealtimeService({
    config: { ...realtimeTestConfig, ...options.config },
    requestDb: createRequestDb(pool),
    feed: { ownerUrl: options.ownerUrl },
    verifier: createTokenVerifier({
      source: fixedKeys([secretKey(jwtSecret)]),
      clock: systemClock,
      leewaySeconds: 0,
      checkIssuedAt: false,
      cacheSize: 1000,
    }),
    keys,
    clock: systemClock,
    random: systemRandom,
    observer: (observation) => observations.push(observation),
    bus: options.bus ?? soloBus,
    nodeId: options.nodeId ?? 'test',
  });
  const server = listenFor(service);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stopping = new AbortController();
  const running = options.withFeed === false ? Promise.resolve() : service.run(stopping.signal);
  const stop = async (): Promise<void> => {
    await service.drain();
    stopping.abort();
    await running;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await pool.end();
  };
  let stopped: Promise<void> | null = null;
  return {
    service,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...keys,
    observations,
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

function listenFor(service: RealtimeService): Server {
  const server = createServer((message, response) => {
    const [path = '', query = ''] = (message.url ?? '').split('?');
    const request: HttpRequest = {
      id: 'test',
      method: message.method ?? 'GET',
      path: path.slice(prefix.length),
      fullPath: path,
      query,
      headers: message.headers,
      rawHeaders: message.rawHeaders,
      authorization: message.headers.authorization ?? (message.headers.apikey as string | undefined) ?? null,
      ip: '127.0.0.1',
      protocol: 'http',
      body: message,
      onGone: () => () => {},
    };
    void service.handle(request).then((reply) => {
      response.writeHead(reply.status, reply.headers as Record<string, string>);
      response.end(reply.body);
    });
  });
  server.on('upgrade', (message, socket, head) => {
    service.upgrade(message, socket, head, (message.url ?? '').split('?')[1] ?? '');
  });
  return server;
}
