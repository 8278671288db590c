import { WebSocket } from 'ws';
import type { Answer, CrowdSpec, Order, Report } from './protocol.ts';

/* A crowd of sockets in a process of its own, so that the server under test has a core for itself. */

const simultaneous = 100;
const heartbeatMs = 25_000;

const sockets: WebSocket[] = [];
let received = 0;
let bytes = 0;
let closed = 0;
let looks: 'no' | 'time' | 'ids' = 'no';
let latencies: number[] = [];
let byId: Record<string, number[]> = {};

const answer = (message: Answer): void => void process.send?.(message);

process.on('message', (order: Order) => {
  switch (order.kind) {
    case 'open':
      void open(order.spec).then(() => answer({ kind: 'ready' }));
      return;
    case 'look':
      looks = order.ids ? 'ids' : 'time';
      answer({ kind: 'ready' });
      return;
    case 'report':
      answer({ kind: 'report', report: takeReport() });
  }
});
process.on('disconnect', () => process.exit(0));
process.on('unhandledRejection', (failure) => {
  process.stderr.write(`a crowd could not be opened: ${failure}\n`);
  process.exit(1);
});

function takeReport(): Report {
  const report = { received, bytes, latencies, byId, closed };
  received = 0;
  bytes = 0;
  latencies = [];
  byId = {};
  return report;
}

async function open(spec: CrowdSpec): Promise<void> {
  for (let at = 0; at < spec.sockets; at += simultaneous) {
    const count = Math.min(simultaneous, spec.sockets - at);
    await Promise.all(Array.from({ length: count }, (_, i) => openOne(spec, at + i)));
  }
  setInterval(() => {
    for (const socket of sockets) socket.send('[null,"hb","phoenix","heartbeat",{}]');
  }, heartbeatMs);
}

function openOne(spec: CrowdSpec, index: number): Promise<void> {
  const user = index % Math.max(1, spec.tokens.length);
  const socket = new WebSocket(spec.url, { perMessageDeflate: false });
  sockets.push(socket);
  socket.on('close', () => closed++);
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => {
      if (spec.topic === null) {
        resolve();
        return;
      }
      const payload = { config: spec.config, access_token: spec.tokens[user] };
      socket.send(JSON.stringify(['1', '1', spec.topic, 'phx_join', payload]));
    });
    let isReady = spec.topic === null;
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isReady) {
        count(data, isBinary, user);
        return;
      }
      const text = data.toString('utf8');
      const word = spec.waitsForChanges ? '"Subscribed to PostgreSQL"' : '"phx_reply"';
      if (text.includes('"status":"error"')) reject(new Error(text));
      if (!text.includes(word)) return;
      isReady = true;
      resolve();
    });
  });
}

/** Heartbeats' replies are short; what is measured is longer. */
const shortest = 90;

function count(data: Buffer, isBinary: boolean, user: number): void {
  if (!isBinary && data.length < shortest) return;
  received++;
  bytes += data.length;
  if (looks === 'no') return;
  const text = data.toString('latin1');
  const at = /"at":"?([\d.]+)/.exec(text)?.[1];
  if (at !== undefined) latencies.push(performance.timeOrigin + performance.now() - Number(at));
  if (looks === 'time') return;
  const id = /"record":\{"id":(\d+)/.exec(text)?.[1] ?? '?';
  const users = byId[id];
  if (users === undefined) byId[id] = [user];
  else users.push(user);
}
