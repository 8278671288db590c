import http, { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { withPatience } from '../../../src/storage/backends/s3-patience.ts';
import { until } from '../../support/until.ts';

const patienceMs = 100;
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Starts a server on a free port. */
async function serve(
  listener: RequestListener,
): Promise<{ port: number; connections: () => Promise<number> }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    port: (server.address() as AddressInfo).port,
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
      ),
  };
}

const transport = withPatience(http, patienceMs);

/** Sends a request; yields its answer, which nobody reads yet. */
function send(port: number, body?: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = transport.request({ port, method: body === undefined ? 'GET' : 'PUT' }, resolve);
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

async function lengthOf(answer: IncomingMessage): Promise<number> {
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) length += chunk.length;
  return length;
}

/** Resolves once a server that never answers has been given up, and so the patience has run out. */
async function outlastPatience(): Promise<void> {
  const { port } = await serve(() => {});
  await expect(send(port)).rejects.toThrow('does not answer');
}

it('ends with a server that does not answer, and frees the connection', async () => {
  const { port, connections } = await serve(() => {});
  await expect(send(port)).rejects.toThrow('does not answer');
  await until(async () => (await connections()) === 0);
});

it('ends with a server that stops in the middle of its answer', async () => {
  const { port, connections } = await serve((_request, answer) => answer.write('begun'));
  await expect(send(port).then(lengthOf)).rejects.toThrow('does not answer');
  await until(async () => (await connections()) === 0);
});

it('ends with a server that stops taking the request', async () => {
  const { port } = await serve((request) => request.pause());
  await expect(send(port, Buffer.alloc(32 * 1024 * 1024))).rejects.toThrow('does not answer');
});

it('waits for a client that does not take what has come', async () => {
  const size = 32 * 1024 * 1024;
  const { port } = await serve((_request, answer) => answer.end(Buffer.alloc(size)));
  const answer = await send(port);
  await outlastPatience();
  await outlastPatience();
  expect(await lengthOf(answer)).toBe(size);
});

it('watches each request that a connection is used for', async () => {
  let count = 0;
  const { port, connections } = await serve((_request, answer) => {
    if (++count === 1) answer.end('done');
  });
  expect(await send(port).then(lengthOf)).toBe(4);
  await expect(send(port)).rejects.toThrow('does not answer');
  await until(async () => (await connections()) === 0);
});
