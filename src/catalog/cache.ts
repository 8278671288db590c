import { type Backoff, databaseBackoff, delayBefore } from '../core/backoff.ts';
import { pause } from '../core/lifecycle.ts';
import type { Observer } from '../core/observe.ts';
import type { Catalog } from './model.ts';

/** The catalog in use. Reading never waits; a load replaces the whole snapshot at once. */
export interface CatalogCache {
  /** Null until the first load has succeeded. */
  current(): Catalog | null;
  /** Whether no load is due: the snapshot in use is what the database said last. */
  isSettled(): boolean;
  /** Loads again, and repeats until it succeeds. Calls during a load join into one more load after it. */
  reload(reason: string): Promise<void>;
  /** Calls back with each new snapshot; returns the end of the subscription. */
  subscribe(listener: (catalog: Catalog) => void): () => void;
  /** Ends repeated attempts. */
  stop(): void;
}

/** Options of a cache. */
export type CatalogCacheOptions = {
  readonly load: () => Promise<Catalog>;
  readonly observer: Observer;
  readonly backoff?: Backoff;
  /** Called with each failed load; returning false gives up, and `reload` rejects with the failure. */
  readonly onFailure?: (failure: unknown, attempt: number) => boolean;
};

/** Creates an empty cache; `reload` fills it. */
export function createCatalogCache(options: CatalogCacheOptions): CatalogCache {
  const backoff = options.backoff ?? databaseBackoff;
  const stopping = new AbortController();
  const listeners = new Set<(catalog: Catalog) => void>();
  let current: Catalog | null = null;
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  const accept = (catalog: Catalog, reason: string, startedAt: number): void => {
    const isNew = catalog.fingerprint !== current?.fingerprint;
    if (isNew) current = catalog;
    const ms = performance.now() - startedAt;
    options.observer({ kind: 'schema-reloaded', ms, tables: catalog.counts.relations, reason });
    if (isNew) for (const listener of listeners) listener(catalog);
  };
  const loadUntilDone = async (reason: string): Promise<void> => {
    for (let attempt = 1; !stopping.signal.aborted; attempt++) {
      const startedAt = performance.now();
      try {
        accept(await options.load(), reason, startedAt);
        return;
      } catch (failure) {
        if (options.onFailure?.(failure, attempt) === false) throw failure;
        await pause(delayBefore(attempt, backoff), stopping.signal);
      }
    }
  };
  const start = (reason: string): Promise<void> => {
    next = null;
    running = loadUntilDone(reason).finally(() => {
      running = null;
    });
    return running;
  };
  return {
    current: () => current,
    isSettled: () => current !== null && running === null,
    reload(reason) {
      if (running === null) return start(reason);
      // What changed since the running load began may be missing from it.
      next ??= running.then(
        () => start(reason),
        () => start(reason),
      );
      return next;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: () => stopping.abort(),
  };
}
