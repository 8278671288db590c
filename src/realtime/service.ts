import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bus } from '../cluster/bus.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { Observer } from '../core/observe.ts';
import type { Handler } from '../http/exchange.ts';
import type { ApiKeys } from '../identity/authorization.ts';
import type { TokenVerifier } from '../identity/verify.ts';
import type { RequestDb } from '../pg/session.ts';
import { type ChangeStream, createChangeStream } from './change-stream.ts';
import { createAuthorizer } from './channel/authorize.ts';
import type { ChannelDeps } from './channel/channel-deps.ts';
import { createHub } from './channel/hub.ts';
import { payloadBytes, type RealtimeConfig } from './config.ts';
import { createOwnerDb, type OwnerDb } from './feed/owner-db.ts';
import { createHttpHandler } from './http/handler.ts';
import { createRateCounter } from './limits.ts';
import { keepPartitions } from './partitions.ts';
import { createAcceptor } from './socket/acceptor.ts';
import { type Connection, closeCodes } from './socket/connection.ts';
import { createSweep } from './socket/sweep.ts';

/** What the service is made of. */
export type RealtimeDeps = {
  readonly config: RealtimeConfig;
  /** Login `authenticator`: policies of channels and visibility of rows are asked through it, as the client. */
  readonly requestDb: RequestDb;
  /** Login of the owner: replication slot and catalog; it never reads a row for a client. */
  readonly feed: { readonly ownerUrl: string };
  readonly verifier: TokenVerifier;
  readonly keys: ApiKeys;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Observer;
  readonly bus: Bus;
  /** Distinguishes this instance from others of the project. */
  readonly nodeId: string;
};

/** The realtime service. */
export interface RealtimeService {
  /** Answers `/api/...`. */
  readonly handle: Handler;
  /** Takes a request to upgrade; `query` is raw, without its question mark. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, query: string): void;
  /** Runs the change feed until the signal; never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** Refuses joins and closes the sockets, in slices; clients connect again elsewhere or later. */
  drain(): Promise<void>;
  /** Resolves when changes of the database reach this instance. */
  live(signal: AbortSignal): Promise<void>;
}

const sweepMs = 10_000;
const beatMs = 2_000;
const drainSlice = 100;
const drainPauseMs = 20;

/** Creates the service; nothing runs before `run`. */
export function createRealtimeService(deps: RealtimeDeps): RealtimeService {
  const { config, observer } = deps;
  const connections = new Set<Connection>();
  const state = { isDraining: false };
  const ownerDb = createOwnerDb(deps.feed.ownerUrl);
  const { channels, stream } = createChannelDeps(deps, ownerDb, connections, state);
  const { feed } = stream;
  const acceptor = createAcceptor({
    config,
    channels,
    connections,
    onCount: () => observer({ kind: 'sockets', open: connections.size }),
    onSlow: () =>
      observer({ kind: 'notice', service: 'realtime', level: 'info', message: 'a slow socket was cut' }),
  });
  return {
    handle: createHttpHandler({
      ...channels,
      maxEventsPerSecond: config.maxEventsPerSecond,
      maxPayloadBytes: payloadBytes(config),
      health: () => ({ replicationConnected: feed.isLive, sockets: connections.size, node: deps.nodeId }),
    }),
    upgrade: (request, socket, head, query) => void acceptor.accept({ request, socket, head, query }),
    async run(signal) {
      const intervalMs = Math.min(sweepMs, config.idleTimeoutMs / 2);
      const timer = setInterval(createSweep(connections, deps.clock, intervalMs), intervalMs);
      const beat = setInterval(() => channels.hub.beat(), beatMs);
      await Promise.all([feed.run(signal), keepPartitions(ownerDb, observer, signal)]);
      clearInterval(timer);
      clearInterval(beat);
      channels.hub.close();
      await ownerDb.close();
    },
    async drain() {
      state.isDraining = true;
      await closeAll([...connections]);
    },
    live: (signal) => feed.live(signal),
  };
}

async function closeAll(connections: readonly Connection[]): Promise<void> {
  for (let i = 0; i < connections.length; i += drainSlice) {
    for (const connection of connections.slice(i, i + drainSlice)) connection.close(closeCodes.restarting);
    await delay(drainPauseMs);
  }
}

function createChannelDeps(
  deps: RealtimeDeps,
  ownerDb: OwnerDb,
  connections: ReadonlySet<Connection>,
  state: { readonly isDraining: boolean },
): { readonly channels: ChannelDeps; readonly stream: ChangeStream } {
  const { config, clock, observer, random, requestDb, verifier, keys } = deps;
  const self = `${deps.nodeId}.${random.bytes(6).toString('base64url')}`;
  const events = createRateCounter(config.maxEventsPerSecond, clock);
  const presenceEvents = createRateCounter(config.maxPresenceEventsPerSecond, clock);
  const hub = createHub({ bus: deps.bus, self, now: () => clock.now(), events, presenceEvents });
  const reportFault = (error: unknown): void =>
    observer({ kind: 'fault', service: 'realtime', message: 'channel', error });
  const { ownerUrl } = deps.feed;
  const shared = { config, requestDb, ownerUrl, ownerDb, hub, events, clock, observer, reportFault, random };
  const stream = createChangeStream({ ...shared, bus: deps.bus, self });
  const channels: ChannelDeps = {
    sessions: { verifier, keys, clock },
    authorizer: createAuthorizer(requestDb, random),
    db: requestDb,
    joins: createRateCounter(config.maxJoinsPerSecond, clock),
    privateOnly: config.privateOnly,
    isDraining: () => state.isDraining,
    hasTooManyUsers: () => config.maxConcurrentUsers > 0 && connections.size > config.maxConcurrentUsers,
    hub,
    changes: stream.changes,
    events,
    presenceEvents,
    clock,
    joinErrorDelayMs: config.channelErrorDelayMs,
    limits: {
      presenceMaxCalls: config.clientPresenceMaxCalls,
      presenceWindowMs: config.clientPresenceWindowMs,
      maxPayloadBytes: payloadBytes(config),
    },
    nextRef: refMaker(self),
    uuid: () => random.uuid(),
    replicationReady: (signal) => stream.feed.live(signal),
    reportFault,
  };
  return { channels, stream };
}

/** References that are unique over instances and over restarts of an instance: they begin with its name. */
function refMaker(self: string): () => string {
  let count = 0;
  return () => `${self}.${(count++).toString(36)}`;
}
