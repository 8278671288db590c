import { badTokens, makeBucket, put, type Scenario } from '../scenario.ts';

const longName = 'n'.repeat(101);

/** Buckets. */
export const bucketScenarios: readonly Scenario[] = [
  {
    name: 'buckets: creation',
    async run(target) {
      const make = (body: object | string, headers = {}) =>
        target.ask(`create ${JSON.stringify(body)}`, 'POST', '/bucket', { as: 'service', body, headers });
      for (const name of [
        'plain',
        'with space',
        "a!b.c*d'e(f)",
        'x&$=@;:+,?-',
        'ü',
        'a/b',
        longName,
        'n'.repeat(100),
      ]) {
        await make({ name });
      }
      for (const name of [
        '',
        ' leading',
        'trailing ',
        'x--table-s3',
        'a#b',
        'a%b',
        'a\\b',
        'a"b',
        'a\nb',
        1,
        true,
        null,
        {},
        [],
      ]) {
        await make({ name });
      }
      for (const body of [{}, { id: 'only-id' }, [], '', 'null', '"x"', '{', '5']) {
        await make(body, typeof body === 'string' ? { 'content-type': 'application/json' } : {});
      }
      await make({ name: 'with-id', id: 'other-id' });
      await make({ name: 'with-id', id: 'again' });
      await make({ name: 'again', id: 'other-id' });
      await make({ name: 'plain' });
      await make({ name: 'empty-id', id: '' });
      for (const is of [true, false, 'true', 'false', 'yes', 0, 1, null, '', {}]) {
        await make({ name: `public-${JSON.stringify(is)}`.replace(/[^a-z0-9-]/gi, '_'), public: is });
      }
      for (const type of ['STANDARD', 'ANALYTICS', 'VECTOR', '', null]) {
        await make({ name: `type-${type}`, type });
      }
      await target.ask('list all', 'GET', '/bucket?sortColumn=name', { as: 'service' });
    },
  },
  {
    name: 'buckets: limits and types',
    async run(target) {
      const make = (name: string, body: object) =>
        target.ask(`limits ${JSON.stringify(body)}`, 'POST', '/bucket', {
          as: 'service',
          body: { name, ...body },
        });
      const sizes = [
        '50MB',
        '1.5GB',
        '20kb',
        '3B',
        '20MiB',
        'abc',
        '',
        '-1',
        '5 MB',
        '1234KB',
        '5.MB',
        '.5MB',
        '1e3',
        '1000',
        1000,
        0,
        -1,
        1.5,
        null,
        52428800,
        52428801,
        '60MB',
        'NaN',
        true,
        false,
        {},
        [],
        1e300,
      ];
      for (const [i, file_size_limit] of sizes.entries()) await make(`size-${i}`, { file_size_limit });
      const types = [
        ['image/png'],
        ['image/*'],
        ['*'],
        ['*/*'],
        ['nonsense'],
        ['a/b/c'],
        ['text/plain;charset=utf-8'],
        ['text/plain; charset=utf-8'],
        ['text/plain;boundary=x'],
        [''],
        ['', 'image/png'],
        ['x'.repeat(1001)],
        [`${'x'.repeat(999)}*`],
        [],
        null,
        'image/png',
        [1],
        [null],
        {},
        5,
        ['any text*'],
        ['image/svg+xml'],
        ['IMAGE/PNG'],
      ];
      for (const [i, allowed_mime_types] of types.entries()) await make(`type-${i}`, { allowed_mime_types });
      await target.ask('list all', 'GET', '/bucket?sortColumn=id&sortOrder=desc', { as: 'service' });
      const change = (body: object | string) =>
        target.ask(`change ${JSON.stringify(body)}`, 'PUT', '/bucket/size-0', {
          as: 'service',
          body,
          headers: { 'content-type': 'application/json' },
        });
      for (const body of [
        {},
        { public: true },
        { public: false },
        { public: 'x' },
        { file_size_limit: '1MB' },
        { file_size_limit: null },
        { file_size_limit: 'x' },
        { file_size_limit: '60GB' },
        { allowed_mime_types: ['x'] },
        { allowed_mime_types: null },
        { allowed_mime_types: ['image/png', ''] },
        { id: 'x', name: 'y' },
        { id: 'x', name: 'y', public: true },
        '',
        '{',
        '[]',
      ]) {
        await change(body);
        await target.ask('get', 'GET', '/bucket/size-0', { as: 'service' });
      }
      await target.ask('change missing', 'PUT', '/bucket/none', { as: 'service', body: { public: true } });
      await target.ask('change bad name', 'PUT', '/bucket/%C3%BC', { as: 'service', body: { public: true } });
    },
  },
  {
    name: 'buckets: listing, getting, deleting',
    async run(target) {
      for (const name of ['b', 'a', 'A_1', 'a%2', 'aX1'.toLowerCase(), 'c']) await makeBucket(target, name);
      const queries = [
        '',
        '?limit=2',
        '?limit=2&offset=2',
        '?offset=3',
        '?limit=0',
        '?limit=-1',
        '?offset=-1',
        '?limit=x',
        '?limit=1.5',
        '?limit=',
        '?sortColumn=name',
        '?sortColumn=name&sortOrder=desc',
        '?sortColumn=id&sortOrder=asc',
        '?sortColumn=created_at',
        '?sortColumn=updated_at&sortOrder=desc',
        '?sortColumn=owner',
        '?sortOrder=desc',
        '?sortOrder=up&sortColumn=name',
        '?search=a&sortColumn=name',
        '?search=A&sortColumn=name',
        '?search=_&sortColumn=name',
        '?search=%25&sortColumn=name',
        '?search=&sortColumn=name',
        '?search=none',
        '?search=%5C',
        '?search=a&search=b',
        '?limit=1&limit=2',
        '?unknown=1&limit=1',
      ];
      for (const query of queries)
        await target.ask(`list ${query}`, 'GET', `/bucket${query}`, { as: 'service' });
      await target.ask('list slash', 'GET', '/bucket/', { as: 'service' });
      for (const headers of [
        { 'x-client-info': 'supabase-py/2.17.9' },
        { 'x-client-info': 'supabase-py/2.18.0' },
        { 'x-client-info': 'supabase-js/2.0.0' },
        { 'user-agent': 'supabase-py/storage3 v0.12.0' },
        { 'user-agent': 'supabase-py/storage3 v0.12.1' },
        { 'user-agent': 'python-httpx' },
      ]) {
        await target.ask(`list ${JSON.stringify(headers)}`, 'GET', '/bucket?limit=1&sortColumn=name', {
          as: 'service',
          headers,
        });
      }
      for (const path of [
        '/bucket/a',
        '/bucket/none',
        '/bucket/a%252',
        '/bucket/a%',
        '/bucket/A_1',
        '/bucket/a/',
        '/bucket/a/x',
      ]) {
        await target.ask(`get ${path}`, 'GET', path, { as: 'service' });
      }
      await target.ask('head', 'HEAD', '/bucket/a', { as: 'service' });
      await target.ask('head list', 'HEAD', '/bucket', { as: 'service' });
      await put(target, 'b/x', 'x');
      const json = { 'content-type': 'application/json' };
      await target.ask('delete full', 'DELETE', '/bucket/b', { as: 'service' });
      await target.ask('delete missing', 'DELETE', '/bucket/none', { as: 'service' });
      await target.ask('delete empty json', 'DELETE', '/bucket/a', { as: 'service', headers: json });
      await target.ask('delete json', 'DELETE', '/bucket/c', { as: 'service', body: {} });
      await target.ask('delete bad json', 'DELETE', '/bucket/A_1', {
        as: 'service',
        headers: json,
        body: '{',
      });
      await target.ask('delete text', 'DELETE', '/bucket/A_1', {
        as: 'service',
        headers: { 'content-type': 'text/plain' },
        body: 'x',
      });
      await target.ask('delete again', 'DELETE', '/bucket/a', { as: 'service' });
      await target.ask('empty missing', 'POST', '/bucket/none/empty', { as: 'service' });
      await target.ask('empty as user', 'POST', '/bucket/b/empty', { as: 'user' });
      await target.ask('empty as anon', 'POST', '/bucket/b/empty', { as: 'anon' });
      await target.ask('empty without token', 'POST', '/bucket/b/empty');
      await target.ask('empty', 'POST', '/bucket/b/empty', { as: 'service', headers: json });
      await target.ask('empty json', 'POST', '/bucket/b/empty', { as: 'service', body: {} });
      await target.ask('delete emptied', 'DELETE', '/bucket/b', { as: 'service' });
    },
  },
  {
    name: 'buckets: tokens and policies',
    async run(target) {
      await makeBucket(target, 'mine');
      const requests = [
        ['POST', '/bucket', { name: 'new' }],
        ['GET', '/bucket', undefined],
        ['GET', '/bucket/mine', undefined],
        ['PUT', '/bucket/mine', { public: true }],
        ['POST', '/bucket/mine/empty', {}],
        ['DELETE', '/bucket/mine', undefined],
      ] as const;
      for (const [method, path, body] of requests) {
        const given = body === undefined ? {} : { body };
        await target.ask(`${method} ${path} without token`, method, path, given);
        for (const [name, token] of badTokens(target)) {
          await target.ask(`${method} ${path} ${name}`, method, path, { ...given, token });
        }
        await target.ask(`${method} ${path} basic`, method, path, {
          ...given,
          headers: { authorization: 'Basic eDp5' },
        });
        for (const as of ['anon', 'user'] as const)
          await target.ask(`${method} ${path} as ${as}`, method, path, { ...given, as });
      }
      await target.sql(`create policy read on storage.buckets for select to authenticated using (name = 'mine');
        create policy write on storage.buckets for insert to authenticated with check (name like 'u-%')`);
      await target.ask('sees one', 'GET', '/bucket', { as: 'user' });
      await target.ask('gets it', 'GET', '/bucket/mine', { as: 'user' });
      await target.ask('may make', 'POST', '/bucket', { as: 'user', body: { name: 'u-1' } });
      await target.ask('may not make', 'POST', '/bucket', { as: 'user', body: { name: 'x-1' } });
      await target.ask('may not update', 'PUT', '/bucket/mine', { as: 'user', body: { public: true } });
      await target.ask('may not delete', 'DELETE', '/bucket/mine', { as: 'user' });
      await target.sql(`create policy upd on storage.buckets for update to authenticated using (true);
        create policy del on storage.buckets for delete to authenticated using (owner_id = auth.uid()::text)`);
      await target.ask('may update', 'PUT', '/bucket/mine', { as: 'user', body: { public: true } });
      await target.ask('may not delete others', 'DELETE', '/bucket/mine', { as: 'user' });
      await target.ask('may not see to delete', 'DELETE', '/bucket/u-1', { as: 'user' });
      await target.sql(`alter policy read on storage.buckets using (true)`);
      await target.ask('may delete own', 'DELETE', '/bucket/u-1', { as: 'user' });
      await target.sql(`create policy bad on storage.buckets for select to authenticated using (1/0 = 1)`);
      await target.ask('policy that fails', 'GET', '/bucket', { as: 'user' });
    },
  },
];
