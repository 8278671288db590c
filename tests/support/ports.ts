import { createServer } from 'node:net';

/*
 * Ports of the processes that tests start. They stand below the system's ephemeral range: a port from inside it can be
 * given to any outgoing connection between the moment that it was found free and the moment that a process listens.
 * 10080 is left below: no fetch goes to it, for it is Amanda's.
 */
const lowest = 10_100;
const count = 20_000;

/** Worker processes begin at places of their own; within one, no port is handed out twice. */
let next = (process.pid * 7919) % count;

function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

async function freePort(): Promise<number> {
  for (let tried = 0; tried < count; tried++) {
    const port = lowest + next;
    next = (next + 1) % count;
    if (await isFree(port)) return port;
  }
  throw new Error(`no port between ${lowest} and ${lowest + count} is free`);
}

/** Different ports of the loopback address that nothing listens on. */
export async function freePorts(wanted: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < wanted) ports.push(await freePort());
  return ports;
}
