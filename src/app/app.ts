import { readFileSync } from 'node:fs';
import { createAdminServer } from '../admin/admin-server.ts';
import type { Config } from '../config/load.ts';
import { type Clock, type Random, systemClock, systemRandom } from '../core/clock.ts';
import { createSupervisor, type Supervisor } from '../core/lifecycle.ts';
import type { Observer } from '../core/observe.ts';
import { trustProxies } from '../http/client-address.ts';
import { createGateway } from '../http/gateway.ts';
import { createHttpServer } from '../http/server.ts';
import type { InstanceKeys } from '../identity/instance-keys.ts';
import { createThirdPartyKeys, joinKeys, thirdPartyIssuer } from '../identity/third-party.ts';
import { createTokenVerifier, type KeySource, type TokenVerifier } from '../identity/verify.ts';
import { createMetrics } from '../observe/metrics.ts';
import type { DatabaseUrls } from '../platform/logins.ts';
import { openDatabases } from './pools.ts';
import { startServices } from './services.ts';

/** What an app is made of. Two apps may live in one process. */
export type AppInput = {
  readonly config: Config;
  readonly keys: InstanceKeys;
  readonly urls: DatabaseUrls;
  readonly observer: Observer;
  /** Makes the buckets of config.toml and uploads their files, as the first start of a project does. */
  readonly seedsBuckets?: boolean;
  readonly clock?: Clock;
  readonly random?: Random;
};

/** Where a running app listens. */
export type AppAddresses = {
  readonly port: number;
  readonly adminPort: number;
  /** Null when mail goes elsewhere or the inbox's port was taken. */
  readonly inboxPort: number | null;
  /** URL that clients use. */
  readonly publicUrl: string;
};

/** A running gateway with its services. */
export interface App {
  readonly addresses: AppAddresses;
  /** Drains: no new connections, running requests finish, sockets are told, then everything is closed. */
  stop(): Promise<{ readonly timedOut: boolean }>;
}

/** Builds every part on a database that is ready, and starts to listen. Rejects when a port is taken. */
export async function startApp(input: AppInput): Promise<App> {
  const { config, keys } = input;
  const clock = input.clock ?? systemClock;
  const random = input.random ?? systemRandom;
  const databases = openDatabases(config.db, input.urls);
  const loads = Object.entries(databases.pools).map(([name, pool]) => [name, () => pool.load()] as const);
  const metrics = createMetrics(Object.fromEntries(loads));
  const observer: Observer = (observation) => {
    metrics.observe(observation);
    input.observer(observation);
  };
  const supervisor = createSupervisor(observer);
  const verifierOf = (source: KeySource): TokenVerifier =>
    createTokenVerifier({ source, clock, leewaySeconds: 0, checkIssuedAt: false, cacheSize: 10_000 });
  const dataKeys = withThirdParty(keys.source, { config, clock, observer, supervisor });
  const publicUrl = config.gateway.publicUrl ?? localUrl(config);
  const starting = startServices({
    ...{ config, keys, clock, random, observer, databases, supervisor, publicUrl, dataKeys },
    verifier: verifierOf(keys.source),
    dataVerifier: verifierOf(dataKeys),
    urls: input.urls,
    seedsBuckets: input.seedsBuckets ?? false,
  });
  const services = await starting.catch(async (thrown: unknown) => {
    await databases.end();
    throw thrown;
  });
  const gateway = createHttpServer({
    router: createGateway({
      mounts: services.mounts,
      keys: keys.api,
      requireApikey: config.gateway.requireApikey,
    }),
    ...(services.upgrade === null ? {} : { upgrade: services.upgrade }),
    observer,
    isTrustedProxy: trustProxies(config.gateway.trustedProxies),
    requestTimeoutMs: config.gateway.requestTimeoutMs,
    tls: readTls(config.gateway),
  });
  const admin = createAdminServer(
    {
      readiness: services.readiness,
      metrics: async () => ({ text: await metrics.text(), contentType: metrics.contentType }),
    },
    observer,
  );
  const closeAll = async (): Promise<{ readonly timedOut: boolean }> => {
    const [drained] = await Promise.all([gateway.close(config.gateway.drainTimeoutMs), services.drain()]);
    await admin.close(1000);
    await supervisor.stop();
    await services.stop();
    await databases.end();
    return drained;
  };
  try {
    const port = await gateway.listen(config.gateway.port, config.gateway.host);
    const adminPort = await admin.listen(config.gateway.adminPort, config.gateway.adminHost);
    return { addresses: { port, adminPort, inboxPort: services.inboxPort, publicUrl }, stop: closeAll };
  } catch (thrown) {
    await closeAll();
    throw thrown;
  }
}

/** The keys of tokens that the data services accept: our own, and those of an issuer that the project trusts. */
function withThirdParty(
  own: KeySource,
  deps: { config: Config; clock: Clock; observer: Observer; supervisor: Supervisor },
): KeySource {
  const issuer = thirdPartyIssuer(deps.config.auth.thirdParty);
  if (issuer === null) return own;
  const foreign = createThirdPartyKeys(issuer, { ...deps, fetch: globalThis.fetch });
  deps.supervisor.start(foreign.service);
  return joinKeys(own, foreign.source);
}

/** URL of a gateway that no proxy stands in front of. */
function localUrl({ gateway }: Config): string {
  const scheme = gateway.tlsCert === null ? 'http' : 'https';
  const host = ['0.0.0.0', '::', '127.0.0.1'].includes(gateway.host) ? '127.0.0.1' : gateway.host;
  return `${scheme}://${host}:${gateway.port}`;
}

function readTls({ tlsCert, tlsKey }: Config['gateway']): { cert: string; key: string } | undefined {
  if (tlsCert === null || tlsKey === null) return undefined;
  return { cert: readFileSync(tlsCert, 'utf8'), key: readFileSync(tlsKey, 'utf8') };
}
