import { makeBucket, repeated, type Side, send } from './client.ts';
import { median } from './figures.ts';
import { forgetPeak, memory } from './memory.ts';

/** Many uploads of 10 MB at once: seconds, and growth of resident memory in bytes. */
export async function benchParallel(
  side: Side & { readonly pid: number },
  uploads: number,
): Promise<{ readonly seconds: number; readonly growth: number; readonly before: number }> {
  const bucket = `parallel-${process.pid}`;
  await makeBucket(side, bucket);
  const bytes = 10 * 1024 * 1024;
  const chunk = Buffer.alloc(64 * 1024, 'y');
  const before = memory(side.pid).now;
  forgetPeak(side.pid);
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: uploads }, (_, index) =>
      send(side.url, {
        method: 'POST',
        path: `/object/${bucket}/${index}`,
        body: repeated(chunk, bytes),
        bytes,
      }),
    ),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  return { seconds, growth: memory(side.pid).peak - before, before };
}

/** Rates of one large file in MB/s, and the medians of the rounds' shares. */
export type LargeRates = {
  readonly up: { readonly own: number; readonly bare: number; readonly share: number };
  readonly down: { readonly own: number; readonly bare: number; readonly share: number };
};

/**
 * One upload and one download against a bare server that hashes and flushes the same bytes to the same disk, in pairs
 * whose order alternates; each file is removed before the next one is written.
 */
export async function benchLarge(
  side: Side,
  bare: string,
  { gigabytes, rounds }: { readonly gigabytes: number; readonly rounds: number },
): Promise<LargeRates> {
  const bucket = `large-${process.pid}`;
  await makeBucket(side, bucket);
  const bytes = gigabytes * 1024 ** 3;
  const chunk = Buffer.alloc(256 * 1024, 'z');
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const startedAt = performance.now();
    await work();
    return bytes / 1e6 / ((performance.now() - startedAt) / 1000);
  };
  const rates = { own: { up: [0], down: [0] }, bare: { up: [0], down: [0] } };
  for (let round = 0; round < rounds; round++) {
    const places = [
      { rates: rates.own, url: side.url, path: `/object/${bucket}/${round}` },
      { rates: rates.bare, url: bare, path: '/file' },
    ];
    if (round % 2 === 1) places.reverse();
    for (const { rates: into, url, path } of places) {
      const body = repeated(chunk, bytes);
      into.up[round] = await timed(() => send(url, { method: 'POST', path, body, bytes }));
    }
    for (const { rates: into, url, path } of places) {
      into.down[round] = await timed(() => send(url, { method: 'GET', path }));
    }
    for (const { url, path } of places) await send(url, { method: 'DELETE', path });
  }
  const compare = (way: 'up' | 'down') => ({
    own: median(rates.own[way]),
    bare: median(rates.bare[way]),
    share: median(rates.own[way].map((rate, round) => rate / (rates.bare[way][round] ?? Number.NaN))),
  });
  return { up: compare('up'), down: compare('down') };
}
