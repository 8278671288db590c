import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';
import { silent } from '../../src/core/observe.ts';
import type { S3StoreOptions } from '../../src/storage/backends/s3.ts';

/*
 * A stand-in for an S3 server that fails when it is told to. It takes no uploads in parts.
 */

/** How the server fails. */
export const s3Faults = [
  /** From the request on, every one is answered with status 500. */
  'answers 500 from then on',
  /** The request is not looked at. */
  'hangs up before it has read',
  /** The request breaks off in the middle of its body. */
  'hangs up while it reads',
  /** The request is done and its answer is lost. */
  'hangs up after it has done it',
  /** The answer breaks off in the middle of its body. */
  'hangs up while it answers',
] as const;

/** How the server stands still: the connection stays, and nothing comes over it any more. */
export const s3Stalls = [
  'never answers',
  /** In the middle of the body; an answer without one is whole. */
  'stops while it answers',
] as const;

/** A way to fail. */
export type S3Fault = (typeof s3Faults)[number] | (typeof s3Stalls)[number];

/** A stand-in for an S3 server. */
export interface S3Double {
  readonly options: S3StoreOptions;
  /** Breaks at the request of this number, counted from 1 from now on. */
  arm(fault: S3Fault, at: number): void;
  /** Ends every fault; yields whether it has struck. */
  heal(): boolean;
  /** Requests whose connections are open and whose answers have not ended. */
  underWay(): number;
  close(): Promise<void>;
}

const bucket = 'files';

/** Starts a stand-in with one bucket, in a folder of its own. */
export async function startS3Double(): Promise<S3Double> {
  const directory = await mkdtemp(join(tmpdir(), 'ownbase-s3-'));
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    configureBuckets: [{ name: bucket, configs: [] }],
  });
  const { port: target } = await server.run();
  let armed: { readonly fault: S3Fault; readonly at: number } | null = null;
  let seen = 0;
  const isStruck = (): boolean => armed !== null && seen >= armed.at;
  const next = (): S3Fault | null => {
    if (armed === null) return null;
    seen++;
    const lasts = armed.fault === 'answers 500 from then on';
    return seen === armed.at || (lasts && isStruck()) ? armed.fault : null;
  };
  const underWay = new Set<ServerResponse>();
  const front = createServer((incoming, outgoing) => {
    const fault = next();
    underWay.add(outgoing);
    outgoing.once('close', () => underWay.delete(outgoing));
    if (fault === 'answers 500 from then on') {
      outgoing.writeHead(500, { connection: 'close' }).end();
    } else if (fault === 'hangs up before it has read') {
      incoming.socket.destroy();
    } else if (fault === 'never answers') {
      // A connection that is not read from would not show that its client has left.
      incoming.resume();
    } else {
      forward(incoming, outgoing, target, fault);
    }
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  return {
    options: {
      endpoint: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
      region: 'us-east-1',
      bucket,
      prefix: 'faults/',
      accessKeyId: 'S3RVER',
      secretAccessKey: 'S3RVER',
      isPathStyle: true,
      patienceMs: 10_000,
      retryDelayMs: 1,
      observer: silent,
    },
    arm(fault, at) {
      armed = { fault, at };
      seen = 0;
    },
    heal() {
      const hasStruck = isStruck();
      armed = null;
      return hasStruck;
    },
    underWay: () => underWay.size,
    async close() {
      front.close();
      front.closeAllConnections();
      // Requests that broke off are still waiting for the rest of their bodies.
      server.httpServer.closeAllConnections();
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  port: number,
  fault: S3Fault | null,
): void {
  const { method, url, rawHeaders } = incoming;
  const onward = request({ host: '127.0.0.1', port, method, path: url, headers: rawHeaders, agent: false });
  onward.on('error', () => incoming.socket.destroy());
  outgoing.once('close', () => onward.destroy());
  onward.on('response', (answer) => {
    if (fault === 'hangs up after it has done it') {
      answer.resume().once('end', () => incoming.socket.destroy());
      return;
    }
    outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    if (fault === 'stops while it answers') {
      answer.once('end', () => outgoing.end());
      answer.once('data', (chunk: Buffer) => {
        answer.removeAllListeners('end').resume();
        outgoing.write(chunk.subarray(0, chunk.length / 2));
      });
      return;
    }
    if (fault !== 'hangs up while it answers') {
      answer.pipe(outgoing);
      return;
    }
    answer.once('end', () => incoming.socket.destroy());
    answer.on('data', (chunk: Buffer) => outgoing.write(chunk.subarray(0, chunk.length / 2)));
  });
  if (fault !== 'hangs up while it reads') {
    incoming.pipe(onward);
    return;
  }
  // A request without a body breaks off, too: half of it has been sent by then.
  incoming.once('data', (chunk: Buffer) => onward.write(chunk.subarray(0, chunk.length / 2)));
  incoming.once('data', () => setImmediate(() => [onward, incoming.socket].map((end) => end.destroy())));
  incoming.once('end', () => incoming.socket.destroy());
}
