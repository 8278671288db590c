import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { sql } from '../../src/pg/sql/sql.ts';
import { cpuMicros } from '../processes.ts';
import { openCrowd } from './crowd.ts';
import type { World } from './world.ts';

const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

/** What sockets cost that do nothing. */
export type IdleFigures = {
  readonly rssBytes: number;
  /** Share of one core. */
  readonly cpu: number;
  /** Statements per second that the database sees. */
  readonly statementsPerSecond: number;
};

/** Ten thousand sockets, each joined to one channel. */
export async function benchIdle(world: World, sockets: number): Promise<IdleFigures> {
  const crowd = await openCrowd({
    ...{ url: world.socketUrl, sockets, topic: 'realtime:idle', config: {}, tokens: [] },
    waitsForChanges: false,
  });
  await delay(5_000);
  const rssBytes = residentBytes(world.own.pid);
  const before = { cpu: cpuMicros(world.own.pid) ?? Number.NaN, statements: await statements(world) };
  const seconds = 10;
  await delay(seconds * 1_000);
  const cpu = ((cpuMicros(world.own.pid) ?? Number.NaN) - before.cpu) / (seconds * 1e6);
  // The question itself is a transaction.
  const asked = (await statements(world)) - before.statements - 1;
  crowd.close();
  return { rssBytes, cpu, statementsPerSecond: Math.max(0, asked) / seconds };
}

async function statements({ db }: World): Promise<number> {
  // The counters of other connections are flushed at most once a second.
  await delay(1_100);
  const [row] = await db.query<{ count: number }>(
    sql`select (xact_commit + xact_rollback)::float8 as count from pg_stat_database where datname = current_database()`,
  );
  return row?.count ?? Number.NaN;
}

/**
 * Bytes that the server's peak grows by when a client on a full channel does not read: the same traffic is sent without
 * and with such a client.
 */
export async function benchStalled(world: World): Promise<number> {
  const topic = 'realtime:stalled';
  const open = (): Promise<WebSocket> =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(world.socketUrl, { perMessageDeflate: false });
      socket.once('error', reject);
      socket.once('open', () => socket.send(JSON.stringify(['1', '1', topic, 'phx_join', { config: {} }])));
      socket.once('message', () => resolve(socket));
    });
  const [sender, reader] = await Promise.all([open(), open()]);
  const message = JSON.stringify([
    ...['1', '2', topic, 'broadcast'],
    { type: 'broadcast', event: 'e', payload: { filler: 'x'.repeat(20_000) } },
  ]);
  let got = 0;
  reader.on('message', () => got++);
  const peakOf = async (messages: number): Promise<number> => {
    const start = got;
    let peak = 0;
    for (let sent = 0; sent < messages; sent++) {
      sender.send(message);
      while (got < start + sent - 20) await delay(1);
      if (sent % 20 === 0) peak = Math.max(peak, residentBytes(world.own.pid));
    }
    while (got < start + messages) await delay(1);
    return peak;
  };
  // What the process takes once for such traffic is not the stalled client's.
  await peakOf(1_500);
  const growths: number[] = [];
  for (let round = 0; round < 5; round++) {
    const without = await peakOf(1_500);
    const slow = await open();
    slow.pause();
    growths.push((await peakOf(1_500)) - without);
    slow.terminate();
  }
  for (const socket of [sender, reader]) socket.terminate();
  // The median: the moment at which the engine collects its garbage moves the peak of a round by tens of megabytes.
  return Math.max(0, growths.sort((left, right) => left - right)[2] ?? Number.NaN);
}
