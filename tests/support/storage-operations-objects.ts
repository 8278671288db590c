import {
  bucket,
  bytesOf,
  call,
  contents,
  digest,
  fresh,
  type Headers,
  must,
  type Operation,
  outcome,
  put,
  type Service,
  type State,
} from './storage-operation.ts';

/** An operation of one request on objects that are there already; it is tried again when it was not acknowledged. */
const simple = (
  name: string,
  make: () => {
    readonly there: Readonly<Record<string, Buffer>>;
    readonly after: Readonly<Record<string, Buffer | null>>;
    readonly request: (service: Service) => ReturnType<typeof call>;
  },
): Operation => ({
  name,
  async prepare(service) {
    const { there, after, request } = make();
    for (const [key, bytes] of Object.entries(there)) await put(service, key, bytes);
    const digests = (contents: Readonly<Record<string, Buffer | null>>): State =>
      Object.fromEntries(
        Object.keys(after).map((key) => [key, contents[key] ? digest(contents[key]) : null]),
      );
    const afterwards = digests(after);
    return {
      before: digests(there),
      after: afterwards,
      run: (target) => outcome(() => request(target)),
      async settle(target) {
        const isDone =
          JSON.stringify(await contents(target, Object.keys(after))) === JSON.stringify(afterwards);
        if (!isDone) await must(() => request(target));
      },
    };
  },
});

const json =
  (path: string, body: object, headers: Headers = {}) =>
  (service: Service) =>
    call(service, 'POST', path, body, headers);

/** Operations on whole objects over REST. */
export const objects: readonly Operation[] = [
  simple('an upload', () => {
    const name = fresh('upload');
    return {
      there: {},
      after: { [name]: bytesOf(name) },
      request: (service) => call(service, 'POST', `/object/${bucket}/${name}`, bytesOf(name)),
    };
  }),
  simple('an upload as a form', () => {
    const name = fresh('form');
    return {
      there: {},
      after: { [name]: bytesOf(name) },
      request: async (service) => {
        const form = new FormData();
        form.append('', new Blob([bytesOf(name)]), 'file');
        const answer = await fetch(`${service.url}/object/${bucket}/${name}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${service.serviceKey}` },
          body: form,
        });
        return {
          status: answer.status,
          headers: answer.headers,
          bytes: Buffer.from(await answer.arrayBuffer()),
        };
      },
    };
  }),
  simple('an upsert', () => {
    const name = fresh('upsert');
    return {
      there: { [name]: bytesOf('old') },
      after: { [name]: bytesOf(name) },
      request: (service) => call(service, 'PUT', `/object/${bucket}/${name}`, bytesOf(name)),
    };
  }),
  simple('a move', () => {
    const [from, to] = [fresh('move-from'), fresh('move-to')];
    return {
      there: { [from]: bytesOf(from) },
      after: { [from]: null, [to]: bytesOf(from) },
      request: json('/object/move', { bucketId: bucket, sourceKey: from, destinationKey: to }),
    };
  }),
  simple('a copy over another object', () => {
    const [from, to] = [fresh('copy-from'), fresh('copy-to')];
    return {
      there: { [from]: bytesOf(from), [to]: bytesOf('old') },
      after: { [from]: bytesOf(from), [to]: bytesOf(from) },
      request: json(
        '/object/copy',
        { bucketId: bucket, sourceKey: from, destinationKey: to },
        { 'x-upsert': 'true' },
      ),
    };
  }),
  simple('a delete', () => {
    const name = fresh('delete');
    return {
      there: { [name]: bytesOf(name) },
      after: { [name]: null },
      request: (service) => call(service, 'DELETE', `/object/${bucket}/${name}`),
    };
  }),
  simple('a delete of many', () => {
    const [one, two] = [fresh('delete'), fresh('delete')];
    return {
      there: { [one]: bytesOf(one), [two]: bytesOf(two) },
      after: { [one]: null, [two]: null },
      request: (service) => call(service, 'DELETE', `/object/${bucket}`, { prefixes: [one, two] }),
    };
  }),
];
