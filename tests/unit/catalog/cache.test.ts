import { describe, expect, it } from 'vitest';
import { createCatalogCache } from '../../../src/catalog/cache.ts';
import type { Catalog } from '../../../src/catalog/model.ts';
import type { Observation } from '../../../src/core/observe.ts';

const catalog = (fingerprint: string): Catalog => ({ fingerprint, counts: { relations: 1 } }) as Catalog;

/** A source whose loads end when the test says so. */
function source() {
  const waiting: { resolve: (value: Catalog) => void; reject: (error: unknown) => void }[] = [];
  return {
    load: () => new Promise<Catalog>((resolve, reject) => waiting.push({ resolve, reject })),
    started: () => waiting.length,
    finish: (index: number, fingerprint: string) => waiting[index]?.resolve(catalog(fingerprint)),
    fail: (index: number) => waiting[index]?.reject(new Error('away')),
  };
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};

describe('the catalog cache', () => {
  it('is empty until the first load, and then swaps whole snapshots', async () => {
    const { load, finish } = source();
    const cache = createCatalogCache({ load, observer: () => {} });
    const seen: string[] = [];
    cache.subscribe((next) => seen.push(next.fingerprint));
    const first = cache.reload('start');
    expect([cache.current(), cache.isSettled()]).toEqual([null, false]);
    finish(0, 'a');
    await first;
    expect([cache.current()?.fingerprint, cache.isSettled()]).toEqual(['a', true]);
    const second = cache.reload('notification');
    expect(cache.current()?.fingerprint).toBe('a');
    finish(1, 'b');
    await second;
    expect(seen).toEqual(['a', 'b']);
  });

  it('keeps the snapshot when nothing has changed', async () => {
    const { load, finish } = source();
    const cache = createCatalogCache({ load, observer: () => {} });
    const seen: string[] = [];
    for (const index of [0, 1]) {
      const done = cache.reload('poll');
      finish(index, 'same');
      await done;
      if (index === 0) cache.subscribe((next) => seen.push(next.fingerprint));
    }
    expect(seen).toEqual([]);
  });

  it('joins the reloads that come during one into a single next one', async () => {
    const { load, started, finish } = source();
    const observed: Observation[] = [];
    const cache = createCatalogCache({ load, observer: (observation) => observed.push(observation) });
    const first = cache.reload('start');
    const later = [cache.reload('one'), cache.reload('two'), cache.reload('three')];
    finish(0, 'a');
    await first;
    await until(() => started() === 2);
    finish(1, 'b');
    await Promise.all(later);
    expect(started()).toBe(2);
    expect(observed).toMatchObject([{ reason: 'start' }, { reason: 'one' }]);
  });

  it('tries again after a failure and keeps what it has meanwhile', async () => {
    const { load, started, finish, fail } = source();
    const failures: number[] = [];
    const cache = createCatalogCache({
      load,
      observer: () => {},
      backoff: { firstMs: 1, maxMs: 2 },
      onFailure: (_, attempt) => {
        failures.push(attempt);
        return true;
      },
    });
    const first = cache.reload('start');
    finish(0, 'a');
    await first;
    const second = cache.reload('notification');
    fail(1);
    await until(() => started() === 3);
    expect(cache.current()?.fingerprint).toBe('a');
    expect(cache.isSettled()).toBe(false);
    finish(2, 'b');
    await second;
    expect([failures, cache.current()?.fingerprint]).toEqual([[1], 'b']);
  });

  it('gives up when it is told to', async () => {
    const { load, fail } = source();
    const cache = createCatalogCache({ load, observer: () => {}, onFailure: () => false });
    const done = cache.reload('start');
    fail(0);
    await expect(done).rejects.toThrow('away');
  });
});
