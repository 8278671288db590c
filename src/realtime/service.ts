import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import type { Bus } from '../cluster/bus.ts';
import type { Values } from '../config/option.ts';
import type { realtimeOptions } from '../config/options/realtime.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { Observer } from '../core/observe.ts';
import type { Handler } from '../http/exchange.ts';
import type { ApiKeys } from '../identity/authorization.ts';
import type { TokenVerifier } from '../identity/verify.ts';
import type { RequestDb } from '../pg/session.ts';
import { sql } from '../pg/sql/sql.ts';
import { createDelivery } from './changes/deliver.ts';
import { type DispatchOptions, dispatchChanges } from './changes/dispatch.ts';
import type { Change } from './changes/model.ts';
import { createSlowLane } from './changes/slow-lane.ts';
import { toBroadcast } from './changes/stored-message.ts';
import { createSubscriptionIndex, type SubscriptionIndex } from './changes/subscription-index.ts';
import { type ChangeSubscriptions, createChangeSubscriptions } from './changes/subscriptions.ts';
import { type Authorizer, createAuthorizer } from './channel/authorize.ts';
import type { ChannelDeps } from './channel/channel.ts';
import { createHub, type Hub } from './channel/hub.ts';
import { createCatalog } from './feed/catalog.ts';
import { createFeed, type Feed } from './feed/feed.ts';
import { createOwnerDb, type OwnerDb } from './feed/owner-db.ts';
import { createRelations } from './feed/relations.ts';
import { createHttpHandler } from './http.ts';
import { createRateCounter, type RateCounter } from './limits.ts';
import { keepPartitions } from './partitions.ts';
import type { SessionDeps } from './session.ts';
import { Connection, type ConnectionOptions, closeCodes } from './socket/connection.ts';
import { serializerFor } from './socket/serializer.ts';
import {
  authenticateConnection,
  connectionKey,
  isWebSocketUpgrade,
  policyHeaders,
  refuseConnection,
  refuseUpgrade,
} from './socket/upgrade.ts';

/** Settings of the service. */
export type RealtimeConfig = Values<typeof realtimeOptions>;

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

const maxFrameBytes = 5_000_000;
const sweepMs = 10_000;
const messagesPublication = 'supabase_realtime_messages_publication';
const drainSlice = 100;
const drainPauseMs = 20;
/** Time that everybody waits for one policy; the changes of a slower one come later, to its own subscribers. */
const patienceMs = 200;

/** Creates the service; nothing runs before `run`. */
export function createRealtimeService(deps: RealtimeDeps): RealtimeService {
  const parts = createParts(deps);
  const { connections, feed, ownerDb, hub } = parts;
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    clientTracking: false,
  });
  return {
    handle: createHttpHandler({ ...parts, ...httpLimits(deps.config), health: () => healthOf(parts) }),
    upgrade(request, socket, head, query) {
      // The HTTP server has let go of the socket: an error that nobody hears would end the process.
      socket.on('error', () => socket.destroy());
      void upgradeSocket({ request, socket, head, query }, sockets, parts, deps);
    },
    async run(signal) {
      const sweep = setInterval(
        () => {
          for (const connection of connections) connection.checkAlive();
        },
        Math.min(sweepMs, deps.config.idleTimeoutMs / 2),
      );
      await Promise.all([feed.run(signal), keepPartitions(ownerDb, deps.observer, signal)]);
      clearInterval(sweep);
      hub.close();
      await ownerDb.close();
    },
    async drain() {
      parts.state.isDraining = true;
      const open = [...connections];
      for (let i = 0; i < open.length; i += drainSlice) {
        for (const connection of open.slice(i, i + drainSlice)) connection.close(closeCodes.restarting);
        await delay(drainPauseMs);
      }
    },
    live: (signal) => feed.live(signal),
  };
}

type Parts = {
  readonly connections: Set<Connection>;
  readonly hub: Hub;
  readonly feed: Feed;
  readonly ownerDb: OwnerDb;
  readonly authorizer: Authorizer;
  readonly sessions: SessionDeps;
  readonly events: RateCounter;
  readonly channels: ChannelDeps;
  readonly state: { isDraining: boolean };
};

