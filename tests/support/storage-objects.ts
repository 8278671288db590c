import { expect, vi } from 'vitest';
import { sql } from '../../src/pg/sql/sql.ts';
import { type Answer, type StorageInstance, startStorage } from './storage.ts';

/** What tests look at of a row of an object. */
type ObjectRow = {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly user_metadata: unknown;
  readonly version: string;
};

/** An instance with buckets, and requests for its objects. */
export type ObjectInstance = StorageInstance & {
  readonly token: string;
  readonly upload: (
    path: string,
    body: string | Buffer,
    headers?: Readonly<Record<string, string>>,
    method?: string,
  ) => Promise<Answer>;
  readonly download: (path: string, headers?: Readonly<Record<string, string>>) => Promise<Answer>;
  readonly rowsOf: (name: string) => Promise<ObjectRow[]>;
  /** What every refused upload must leave behind: no row, and as many blobs as there were before. */
  readonly expectNothingLeft: (name: string, blobsBefore: number) => Promise<void>;
};

/** Starts an instance with the buckets `files`, `open` (public) and `tight` (of few bytes and types). */
export async function startWithBuckets(): Promise<ObjectInstance> {
  const instance = await startStorage({
    env: { OWNBASE_STORAGE_DELETE_GRACE: '0', FILE_SIZE_LIMIT: '300000' },
  });
  const { call, serviceKey: token, database } = instance;
  await call('POST', '/bucket', { token, body: { name: 'files' } });
  await call('POST', '/bucket', { token, body: { name: 'open', public: true } });
  await call('POST', '/bucket', {
    token,
    body: { name: 'tight', file_size_limit: '1KB', allowed_mime_types: ['text/*', 'image/png'] },
  });
  const rowsOf = (name: string): Promise<ObjectRow[]> =>
    database.owner.query<ObjectRow>(
      sql`select metadata, user_metadata, version from storage.objects where name = ${name}`,
    );
  return {
    ...instance,
    token,
    upload: (path, body, headers = {}, method = 'POST') =>
      call(method, `/object/${path}`, { token, body, headers: { 'content-type': 'text/plain', ...headers } }),
    download: (path, headers = {}) => call('GET', `/object/authenticated/${path}`, { token, headers }),
    rowsOf,
    async expectNothingLeft(name, blobsBefore) {
      expect(await rowsOf(name)).toEqual([]);
      await vi.waitFor(async () => {
        expect(await instance.unfinished()).toEqual([]);
        expect(await instance.blobs()).toHaveLength(blobsBefore);
      });
    },
  };
}
