import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/*
 * Stands between a service and its Postgres and breaks what passes, at the message that it was told to.
 */

/** How the database fails. */
export const pgFaults = [
  /** The connection ends before the server has heard anything. */
  'is lost before it hears',
  /** The server does everything and its answer is lost. */
  'is lost after it has done everything',
  /** An administrator ends the service's sessions. */
  'ends the sessions',
  /** The server is gone for good: every connection breaks, and new ones are refused. */
  'is gone',
] as const;

/** A way to fail. */
export type PgFault = (typeof pgFaults)[number];

/** A Postgres that fails when told to. */
export interface PgProxy {
  /** A connection string of the server, by way of the proxy. */
  url(direct: string): string;
  /** Breaks at the message of this number, counted from 1 from now on. */
  arm(fault: PgFault, at: number): void;
  /** Ends every fault; yields whether it has struck. */
  heal(): Promise<boolean>;
  close(): Promise<void>;
}

/** Starts a proxy in front of the server that a connection string names; `endSessions` ends the service's sessions. */
export async function startPgProxy(direct: string, endSessions: () => Promise<unknown>): Promise<PgProxy> {
  const { hostname, port } = new URL(direct);
  const sockets = new Set<Socket>();
  let armed: { readonly fault: PgFault; readonly at: number } | null = null;
  let seen = 0;
  let struck = false;
  const isStruckBy = (): PgFault | null => {
    if (armed === null || struck) return null;
    struck = ++seen === armed.at;
    return struck ? armed.fault : null;
  };
  const server = createServer((client) => {
    const upstream = connect({ host: hostname, port: Number(port) });
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.once('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    let isSwallowing = false;
    upstream.on('data', (chunk) => {
      if (isSwallowing) end();
      else client.write(chunk);
    });
    client.on('data', (chunk) => {
      const fault = isStruckBy();
      if (fault === 'is lost before it hears') return end();
      if (fault === 'is gone') return shut(server, sockets);
      if (fault === 'ends the sessions') {
        client.pause();
        void endSessions().then(() => {
          upstream.write(chunk);
          client.resume();
        });
        return;
      }
      if (fault === 'is lost after it has done everything') isSwallowing = true;
      upstream.write(chunk);
    });
  });
  await listen(server, 0);
  const own = (server.address() as { port: number }).port;
  return {
    url(given) {
      const url = new URL(given);
      url.hostname = '127.0.0.1';
      url.port = String(own);
      return url.href;
    },
    arm(fault, at) {
      armed = { fault, at };
      seen = 0;
      struck = false;
    },
    async heal() {
      if (struck && armed?.fault === 'ends the sessions') await allEnded(sockets);
      armed = null;
      if (!server.listening) await listen(server, own);
      return struck;
    },
    async close() {
      shut(server, sockets);
    },
  };
}

/** Ends what is left and waits until the clients have heard of it: their pools must not lend a dead connection. */
async function allEnded(sockets: ReadonlySet<Socket>): Promise<void> {
  const ends = [...sockets].map((socket) => once(socket, 'close'));
  for (const socket of sockets) socket.destroy();
  await Promise.all(ends);
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function shut(server: Server, sockets: ReadonlySet<Socket>): void {
  server.close();
  for (const socket of sockets) socket.destroy();
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}
