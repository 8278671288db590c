import type { Observer } from '../../core/observe.ts';
import { Consumer } from './consumer.ts';
import { aborted, batchLimits, type FeedOptions, type FeedState, nowhere } from './feed-state.ts';
import { createOwnerDb, type OwnerDb } from './owner-db.ts';
import type { Relay } from './relay.ts';
import {
  createSlot,
  currentPosition,
  dropSlot,
  endHolder,
  existingPublications,
  feedName,
  hasSlotGuard,
  readSlot,
  slotAction,
  statusInterval,
} from './slot.ts';
import { openStream } from './stream.ts';

/**
 * Makes or finds the slot and reads it until the signal, for this instance and, through the relay, for others.
 * Rejects when the stream or the sink fails.
 */
export async function readStream(
  options: FeedOptions,
  state: FeedState,
  relay: Relay | null,
  signal: AbortSignal,
): Promise<void> {
  const slotDb = createOwnerDb(options.ownerUrl);
  try {
    if (state.firstPosition === 0n) state.firstPosition = await currentPosition(slotDb);
    const slot = await prepareSlot(slotDb, options, state, relay !== null);
    await slotDb.close();
    state.mustRecreate = false;
    state.publications = slot.publications;
    options.relations.clear();
    await stream(slot, options, state, relay, signal);
  } finally {
    await slotDb.close();
  }
}

async function stream(
  slot: Slot,
  options: FeedOptions,
  state: FeedState,
  relay: Relay | null,
  signal: AbortSignal,
): Promise<void> {
  const { liveness, position } = state;
  const { processed } = position;
  const hasGap = liveness.wasLive && (slot.isNew || processed < slot.confirmed);
  if (slot.isNew) [position.processed, position.delivered] = [slot.confirmed, nowhere];
  let fail: (failure: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const { relations, sink } = options;
  const onProgress = (changes: number): void => {
    note();
    running.acknowledge();
    if (changes === 0) return;
    const lag = running.received() - consumer.processed;
    options.observer({ kind: 'feed-progress', lagBytes: Math.max(0, Number(lag)), changes });
  };
  const consumer = new Consumer(
    { relations, sink, limits: batchLimits, onFailure: fail, onProgress },
    position.delivered,
  );
  const note = (): void => {
    if (consumer.processed > position.processed) position.processed = consumer.processed;
    position.delivered = consumer.delivered;
  };
  const { isNew, confirmed, publications } = slot;
  relay?.start({ isNew, confirmed, publications });
  const running = openStream({
    url: options.ownerUrl,
    slot: slot.name,
    publications,
    wants: options.wants,
    statusMs: slot.statusMs,
    keepsRaw: relay !== null,
    async onMessage(message, raw) {
      relay?.add(raw);
      await consumer.handle(message);
      await relay?.room();
    },
    onIdle(lsn) {
      consumer.idle(lsn);
      note();
    },
    processed: () => relay?.floor(consumer.processed) ?? consumer.processed,
    onLive() {
      liveness.set(true);
      if (hasGap) options.onGap(slot.isNew ? slot.confirmed : null);
    },
  });
  try {
    await Promise.race([running.ended, failed, aborted(signal)]);
  } finally {
    liveness.set(false);
    await consumer.settle();
    note();
    running.acknowledge();
    await running.stop();
  }
}

type Slot = {
  readonly name: string;
  readonly isNew: boolean;
  /** Where the stream begins. */
  readonly confirmed: bigint;
  readonly publications: readonly string[];
  /** How often the server wants to hear of the reader. */
  readonly statusMs: number;
};

async function prepareSlot(
  db: OwnerDb,
  options: FeedOptions,
  { mustRecreate }: FeedState,
  leads: boolean,
): Promise<Slot> {
  const publications = await existingPublications(db, options.publications);
  if (publications.length === 0) throw new Error('there is no publication to read');
  const name = await feedName(db, options.slotName);
  const found = await readSlot(db, name);
  const action =
    mustRecreate && found !== null && !found.isActive ? 'recreate' : slotAction(found, options.maxLagBytes);
  if (action === 'wait') {
    // Who leads and finds the slot taken has the stream of a former leader before it.
    if (leads) await endHolder(db, name);
    throw new Error('the replication slot is in use by another process');
  }
  if (action === 'recreate') await dropSlot(db, name);
  if (action !== 'use') await createSlot(db, name);
  if (!(await hasSlotGuard(db))) options.observer(unguarded);
  const confirmed = (action === 'use' ? found : await readSlot(db, name))?.confirmed ?? 0n;
  return { name, publications, isNew: action !== 'use', confirmed, statusMs: await statusInterval(db) };
}

const unguarded: Parameters<Observer>[0] = {
  kind: 'notice',
  service: 'realtime',
  level: 'warn',
  message:
    'max_slot_wal_keep_size is unlimited: while the gateway is down, the slot keeps the log and may fill the disk',
};
