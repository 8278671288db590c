import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Server, startServer } from '../processes.ts';
import { line } from '../realtime/figures.ts';
import { freePort } from '../setup.ts';
import { hangUp, type Side } from './client.ts';
import { benchLarge, benchParallel } from './large.ts';
import { benchSmall } from './small.ts';

/** What of the bench runs, and beside whom. */
export type StorageBench = {
  /** `small`, `parallel` or `large`; empty for all. */
  readonly only: string;
  readonly seconds: number;
  readonly rounds: number;
  /** Another storage server that takes the demo secret: its URL, and its process for its memory. */
  readonly peer: string | undefined;
  readonly peerPid: string | undefined;
  readonly uploads: number;
  readonly gigabytes: number;
};

const inMegabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

/**
 * What files cost: small ones per second beside another server, growth of memory under many uploads at once, and one
 * large file against a bare server that hashes and flushes the same bytes to the same disk.
 */
export async function benchStorage(options: StorageBench): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ownbase-bench-'));
  const servers: Server[] = [];
  try {
    const own = await startStorage(folder);
    servers.push(own);
    const side = { name: 'ownbase', url: own.url, pid: own.pid };
    if ('small'.includes(options.only)) await small(side, options);
    if ('parallel'.includes(options.only)) await parallel(side, options);
    if ('large'.includes(options.only)) {
      const bare = await startBare(folder);
      servers.push(bare);
      await large(side, bare.url, options);
    }
  } finally {
    for (const server of servers) await server.stop();
    hangUp();
    await rm(folder, { recursive: true, force: true });
  }
}

async function small(own: Side, options: StorageBench): Promise<void> {
  const { peer: url, peerPid } = options;
  const peer =
    url === undefined ? [] : [{ name: 'peer', url, pid: peerPid === undefined ? null : Number(peerPid) }];
  const rates = await benchSmall([own, ...peer], options);
  const [mine, theirs] = [rates.get('ownbase'), rates.get('peer')];
  if (mine === undefined) return;
  const against = (name: string, rate: number, other: number | undefined, target: number): void => {
    if (other === undefined) {
      line(name, `${rate.toFixed(0)}/s`, '--peer names none', true);
      return;
    }
    const share = rate / other;
    const figure = `${rate.toFixed(0)} of ${other.toFixed(0)}/s, ${share.toFixed(2)}`;
    line(name, figure, `>= ${target} of the peer`, share >= target);
  };
  against('10 KB up', mine.up, theirs?.up, 2);
  against('10 KB down', mine.down, theirs?.down, 3);
  line('  resident memory', inMegabytes(mine.rss), '< 200 MB', mine.rss < 200e6);
  if (theirs !== undefined && peerPid !== undefined) {
    line('  resident memory of the peer', inMegabytes(theirs.rss), '', true);
  }
}

async function parallel(own: Side & { readonly pid: number }, { uploads }: StorageBench): Promise<void> {
  const { seconds, growth, before } = await benchParallel(own, uploads);
  const figure = `${inMegabytes(growth)} from ${inMegabytes(before)}`;
  line(
    `${uploads} uploads of 10 MB at once, ${seconds.toFixed(1)} s: growth`,
    figure,
    '< 150 MB',
    growth < 150e6,
  );
}

async function large(own: Side, bare: string, options: StorageBench): Promise<void> {
  const rates = await benchLarge(own, bare, options);
  for (const way of ['up', 'down'] as const) {
    const { own: mine, bare: limit, share } = rates[way];
    const figure = `${mine.toFixed(0)} of ${limit.toFixed(0)} MB/s, ${share.toFixed(2)}`;
    line(`a file of ${options.gigabytes} GB ${way}`, figure, '>= 0.8 of bare http', share >= 0.8);
  }
}

const isAnswering = async (url: string): Promise<boolean> => (await fetch(`${url}/status`)).ok;

async function startStorage(project: string): Promise<Server> {
  const [port, db, admin] = [await freePort(), await freePort(), await freePort()];
  const ports = ['--port', port, '--db-port', db, '--admin-port', admin].map(String);
  return startServer(
    ['node', 'dist/cli/main.js', 'start', '--project', project, '--no-inbox', ...ports],
    { FILE_SIZE_LIMIT: '10GiB', OWNBASE_LOG_LEVEL: 'error', OWNBASE_STORAGE_DELETE_GRACE: '0' },
    `http://127.0.0.1:${port}/storage/v1`,
    isAnswering,
  );
}

async function startBare(folder: string): Promise<Server> {
  const port = await freePort();
  return startServer(
    ['node', '--import', 'tsx', 'bench/servers/files.ts'],
    { PORT: String(port), FOLDER: folder },
    `http://127.0.0.1:${port}`,
    isAnswering,
  );
}
