import { chmod, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** Starts to listen and resolves with the port; rejects when it is taken. */
export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.removeListener('error', reject);
      // A TCP server always has an address object once it listens.
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Listens on a Unix socket; a left-over socket at the path is replaced. */
export async function listenOnSocket(server: Server, path: string, mode: number): Promise<void> {
  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  await chmod(path, mode);
}

/** Lets running requests finish until the deadline, then closes what is left, upgraded sockets too. */
export function close(
  server: Server,
  upgraded: ReadonlySet<Duplex>,
  drainMs: number,
): Promise<{ readonly timedOut: boolean }> {
  return new Promise((resolve) => {
    let timedOut = false;
    const deadline = setTimeout(() => {
      timedOut = true;
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
    }, drainMs);
    server.close(() => {
      clearTimeout(deadline);
      resolve({ timedOut });
    });
    server.closeIdleConnections();
  });
}
