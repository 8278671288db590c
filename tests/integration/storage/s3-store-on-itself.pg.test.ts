import { silent } from '../../../src/core/observe.ts';
import { trustProxies } from '../../../src/http/client-address.ts';
import { createHttpServer } from '../../../src/http/server.ts';
import { openS3Store } from '../../../src/storage/backends/s3.ts';
import { createStorageService } from '../../../src/storage/service.ts';
import { startStorage } from '../../support/storage.ts';
import { describeObjectStore } from './object-store.suite.ts';

/*
 * The S3 backend on the S3 endpoint of another instance: the one's client and the other's server hold each other to the
 * protocol. The client knows no path before the bucket, so that the endpoint is mounted at the root.
 */
const instance = await startStorage();
await instance.call('POST', '/bucket', { token: instance.serviceKey, body: { name: 'files' } });
const service = createStorageService(instance.deps);
const server = createHttpServer({
  router: (_method, path) => ({
    service: 'storage',
    path: `/s3${path}`,
    authorization: null,
    answer: service.handle,
  }),
  observer: instance.deps.observer,
  isTrustedProxy: trustProxies([]),
  requestTimeoutMs: 60_000,
});
const port = await server.listen(0, '127.0.0.1');
const { accessKeyId, secretAccessKey } = instance.deps.keys.s3;

describeObjectStore(
  'another instance',
  async () => {
    const store = await openS3Store({
      endpoint: `http://127.0.0.1:${port}`,
      bucket: 'files',
      prefix: 'suite/',
      region: 'us-east-1',
      accessKeyId,
      secretAccessKey,
      isPathStyle: true,
      patienceMs: 10_000,
      observer: silent,
    });
    return {
      ...store,
      async close() {
        await store.close();
        await server.close(1000);
      },
    };
  },
  { large: 9 * 1024 * 1024 },
);
