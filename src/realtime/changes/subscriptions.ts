import { setTimeout as delay } from 'node:timers/promises';
import type { Result } from '../../core/result.ts';
import { PgFailure } from '../../pg/failure.ts';
import type { Feed } from '../feed/feed.ts';
import type { Session } from '../session.ts';
import { type ChangeItem, itemId, parseItem } from './item.ts';
import type { ChangeReceiver, SubscriptionIndex, SubscriptionLife } from './subscription-index.ts';
import { type ValidateDeps, type ValidRequest, validateRequest } from './validate.ts';

export type { ChangeItem } from './item.ts';

/** A channel that gets changes and is told about its subscription. */
export interface ChangeSubscriber extends ChangeReceiver {
  changesStatus(status: 'ok' | 'error', message: string): void;
}

/** The subscription of one channel. */
export interface ChangeSubscription {
  /** Goes on as another session: from the moment that its subscriber is told that it is subscribed. */
  refresh(session: Session): void;
  close(): void;
}

/** The subscriptions to database changes of this instance. */
export interface ChangeSubscriptions {
  /** Numbers the items of a join. */
  identify(items: readonly Readonly<Record<string, unknown>>[]): readonly ChangeItem[];
  /** Subscribes a channel to all items or, when one is wrong, to none; tells the channel how it went. */
  subscribe(subscriber: ChangeSubscriber, items: readonly ChangeItem[], session: Session): ChangeSubscription;
  /**
   * Tells every subscriber that the stream is live again after changes may have been missed; `restart` is where the
   * stream begins when its positions are new.
   */
  announceAll(restart: bigint | null): void;
}

/** What subscriptions need. */
export type SubscriptionsOptions = ValidateDeps & {
  readonly index: SubscriptionIndex;
  readonly feed: Pick<Feed, 'live' | 'publications' | 'restart'>;
  readonly publication: string;
  readonly reportFault: (error: unknown) => void;
};

const subscribed = 'Subscribed to PostgreSQL';
const retryMs = 5_000;

/** Creates the subscriptions. */
export function createChangeSubscriptions(options: SubscriptionsOptions): ChangeSubscriptions {
  const open = new Set<LiveSubscription>();
  return {
    identify: (items) => items.map((raw) => ({ raw, id: itemId(raw) })),
    subscribe(subscriber, items, session) {
      const subscription = new LiveSubscription(subscriber, items, options, () => open.delete(subscription));
      open.add(subscription);
      subscription.refresh(session);
      return subscription;
    },
    announceAll(restart) {
      for (const subscription of open) subscription.announce(restart);
    },
  };
}

class LiveSubscription implements ChangeSubscription {
  readonly #subscriber: ChangeSubscriber;
  readonly #items: readonly ChangeItem[];
  readonly #options: SubscriptionsOptions;
  readonly #onClose: () => void;
  #remove: (() => void)[] = [];
  readonly #life: SubscriptionLife = { isOver: false };
  #attempt = new AbortController();
  /** Where the first session began to listen; a later one goes on from there. */
  #sinceLsn: bigint | null = null;

  constructor(
    subscriber: ChangeSubscriber,
    items: readonly ChangeItem[],
    options: SubscriptionsOptions,
    onClose: () => void,
  ) {
    this.#subscriber = subscriber;
    this.#items = items;
    this.#options = options;
    this.#onClose = onClose;
  }

  /** Until the new session has been looked at, the subscription goes on as the old one: what came between would be lost. */
  refresh(session: Session): void {
    this.#attempt.abort();
    this.#attempt = new AbortController();
    void this.#start(session, this.#attempt.signal);
  }

  close(): void {
    this.#life.isOver = true;
    this.#attempt.abort();
    this.#leaveIndex();
    this.#onClose();
  }

  announce(restart: bigint | null): void {
    if (restart !== null && this.#sinceLsn !== null && this.#sinceLsn > restart) this.#sinceLsn = restart;
    if (this.#remove.length > 0) this.#subscriber.changesStatus('ok', subscribed);
  }

  #leaveIndex(): void {
    for (const remove of this.#remove) remove();
    this.#remove = [];
  }

  async #start(session: Session, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#options.feed.live(signal);
        const valid = await this.#validateAll(session, signal);
        if (signal.aborted) return;
        this.#leaveIndex();
        if (!valid.ok) this.#subscriber.changesStatus('error', valid.error);
        else this.#enterIndex(valid.value);
        return;
      } catch (failure) {
        if (signal.aborted) return;
        if (!(failure instanceof PgFailure)) this.#options.reportFault(failure);
        this.#subscriber.changesStatus('error', 'Realtime was unable to connect to the project database');
        await delay(retryMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #validateAll(
    session: Session,
    signal: AbortSignal,
  ): Promise<Result<readonly ValidRequest[], string>> {
    const requests: ValidRequest[] = [];
    for (const { raw } of this.#items) {
      const parsed = parseItem(raw);
      if (!parsed.ok) return parsed;
      const valid = await validateRequest(parsed.value, session, this.#options, signal);
      if (!valid.ok) return valid;
      requests.push(valid.value);
    }
    // The stream started before the publication existed.
    const { feed, publication } = this.#options;
    if (!feed.publications.includes(publication)) feed.restart();
    return { ok: true, value: requests };
  }

  #enterIndex(requests: readonly ValidRequest[]): void {
    // The first request was checked first, so its position is the lowest.
    this.#sinceLsn ??= requests[0]?.lsn ?? 0n;
    const common = {
      receiver: this.#subscriber,
      life: this.#life,
      sinceLsn: this.#sinceLsn,
      isOnly: requests.length === 1 && requests[0]?.interests.length === 1,
    };
    requests.forEach(({ interests }, i) => {
      const id = this.#items[i]?.id ?? 0;
      for (const interest of interests) {
        this.#remove.push(this.#options.index.add(interest, { ...common, id }));
      }
    });
    this.#subscriber.changesStatus('ok', subscribed);
  }
}