const httpLimits = (config: RealtimeConfig): { maxEventsPerSecond: number; maxPayloadBytes: number } => ({
  maxEventsPerSecond: config.maxEventsPerSecond,
  maxPayloadBytes: payloadBytes(config),
});

/** Upstream's margin over the number of thousands. */
const payloadBytes = ({ maxPayloadKilobytes }: RealtimeConfig): number => maxPayloadKilobytes * 1_000 + 500;

const healthOf = ({ feed, connections }: Parts): { replicationConnected: boolean; sockets: number } => ({
  replicationConnected: feed.isLive,
  sockets: connections.size,
});

function createParts(deps: RealtimeDeps): Parts {
  const { config, clock, observer, random } = deps;
  const connections = new Set<Connection>();
  const hub = createHub(deps.bus);
  const state = { isDraining: false };
  const events = createRateCounter(config.maxEventsPerSecond, clock);
  const sessions: SessionDeps = { verifier: deps.verifier, keys: deps.keys, clock };
  const authorizer = createAuthorizer(deps.requestDb, random);
  const reportFault = (error: unknown): void =>
    observer({ kind: 'fault', service: 'realtime', message: 'channel', error });
  const { feed, changes, ownerDb } = createChangeParts(deps, hub, events, reportFault);
  const epoch = `${deps.nodeId}.${random.bytes(6).toString('base64url')}`;
  let refs = 0;
  const channels: ChannelDeps = {
    sessions,
    authorizer,
    db: deps.requestDb,
    joins: createRateCounter(config.maxJoinsPerSecond, clock),
    privateOnly: config.privateOnly,
    isDraining: () => state.isDraining,
    hasTooManyUsers: () => config.maxConcurrentUsers > 0 && connections.size > config.maxConcurrentUsers,
    hub,
    changes,
    events,
    presenceEvents: createRateCounter(config.maxPresenceEventsPerSecond, clock),
    clock,
    joinErrorDelayMs: config.channelErrorDelayMs,
    limits: {
      presenceMaxCalls: config.clientPresenceMaxCalls,
      presenceWindowMs: config.clientPresenceWindowMs,
      maxPayloadBytes: payloadBytes(config),
    },
    nextRef: () => `${epoch}.${(refs++).toString(36)}`,
    uuid: () => random.uuid(),
    replicationReady: (signal) => feed.live(signal),
    reportFault,
  };
  return { connections, hub, feed, ownerDb, authorizer, sessions, events, channels, state };
}

type ChangeParts = {
  readonly feed: Feed;
  readonly changes: ChangeSubscriptions;
  readonly ownerDb: OwnerDb;
};

function createChangeParts(
  deps: RealtimeDeps,
  hub: Hub,
  events: RateCounter,
  reportFault: (error: unknown) => void,
): ChangeParts {
  const { config, clock, observer, requestDb } = deps;
  const index = createSubscriptionIndex();
  const ownerDb = createOwnerDb(deps.feed.ownerUrl);
  const catalog = createCatalog(ownerDb, config.publication);
  const relations = createRelations(catalog, () => clock.now());
  const delivered = createRateCounter(config.maxEventsPerSecond, clock);
  const startedAt = BigInt(clock.now()) * 1_000n;
  const onFailure = ({ sqlstate }: { sqlstate: string }, relation: string): void =>
    observer({
      kind: 'notice',
      service: 'realtime',
      level: 'warn',
      message: 'a check of row security failed; its subscribers did not get the change',
      fields: { relation, sqlstate },
    });
  const delivery = createDelivery({
    mustSkip: () => delivered.isExceeded(),
    onDelivered: (count) => delivered.add(count),
    highWaterBytes: config.maxSocketBufferBytes / 4,
  });
  const timeoutMs = config.visibilityTimeoutMs;
  const dispatch: DispatchOptions = {
    db: requestDb,
    patienceMs,
    index,
    relations,
    delivery,
    slowLane: createSlowLane({
      db: requestDb,
      timeoutMs,
      delivery,
      onFailure,
      reportFault,
      patienceMs,
      now: () => clock.now(),
    }),
    readSnapshot: () => readSnapshot(ownerDb),
    onStoredMessage: (change) => publishStored(change, startedAt, hub, events),
    onFailure,
  };
  const feed = createFeed({
    ownerUrl: deps.feed.ownerUrl,
    slotName: config.slotName,
    maxLagBytes: config.maxSlotLagBytes,
    publications: [config.publication, messagesPublication],
    relations,
    sink: (batch) => dispatchChanges(batch, dispatch),
    wants: (schema, table) => isWanted(schema, table, index),
    onGap: () => changes.announceAll(),
    observer,
  });
  const changes = createChangeSubscriptions({
    catalog,
    db: requestDb,
    timeoutMs,
    index,
    feed,
    publication: config.publication,
    reportFault,
  });
  return { feed, changes, ownerDb };
}

