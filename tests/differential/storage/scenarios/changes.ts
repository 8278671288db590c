import { badTokens, makeBucket, put, type Scenario } from '../scenario.ts';

const state = `select bucket_id || '/' || name, owner_id, metadata, user_metadata from storage.objects order by bucket_id, name collate "C"`;
const json = { 'content-type': 'application/json' };
const metadata = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64');

/** Moves, copies and removals. */
export const changeScenarios: readonly Scenario[] = [
  {
    name: 'changes: moves',
    async run(target) {
      await makeBucket(target, 'b');
      await makeBucket(target, 'c', { file_size_limit: 1, allowed_mime_types: ['image/png'] });
      for (const name of ['one', 'two', 'three', 'dir/x'])
        await put(target, `b/${name}`, name, { 'x-metadata': metadata({ of: name }) });
      const move = (body: object | string, ask = {}) =>
        target.ask(`move ${JSON.stringify(body)}`, 'POST', '/object/move', {
          as: 'service',
          body,
          headers: json,
          ...ask,
        });
      for (const body of [
        '',
        '{',
        '[]',
        {},
        { bucketId: 'b' },
        { bucketId: 'b', sourceKey: 'one' },
        { sourceKey: 'one', destinationKey: 'x' },
        { bucketId: 'b', sourceKey: null, destinationKey: 'x' },
        { bucketId: 'b', sourceKey: '', destinationKey: 'x' },
        { bucketId: 'b', sourceKey: 'one', destinationKey: '' },
        { bucketId: 'b', sourceKey: 'none', destinationKey: 'x' },
        { bucketId: 'none', sourceKey: 'one', destinationKey: 'x' },
        { bucketId: 'b', sourceKey: 'one', destinationKey: 'ü' },
        { bucketId: 'b', sourceKey: 'ü', destinationKey: 'x' },
        { bucketId: 'ü', sourceKey: 'one', destinationKey: 'x' },
        { bucketId: 'b', sourceKey: 'one', destinationKey: 'two' },
        { bucketId: 'b', sourceKey: 'one', destinationKey: 'one' },
        { bucketId: 'b', sourceKey: 'none', destinationKey: 'none' },
        { bucketId: 'b', sourceKey: 'one', destinationKey: 'moved/one' },
        { bucketId: 'b', sourceKey: 'one', destinationKey: 'x' },
        { bucketId: 'b', sourceKey: 'two', destinationKey: 'two', destinationBucket: 'c' },
        { bucketId: 'b', sourceKey: 'three', destinationKey: 'x', destinationBucket: 'none' },
        { bucketId: 'b', sourceKey: 'three', destinationKey: 'x', destinationBucket: 'ü' },
        { bucketId: 'b', sourceKey: 'three', destinationKey: 'y', destinationBucket: '' },
        { bucketId: 'b', sourceKey: 'dir', destinationKey: 'dir2' },
        { bucketId: 'b', sourceKey: 'dir/x', destinationKey: '/lead' },
        { bucketId: 'b', sourceKey: '/lead', destinationKey: 'trail/' },
      ])
        await move(body);
      await target.rows('rows', state);
      await target.ask('moved is there', 'GET', '/object/b/moved/one', { as: 'service' });
      await target.ask('old is gone', 'GET', '/object/b/one', { as: 'service' });
      await put(target, 'b/m', 'm');
      const plain = { bucketId: 'b', sourceKey: 'm', destinationKey: 'n' };
      await move(plain, { as: undefined });
      for (const [, token] of badTokens(target)) await move(plain, { as: undefined, token });
      for (const as of ['anon', 'user']) await move(plain, { as });
      await target.sql('create policy sel on storage.objects for select to authenticated using (true)');
      await move(plain, { as: 'user' });
      await target.sql(
        `create policy upd on storage.objects for update to authenticated using (true) with check (name like 'u%')`,
      );
      await move(plain, { as: 'user' });
      await move({ ...plain, destinationKey: 'u' }, { as: 'user' });
      await move(
        { bucketId: 'b', sourceKey: 'u', destinationKey: 'u2', destinationBucket: 'none' },
        { as: 'user' },
      );
      await target.rows('rows after', state);
    },
  },
  {
    name: 'changes: copies',
    async run(target) {
      await makeBucket(target, 'b');
      await makeBucket(target, 'c', { file_size_limit: 1, allowed_mime_types: ['image/png'] });
      for (const name of ['one', 'two'])
        await put(target, `b/${name}`, name, {
          'x-metadata': metadata({ of: name }),
          'cache-control': 'max-age=9',
        });
      const copy = (body: object | string, ask = {}) =>
        target.ask(`copy ${JSON.stringify(body)} ${JSON.stringify(ask)}`, 'POST', '/object/copy', {
          as: 'service',
          body,
          ...ask,
          headers: { ...json, ...(ask as { headers?: object }).headers },
        });
      const from = { bucketId: 'b', sourceKey: 'one' };
      for (const body of [
        '',
        '{',
        {},
        from,
        { ...from, destinationKey: '' },
        { ...from, sourceKey: 'none', destinationKey: 'x' },
        { ...from, bucketId: 'none', destinationKey: 'x' },
        { ...from, destinationKey: 'ü' },
        { ...from, sourceKey: 'ü', destinationKey: 'x' },
        { ...from, destinationKey: 'copy' },
        { ...from, destinationKey: 'copy' },
        { ...from, destinationKey: 'two' },
        { ...from, destinationKey: 'one' },
        { ...from, destinationKey: 'x', destinationBucket: 'c' },
        { ...from, destinationKey: 'x', destinationBucket: 'none' },
        { ...from, destinationKey: 'm1', copyMetadata: true, metadata: { cacheControl: 'max-age=1' } },
        { ...from, destinationKey: 'm2', copyMetadata: false },
        {
          ...from,
          destinationKey: 'm3',
          copyMetadata: false,
          metadata: { cacheControl: 'max-age=1', mimetype: 'image/png' },
        },
        { ...from, destinationKey: 'm4', copyMetadata: false, metadata: { mimetype: 'image/png' } },
        { ...from, destinationKey: 'm5', copyMetadata: 'x' },
        { ...from, destinationKey: 'm6', metadata: 'x' },
        { ...from, destinationKey: 'm7', copyMetadata: false, metadata: { eTag: 'x', size: 1 } },
        { ...from, destinationKey: 'm8', copyMetadata: null },
        { ...from, destinationKey: 'm9', metadata: null },
        { ...from, destinationKey: 'm10', copyMetadata: false, metadata: { cacheControl: null } },
      ])
        await copy(body);
      await copy({ ...from, destinationKey: 'two' }, { headers: { 'x-upsert': 'true' } });
      await copy({ ...from, destinationKey: 'one' }, { headers: { 'x-upsert': 'true' } });
      await copy(
        { ...from, destinationKey: 'one', copyMetadata: false, metadata: { mimetype: 'image/gif' } },
        { headers: { 'x-upsert': 'true' } },
      );
      await copy(
        { ...from, destinationKey: 'n1', copyMetadata: false },
        { headers: { 'x-metadata': metadata({ new: 1 }) } },
      );
      await copy({ ...from, destinationKey: 'n2' }, { headers: { 'x-metadata': metadata({ new: 1 }) } });
      await copy(
        { ...from, destinationKey: 'n3', copyMetadata: false },
        { headers: { 'x-metadata': 'nonsense' } },
      );
      await target.rows('rows', state);
      await target.ask('read', 'GET', '/object/b/m3', { as: 'service' });
      const plain = { ...from, destinationKey: 'p' };
      await copy(plain, { as: undefined });
      for (const as of ['anon', 'user']) await copy(plain, { as });
      await target.sql('create policy sel on storage.objects for select to authenticated using (true)');
      await copy(plain, { as: 'user' });
      await target.sql(
        `create policy ins on storage.objects for insert to authenticated with check (name like 'u%' and metadata ->> 'mimetype' = 'image/gif')`,
      );
      await copy(plain, { as: 'user' });
      await copy({ ...from, destinationKey: 'u1' }, { as: 'user' });
      await copy({ ...from, destinationKey: 'u1' }, { as: 'user' });
      await copy({ ...from, destinationKey: 'u1' }, { as: 'user', headers: { 'x-upsert': 'true' } });
      await target.rows('rows after', state);
    },
  },
  {
    name: 'changes: removals',
    async run(target) {
      await makeBucket(target, 'b');
      for (let i = 0; i < 8; i++) await put(target, `b/f${i}`, 'x', { 'x-metadata': metadata({ i }) });
      await put(target, 'b/dir/x', 'x');
      const remove = (step: string, path: string, ask = {}) =>
        target.ask(step, 'DELETE', `/object/${path}`, { as: 'service', ...ask });
      await remove('one', 'b/f0');
      await remove('again', 'b/f0');
      await remove('missing bucket', 'none/f0');
      await remove('bad bucket', '%C3%BC/f0');
      await remove('bad name', 'b/%C3%BC');
      await remove('folder', 'b/dir');
      await remove('without token', 'b/f1', { as: undefined });
      for (const [name, token] of badTokens(target)) await remove(name, 'b/f1', { as: undefined, token });
      for (const as of ['anon', 'user']) await remove(`as ${as}`, 'b/f1', { as });
      await remove('empty json', 'b/f2', { headers: json });
      await remove('json', 'b/f2', { body: {} });
      await remove('text', 'b/f3', { body: 'x', headers: { 'content-type': 'text/plain' } });
      const many = (body: object | string, ask = {}) =>
        target.ask(`many ${JSON.stringify(body).slice(0, 60)}`, 'DELETE', '/object/b', {
          as: 'service',
          body,
          headers: json,
          ...ask,
        });
      for (const body of [
        '',
        '{',
        '[]',
        {},
        { prefixes: [] },
        { prefixes: null },
        { prefixes: 'f4' },
        { prefixes: [5] },
        { prefixes: ['none', 'f5', 'ü', '', 'f5', '../x'] },
        { prefixes: ['dir'] },
        { prefixes: ['dir/'] },
        { prefixes: Array.from({ length: 1200 }, (_, i) => `x${i}`) },
      ])
        await many(body);
      await many({ prefixes: ['f6'] }, { as: 'user' });
      await many({ prefixes: ['f6'] }, { as: undefined });
      await target.ask('many in a missing bucket', 'DELETE', '/object/none', {
        as: 'service',
        body: { prefixes: ['x'] },
      });
      await target.ask('many in a bad bucket', 'DELETE', '/object/%C3%BC', {
        as: 'service',
        body: { prefixes: ['x'] },
      });
      await target.ask('many without body', 'DELETE', '/object/b', { as: 'service' });
      await target.sql('create policy del on storage.objects for delete to authenticated using (true)');
      await remove('delete without select', 'b/f6', { as: 'user' });
      await many({ prefixes: ['f6'] }, { as: 'user' });
      await target.sql(
        `create policy sel on storage.objects for select to authenticated using (name <> 'f7')`,
      );
      await many({ prefixes: ['f6', 'f7'] }, { as: 'user' });
      await remove('hidden', 'b/f7', { as: 'user' });
      await target.rows('rows', state);
    },
  },
  {
    name: 'changes: the rest',
    async run(target) {
      for (const path of [
        '/status',
        '/health',
        '/version',
        '/metrics',
        '/documentation',
        '/cdn',
        '/cdn/b',
        '/cdn/b/x',
        '/iceberg/bucket',
        '/iceberg/v1/config',
        '/vector/ListVectorBuckets',
        '/vector',
        '/upload',
        '/render',
        '/render/image',
        '/object/list',
        '/admin',
        '/tenants',
        '/healthcheck',
      ]) {
        for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'PUT', 'OPTIONS']) {
          await target.ask(`${method} ${path}`, method, path);
          await target.ask(`${method} ${path} as service`, method, path, { as: 'service' });
        }
        await target.ask(`GET ${path} as user`, 'GET', path, { as: 'user' });
        await target.ask(`DELETE ${path} as user`, 'DELETE', path, { as: 'user' });
      }
      await makeBucket(target, 'b');
      for (const path of [
        '/cdn/b/x',
        '/cdn/b',
        '/cdn',
        '/cdn/none/x',
        '/cdn/b/x?transformations=true',
        '/cdn/b/x?transformations=x',
        '/cdn/%C3%BC/x',
      ])
        await target.ask(`purge ${path}`, 'DELETE', path, { as: 'service' });
    },
  },
];
