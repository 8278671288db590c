import type { Bus } from '../cluster/bus.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { Observer } from '../core/observe.ts';
import type { RequestDb } from '../pg/session.ts';
import { sql } from '../pg/sql/sql.ts';
import { createDelivery } from './changes/deliver.ts';
import { type DispatchOptions, dispatchChanges } from './changes/dispatch.ts';
import type { Change } from './changes/model.ts';
import { createSlowLane } from './changes/slow-lane.ts';
import { untilVisible } from './changes/snapshot.ts';
import { toBroadcast } from './changes/stored-message.ts';
import { createSubscriptionIndex, type SubscriptionIndex } from './changes/subscription-index.ts';
import { type ChangeSubscriptions, createChangeSubscriptions } from './changes/subscriptions.ts';
import type { Hub } from './channel/hub.ts';
import type { RealtimeConfig } from './config.ts';
import { createCatalog } from './feed/catalog.ts';
import { createFeed, type Feed } from './feed/feed.ts';
import type { OwnerDb } from './feed/owner-db.ts';
import { createRelations } from './feed/relations.ts';
import { createRateCounter, type RateCounter } from './limits.ts';

/** What the way from the log to the sockets needs. */
export type ChangeStreamOptions = {
  readonly config: RealtimeConfig;
  /** Login `authenticator`: visibility is asked through it, as the client. */
  readonly requestDb: RequestDb;
  readonly ownerUrl: string;
  readonly ownerDb: OwnerDb;
  readonly hub: Hub;
  readonly bus: Bus;
  /** Name of this instance. */
  readonly self: string;
  readonly random: Random;
  /** Counts broadcasts; those of stored messages among them. */
  readonly events: RateCounter;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly reportFault: (error: unknown) => void;
};

/** The feed of the database and the subscriptions to it. */
export type ChangeStream = { readonly feed: Feed; readonly changes: ChangeSubscriptions };

const messagesPublication = 'supabase_realtime_messages_publication';
/** Time that everybody waits for one policy; the changes of a slower one come later, to its own subscribers. */
const patienceMs = 200;

/** Joins feed, index, checks and delivery. */
export function createChangeStream(options: ChangeStreamOptions): ChangeStream {
  const { config, clock, ownerDb, reportFault } = options;
  const index = createSubscriptionIndex();
  const checksDeleted = config.deleteVisibility === 'strict';
  const catalog = createCatalog(ownerDb, config.publication, checksDeleted);
  const relations = createRelations(
    catalog,
    () => clock.now(),
    (xid) => untilVisible(new Set([xid]), () => readSnapshot(ownerDb)),
  );
  const onStoredMessage = (change: Change): void => publishStored(change, feed.firstPosition, options);
  const dispatch = { ...dispatchOptions(options), checksDeleted, index, relations, onStoredMessage };
  const feed = createFeed({
    ownerUrl: options.ownerUrl,
    slotName: config.slotName,
    maxLagBytes: config.maxSlotLagBytes,
    publications: [config.publication, messagesPublication],
    relations,
    sink: (batch) => dispatchChanges(batch, dispatch),
    wants: (schema, table) => isWanted(schema, table, index),
    onGap(restart) {
      if (restart !== null) index.rebase(restart);
      changes.announceAll(restart);
    },
    observer: options.observer,
    ...{ bus: options.bus, self: options.self, now: () => clock.now() },
    newEpoch: () => options.random.uuid(),
  });
  const changes = createChangeSubscriptions({
    catalog,
    db: options.requestDb,
    timeoutMs: config.visibilityTimeoutMs,
    index,
    feed,
    publication: config.publication,
    reportFault,
  });
  return { feed, changes };
}

function dispatchOptions(
  options: ChangeStreamOptions,
): Omit<DispatchOptions, 'checksDeleted' | 'index' | 'relations' | 'onStoredMessage'> {
  const { config, clock, requestDb: db, observer, ownerDb, reportFault } = options;
  const delivered = createRateCounter(config.maxEventsPerSecond, clock);
  const onFailure: DispatchOptions['onFailure'] = ({ sqlstate }, relation) =>
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
  const now = (): number => clock.now();
  return {
    db,
    patienceMs,
    delivery,
    slowLane: createSlowLane({ db, timeoutMs, delivery, onFailure, reportFault, patienceMs, now }),
    readSnapshot: () => readSnapshot(ownerDb),
    onFailure,
  };
}

/** Rows of stored messages are always read: whether a topic has members is known when they are delivered. */
const isWanted = (schema: string, table: string, index: SubscriptionIndex): boolean =>
  (schema === 'realtime' && table.startsWith('messages')) || index.hasInterest(schema, table);

async function readSnapshot(db: OwnerDb): Promise<string> {
  const [row] = await db.query<{ snapshot: string }>(sql`select pg_current_snapshot()::text as snapshot`);
  return row?.snapshot ?? '0:0:';
}

function publishStored(change: Change, firstPosition: bigint, { hub, events }: ChangeStreamOptions): void {
  // What was stored before this instance came up: its sockets had not joined then.
  if (change.commitLsn < firstPosition || events.isExceeded()) return;
  const stored = toBroadcast(change);
  if (stored === null) return;
  // Every instance reads the stored messages by itself.
  hub.deliver(stored.space, stored.subTopic, stored.message);
}
