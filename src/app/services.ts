import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Bus } from '../cluster/bus.ts';
import { type Config, ConfigError } from '../config/load.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { Supervisor } from '../core/lifecycle.ts';
import type { Observer } from '../core/observe.ts';
import { refuseUpgrade } from '../http/bare-answer.ts';
import type { Mount } from '../http/gateway.ts';
import type { UpgradeHandler } from '../http/server.ts';
import type { InstanceKeys } from '../identity/instance-keys.ts';
import type { KeySource, TokenVerifier } from '../identity/verify.ts';
import { type ConnectOptions, connect } from '../pg/connect.ts';
import type { DatabaseUrls } from '../platform/logins.ts';
import { storageDir } from './directories.ts';
import { openInbox } from './inbox.ts';
import type { Databases } from './pools.ts';
import { startGatewayRest } from './rest.ts';

/** What the services have in common. */
export type ServiceInput = {
  readonly config: Config;
  readonly keys: InstanceKeys;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Observer;
  /** Verifies the tokens that this instance made. */
  readonly verifier: TokenVerifier;
  /** Verifies those too that an issuer outside made whom the project trusts; for the data services. */
  readonly dataVerifier: TokenVerifier;
  readonly dataKeys: KeySource;
  readonly databases: Databases;
  readonly supervisor: Supervisor;
  readonly publicUrl: string;
  readonly urls: DatabaseUrls;
  readonly seedsBuckets: boolean;
};

/** The services that the configuration turns on. */
export type Services = {
  readonly mounts: readonly Mount[];
  readonly upgrade: UpgradeHandler | null;
  readonly inboxPort: number | null;
  readonly readiness: () => Promise<Readonly<Record<string, boolean>>>;
  /** Ends what would keep a drain waiting: sockets, queued mail. */
  drain(): Promise<void>;
  stop(): Promise<void>;
};

/** One service inside the gateway. */
type Part = {
  readonly mounts: readonly Mount[];
  readonly upgrade?: UpgradeHandler;
  readonly isReady?: () => boolean;
  readonly inboxPort?: number | null;
  readonly drain?: () => Promise<void>;
  readonly stop?: () => Promise<void>;
};

/**
 * Begins to read the code of the services that the configuration turns on, while the database is still made ready. What
 * fails here fails again, and is reported, when the service starts.
 */
export function preloadServices({ auth, storage, realtime }: Config): void {
  const wanted = [
    ...(auth.enabled ? [import('../auth/service.ts'), import('../auth/mail/smtp.ts')] : []),
    ...(storage.enabled ? [import('../storage/service.ts'), import('../storage/backends/open.ts')] : []),
    ...(realtime.enabled ? [import('../realtime/service.ts'), import('../cluster/open.ts')] : []),
  ];
  Promise.all(wanted).catch(() => {});
}

/**
 * Starts the services side by side; each is imported only when it is turned on. Rejects when one does not start, after
 * those that did were stopped.
 */
export async function startServices(input: ServiceInput): Promise<Services> {
  const { config } = input;
  const named: readonly (readonly [name: string, start: () => Promise<Part>])[] = [
    ...(config.api.enabled ? [['rest', () => startRest(input)] as const] : []),
    ...(config.auth.enabled ? [['auth', () => startAuth(input)] as const] : []),
    ...(config.storage.enabled ? [['storage', () => startStorage(input)] as const] : []),
    ...(config.realtime.enabled ? [['realtime', () => startRealtime(input)] as const] : []),
  ];
  const started = await Promise.allSettled(
    named.map(async ([name, start]) => [name, await start()] as const),
  );
  const parts = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = started.find((one) => one.status === 'rejected');
  const each = (pick: (part: Part) => (() => Promise<void>) | undefined): Promise<unknown> =>
    Promise.all(parts.map(([, part]) => pick(part)?.()));
  if (failed !== undefined) {
    await each((part) => part.drain);
    await input.supervisor.stop();
    await each((part) => part.stop);
    throw failed.reason;
  }
  return {
    mounts: parts.flatMap(([, part]) => part.mounts),
    upgrade: parts.find(([, part]) => part.upgrade !== undefined)?.[1].upgrade ?? null,
    inboxPort: parts.find(([, part]) => part.inboxPort !== undefined)?.[1].inboxPort ?? null,
    readiness: async () => ({
      database: await isReachable(input.databases),
      ...Object.fromEntries(parts.map(([name, part]) => [name, part.isReady?.() ?? true])),
    }),
    async drain() {
      await each((part) => part.drain);
    },
    async stop() {
      await each((part) => part.stop);
    },
  };
}

async function isReachable({ pools }: Databases): Promise<boolean> {
  try {
    const lease = await pools.rest.acquire();
    lease.release(false);
    return true;
  } catch {
    // Why it cannot be reached is reported by whoever needs it.
    return false;
  }
}

async function startRest(input: ServiceInput): Promise<Part> {
  const { config, databases, clock, observer, dataKeys } = input;
  const rest = await startGatewayRest({
    ...{ config, clock, observer, keys: dataKeys },
    db: databases.requests,
    pool: databases.pools.rest,
    url: input.urls.authenticator,
  });
  return {
    mounts: [
      { prefix: '/rest/v1', service: 'rest', handler: rest.handler, credentials: 'apikey', isGuarded: true },
    ],
    isReady: rest.isReady,
    stop: rest.stop,
  };
}

