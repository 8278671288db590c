import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A port that leads to another one of this machine, and may be led elsewhere. */
export type Proxy = {
  readonly port: number;
  /** Cuts what is connected; what connects from now on comes to this port. */
  readonly switchTo: (port: number) => void;
  readonly stop: () => Promise<void>;
};

/** Starts a proxy in front of a port. */
export async function startProxy(target: number): Promise<Proxy> {
  let current = target;
  const open = new Set<Socket>();
  const keep = (socket: Socket): void => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
  };
  const server = createServer((near) => {
    const far = connect(current, '127.0.0.1');
    for (const socket of [near, far]) keep(socket);
    near.pipe(far).pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    switchTo(port) {
      current = port;
      cut();
    },
    async stop() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