/** Rows of stored messages are always read: whether a topic has members is known when they are delivered. */
const isWanted = (schema: string, table: string, index: SubscriptionIndex): boolean =>
  (schema === 'realtime' && table.startsWith('messages')) || index.hasInterest(schema, table);

async function readSnapshot(db: OwnerDb): Promise<string> {
  const [row] = await db.query<{ snapshot: string }>(sql`select pg_current_snapshot()::text as snapshot`);
  return row?.snapshot ?? '0:0:';
}

function publishStored(change: Change, startedAt: bigint, hub: Hub, events: RateCounter): void {
  // What was stored while this instance was down: its sockets had not joined then.
  if (change.committedAt < startedAt || events.isExceeded()) return;
  const stored = toBroadcast(change);
  if (stored === null) return;
  events.add(1 + hub.publish(stored.space, stored.subTopic, stored.message));
}

type Upgrade = {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly query: string;
};

async function upgradeSocket(
  { request, socket, head, query }: Upgrade,
  sockets: WebSocketServer,
  parts: Parts,
  deps: RealtimeDeps,
): Promise<void> {
  const { config, observer } = deps;
  if (!isWebSocketUpgrade(request)) return refuseUpgrade(socket, 400, { error: 'Expected a WebSocket' });
  const params = new URLSearchParams(query);
  const serializer = serializerFor(params.get('vsn'));
  if (serializer === null) return refuseUpgrade(socket, 403, { error: 'Unsupported protocol version' });
  const key = connectionKey(request.headers, params);
  const session = await authenticateConnection(key, parts.sessions);
  const isFull = config.maxConcurrentUsers > 0 && parts.connections.size >= config.maxConcurrentUsers;
  if (!session.ok || isFull || parts.channels.joins.isExceeded()) {
    const refusal = !session.ok ? session.error : isFull ? 'too-many-users' : 'too-many-joins';
    return refuseConnection(socket, refusal, config.connectErrorDelayMs);
  }
  const options: Omit<ConnectionOptions, 'socket'> = {
    serializer,
    token: session.value.token,
    headers: policyHeaders(request.headers),
    limits: {
      maxBufferedBytes: config.maxSocketBufferBytes,
      maxChannels: config.maxChannelsPerClient,
      idleTimeoutMs: config.idleTimeoutMs,
      noChannelTimeoutMs: config.noChannelTimeoutMs,
    },
    clock: deps.clock,
    channels: parts.channels,
    onClose(connection) {
      parts.connections.delete(connection);
      observer({ kind: 'sockets', open: parts.connections.size });
    },
    onSlow: () =>
      observer({ kind: 'notice', service: 'realtime', level: 'info', message: 'a slow socket was cut' }),
  };
  sockets.handleUpgrade(request, socket, head, (webSocket) => {
    parts.connections.add(new Connection({ ...options, socket: webSocket }));
    observer({ kind: 'sockets', open: parts.connections.size });
  });
}
