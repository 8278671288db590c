import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, expect, it, vi } from 'vitest';
import type { Observation } from '../../../src/core/observe.ts';
import { openS3Store } from '../../../src/storage/backends/s3.ts';
import { until } from '../../support/until.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A store on a server that answers with the statuses, one request after the other, and then with 200. */
async function openOn(statuses: readonly number[]) {
  const bodies: Buffer[] = [];
  const observed: Observation[] = [];
  const left = [...statuses];
  const server = createServer(async (request, answer) => {
    bodies.push(await bytesOf(request));
    const status = left.shift() ?? 200;
    const text = status === 200 ? 'answer' : 'x'.repeat(16_000_000);
    const headers = { etag: '"tag"', 'last-modified': new Date(0).toUTCString(), connection: 'close' };
    answer.writeHead(status, { ...headers, 'content-length': text.length }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const store = await openS3Store({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ bucket: 'files', prefix: '', region: 'us-east-1', accessKeyId: 'a', secretAccessKey: 'b' },
    isPathStyle: true,
    patienceMs: 5000,
    observer: (observation) => observed.push(observation),
  });
  const connections = (): Promise<number> =>
    new Promise((resolve, reject) =>
      server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    );
  return { store, bodies, observed, connections };
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const notice = (method: string, status: number, attempt: number): Observation => ({
  kind: 'notice',
  service: 'storage',
  level: 'warn',
  message: 'a request to the S3 server is sent again',
  fields: { method, status, attempt, delay_ms: expect.any(Number) as number },
});

it('sends a request again with its body, tells the log of it, and the console nothing', async () => {
  const warn = vi.spyOn(console, 'warn');
  closers.push(() => warn.mockRestore());
  const { store, bodies, observed } = await openOn([503, 429]);
  await store.put('x', Readable.from([Buffer.from('con'), Buffer.from('tent')]), { maxBytes: 9 });
  expect(bodies.map(String)).toEqual(['content', 'content', 'content']);
  expect(observed).toEqual([notice('PUT', 503, 1), notice('PUT', 429, 2)]);
  expect(warn).not.toHaveBeenCalled();
});

it('gives up on the third answer of that kind, and leaves no connection behind', async () => {
  const { store, bodies, observed, connections } = await openOn([200, 503, 503, 503]);
  await expect(store.get('x')).rejects.toThrow('503');
  expect([bodies.length, observed.length]).toEqual([4, 2]);
  await until(async () => (await connections()) === 0);
});

it('does not repeat what was refused', async () => {
  const { store, bodies, observed } = await openOn([403]);
  await expect(store.head('x')).rejects.toThrow();
  expect([bodies.length, observed]).toEqual([1, []]);
});
