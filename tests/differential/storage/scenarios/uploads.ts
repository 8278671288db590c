import { badTokens, makeBucket, put, type Scenario } from '../scenario.ts';

const state = `select bucket_id || '/' || name, owner, owner_id, metadata, user_metadata, version is not null as versioned
  from storage.objects order by bucket_id, name collate "C"`;
const base64 = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64');

/** Names that are tried on every route; escapes are part of the path. */
export const oddNames: readonly string[] = [
  'plain.txt',
  'a/b/c.txt',
  'sp%20ace',
  'plus+',
  '%2B',
  "!.*'()&$=@;:+,-",
  'q%3Fm',
  'amp&x',
  '%C3%BC',
  '%F0%9F%98%80',
  'h%23',
  '%25',
  '%7E',
  '~',
  '[x]',
  '%5Bx%5D',
  '{x}',
  '%22',
  '%5C',
  'a%5Cb',
  '%5E',
  '%7C',
  '%60',
  '%00',
  'a%0Ab',
  '%7F',
  'trailing/',
  'dou//ble',
  '/lead',
  '.hidden',
  'a/.b',
  'dots..x',
  '%zz',
  '%',
  'a%2Fb',
  '%E0%A4%A',
  `${'s'.repeat(255)}`,
  `${'l/'.repeat(100)}x`,
];

const traversal = [
  'a/../b',
  '..',
  '.',
  './a',
  'a/.',
  'a/..',
  '%2e%2e/x',
  '%2e%2e%2fx',
  '..%2f..%2fetc',
  '../../../etc/passwd',
];

