import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './ports.ts';

/** A broker of its own for one test file. */
export type Broker = {
  readonly url: string;
  /** Ends the server at once, as a crash does. */
  readonly kill: () => Promise<void>;
  /** Starts it again where it was. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** A kind of broker that is installed here. */
export type BrokerKind = { readonly name: 'Redis' | 'NATS'; readonly start: () => Promise<Broker> };

const isInstalled = (command: string): boolean => spawnSync(command, ['--version']).error === undefined;

const nats = ['nats-server', join(homedir(), 'go/bin/nats-server')].find(isInstalled);

/** The brokers that this machine has; the others are named once. */
export function installedBrokers(): readonly BrokerKind[] {
  const kinds: BrokerKind[] = [];
  if (isInstalled('redis-server')) kinds.push({ name: 'Redis', start: startRedis });
  else process.stderr.write('not run: Redis (no redis-server)\n');
  if (nats !== undefined) kinds.push({ name: 'NATS', start: () => startNats(nats) });
  else process.stderr.write('not run: NATS (no nats-server)\n');
  return kinds;
}

function startRedis(): Promise<Broker> {
  return startBroker('redis', 'redis-server', (port) => [
    ...['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
  ]);
}

function startNats(command: string): Promise<Broker> {
  return startBroker('nats', command, (port) => ['-a', '127.0.0.1', '-p', String(port)]);
}

async function startBroker(
  scheme: string,
  command: string,
  parameters: (port: number) => readonly string[],
): Promise<Broker> {
  const [port = 0] = await freePorts(1);
  const folder = await mkdtemp(join(tmpdir(), 'ownbase-broker-'));
  let server: ChildProcess;
  const start = async (): Promise<void> => {
    server = spawn(command, parameters(port), { cwd: folder, stdio: 'ignore' });
    await untilListening(port);
  };
  const kill = (): Promise<void> =>
    new Promise((resolve) => {
      if (server.exitCode !== null || server.signalCode !== null) return resolve();
      server.once('exit', () => resolve());
      server.kill('SIGKILL');
    });
  await start();
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    kill,
    restart: start,
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = createConnection(port, '127.0.0.1');
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => socket.destroy());
      socket.once('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nobody listens on port ${port}`);
}
