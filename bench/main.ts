import { parseArgs } from 'node:util';
import { floor } from './floor.ts';
import { type LoadResult, load } from './load.ts';
import type { Server } from './processes.ts';
import { benchToken, claims, poolSize, startCeiling, startOwnbase, withDataset } from './setup.ts';
import { type Workload, workloads } from './workloads.ts';

/*
 * Compares ownbase with two references in one run, on one Postgres and one data set:
 *   floor    the same SQL through bare `pg`, one round trip, no HTTP
 *   ceiling  a hard-coded HTTP server that checks the token and makes that one round trip
 * `realtime`, `auth` or `storage` as an argument runs the bench of that service instead.
 * Rounds alternate between the servers, so that a slow moment of the machine hits both. Each workload is sent to both
 * for some seconds before it is measured: a server runs for days, and the first ten thousand requests of a kind are
 * spent in an engine that has not yet compiled them.
 */
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '2' },
    'warm-up': { type: 'string', default: '5' },
    connections: { type: 'string', default: '16' },
    json: { type: 'boolean', default: false },
    // Of storage alone.
    peer: { type: 'string' },
    'peer-pid': { type: 'string' },
    uploads: { type: 'string', default: '200' },
    gigabytes: { type: 'string', default: '2' },
  },
});
const seconds = Number(flags.seconds);
const warmUp = Number(flags['warm-up']);
const connections = Number(flags.connections);

type Row = {
  readonly workload: Workload;
  readonly floorPerSecond: number;
  readonly ceiling: LoadResult;
  readonly own: LoadResult;
};

const best = (results: readonly LoadResult[]): LoadResult =>
  results.reduce((left, right) => (right.perSecond > left.perSecond ? right : left));

async function measure(
  workload: Workload,
  servers: { readonly ceiling: Server; readonly own: Server },
  databaseUrl: string,
): Promise<Row> {
  const token = benchToken();
  const against = (server: Server, duration = seconds): Promise<LoadResult> =>
    load(workload, { url: server.url, pid: server.pid, connections, seconds: duration, token });
  const floorPerSecond = await floor(workload, { databaseUrl, claims, pool: poolSize, seconds: seconds / 2 });
  const ceilings: LoadResult[] = [];
  const owns: LoadResult[] = [];
  if (warmUp > 0) for (const server of [servers.ceiling, servers.own]) await against(server, warmUp);
  for (let round = 0; round < Number(flags.rounds); round++) {
    ceilings.push(await against(servers.ceiling));
    owns.push(await against(servers.own));
  }
  return { workload, floorPerSecond, ceiling: best(ceilings), own: best(owns) };
}

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

function line(row: Row): string {
  const { workload, floorPerSecond, ceiling, own } = row;
  const share = own.perSecond / ceiling.perSecond;
  const isVoid = workload.name === 'read by key' && ceiling.perSecond < floorPerSecond / 2;
  return [
    workload.name.padEnd(20),
    floorPerSecond.toFixed(0).padStart(8),
    ceiling.perSecond.toFixed(0).padStart(8),
    own.perSecond.toFixed(0).padStart(8),
    percent(share).padStart(7),
    percent(workload.target).padStart(7),
    `${own.p99}/${ceiling.p99}`.padStart(10),
    `${own.cpuMicros.toFixed(0)}/${ceiling.cpuMicros.toFixed(0)}`.padStart(10),
    own.errors + ceiling.errors > 0 ? `  ${own.errors}+${ceiling.errors} errors` : '',
    isVoid ? '  void: ceiling below half of the floor' : '',
  ].join(' ');
}

async function benchRest(): Promise<void> {
  await withDataset(async (databaseUrl, started) => {
    const servers = {
      ceiling: started(await startCeiling(databaseUrl)),
      own: started(await startOwnbase(databaseUrl)),
    };
    if (!flags.json) {
      process.stdout.write(
        `${connections} connections, ${seconds} s, pool of ${poolSize}, requests per second\n`,
      );
      process.stdout.write(
        'workload                floor  ceiling  ownbase   share  target     p99 ms     cpu us\n',
      );
    }
    for (const workload of workloads.filter(({ name }) => name.includes(flags.only))) {
      const row = await measure(workload, servers, databaseUrl);
      process.stdout.write(flags.json ? `${JSON.stringify(row)}\n` : `${line(row)}\n`);
    }
  });
}

if (positionals[0] === 'realtime') await (await import('./realtime/main.ts')).benchRealtime(flags.only);
else if (positionals[0] === 'auth') await (await import('./auth.ts')).benchAuth();
else if (positionals[0] === 'storage') {
  const { benchStorage } = await import('./storage/main.ts');
  await benchStorage({
    ...{ only: flags.only, seconds, rounds: Number(flags.rounds) },
    ...{ peer: flags.peer, peerPid: flags['peer-pid'] },
    ...{ uploads: Number(flags.uploads), gigabytes: Number(flags.gigabytes) },
  });
} else await benchRest();
