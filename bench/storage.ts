import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { type Server, startServer } from './processes.ts';
import { freePort, serviceToken } from './setup.ts';

/*
 * What files cost:
 *   small     uploads and downloads of 10 KB, per second, beside another storage server when --peer names one
 *   parallel  growth of resident memory under many uploads of 10 MB at once
 *   large     one upload and one download, against a bare server that hashes and flushes the same bytes to the same disk
 * A peer is a running server's URL, with --peer-pid for its memory; it takes the demo secret.
 */
const { values: flags } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '16' },
    uploads: { type: 'string', default: '200' },
    gigabytes: { type: 'string', default: '2' },
    peer: { type: 'string' },
    'peer-pid': { type: 'string' },
  },
});

const token = serviceToken();
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

type Sent = {
  readonly method: string;
  readonly path: string;
  readonly body?: Buffer | Readable;
  readonly bytes?: number;
};

/** Sends one request and reads the answer to its end; yields how long the answer was. */
async function send(base: string, { method, path, body, bytes }: Sent): Promise<number> {
  const length = bytes ?? (Buffer.isBuffer(body) ? body.length : 0);
  const outgoing = request(base + path, {
    method,
    agent,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined
        ? {}
        : {
            'content-type':
              method === 'POST' && path === '/bucket' ? 'application/json' : 'application/octet-stream',
            'content-length': length,
          }),
    },
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
  });
  if (body === undefined || Buffer.isBuffer(body)) outgoing.end(body);
  else await pipeline(body, outgoing);
  const incoming = await answered;
  let read = 0;
  for await (const chunk of incoming) read += (chunk as Buffer).length;
  if (incoming.statusCode !== 200) throw new Error(`${method} ${path} answered ${incoming.statusCode}`);
  return read;
}

/** Repeats work over a number of connections for a time; yields how often it was done in a second. */
async function perSecond(work: (index: number) => Promise<unknown>, seconds: number): Promise<number> {
  const startedAt = performance.now();
  const until = startedAt + seconds * 1000;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < until) await work(done++);
  };
  await Promise.all(Array.from({ length: Number(flags.connections) }, worker));
  return done / ((performance.now() - startedAt) / 1000);
}

/** Resident memory of a process in bytes: now, and at its highest since the peak was forgotten. */
function memory(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * 1024;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}

const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5');
const inMegabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
const print = (line: string): boolean => process.stdout.write(`${line}\n`);

type Side = { readonly name: string; readonly url: string; readonly pid: number | null };

async function makeBucket({ url }: Side, name: string): Promise<void> {
  await send(url, { method: 'POST', path: '/bucket', body: Buffer.from(JSON.stringify({ name })) });
}

const smallBytes = 10 * 1024;

async function small(sides: readonly Side[]): Promise<void> {
  const body = Buffer.alloc(smallBytes, 'x');
  const seconds = Number(flags.seconds);
  const stored = new Map<string, number>();
  const measured = new Map<string, { up: number; down: number; rss: number }>();
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const side of sides) {
      const bucket = `small-${process.pid}-${round}`;
      await makeBucket(side, bucket);
      let count = 0;
      const up = await perSecond(
        () => send(side.url, { method: 'POST', path: `/object/${bucket}/${count++}`, body }),
        seconds,
      );
      stored.set(side.name, count);
      const down = await perSecond(
        (index) =>
          send(side.url, { method: 'GET', path: `/object/authenticated/${bucket}/${index % count}` }),
        seconds,
      );
      const best = measured.get(side.name) ?? { up: 0, down: 0, rss: 0 };
      const rss = side.pid === null ? 0 : memory(side.pid).now;
      measured.set(side.name, {
        up: Math.max(best.up, up),
        down: Math.max(best.down, down),
        rss: Math.max(best.rss, rss),
      });
    }
  }
  print('objects of 10 KB       up/s   down/s      RSS');
  for (const [name, { up, down, rss }] of measured) {
    print(
      `${name.padEnd(18)} ${up.toFixed(0).padStart(8)} ${down.toFixed(0).padStart(8)} ${inMegabytes(rss).padStart(9)}`,
    );
  }
  const [own, peer] = [measured.get('ownbase'), measured.get('peer')];
  if (own !== undefined && peer !== undefined) {
    print(
      `share of the peer: up ${(own.up / peer.up).toFixed(1)} (target 2), down ${(own.down / peer.down).toFixed(1)} (target 3)`,
    );
  }
}

