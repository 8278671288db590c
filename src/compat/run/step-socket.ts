import type { ConnectStep, ReceiveStep, SendStep, SilentStep } from '../cases/model.ts';
import type { StepRecord } from '../result.ts';
import { mismatches, savedValue } from './match.ts';
import { type Message, openSocket, type Socket, SocketRefused } from './socket.ts';
import { addressOf } from './target.ts';
import { fill, fillString, type Variables } from './template.ts';
import type { World } from './world.ts';

/** Sockets of one case, by the names that it gives them. */
export type Sockets = Map<string, Socket>;

/** Opens a socket as the realtime client does: the key or token stands in the query. */
export async function runConnect(
  step: ConnectStep,
  world: World,
  variables: Variables,
  sockets: Sockets,
): Promise<StepRecord> {
  const started = performance.now();
  const { anonKey, serviceKey } = world.target;
  const keys: Readonly<Record<string, string>> = { anon: anonKey, service: serviceKey };
  const key = keys[step.as] ?? fillString(step.as, variables);
  const path = `/realtime/v1/websocket?apikey=${encodeURIComponent(key)}&vsn=${step.vsn}`;
  const address = addressOf(world.target, path).replace(/^http/, 'ws');
  const status = await openOrRefused(() => openSocket(address, step.vsn), step.socket, sockets);
  const done = record(`connect ${step.socket}`, started);
  if (status === step.refused) return done;
  const found = { at: 'refused', expected: step.refused, actual: status };
  return { ...done, mismatches: [found] };
}

/** Keeps the socket; when it is refused, yields the status. */
async function openOrRefused(
  open: () => Promise<Socket>,
  name: string,
  sockets: Sockets,
): Promise<number | undefined> {
  try {
    sockets.set(name, await open());
    return undefined;
  } catch (error) {
    if (error instanceof SocketRefused) return error.status;
    throw error;
  }
}

/** Sends one message. */
export function runSend(step: SendStep, variables: Variables, sockets: Sockets): StepRecord {
  const started = performance.now();
  const message = fill(step.message, variables) as Message;
  socketOf(step.socket, sockets).send(message);
  return record(`send ${step.socket} ${String(message.event)}`, started);
}

/** Waits for a message; others that come before it stay for later steps. */
export async function runReceive(
  step: ReceiveStep,
  world: World,
  variables: Map<string, unknown>,
  sockets: Sockets,
): Promise<StepRecord> {
  const started = performance.now();
  const socket = socketOf(step.socket, sockets);
  const expected = fill(step.match, variables);
  const message = await socket.take(
    (candidate) => mismatches(expected, candidate, 'subset').length === 0,
    world.patienceMs,
  );
  for (const [name, path] of Object.entries(step.save)) variables.set(name, savedValue(message, path));
  const title = `receive ${step.socket}`;
  if (message !== undefined) return { ...record(title, started), messages: [message] };
  const actual = [...socket.pending()];
  return { ...record(title, started), messages: actual, mismatches: [{ at: 'message', expected, actual }] };
}

/** Makes sure that a message does not come. */
export async function runSilent(
  step: SilentStep,
  variables: Variables,
  sockets: Sockets,
): Promise<StepRecord> {
  const started = performance.now();
  const expected = fill(step.match, variables);
  const actual = await socketOf(step.socket, sockets).take(
    (candidate) => mismatches(expected, candidate, 'subset').length === 0,
    step.ms,
  );
  const title = `silence on ${step.socket}`;
  if (actual === undefined) return record(title, started);
  return { ...record(title, started), mismatches: [{ at: 'message', expected: '<absent>', actual }] };
}

const record = (title: string, started: number): StepRecord => ({
  title,
  mismatches: [],
  ms: performance.now() - started,
});

function socketOf(name: string, sockets: Sockets): Socket {
  const socket = sockets.get(name);
  if (socket === undefined) throw new RangeError(`the case has no socket ${name}`);
  return socket;
}
