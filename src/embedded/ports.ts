import { createServer } from 'node:net';
import { EmbeddedError } from './errors.ts';
import { type PortHolder, portHolder } from './processes.ts';

/** Whether a port of an address can be listened on now. */
function isPortFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** A port of the loopback address that nothing listens on at this moment. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

/**
 * Throws `port_taken`, with the holder's name when the system tells it, unless the port can be listened on.
 * `remedy` says how to choose another.
 */
export async function demandFreePort(port: number, host: string, remedy: string): Promise<void> {
  if (await isPortFree(port, host)) return;
  const holder = await portHolder(port);
  throw new EmbeddedError(
    'port_taken',
    `Port ${port} is taken by ${describeHolder(holder)}. Stop it, or ${remedy}.`,
  );
}

/** Says in a few words who holds a port. */
function describeHolder(holder: PortHolder | undefined): string {
  if (!holder) return 'another process';
  const command = holder.command.length > 120 ? `${holder.command.slice(0, 120)}...` : holder.command;
  const project = /^(.*)\/\.ownbase\/postgres$/.exec(holder.folder ?? '')?.[1];
  return project
    ? `the Postgres of the project ${project} (process ${holder.pid})`
    : `process ${holder.pid} (${command})`;
}