/** Uploads. */
export const uploadScenarios: readonly Scenario[] = [
  {
    name: 'uploads: raw bodies',
    async run(target) {
      await makeBucket(target, 'b');
      const up = (step: string, name: string, ask = {}) =>
        target.ask(step, 'POST', `/object/b/${name}`, { as: 'service', body: 'hello', ...ask });
      await up('no type', '1');
      await up('text', '2', {
        headers: { 'content-type': 'text/plain;charset=UTF-8', 'cache-control': 'max-age=3600' },
      });
      await up('json', '3', { headers: { 'content-type': 'application/json' }, body: '{"a":1}' });
      await up('bad json', '4', { headers: { 'content-type': 'application/json' }, body: '{' });
      await up('empty', '5', { body: '' });
      await up('empty json', '6', { body: '', headers: { 'content-type': 'application/json' } });
      await up('chunked', '7', { isChunked: true });
      await up('metadata', '8', { headers: { 'x-metadata': base64({ a: 1, b: { c: 'ü' } }) } });
      await up('bad metadata', '9', { headers: { 'x-metadata': base64('{') } });
      await up('no base64', '10', { headers: { 'x-metadata': '{"a":1}' } });
      await up('metadata list', '11', { headers: { 'x-metadata': base64([1]) } });
      await up('metadata number', '12', { headers: { 'x-metadata': base64('5') } });
      await up('metadata null', '13', { headers: { 'x-metadata': base64('null') } });
      await up('metadata string', '13s', { headers: { 'x-metadata': base64('"s"') } });
      await up('metadata empty', '13e', { headers: { 'x-metadata': '' } });
      await up('odd type', '14', { headers: { 'content-type': 'nonsense' } });
      await up('odd type 2', '15', { headers: { 'content-type': 'text/plain; boundary=x; y' } });
      await up('urlencoded', '16', {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'a=1&b=2',
      });
      await up('cache odd', '17', { headers: { 'cache-control': '3600' } });
      await up('xml', '18', { headers: { 'content-type': 'application/xml' }, body: '<a/>' });
      await up('upper type', '19', { headers: { 'content-type': 'TEXT/PLAIN' } });
      await target.rows('rows', state);
      for (const upsert of ['true', 'false', 'TRUE', '1', '']) {
        await up(`upsert ${upsert}`, '1', {
          headers: { 'x-upsert': upsert, 'content-type': 'text/x' },
          body: `again ${upsert}`,
        });
      }
      await target.ask('put new', 'PUT', '/object/b/p1', {
        as: 'service',
        body: 'x',
        headers: { 'content-type': 'text/plain' },
      });
      await target.ask('put again', 'PUT', '/object/b/8', {
        as: 'service',
        body: 'y',
        headers: { 'content-type': 'text/plain' },
      });
      await target.ask('put metadata', 'PUT', '/object/b/8', {
        as: 'service',
        body: 'y',
        headers: { 'x-metadata': base64({ z: 1 }) },
      });
      await target.ask('put without type', 'PUT', '/object/b/p2', { as: 'service', body: 'x' });
      await target.ask('put empty', 'PUT', '/object/b/p3', { as: 'service' });
      await target.ask('by user', 'POST', '/object/b/u', { as: 'user', body: 'x' });
      await target.rows('rows after', state);
      for (const path of [
        '/object/none/x',
        '/object/%C3%BC/x',
        '/object/b',
        '/object/b/',
        '/object/',
        '/object',
        '/object//x',
        '/object/b//',
      ]) {
        await target.ask(`post ${path}`, 'POST', path, {
          as: 'service',
          body: 'x',
          headers: { 'content-type': 'text/plain' },
        });
        await target.ask(`put ${path}`, 'PUT', path, {
          as: 'service',
          body: 'x',
          headers: { 'content-type': 'text/plain' },
        });
      }
    },
  },
  {
    name: 'uploads: forms',
    async run(target) {
      await makeBucket(target, 'b');
      const file = { type: 'text/plain', bytes: 'hello' };
      const up = (step: string, name: string, form: object, ask = {}) =>
        target.form(step, 'POST', `/object/b/${name}`, form, { as: 'service', ...ask });
      await up('file', '1', { file });
      await up('named file', '2', { file: { ...file, name: 'file' } });
      await up('no type', '3', { file: { bytes: 'x' } });
      await up('cache', '4', { file, fields: [['cacheControl', '3600']] });
      await up('cache odd', '5', { file, fields: [['cacheControl', 'no-store']] });
      await up('cache empty', '6', { file, fields: [['cacheControl', '']] });
      await up('metadata', '7', { file, fields: [['metadata', '{"a":1}']] });
      await up('user metadata', '8', { file, fields: [['userMetadata', '{"a":2}']] });
      await up('both', '9', {
        file,
        fields: [
          ['metadata', '{"a":1}'],
          ['userMetadata', '{"a":2}'],
        ],
      });
      await up('bad metadata', '10', { file, fields: [['metadata', '{']] });
      await up('empty metadata', '11', { file, fields: [['metadata', '']] });
      await up('contentType', '12', { file, fields: [['contentType', 'image/png']] });
      await up('empty contentType', '13', { file, fields: [['contentType', '']] });
      await up('empty file', '14', { file: { ...file, bytes: '' } });
      await up('no file', '15', { fields: [['a', 'b']] });
      await up('nothing', '16', {});
      await up('many fields', '17', { file, fields: Array.from({ length: 12 }, (_, i) => [`f${i}`, 'x']) });
      await up('large metadata', '18', {
        file,
        fields: [['metadata', JSON.stringify({ a: 'x'.repeat(1024 * 1024) })]],
      });
      await up('no boundary', '19', { file }, { headers: { 'content-type': 'multipart/form-data' } });
      await up(
        'wrong boundary',
        '20',
        { file },
        { headers: { 'content-type': 'multipart/form-data; boundary=x' } },
      );
      await up('header metadata', '21', { file }, { headers: { 'x-metadata': base64({ a: 1 }) } });
      await up(
        'cut off',
        '22',
        { file },
        { headers: { 'content-type': 'multipart/form-data; boundary=form-boundar' } },
      );
      await up('again', '1', { file });
      await up(
        'upsert',
        '1',
        { file, fields: [['metadata', '{"b":1}']] },
        { headers: { 'x-upsert': 'true' } },
      );
      await target.form('put', 'PUT', '/object/b/1', { file: { bytes: 'other' } }, { as: 'service' });
      await target.form('put new', 'PUT', '/object/b/23', { file }, { as: 'service' });
      await target.rows('rows', state);
    },
  },
  {
    name: 'uploads: names',
    async run(target) {
      await makeBucket(target, 'b', { public: true });
      for (const name of oddNames) {
        await put(target, `b/${name}`, 'x');
        await target.ask(`get ${name}`, 'GET', `/object/b/${name}`, { as: 'service' });
        await target.ask(`public ${name}`, 'GET', `/object/public/b/${name}`);
        await target.ask(`info ${name}`, 'GET', `/object/info/b/${name}`, { as: 'service' });
        await target.ask(`head ${name}`, 'HEAD', `/object/b/${name}`, { as: 'service' });
        const signed = await target.ask(`sign ${name}`, 'POST', `/object/sign/b/${name}`, {
          as: 'service',
          body: { expiresIn: 60 },
        });
        if (typeof signed.json?.signedURL === 'string')
          await target.ask(`signed ${name}`, 'GET', encodeURI(signed.json.signedURL));
        await target.ask(`sign upload ${name}`, 'POST', `/object/upload/sign/b/${name}`, {
          as: 'service',
          headers: { 'x-upsert': 'true' },
        });
        await target.ask(`delete ${name}`, 'DELETE', `/object/b/${name}`, { as: 'service' });
      }
      for (const name of traversal) {
        await put(target, `b/${name}`, 'x');
        await target.ask(`get ${name}`, 'GET', `/object/b/${name}`, { as: 'service' });
        await target.ask(`delete ${name}`, 'DELETE', `/object/b/${name}`, { as: 'service' });
      }
    },
  },
  {
    name: 'uploads: sizes, types, robots',
    async run(target) {
      await makeBucket(target, 'small', { file_size_limit: 5 });
      await makeBucket(target, 'images', { allowed_mime_types: ['image/png', 'image/*', 'text/plain'] });
      await makeBucket(target, 'b');
      await put(target, 'small/exact', '12345');
      await put(target, 'small/over', '123456');
      await target.ask('chunked over', 'POST', '/object/small/chunked', {
        as: 'service',
        body: '123456',
        isChunked: true,
      });
      await target.form(
        'form over',
        'POST',
        '/object/small/form',
        { file: { bytes: '123456' } },
        { as: 'service' },
      );
      await target.form(
        'form exact',
        'POST',
        '/object/small/form',
        { file: { bytes: '12345' } },
        { as: 'service' },
      );
      await put(target, 'small/.emptyFolderPlaceholder', '');
      await put(target, 'small/x.emptyFolderPlaceholder', 'x');
      for (const type of [
        'image/png',
        'image/jpeg',
        'image/png; x=y',
        'text/plain',
        'text/plain;charset=UTF-8',
        'text/html',
        'IMAGE/PNG',
        'nonsense',
        'image/',
      ]) {
        await put(target, `images/${type.replace(/\W/g, '_')}`, 'x', { 'content-type': type });
        await target.form(
          `form ${type}`,
          'POST',
          `/object/images/f${type.replace(/\W/g, '_')}`,
          { file: { type, bytes: 'x' } },
          { as: 'service' },
        );
      }
      await target.ask('no type', 'POST', '/object/images/none', { as: 'service', body: 'x' });
      await put(target, 'images/.emptyFolderPlaceholder', '', { 'content-type': 'text/html' });
      for (const tag of [
        'all',
        'noindex',
        'noindex, nofollow',
        'none',
        'nonsense',
        '',
        'max-snippet:5',
        'max-snippet:-1',
        'max-snippet:-2',
        'max-snippet:x',
        'max-snippet',
        'max-image-preview:large',
        'max-image-preview:huge',
        'max-video-preview:3',
        'unavailable_after: 2030-01-01',
        'unavailable_after: soon',
        'googlebot: noindex',
        'googlebot: noindex, otherbot: nofollow',
        'googlebot:',
        'noindex,,nofollow',
        'NOINDEX',
        'unavailable_after: 25 Jun 2030 15:00:00 PST',
        'indexifembedded',
        'googlebot: nonsense',
      ]) {
        await put(target, `b/${tag.length}-${tag.replace(/\W/g, '_')}`, 'x', { 'x-robots-tag': tag });
      }
      await target.rows('rows', state);
      await target.ask('served tag', 'GET', '/object/b/17-noindex__nofollow', { as: 'service' });
    },
  },
  {
    name: 'uploads: tokens and policies',
    async run(target) {
      await makeBucket(target, 'b');
      for (const method of ['POST', 'PUT']) {
        await target.ask(`${method} without token`, method, '/object/b/x', { body: 'x' });
        for (const [name, token] of badTokens(target))
          await target.ask(`${method} ${name}`, method, '/object/b/x', { token, body: 'x' });
        for (const as of ['anon', 'user'] as const)
          await target.ask(`${method} as ${as}`, method, '/object/b/x', { as, body: 'x' });
      }
      const up = (step: string, path: string, ask = {}) =>
        target.ask(step, 'POST', `/object/${path}`, { as: 'user', body: 'x', ...ask });
      await target.sql(
        `create policy ins on storage.objects for insert to authenticated with check (bucket_id = 'b' and (storage.foldername(name))[1] = auth.uid()::text)`,
      );
      const mine = 'b/11111111-1111-4111-8111-111111111111';
      await up('own folder', `${mine}/x`);
      await up('own folder again', `${mine}/x`);
      await up('other folder', 'b/22222222-2222-4222-8222-222222222222/x');
      await up('upsert without select', `${mine}/x`, { headers: { 'x-upsert': 'true' } });
      await up('upsert new without select', `${mine}/y`, { headers: { 'x-upsert': 'true' } });
      await up('missing bucket', 'none/x');
      await up('bad name', 'b/%C3%BC');
      await target.sql(
        `create policy sel on storage.objects for select to authenticated using (owner_id = auth.uid()::text)`,
      );
      await up('upsert new', `${mine}/y`, { headers: { 'x-upsert': 'true' } });
      await up('upsert existing', `${mine}/x`, { headers: { 'x-upsert': 'true' } });
      await target.ask('put existing', 'PUT', `/object/${mine}/x`, { as: 'user', body: 'z' });
      await target.sql(
        `create policy upd on storage.objects for update to authenticated using (owner_id = auth.uid()::text)`,
      );
      await up('upsert existing with update', `${mine}/x`, { headers: { 'x-upsert': 'true' } });
      await target.ask('put existing with update', 'PUT', `/object/${mine}/x`, { as: 'user', body: 'z' });
      await put(target, `${mine}/service`, 'x');
      await up('upsert of the service', `${mine}/service`, { headers: { 'x-upsert': 'true' } });
      await target.rows('rows', state);
      await target.sql(
        `alter policy ins on storage.objects with check (storage.allow_only_operation('object.upload'))`,
      );
      await up('by operation', 'b/op1');
      await target.ask('by another operation', 'PUT', '/object/b/op2', { as: 'user', body: 'x' });
      await target.sql(
        `alter policy ins on storage.objects with check ((metadata ->> 'contentLength')::int < 3 and metadata ->> 'mimetype' = 'text/plain')`,
      );
      const text = { 'content-type': 'text/plain' };
      await up('short', 'b/m1', { headers: text });
      await up('long', 'b/m2', { headers: text, body: '12345' });
      await up('other type', 'b/m3');
      await up('chunked', 'b/m4', { headers: text, isChunked: true });
      await target.form(
        'form',
        'POST',
        '/object/b/m5',
        { file: { type: 'text/plain', bytes: 'x' } },
        { as: 'user' },
      );
      await target.sql(`alter policy ins on storage.objects with check (user_metadata ->> 'k' = 'v')`);
      await up('metadata', 'b/n1', { headers: { 'x-metadata': base64({ k: 'v' }) } });
      await up('other metadata', 'b/n2', { headers: { 'x-metadata': base64({ k: 'w' }) } });
      await up('no metadata', 'b/n3');
      await target
        .sql(`alter policy ins on storage.objects with check (nonsense_function())`)
        .catch(() => {});
      await target.sql(`alter policy ins on storage.objects with check (1 / 0 = 1)`);
      await up('failing policy', 'b/o1');
      await target.sql(
        `alter policy ins on storage.objects with check (exists (select from storage.objects as other where other.name = 'x'))`,
      );
      await up('policy on itself', 'b/o2');
    },
  },
  {
    name: 'uploads: signed',
    async run(target) {
      await makeBucket(target, 'b', { file_size_limit: 10, allowed_mime_types: ['text/plain'] });
      const sign = (step: string, path: string, ask = {}) =>
        target.ask(step, 'POST', `/object/upload/sign/${path}`, { as: 'service', ...ask });
      const one = (await sign('sign', 'b/one')).json?.token;
      const json = { 'content-type': 'application/json' };
      await sign('sign json', 'b/one', { body: {} });
      await sign('sign empty json', 'b/one', { headers: json });
      await sign('sign bad json', 'b/one', { headers: json, body: '{' });
      await sign('sign missing bucket', 'none/one');
      await sign('sign bad name', 'b/%C3%BC');
      await sign('sign no name', 'b/');
      await sign('sign upsert', 'b/one', { headers: { 'x-upsert': 'true' } });
      await sign('sign by user', 'b/one', { as: 'user' });
      await target.ask('sign without token', 'POST', '/object/upload/sign/b/one');
      const send = (step: string, path: string, token: string | undefined, ask = {}) =>
        target.ask(
          step,
          'PUT',
          `/object/upload/sign/${path}${token === undefined ? '' : `?token=${token}`}`,
          {
            body: 'hello',
            headers: { 'content-type': 'text/plain' },
            ...ask,
          },
        );
      await send('no token', 'b/one', undefined);
      await send('empty token', 'b/one', '');
      for (const [name, token] of badTokens(target)) await send(name, 'b/one', token);
      await send(
        'session as token',
        'b/one',
        target.sign({ role: 'service_role', sub: 'x', exp: 4_000_000_000 }),
      );
      await send('other path', 'b/two', one);
      await send('other bucket', 'c/one', one);
      await send(
        'download token',
        'b/one',
        target.sign({ url: 'b/one', scope: 'download', exp: 4_000_000_000 }),
      );
      await send('legacy download token', 'b/one', target.sign({ url: 'b/one', exp: 4_000_000_000 }));
      await send('without end', 'b/one', target.sign({ url: 'b/one', scope: 'upload' }));
      await send('too long', 'b/one', one, { body: '12345678901' });
      await send('wrong type', 'b/one', one, { headers: { 'content-type': 'image/png' } });
      await send('empty', 'b/one', one, { body: '' });
      await send('upload again', 'b/one', one);
      await send(
        'legacy',
        'b/legacy',
        target.sign({ url: 'b/legacy', upsert: false, owner: 'someone', exp: 4_000_000_000 }),
      );
      await sign('sign taken', 'b/one');
      const over = (await sign('sign taken upsert', 'b/one', { headers: { 'x-upsert': 'true' } })).json
        ?.token;
      await send('upsert', 'b/one', over, { body: 'new' });
      const ignored = (await sign('sign three', 'b/three')).json?.token;
      await send('three', 'b/three', ignored);
      await send('header upsert is ignored', 'b/three', ignored, {
        headers: { 'x-upsert': 'true', 'content-type': 'text/plain' },
      });
      await target.form(
        'form',
        'PUT',
        `/object/upload/sign/b/four?token=${(await sign('sign four', 'b/four')).json?.token}`,
        {
          file: { type: 'text/plain', bytes: 'x' },
          fields: [['metadata', '{"a":1}']],
        },
      );
      await target.sql(
        `create policy ins on storage.objects for insert to authenticated with check (name like 'u%')`,
      );
      const mine = (await sign('user signs', 'b/u1', { as: 'user' })).json?.token;
      await send('by user', 'b/u1', mine);
      await sign('user may not sign', 'b/x1', { as: 'user' });
      await target.rows('rows', state);
    },
  },
];
