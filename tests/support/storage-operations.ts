import { expect } from 'vitest';
import {
  bucket,
  bytesOf,
  call,
  contents,
  digest,
  fresh,
  type Headers,
  halfBytes,
  must,
  type Operation,
  type Outcome,
  outcome,
  type Prepared,
  put,
  type Service,
} from './storage-operation.ts';
import { objects } from './storage-operations-objects.ts';
import { inParts } from './storage-operations-parts.ts';

const tus: Headers = { 'tus-resumable': '1.0.0', 'x-upsert': 'true' };
const piece: Headers = { ...tus, 'content-type': 'application/offset+octet-stream' };
const encode = (text: string): string => Buffer.from(text).toString('base64');

const create = (service: Service, name: string, body?: Buffer) =>
  call(service, 'POST', '/upload/resumable', body, {
    ...(body === undefined ? tus : piece),
    'upload-length': String(2 * halfBytes),
    'upload-metadata': `bucketName ${encode(bucket)},objectName ${encode(name)}`,
  });

const pathOf = (headers: globalThis.Headers): string =>
  new URL(headers.get('location') ?? '').pathname.replace('/storage/v1', '');

const patch = (service: Service, path: string, offset: number, bytes: Buffer) =>
  call(service, 'PATCH', path, bytes, { ...piece, 'upload-offset': String(offset) });

/** Goes on where the service says that the upload is, and yields that place. */
async function resume(service: Service, path: string, bytes: Buffer): Promise<number> {
  const head = await must(() => call(service, 'HEAD', path, undefined, tus));
  const offset = Number(head.headers.get('upload-offset'));
  if (offset < bytes.length) await must(() => patch(service, path, offset, bytes.subarray(offset)));
  return offset;
}

const resumable: readonly Operation[] = [
  {
    name: 'a resumable upload’s creation',
    async prepare() {
      const name = fresh('tus-create');
      const bytes = bytesOf(name, 2 * halfBytes);
      let path: string | null = null;
      return {
        before: { [name]: null },
        after: { [name]: null },
        end: { [name]: digest(bytes) },
        run: (service) =>
          outcome(async () => {
            const answer = await create(service, name, bytes.subarray(0, halfBytes));
            if (answer.status < 300) path = pathOf(answer.headers);
            return answer;
          }),
        async settle(service, { isAcknowledged }) {
          path ??= pathOf((await must(() => create(service, name))).headers);
          const offset = await resume(service, path, bytes);
          if (isAcknowledged) expect(offset).toBe(halfBytes);
        },
      };
    },
  },
  {
    name: 'a piece of a resumable upload',
    async prepare(service) {
      const name = fresh('tus-piece');
      const bytes = bytesOf(name, 2 * halfBytes);
      const path = pathOf((await must(() => create(service, name))).headers);
      await must(() => patch(service, path, 0, bytes.subarray(0, 1000)));
      return {
        before: { [name]: null },
        after: { [name]: null },
        end: { [name]: digest(bytes) },
        run: (target) => outcome(() => patch(target, path, 1000, bytes.subarray(1000, halfBytes))),
        async settle(target, { isAcknowledged }) {
          const offset = await resume(target, path, bytes);
          expect(offset).toBeGreaterThanOrEqual(isAcknowledged ? halfBytes : 1000);
        },
      };
    },
  },
  {
    name: 'the last piece of a resumable upload',
    async prepare(service) {
      const name = fresh('tus-last');
      const bytes = bytesOf(name, 2 * halfBytes);
      await put(service, name, bytesOf('old'));
      const path = pathOf((await must(() => create(service, name))).headers);
      await must(() => patch(service, path, 0, bytes.subarray(0, halfBytes)));
      return {
        before: { [name]: digest(bytesOf('old')) },
        after: { [name]: digest(bytes) },
        run: (target) => outcome(() => patch(target, path, halfBytes, bytes.subarray(halfBytes))),
        async settle(target, { isAcknowledged }) {
          const offset = await resume(target, path, bytes);
          expect(offset).toBeGreaterThanOrEqual(isAcknowledged ? 2 * halfBytes : halfBytes);
        },
      };
    },
  },
  {
    name: 'the end of a resumable upload by its client',
    async prepare(service) {
      const name = fresh('tus-delete');
      const path = pathOf((await must(() => create(service, name))).headers);
      await must(() => patch(service, path, 0, bytesOf(name, 1000)));
      return {
        before: { [name]: null },
        after: { [name]: null },
        run: (target) => outcome(() => call(target, 'DELETE', path, undefined, tus)),
        async settle(target, { isAcknowledged }) {
          const again = await call(target, 'DELETE', path, undefined, tus);
          expect(isAcknowledged ? [404] : [204, 404]).toContain(again.status);
        },
      };
    },
  },
];

/** Every operation that changes what is stored. */
export const operations: readonly Operation[] = [...objects, ...resumable, ...inParts];

/**
 * Holds an operation that something broke in against its promises, on a service that works again: acknowledged work is
 * there, work that was not is there whole or not at all, and the client gets to its end.
 */
export async function expectKept(service: Service, prepared: Prepared, outcome: Outcome): Promise<void> {
  const { before, after, end = after } = prepared;
  const names = Object.keys(after);
  expect(outcome.isAcknowledged ? [after] : [before, after]).toContainEqual(await contents(service, names));
  await prepared.settle(service, outcome);
  expect(await contents(service, names)).toEqual(end);
}
