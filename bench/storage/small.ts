import { makeBucket, type Side, send } from './client.ts';
import { median } from './figures.ts';
import { memory } from './memory.ts';

/** What one server did with small objects. */
export type SmallRates = { readonly up: number; readonly down: number; readonly rss: number };

const bytes = 10 * 1024;
const connections = 16;

/** Repeats work over a number of connections for a time; yields how often it was done in a second. */
async function perSecond(work: (index: number) => Promise<unknown>, seconds: number): Promise<number> {
  const startedAt = performance.now();
  const until = startedAt + seconds * 1000;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < until) await work(done++);
  };
  await Promise.all(Array.from({ length: connections }, worker));
  return done / ((performance.now() - startedAt) / 1000);
}

/**
 * Uploads and downloads of 10 KB on each server in turn, round by round; medians of the rounds, and the most resident
 * memory that was seen.
 */
export async function benchSmall(
  sides: readonly Side[],
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<ReadonlyMap<string, SmallRates>> {
  const body = Buffer.alloc(bytes, 'x');
  const seen = new Map(sides.map(({ name }) => [name, { up: [0].slice(1), down: [0].slice(1), rss: 0 }]));
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const bucket = `small-${process.pid}-${round}`;
    const counts = new Map<string, number>();
    for (const side of sides) {
      await makeBucket(side, bucket);
      let count = 0;
      const up = await perSecond(
        () => send(side.url, { method: 'POST', path: `/object/${bucket}/${count++}`, body }),
        round === 0 ? 1 : seconds,
      );
      counts.set(side.name, count);
      if (round > 0) seen.get(side.name)?.up.push(up);
    }
    for (const side of sides) {
      const count = counts.get(side.name) ?? 1;
      const path = (index: number): string => `/object/authenticated/${bucket}/${index % count}`;
      const down = await perSecond(
        (index) => send(side.url, { method: 'GET', path: path(index) }),
        round === 0 ? 1 : seconds,
      );
      const known = seen.get(side.name);
      if (known === undefined) continue;
      if (round > 0) known.down.push(down);
      if (side.pid !== null) known.rss = Math.max(known.rss, memory(side.pid).now);
    }
  }
  return new Map(
    [...seen].map(([name, { up, down, rss }]) => [name, { up: median(up), down: median(down), rss }]),
  );
}