/** The release of GoTrue whose protocol the auth service speaks; `/health` names it. */
const gotrueVersion = 'v2.196.0';

/** Time that mails on their way get when the process stops. */
const mailDrainMs = 5_000;

async function startAuth(input: ServiceInput): Promise<Part> {
  const { config, databases, keys, clock, random, observer, verifier, publicUrl } = input;
  const [{ createAuthService }, { authMounts }, { smtpSettings }] = await Promise.all([
    import('../auth/service.ts'),
    import('../auth/mounts.ts'),
    import('../auth/mail/smtp.ts'),
  ]);
  const inbox = await openInbox(input);
  const { adminEmail, senderName } = config.inbox;
  const service = createAuthService({
    ...{ config: config.auth, projectDir: config.projectDir, keys, clock, random, observer, verifier },
    db: databases.auth,
    externalUrl: config.auth.externalUrl ?? `${publicUrl}/auth/v1`,
    smtp: smtpSettings(config.auth, inbox === null ? null : { port: inbox.smtpPort, adminEmail, senderName }),
    fetch: globalThis.fetch,
    version: gotrueVersion,
  });
  return {
    mounts: authMounts(service.handle),
    inboxPort: inbox?.port ?? null,
    drain: () => service.drain(mailDrainMs),
    stop: async () => inbox?.close(),
  };
}

async function startStorage(input: ServiceInput): Promise<Part> {
  const { config, databases, keys, clock, random, observer, dataVerifier: verifier, publicUrl } = input;
  const [{ createStorageService }, { openObjectStore }] = await Promise.all([
    import('../storage/service.ts'),
    import('../storage/backends/open.ts'),
  ]);
  const deps = {
    ...{ config: config.storage, keys, clock, random, observer, verifier, publicUrl },
    requestDb: databases.storageRequests,
    serviceDb: databases.storage,
    openLockSession: (options: ConnectOptions) => connect(input.urls.storageAdmin, options),
    store: await openObjectStore(config.storage, storageDir(config), observer),
  };
  const service = createStorageService(deps);
  if (input.seedsBuckets && Object.keys(config.storage.buckets).length > 0) {
    await demandSeedFiles(config);
    const { seedBuckets } = await import('../storage/seed.ts');
    await seedBuckets(deps, config.storage.buckets, join(config.projectDir, 'supabase'));
  }
  input.supervisor.start({ id: 'storage outbox', service: 'storage', run: service.run });
  const { uploadIdleMs: idleMs, uploadTimeoutMs: totalMs } = config.storage;
  const patience = { idleMs, totalMs };
  const mount = { service: 'storage', handler: service.handle, isGuarded: false, patience } as const;
  return {
    mounts: [
      { ...mount, prefix: '/storage/v1', credentials: 'apikey' },
      { ...mount, prefix: '/storage/v1/s3', base: '/storage/v1', credentials: 'untouched' },
    ],
    stop: service.close,
  };
}

/** A start that found out in the middle of it would leave half of the buckets. */
async function demandSeedFiles({ storage, projectDir }: Config): Promise<void> {
  const problems: string[] = [];
  for (const [name, { objects_path: path }] of Object.entries(storage.buckets)) {
    if (path === undefined || path === '') continue;
    await access(resolve(projectDir, 'supabase', path)).catch(() => {
      problems.push(`[storage.buckets.${name}] objects_path: there is no ${path} in supabase/`);
    });
  }
  if (problems.length > 0) throw new ConfigError(problems);
}

const websocketPath = '/realtime/v1/websocket';

async function startRealtime(input: ServiceInput): Promise<Part> {
  const { config, databases, keys, clock, random, observer, dataVerifier: verifier } = input;
  const { createRealtimeService } = await import('../realtime/service.ts');
  const bus = await openClusterBus(input);
  const service = createRealtimeService({
    ...{ config: config.realtime, keys: keys.api, clock, random, observer, verifier },
    requestDb: databases.visibility,
    feed: { ownerUrl: input.urls.owner },
    bus,
    nodeId: random.uuid(),
  });
  input.supervisor.start({ id: 'change feed', service: 'realtime', run: service.run });
  return {
    mounts: [
      {
        prefix: '/realtime/v1',
        service: 'realtime',
        handler: service.handle,
        credentials: 'apikey',
        isGuarded: true,
      },
    ],
    upgrade(message, socket, head, { path, query }) {
      if (path === websocketPath) service.upgrade(message, socket, head, query);
      else refuseUpgrade(socket);
    },
    drain: service.drain,
    stop: () => bus.close(),
  };
}

async function openClusterBus({ config, urls, observer }: ServiceInput): Promise<Bus> {
  const [{ openBus }, { projectName }] = await Promise.all([
    import('../cluster/open.ts'),
    import('../cluster/project-name.ts'),
  ]);
  const { url } = config.cluster;
  if (url === null) return openBus({ url });
  const tell = (level: 'info' | 'warn', message: string, fields = {}): void =>
    observer({ kind: 'notice', service: 'realtime', level, message, fields });
  return openBus({
    url,
    prefix: await projectName(urls.owner),
    onLost: (reason) => tell('warn', 'the connection to the other instances is lost', { reason }),
    onHealed: () => tell('info', 'the connection to the other instances is back'),
  });
}
