import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { type Crowd, openCrowd } from './crowd.ts';
import { percentile } from './figures.ts';
import type { World } from './world.ts';

const sockets = 1_000;
const messages = 400;
/** Messages that are under way at once: enough to keep the server busy, too few to fill a socket's buffer. */
const batch = 20;

const topic = 'realtime:x';
const join = { url: '', sockets, topic, config: {}, tokens: [], waitsForChanges: false };
const fillerBytes = 60;

function openSender(url: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** A broadcast of protocol 2.0.0 whose payload tells when it was made. */
function broadcastFrame(filler: number): Buffer {
  const at = (performance.timeOrigin + performance.now()).toFixed(2);
  const payload = Buffer.from(JSON.stringify({ at, filler: 'x'.repeat(filler) }));
  return Buffer.concat([Buffer.from([3, 1, 0, topic.length, 1, 0, 1]), Buffer.from(`1${topic}e`), payload]);
}

/** Deliveries per second to this many sockets, when the sender goes on as soon as a batch has arrived. */
async function flood(
  crowd: Crowd,
  send: (count: number) => void,
  { sockets, messages }: Record<'sockets' | 'messages', number>,
): Promise<number> {
  await crowd.report();
  const start = performance.now();
  let arrived = 0;
  for (let sent = 0; sent < messages; sent += batch) {
    send(batch);
    while (arrived < (sent + batch - batch / 2) * sockets) {
      await delay(2);
      arrived += (await crowd.report()).received;
    }
  }
  while (arrived < messages * sockets) {
    await delay(2);
    arrived += (await crowd.report()).received;
  }
  return (messages * sockets) / ((performance.now() - start) / 1_000);
}

/** Opens a socket that has joined: the server has answered it. */
async function joinSender(url: string): Promise<WebSocket> {
  const sender = await openSender(url);
  const answered = new Promise<void>((resolve) => sender.once('message', () => resolve()));
  sender.send(JSON.stringify(['1', '1', topic, 'phx_join', { config: {} }]));
  await answered;
  return sender;
}

function sendMany(sender: WebSocket, count: number, filler: number): void {
  for (let i = 0; i < count; i++) sender.send(broadcastFrame(filler));
}

/** Deliveries per second of broadcasts of this size to this many sockets; the best round counts. */
export async function benchSameFanOut(
  world: World,
  {
    sockets: count,
    messages: sent,
    bytes,
    rounds,
  }: Record<'sockets' | 'messages' | 'bytes' | 'rounds', number>,
): Promise<number> {
  const crowd = await openCrowd({ ...join, sockets: count, url: world.socketUrl });
  const sender = await joinSender(world.socketUrl);
  // What a frame has beside its filler.
  const filler = Math.max(0, Math.round(bytes) - (broadcastFrame(0).length - 2));
  let best = 0;
  for (let round = 0; round < rounds; round++) {
    const send = (many: number): void => sendMany(sender, many, filler);
    best = Math.max(best, await flood(crowd, send, { sockets: count, messages: sent }));
  }
  sender.terminate();
  crowd.close();
  return best;
}

/** What broadcasts to a thousand sockets cost, against the yardstick. */
export type BroadcastFigures = {
  readonly bare: number;
  readonly own: number;
  /** At ten messages a second. */
  readonly p50: number;
  readonly p99: number;
};

/** Measures both servers in turn; the better round of each counts. */
export async function benchBroadcast(world: World, rounds: number): Promise<BroadcastFigures> {
  const bareCrowd = await openCrowd({ ...join, url: world.bareUrl });
  const bareSender = await openSender(`${world.bareUrl}sender`);
  const ownCrowd = await openCrowd({ ...join, url: world.socketUrl });
  const ownSender = await joinSender(world.socketUrl);
  const load = { sockets, messages };
  let [bare, own] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    bare = Math.max(bare, await flood(bareCrowd, (count) => bareSender.send(String(count)), load));
    own = Math.max(own, await flood(ownCrowd, (count) => sendMany(ownSender, count, fillerBytes), load));
  }
  await ownCrowd.look(false);
  for (let i = 0; i < 50; i++) {
    ownSender.send(broadcastFrame(fillerBytes));
    await delay(100);
  }
  const { latencies } = await ownCrowd.collect(50 * sockets, 5_000);
  bareSender.terminate();
  ownSender.terminate();
  bareCrowd.close();
  ownCrowd.close();
  return { bare, own, p50: percentile(latencies, 50), p99: percentile(latencies, 99) };
}