async function parallel(side: Side & { readonly pid: number }): Promise<void> {
  const bucket = `parallel-${process.pid}`;
  await makeBucket(side, bucket);
  const bytes = 10 * 1024 * 1024;
  const chunk = Buffer.alloc(64 * 1024, 'y');
  const before = memory(side.pid).now;
  forgetPeak(side.pid);
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: Number(flags.uploads) }, (_, index) =>
      send(side.url, {
        method: 'POST',
        path: `/object/${bucket}/${index}`,
        body: repeated(chunk, bytes),
        bytes,
      }),
    ),
  );
  const growth = memory(side.pid).peak - before;
  const seconds = (performance.now() - startedAt) / 1000;
  print(
    `${flags.uploads} uploads of 10 MB at once: ${seconds.toFixed(1)} s, growth ${inMegabytes(growth)} from ${inMegabytes(before)} (target 150 MB)`,
  );
}

/** A body of one chunk over and over. */
function repeated(chunk: Buffer, bytes: number): Readable {
  let left = bytes;
  return new Readable({
    read() {
      const size = Math.min(left, chunk.length);
      left -= size;
      this.push(size === 0 ? null : chunk.subarray(0, size));
    },
  });
}

async function large(side: Side, bare: Server): Promise<void> {
  const bucket = `large-${process.pid}`;
  await makeBucket(side, bucket);
  const bytes = Number(flags.gigabytes) * 1024 ** 3;
  const chunk = Buffer.alloc(256 * 1024, 'z');
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const startedAt = performance.now();
    await work();
    return bytes / 1e6 / ((performance.now() - startedAt) / 1000);
  };
  const up = (base: string, path: string) =>
    timed(() => send(base, { method: 'POST', path, body: repeated(chunk, bytes), bytes }));
  const down = (base: string, path: string) => timed(() => send(base, { method: 'GET', path }));
  const rates = { bareUp: 0, ownUp: 0, bareDown: 0, ownDown: 0 };
  for (let round = 0; round < Number(flags.rounds); round++) {
    const path = `/object/${bucket}/${round}`;
    rates.bareUp = Math.max(rates.bareUp, await up(bare.url, '/file'));
    rates.ownUp = Math.max(rates.ownUp, await up(side.url, path));
    rates.bareDown = Math.max(rates.bareDown, await down(bare.url, '/file'));
    rates.ownDown = Math.max(rates.ownDown, await down(side.url, path));
    await send(side.url, { method: 'DELETE', path });
  }
  const { bareUp, ownUp, bareDown, ownDown } = rates;
  const share = (own: number, bare: number): string =>
    `${own.toFixed(0)} of ${bare.toFixed(0)} MB/s, ${((100 * own) / bare).toFixed(0)} % (target 80 %)`;
  print(`one file of ${flags.gigabytes} GB: up ${share(ownUp, bareUp)}, down ${share(ownDown, bareDown)}`);
}

const isAnswering = async (url: string): Promise<boolean> => (await fetch(`${url}/status`)).ok;

async function startStorage(project: string): Promise<Server> {
  const [port, db, admin, inbox] = [await freePort(), await freePort(), await freePort(), await freePort()];
  return startServer(
    [
      'node',
      'dist/cli/main.js',
      'start',
      '--project',
      project,
      '--port',
      String(port),
      '--db-port',
      String(db),
      '--admin-port',
      String(admin),
      '--inbox-port',
      String(inbox),
    ],
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

const folder = await mkdtemp(join(tmpdir(), 'ownbase-bench-'));
const servers: Server[] = [];
try {
  const own = await startStorage(folder);
  servers.push(own);
  const side = { name: 'ownbase', url: own.url, pid: own.pid };
  const peer =
    flags.peer === undefined
      ? []
      : [
          {
            name: 'peer',
            url: flags.peer,
            pid: flags['peer-pid'] === undefined ? null : Number(flags['peer-pid']),
          },
        ];
  if ('small'.includes(flags.only)) await small([side, ...peer]);
  if ('parallel'.includes(flags.only)) await parallel(side);
  if ('large'.includes(flags.only)) {
    const bare = await startBare(folder);
    servers.push(bare);
    await large(side, bare);
  }
} finally {
  for (const server of servers) await server.stop();
  agent.destroy();
  await rm(folder, { recursive: true, force: true });
}
