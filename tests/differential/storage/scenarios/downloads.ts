import { badTokens, makeBucket, put, type Scenario } from '../scenario.ts';

/** Downloads, heads and descriptions. */
export const downloadScenarios: readonly Scenario[] = [
  {
    name: 'downloads: every route, caller and bucket',
    async run(target) {
      await makeBucket(target, 'open', { public: true });
      await makeBucket(target, 'shut');
      for (const bucket of ['open', 'shut'])
        await put(target, `${bucket}/dir/x.txt`, 'hello', { 'cache-control': 'max-age=60' });
      const tokens: (readonly [string, object])[] = [
        ['none', {}],
        ['anon', { as: 'anon' }],
        ['user', { as: 'user' }],
        ['service', { as: 'service' }],
        ...badTokens(target).map(([name, token]) => [name, { token }] as const),
        ['basic', { headers: { authorization: 'Basic eDp5' } }],
      ];
      for (const path of ['', 'authenticated/', 'public/', 'info/', 'info/authenticated/', 'info/public/']) {
        for (const bucket of ['open', 'shut', 'none', '%C3%BC']) {
          for (const name of ['dir/x.txt', 'missing', '%C3%BC']) {
            for (const [who, ask] of tokens) {
              const isBrief = name !== 'dir/x.txt' && !['none', 'service', 'user'].includes(who);
              if (isBrief) continue;
              await target.ask(
                `GET ${path}${bucket}/${name} ${who}`,
                'GET',
                `/object/${path}${bucket}/${name}`,
                ask,
              );
              await target.ask(
                `HEAD ${path}${bucket}/${name} ${who}`,
                'HEAD',
                `/object/${path}${bucket}/${name}`,
                ask,
              );
            }
          }
        }
      }
      for (const path of [
        '/object/public',
        '/object/public/open',
        '/object/public/open/',
        '/object/open',
        '/object/open/',
        '/object/info',
        '/object/info/open',
        '/object/info/open/',
        '/object/authenticated/open/',
        '/object/sign/open/',
        '/object/sign/open',
        '/object/list/open',
        '/object/copy',
        '/object/move',
        '/nonsense',
        '/',
        '',
      ]) {
        for (const method of ['GET', 'HEAD', 'OPTIONS', 'PATCH'])
          await target.ask(`${method} ${path}`, method, path, { as: 'service' });
      }
      await target.sql(
        `create policy sel on storage.objects for select to authenticated using (owner_id is null and storage.allow_any_operation(array['object.get_authenticated', 'object.get_authenticated_info', 'storage.object.head_authenticated_info']))`,
      );
      for (const path of ['', 'authenticated/', 'info/', 'info/authenticated/']) {
        await target.ask(`policy GET ${path}`, 'GET', `/object/${path}shut/dir/x.txt`, { as: 'user' });
        await target.ask(`policy HEAD ${path}`, 'HEAD', `/object/${path}shut/dir/x.txt`, { as: 'user' });
        await target.ask(`policy anon ${path}`, 'GET', `/object/${path}shut/dir/x.txt`, { as: 'anon' });
      }
      await target.sql('alter policy sel on storage.objects using (1 / 0 = 1)');
      await target.ask('failing policy', 'GET', '/object/shut/dir/x.txt', { as: 'user' });
      await target.ask('failing policy, open', 'GET', '/object/open/dir/x.txt', { as: 'user' });
    },
  },
  {
    name: 'downloads: ranges, conditions, dispositions',
    async run(target) {
      await makeBucket(target, 'b', { public: true });
      await put(target, 'b/digits', '0123456789', { 'cache-control': 'max-age=5' });
      await put(target, 'b/empty', '');
      await put(target, 'b/plain', 'x');
      const get = (step: string, headers: Record<string, string>, name = 'digits', query = '') =>
        target.ask(step, 'GET', `/object/public/b/${name}${query}`, { headers });
      for (const range of [
        'bytes=0-0',
        'bytes=5-',
        'bytes=-5',
        'bytes=-50',
        'bytes=0-99',
        'bytes=9-9',
        'bytes=10-',
        'bytes=10-20',
        'bytes=5-4',
        'bytes=0-1,3-4',
        'bytes=-0',
        'bytes=-',
        'bytes=',
        'bytes',
        'items=0-1',
        'bytes=a-b',
        'bytes= 0-1',
        'bytes=0 - 1',
        'BYTES=0-1',
        'bytes=0-1 ',
        'bytes=00-01',
        'bytes=99999999999999999999-',
        'bytes=0-99999999999999999999',
        'bytes=1.5-2',
        '0-1',
      ]) {
        await get(`range ${range}`, { range });
        await get(`range of empty ${range}`, { range }, 'empty');
      }
      await target.ask('range of head', 'HEAD', '/object/public/b/digits', {
        headers: { range: 'bytes=0-1' },
      });
      const { headers } = await get('tag', {});
      const tag = String(headers.etag);
      const modified = String(headers['last-modified']);
      const later = new Date(Date.parse(modified) + 5000).toUTCString();
      const earlier = new Date(Date.parse(modified) - 5000).toUTCString();
      for (const value of [
        tag,
        `W/${tag}`,
        tag.replaceAll('"', ''),
        '*',
        `"x", ${tag}`,
        `"x",${tag}`,
        '"x"',
        '',
      ]) {
        await get(`none-match ${value}`, { 'if-none-match': value });
        await target.ask(`head none-match ${value}`, 'HEAD', '/object/public/b/digits', {
          headers: { 'if-none-match': value },
        });
        await get(`none-match of plain ${value}`, { 'if-none-match': value }, 'plain');
        await get(`match ${value}`, { 'if-match': value });
      }
      for (const [name, value] of [
        ['same', modified],
        ['later', later],
        ['earlier', earlier],
        ['nonsense', 'nonsense'],
      ] as const) {
        await get(`modified since ${name}`, { 'if-modified-since': value });
        await get(`unmodified since ${name}`, { 'if-unmodified-since': value });
        await get(`both ${name}`, { 'if-modified-since': value, 'if-none-match': '"x"' });
        await get(`both right ${name}`, { 'if-modified-since': value, 'if-none-match': tag });
        await target.ask(`head since ${name}`, 'HEAD', '/object/public/b/digits', {
          headers: { 'if-modified-since': value },
        });
      }
      await get('range and tag', { range: 'bytes=0-1', 'if-none-match': tag });
      await get('range and other tag', { range: 'bytes=0-1', 'if-none-match': '"x"' });
      await get('if-range', { range: 'bytes=0-1', 'if-range': tag });
      await get('if-range of another', { range: 'bytes=0-1', 'if-range': '"x"' });
      for (const query of [
        '?download',
        '?download=',
        '?download=name.txt',
        '?download=sp%20ace.txt',
        '?download=%22quote%22',
        '?download=%C3%BC.txt',
        '?download=a%0Ab',
        '?download=a;b',
        "?download='()*",
        '?download=a&download=b',
        '?download=true',
        '?cacheNonce=1',
        '?t=1',
        '?width=100',
        '?width=x',
        '?token=x',
        '?download=%',
        '?versionId=x',
      ]) {
        await get(`query ${query}`, {}, 'digits', query);
        await target.ask(`head query ${query}`, 'HEAD', `/object/public/b/digits${query}`);
      }
      for (const type of [
        'text/html',
        'text/html; charset=utf-8',
        'TEXT/HTML',
        'image/svg+xml',
        'application/xhtml+xml',
        'text/xml',
        'application/javascript',
        'application/json',
        'x/text/html',
      ]) {
        const name = type.replace(/\W/g, '_');
        await put(target, `b/${name}`, 'x', { 'content-type': type });
        await get(`type ${type}`, {}, name);
        await target.ask(`head type ${type}`, 'HEAD', `/object/public/b/${name}`);
        await target.ask(`info type ${type}`, 'GET', `/object/info/public/b/${name}`);
      }
      await target.sql(`insert into storage.objects (bucket_id, name) values ('b', 'bare');
        insert into storage.objects (bucket_id, name, version, metadata) values ('b', 'no-blob', gen_random_uuid()::text, '{"size": 5, "mimetype": "text/plain", "eTag": "\\"x\\"", "cacheControl": "max-age=1", "contentLength": 5, "httpStatusCode": 200, "lastModified": "2026-01-01T00:00:00.000Z"}');
        insert into storage.objects (bucket_id, name, version, metadata) values ('b', 'odd', gen_random_uuid()::text, '{"size": "5", "mimetype": 7, "httpStatusCode": 203}')`);
      for (const name of ['bare', 'no-blob', 'odd']) {
        await get(`damaged ${name}`, {}, name);
        await get(`damaged ${name} range`, { range: 'bytes=0-1' }, name);
        await target.ask(`damaged head ${name}`, 'HEAD', `/object/public/b/${name}`);
        await target.ask(`damaged info ${name}`, 'GET', `/object/info/public/b/${name}`);
      }
    },
  },
  {
    name: 'downloads: signed',
    async run(target) {
      await makeBucket(target, 'b');
      for (const name of ['one', 'two', "it's", 'a b', 'p+q', 'x&y', 'q?m=1', 'eq='])
        await put(target, `b/${encodeURIComponent(name)}`, name);
      const sign = (step: string, path: string, body: object | string, ask = {}) =>
        target.ask(step, 'POST', `/object/sign/${path}`, {
          as: 'service',
          body,
          headers: { 'content-type': 'application/json' },
          ...ask,
        });
      for (const body of [
        {},
        { expiresIn: 60 },
        { expiresIn: '60' },
        { expiresIn: 0 },
        { expiresIn: -1 },
        { expiresIn: 1.5 },
        { expiresIn: 'x' },
        { expiresIn: null },
        { expiresIn: 1e9 },
        { expiresIn: 9e12 },
        { expiresIn: 1e15 },
        { expiresIn: 1e300 },
        { expiresIn: true },
        { expiresIn: [60] },
        '',
        '{',
        '[]',
        'null',
        { expiresIn: 60, extra: 1 },
        { expiresIn: 60, transform: {} },
        { expiresIn: 60, transform: null },
        { expiresIn: 60, transform: 'x' },
        { expiresIn: 60, transform: { width: 10 } },
        {
          expiresIn: 60,
          transform: { width: 10, height: 20, resize: 'contain', quality: 50, format: 'webp' },
        },
        { expiresIn: 60, transform: { width: 'x' } },
        { expiresIn: 60, transform: { quality: 5 } },
        { expiresIn: 60, transform: { resize: 'x' } },
        { expiresIn: 60, transform: { format: 'origin' } },
        { expiresIn: 60, transform: { width: 99999 } },
        { expiresIn: 60, transform: { gravity: 'fp' } },
        { expiresIn: 60, transform: { width: 0 } },
        { expiresIn: 60, transform: { gravity: 'so', width: 5 } },
        { expiresIn: 60, transform: { gravity: 'fp', x_offset: 0.5, y_offset: 0.2, width: 5 } },
        { expiresIn: 60, transform: { format: 'avif' } },
        { expiresIn: 60, transform: { unknown: 1 } },
        { expiresIn: 60, url: 'b/two', role: 'service_role', scope: 'upload' },
      ]) {
        await sign(`sign ${JSON.stringify(body)}`, 'b/one', body);
      }
      await sign('sign text', 'b/one', '{"expiresIn":60}', { headers: { 'content-type': 'text/plain' } });
      await sign('sign missing', 'b/none', { expiresIn: 60 });
      await sign('sign missing bucket', 'none/one', { expiresIn: 60 });
      await sign('sign no name', 'b/', { expiresIn: 60 });
      await target.ask('sign without token', 'POST', '/object/sign/b/one', { body: { expiresIn: 60 } });
      for (const as of ['anon', 'user'] as const)
        await sign(`sign as ${as}`, 'b/one', { expiresIn: 60 }, { as });
      for (const name of ['one', "it's", 'a b', 'p+q', 'x&y', 'q?m=1', 'eq=']) {
        const { json } = await sign(`sign ${name}`, `b/${encodeURIComponent(name)}`, { expiresIn: 60 });
        const url = encodeURI(String(json?.signedURL));
        await target.ask(`get ${name}`, 'GET', url);
        await target.ask(`head ${name}`, 'HEAD', url);
        await target.ask(`get ${name} as a download`, 'GET', `${url}&download=x.txt`);
        await target.ask(`range ${name}`, 'GET', url, { headers: { range: 'bytes=0-0' } });
      }
      const good =
        String((await sign('sign for trouble', 'b/one', { expiresIn: 60 })).json?.signedURL).split(
          'token=',
        )[1] ?? '';
      const get = (step: string, path: string, token: string | undefined) =>
        target.ask(step, 'GET', `/object/sign/${path}${token === undefined ? '' : `?token=${token}`}`);
      await get('no token', 'b/one', undefined);
      for (const [name, token] of badTokens(target)) await get(name, 'b/one', token);
      await get('other object', 'b/two', good);
      await get('other bucket', 'c/one', good);
      await get('tampered', 'b/one', `${good}x`);
      await get('upload token', 'b/one', target.sign({ url: 'b/one', scope: 'upload', exp: 4_000_000_000 }));
      await get(
        'legacy upload token',
        'b/one',
        target.sign({ url: 'b/one', upsert: false, exp: 4_000_000_000 }),
      );
      await get('legacy token', 'b/one', target.sign({ url: 'b/one', exp: 4_000_000_000 }));
      await get('other scope', 'b/one', target.sign({ url: 'b/one', scope: 'x', exp: 4_000_000_000 }));
      await get('without end', 'b/one', target.sign({ url: 'b/one', scope: 'download' }));
      await get('no url', 'b/one', target.sign({ scope: 'download', exp: 4_000_000_000 }));
      await get('missing object', 'b/none', target.sign({ url: 'b/none', exp: 4_000_000_000 }));
      await get('missing bucket', 'none/one', target.sign({ url: 'none/one', exp: 4_000_000_000 }));
      await get('bad bucket', '%C3%BC/one', target.sign({ url: 'ü/one', exp: 4_000_000_000 }));
      await target.ask('signed token as bearer', 'GET', '/object/b/one', { token: good });
      await target.ask('signed token as bearer to upload', 'POST', '/object/b/new', {
        token: good,
        body: 'x',
      });
      const many = (body: object, ask = {}) =>
        target.ask(`many ${JSON.stringify(body).slice(0, 80)}`, 'POST', '/object/sign/b', {
          as: 'service',
          body,
          ...ask,
        });
      await many({ expiresIn: 60, paths: ['one', 'none', "it's", 'ü', '', 'a b', '../x', 'one'] });
      await many({ expiresIn: 60, paths: [] });
      await many({ expiresIn: 60 });
      await many({ paths: ['one'] });
      await many({ expiresIn: 0, paths: ['one'] });
      await many({ expiresIn: 60, paths: 'one' });
      await many({ expiresIn: 60, paths: [1, null] });
      await many({ expiresIn: 60, paths: Array.from({ length: 1001 }, () => 'one') });
      await many({ expiresIn: 60, paths: ['one'] }, { as: 'anon' });
      await many({ expiresIn: 60, paths: ['one'] }, { as: undefined });
      await target.ask('many in a missing bucket', 'POST', '/object/sign/none', {
        as: 'service',
        body: { expiresIn: 60, paths: ['one'] },
      });
      await target.ask('many in a bad bucket', 'POST', '/object/sign/%C3%BC', {
        as: 'service',
        body: { expiresIn: 60, paths: ['one'] },
      });
    },
  },
  {
    name: 'downloads: rendering is refused alike',
    async run(target) {
      await makeBucket(target, 'b', { public: true });
      await makeBucket(target, 'shut');
      await put(target, 'b/text.txt', 'no image');
      for (const query of [
        '?width=x',
        '?width=-1',
        '?width=1.5',
        '?quality=19',
        '?quality=101',
        '?resize=x',
        '?format=x',
        '?format=jpeg',
        '?gravity=x',
        '?gravity=fp',
        '?gravity=fp&x_offset=2&y_offset=0',
        '?x_offset=a',
        '?width=1&width=2',
      ]) {
        for (const family of ['public', 'authenticated'])
          await target.ask(`${family} ${query}`, 'GET', `/render/image/${family}/b/text.txt${query}`, {
            as: 'service',
          });
        await target.ask(`head ${query}`, 'HEAD', `/object/public/b/text.txt${query}`);
        await target.ask(`info ${query}`, 'GET', `/object/info/public/b/text.txt${query}`);
      }
      for (const query of [
        '?width=10',
        '?width=0',
        '?width=99999&height=5',
        '?width=5&height=6&resize=contain',
        '?quality=50',
        '?format=webp',
        '?format=origin',
        '?gravity=so&width=5',
        '?gravity=sm&x_offset=1&width=5',
        '?gravity=fp&x_offset=0.5&y_offset=1&width=4',
        '?width=',
      ]) {
        await target.ask(`transformations of a head ${query}`, 'HEAD', `/object/public/b/text.txt${query}`);
      }
      for (const path of [
        'public/b/none',
        'public/shut/x',
        'public/none/x',
        'authenticated/b/text.txt',
        'authenticated/none/x',
        'sign/b/text.txt',
        'sign/b/text.txt?token=x',
        'public/b/%C3%BC',
        'public/b/',
        'nonsense/b/x',
      ]) {
        for (const ask of [{}, { as: 'anon' as const }, { as: 'user' as const }])
          await target.ask(`render ${path} ${JSON.stringify(ask)}`, 'GET', `/render/image/${path}`, ask);
      }
    },
  },
];
