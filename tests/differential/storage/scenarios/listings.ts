import { badTokens, makeBucket, put, type Scenario } from '../scenario.ts';

const names = [
  'a',
  'B',
  'c.txt',
  'dir/one',
  'dir/two',
  'dir/sub/three',
  'Dir/upper',
  'dir2/x',
  'a-b',
  'a_b/x',
  'aXb/y',
  'a%2525b',
  'z/.emptyFolderPlaceholder',
  'd',
  'dir.',
  'dir-',
  'deep/er/and/er',
  '10',
  '9',
  'sp%20ace/x y'.replace(' ', '%20'),
];

/** Listings. */
export const listingScenarios: readonly Scenario[] = [
  {
    name: 'listings: folders',
    async run(target) {
      await makeBucket(target, 'b');
      for (const name of names.filter((name) => !name.includes('%25'))) await put(target, `b/${name}`, name);
      const list = (body: object | string, bucket = 'b', ask = {}) =>
        target.ask(`list ${bucket} ${JSON.stringify(body)}`, 'POST', `/object/list/${bucket}`, {
          as: 'service',
          body,
          headers: { 'content-type': 'application/json' },
          ...ask,
        });
      for (const prefix of [
        '',
        'dir',
        'dir/',
        'Dir',
        'DIR/',
        'dir/sub',
        'dir/sub/',
        'none',
        'a',
        'a_b',
        'a%',
        '%',
        '_',
        'z',
        'deep/er',
        '/',
        '//',
        'dir//',
        'sp ace',
        'di',
        '../',
        'dir/one',
      ])
        await list({ prefix });
      for (const search of [
        '',
        'a',
        'd',
        'D',
        'dir',
        'sub',
        'c.t',
        '%',
        '_',
        'dir/',
        'dir/o',
        'one',
        'none',
        '\\',
        'deep/er/',
      ]) {
        await list({ prefix: '', search });
        await list({ prefix: 'dir', search });
      }
      for (const column of ['name', 'updated_at', 'created_at', 'last_accessed_at', 'id', 'metadata']) {
        for (const order of ['asc', 'desc', 'up', undefined])
          await list({ prefix: '', sortBy: { column, order } });
      }
      for (const limit of [1, 2, 5, 0, -1, 1.5, '3', 'x', null, 2000]) await list({ prefix: '', limit });
      for (const offset of [0, 1, 7, 100, -1, '2', 'x']) {
        await list({ prefix: '', offset });
        await list({ prefix: '', offset, limit: 3, sortBy: { column: 'name', order: 'desc' } });
        await list({ prefix: '', offset, limit: 3, sortBy: { column: 'created_at', order: 'asc' } });
      }
      for (const body of [
        '',
        '{',
        '[]',
        'null',
        {},
        { prefix: null },
        { prefix: 5 },
        { prefix: {} },
        { prefix: '', sortBy: {} },
        { prefix: '', sortBy: null },
        { prefix: '', sortBy: 'name' },
        { prefix: '', extra: 1 },
        { prefix: '', search: null },
      ])
        await list(body);
      await list({ prefix: '' }, 'none');
      await list({ prefix: '' }, '%C3%BC');
      await list({ prefix: '' }, 'b', { as: 'anon' });
      await list({ prefix: '' }, 'b', { as: 'user' });
      await list({ prefix: '' }, 'b', { as: undefined });
      for (const [, token] of badTokens(target)) await list({ prefix: '' }, 'b', { as: undefined, token });
      await target.sql(
        `create policy sel on storage.objects for select to authenticated using (name like 'dir/%')`,
      );
      await list({ prefix: '' }, 'b', { as: 'user' });
      await list({ prefix: 'dir' }, 'b', { as: 'user' });
      await list({ prefix: 'deep' }, 'b', { as: 'user' });
      await target.ask('wrong type', 'POST', '/object/list/b', {
        as: 'service',
        body: 'prefix=',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      await target.ask('text', 'POST', '/object/list/b', {
        as: 'service',
        body: '{"prefix":""}',
        headers: { 'content-type': 'text/plain' },
      });
      await target.ask('no type', 'POST', '/object/list/b', { as: 'service', body: '{"prefix":""}' });
      await target.ask('no body', 'POST', '/object/list/b', { as: 'service' });
    },
  },
  {
    name: 'listings: pages',
    async run(target) {
      await makeBucket(target, 'b');
      for (const name of names.filter((name) => !name.includes('%25') && !name.startsWith('aXb')))
        await put(target, `b/${name}`, name);
      const list = (body: object | string, ask = {}) =>
        target.ask(
          `page ${JSON.stringify(body).replace(/"cursor":"[^"]*"/, '...')}`,
          'POST',
          '/object/list-v2/b',
          { as: 'service', body, headers: { 'content-type': 'application/json' }, ...ask },
        );
      for (const prefix of [
        undefined,
        '',
        'dir',
        'dir/',
        'Dir',
        'none',
        'a',
        'a_',
        'a_b/',
        '%',
        'd',
        'deep/',
        '/',
        'dir/sub/',
        'dir/one',
      ]) {
        for (const with_delimiter of [undefined, true, false]) await list({ prefix, with_delimiter });
      }
      for (const with_delimiter of [true, false]) {
        for (const column of ['name', 'created_at', 'updated_at']) {
          for (const order of ['asc', 'desc', undefined]) {
            const sortBy = { column, order };
            let cursor: string | undefined;
            for (let page = 0; page < 12; page++) {
              const { json } = await list({ limit: 3, with_delimiter, sortBy, cursor });
              cursor = json?.nextCursor;
              if (json?.hasNext !== true) break;
            }
          }
        }
      }
      for (const body of [
        '',
        '{',
        '[]',
        {},
        { limit: 0 },
        { limit: -1 },
        { limit: 'x' },
        { limit: 5000 },
        { cursor: 'nonsense' },
        { cursor: '' },
        { cursor: 'bDph' },
        { cursor: Buffer.from('l:a\no:up').toString('base64') },
        { cursor: Buffer.from('x:a').toString('base64') },
        { cursor: Buffer.from('l:a\na:nonsense\nc:created_at').toString('base64') },
        { sortBy: { column: 'last_accessed_at' } },
        { sortBy: {} },
        { sortBy: { column: 'name', order: 'x' } },
        { with_delimiter: 'x' },
        { with_delimiter: 'true' },
        { prefix: null },
        { prefix: 5 },
      ])
        await list(body);
      const options = { headers: { 'content-type': 'application/json' } };
      await target.ask('missing bucket', 'POST', '/object/list-v2/none', {
        as: 'service',
        body: {},
        ...options,
      });
      await target.ask('bad bucket', 'POST', '/object/list-v2/%C3%BC', {
        as: 'service',
        body: {},
        ...options,
      });
      await list({}, { as: 'anon' });
      await list({}, { as: undefined });
      await target.ask('no body', 'POST', '/object/list-v2/b', { as: 'service' });
    },
  },
];
