import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { load } from './load.ts';
import { benchToken, startOwnbase, withDataset } from './setup.ts';
import { workloads } from './workloads.ts';

/*
 * Memory under a long mixed load: resident size after each round of all small workloads. Flat means that the last
 * third is no higher than the second.
 */
const { values: flags } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const mixed = workloads.filter(({ name }) => !name.startsWith('bulk'));
const secondsEach = 3;

const residentMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

await withDataset(async (databaseUrl, started) => {
  const server = started(await startOwnbase(databaseUrl));
  const rounds = Math.max(3, Math.round((Number(flags.minutes) * 60) / (mixed.length * secondsEach)));
  const sizes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const workload of mixed) {
      const options = { url: server.url, pid: server.pid, connections: 8, token: benchToken() };
      await load(workload, { ...options, seconds: secondsEach });
    }
    sizes.push(residentMiB(server.pid));
    process.stdout.write(`round ${round + 1} of ${rounds}: ${sizes.at(-1)?.toFixed(0)} MiB\n`);
  }
  const third = Math.floor(sizes.length / 3);
  const mean = (part: readonly number[]): number => part.reduce((sum, size) => sum + size, 0) / part.length;
  const middle = mean(sizes.slice(third, 2 * third));
  const last = mean(sizes.slice(2 * third));
  process.stdout.write(`second third ${middle.toFixed(0)} MiB, last third ${last.toFixed(0)} MiB\n`);
});
