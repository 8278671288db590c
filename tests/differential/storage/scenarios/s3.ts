import { makeBucket, put, type Scenario } from '../scenario.ts';

const state = `select bucket_id || '/' || name, owner_id, metadata - 'eTag', user_metadata from storage.objects order by 1`;
const anonKey =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZS1kZW1vIiwicm9sZSI6ImFub24iLCJleHAiOjE5ODM4MTI5OTZ9.CRXP1A7WOeoJeXxjNni43kdQwgnWNReilDMblYTn_I0';
const ago = (ms: number): Date => new Date(Date.now() - ms);

/** The S3 endpoint. */
export const s3Scenarios: readonly Scenario[] = [
  {
    name: 's3: signatures',
    async run(target) {
      await makeBucket(target, 'b');
      await put(target, 'b/x', 'hello');
      const get = (step: string, ask = {}) => target.s3(step, 'GET', '/b/x', ask);
      await get('right');
      await get('signed url', { tampering: { expires: 60 } });
      await get('wrong key', { keys: { accessKey: 'wrong' } });
      await get('wrong secret', { keys: { secret: 'wrong' } });
      await get('wrong secret in url', { keys: { secret: 'wrong' }, tampering: { expires: 60 } });
      await get('wrong service', { tampering: { service: 'sqs' } });
      for (const region of ['us-east-1', 'auto', '', 'eu-west-9'])
        await get(`region ${region}`, { keys: { region } });
      await get('expired url', { tampering: { expires: 60, date: ago(3_600_000) } });
      await get('url of the future', { tampering: { expires: 60, date: ago(-7_200_000) } });
      await get('long url', { tampering: { expires: 999_999_999 } });
      await get('url that never was', { tampering: { expires: 0 } });
      await get('negative', { tampering: { expires: -5 } });
      await get('skewed', { tampering: { date: ago(3_600_000) } });
      await get('unsigned payload', { tampering: { payloadHash: 'UNSIGNED-PAYLOAD' } });
      await target.s3('wrong payload', 'PUT', '/b/p', {
        body: 'x',
        tampering: { payloadHash: 'a'.repeat(64) },
      });
      for (const authorization of [
        '',
        'Bearer x',
        'Basic eDp5',
        'AWS4-HMAC-SHA256',
        'AWS4-HMAC-SHA256 Credential=x',
        'AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=x',
        'AWS x:y',
      ]) {
        await target.ask(`authorization ${authorization}`, 'GET', '/s3/b/x', {
          headers: authorization === '' ? {} : { authorization },
        });
      }
      const date = ago(0)
        .toISOString()
        .replace(/[-:]|\.\d{3}/g, '');
      await target.ask('no date', 'GET', '/s3/b/x', {
        headers: {
          authorization: `AWS4-HMAC-SHA256 Credential=625729a08b95bf1b7ff351a663f3a23c/${date.slice(0, 8)}/local/s3/aws4_request, SignedHeaders=host, Signature=x`,
        },
      });
      const session = (claims: object, secret?: string) => ({
        keys: {
          accessKey: 'stub',
          secret: anonKey,
          sessionToken: target.sign({ exp: 4_000_000_000, ...claims }, secret),
        },
      });
      await get('session of nobody', session({ role: 'anon' }));
      await get(
        'session of a user',
        session({ role: 'authenticated', sub: '11111111-1111-4111-8111-111111111111' }),
      );
      await get('session of the service', session({ role: 'service_role' }));
      await get('forged session', session({ role: 'service_role' }, 'another'));
      await get('expired session', session({ role: 'service_role', exp: 1 }));
      await get('session with another secret', {
        keys: { ...session({ role: 'service_role' }).keys, secret: 'wrong' },
      });
      await target.sql(`create policy sel on storage.objects for select to authenticated using (true)`);
      const user = session({ role: 'authenticated', sub: '11111111-1111-4111-8111-111111111111' });
      await get('user may read', user);
      await target.s3('user may not write', 'PUT', '/b/y', { ...user, body: 'x' });
      await target.s3('user may not delete', 'DELETE', '/b/x', user);
      await target.s3('user may not delete many', 'POST', '/b?delete=', {
        ...user,
        body: '<Delete><Object><Key>x</Key></Object><Object><Key>none</Key></Object></Delete>',
        headers: { 'content-type': 'application/xml' },
      });
      await target.s3('user sees no buckets', 'GET', '/', user);
      await target.s3('user heads bucket', 'HEAD', '/b', user);
      await target.s3('user makes bucket', 'PUT', '/new', user);
      await target.s3('user lists', 'GET', '/b?list-type=2', user);
      await target.s3('user begins', 'POST', '/b/m?uploads=', user);
    },
  },
  {
    name: 's3: buckets and listings',
    async run(target) {
      const s3 = (method: string, path: string, ask = {}) =>
        target.s3(`${method} ${path}`, method, path, ask);
      await s3('GET', '/');
      await s3('PUT', '/made');
      await s3('PUT', '/open', { headers: { 'x-amz-acl': 'public-read' } });
      for (const path of ['/made', '/bad%C3%BC', '/x--table-s3', '/a%20b', `/${'n'.repeat(101)}`])
        await s3('PUT', path);
      await s3('PUT', '/conf', {
        body: '<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>local</LocationConstraint></CreateBucketConfiguration>',
      });
      for (const path of [
        '/made',
        '/none',
        '/made/',
        '/made?location=',
        '/none?location=',
        '/made?versioning=',
        '/none?versioning=',
        '/none',
        '/none?list-type=2',
        '/none?uploads=',
      ]) {
        await s3('GET', path);
        await s3('HEAD', path);
      }
      const names = [
        'a',
        'B',
        'dir/one',
        'dir/two',
        'dir/sub/x',
        'z&<>"',
        "q'",
        'sp ace',
        'dir2/y',
        'plus+',
        '_u',
        'm-n',
        'deep/a/b',
      ];
      for (const name of names.filter((name) => !/[<>"]/.test(name)))
        await put(target, `made/${name.replaceAll(' ', '%20')}`, name);
      for (const list of ['', 'list-type=2&']) {
        for (const query of [
          '',
          'prefix=dir',
          'prefix=dir/',
          'prefix=none',
          'prefix=_',
          'delimiter=/',
          'delimiter=/&prefix=dir/',
          'delimiter=-',
          'delimiter=i',
          'max-keys=2',
          'max-keys=0',
          'max-keys=x',
          'max-keys=-1',
          'max-keys=5000',
          'encoding-type=url',
          'encoding-type=x',
          'encoding-type=url&delimiter=/&prefix=sp',
          'start-after=dir/one',
          'marker=dir/one',
          'marker=dir&delimiter=/',
          'start-after=dir&delimiter=/',
          'continuation-token=nonsense',
          'fetch-owner=true',
          'max-keys=3&delimiter=/',
        ]) {
          await s3('GET', `/made?${list}${query}`.replace(/&$/, ''));
        }
      }
      for (const delimiter of ['', '/']) {
        let token = '';
        for (let page = 0; page < 9; page++) {
          const { text } = await target.s3(`page ${page} ${delimiter}`, 'GET', '/made', {
            query: `list-type=2&max-keys=3&delimiter=${encodeURIComponent(delimiter)}${token}`,
          });
          const next = /<NextContinuationToken>([^<]+)</.exec(text)?.[1];
          if (next === undefined) break;
          token = `&continuation-token=${encodeURIComponent(next)}`;
        }
        let marker = '';
        for (let page = 0; page < 9; page++) {
          const { text } = await target.s3(`page ${page} of v1 ${delimiter}`, 'GET', '/made', {
            query: `max-keys=3&delimiter=${encodeURIComponent(delimiter)}${marker}`,
          });
          const next =
            /<NextMarker>([^<]+)</.exec(text)?.[1] ?? [...text.matchAll(/<Key>([^<]+)</g)].at(-1)?.[1];
          if (!text.includes('<IsTruncated>true') || next === undefined) break;
          marker = `&marker=${encodeURIComponent(next)}`;
        }
      }
      for (const path of [
        '/made?acl=',
        '/made?cors=',
        '/made?lifecycle=',
        '/made?policy=',
        '/made?tagging=',
        '/made?object-lock=',
        '/made/a?acl=',
        '/made/a?torrent=',
        '/made/a?attributes=',
      ]) {
        await s3('GET', path);
        await s3('PUT', path);
      }
      await s3('DELETE', '/made');
      await s3('DELETE', '/open');
      await s3('DELETE', '/none');
      await s3('PATCH', '/made');
      await s3('POST', '/made');
      await s3('POST', '/');
      await s3('DELETE', '/');
      await s3('OPTIONS', '/made');
    },
  },
  {
    name: 's3: objects',
    async run(target) {
      await makeBucket(target, 'b');
      await makeBucket(target, 'small', { file_size_limit: 5, allowed_mime_types: ['text/plain'] });
      const s3 = (step: string, method: string, path: string, ask = {}) =>
        target.s3(`${step}: ${method} ${path}`, method, path, ask);
      const text = { 'content-type': 'text/plain' };
      await s3('put', 'PUT', '/b/one', {
        body: 'hello',
        headers: {
          ...text,
          'cache-control': 'max-age=7',
          'x-amz-meta-Color': 'blue',
          'x-amz-meta-other': 'x y',
          expires: 'Wed, 01 Jan 2031 00:00:00 GMT',
        },
      });
      await s3('put again', 'PUT', '/b/one', { body: 'hello!', headers: text });
      await s3('put empty', 'PUT', '/b/empty', { headers: text });
      await s3('put folder', 'PUT', '/b/folder/');
      await s3('put folder with bytes', 'PUT', '/b/folder2/', { body: 'x' });
      await s3('put without type', 'PUT', '/b/typeless', { body: 'x' });
      for (const name of [
        '%C3%BC',
        'a%20b',
        'a+b',
        'a%2Bb',
        'x%26y',
        '..',
        'a/../b',
        '%2e%2e/x',
        'a//b',
        'q%3Fm',
        '%00',
        'h%23',
      ])
        await s3('name', 'PUT', `/b/${name}`, { body: 'x', headers: text });
      await s3('missing bucket', 'PUT', '/none/x', { body: 'x' });
      await s3('exact', 'PUT', '/small/exact', { body: '12345', headers: text });
      await s3('over', 'PUT', '/small/over', { body: '123456', headers: text });
      await s3('wrong type', 'PUT', '/small/type', { body: '1', headers: { 'content-type': 'image/png' } });
      await s3('typeless', 'PUT', '/small/typeless', { body: '1' });
      await s3('tags', 'PUT', '/b/tagged?tagging=', { body: '<Tagging><TagSet/></Tagging>' });
      await target.rows('rows', state);
      const got = await s3('get', 'GET', '/b/one');
      const tag = String(got.headers.etag);
      for (const path of [
        '/b/one',
        '/b/none',
        '/none/x',
        '/b/empty',
        '/b/a%20b',
        '/b/a+b',
        '/b/folder/',
        '/b/folder/.emptyFolderPlaceholder',
        '/b/%C3%BC',
        '/b/one?tagging=',
        '/b/none?tagging=',
        '/b/one?versionId=x',
        '/b/one?partNumber=1',
        '/b/one?x-id=GetObject',
      ]) {
        await s3('read', 'GET', path);
        await s3('read', 'HEAD', path);
      }
      for (const range of [
        'bytes=0-1',
        'bytes=-2',
        'bytes=3-',
        'bytes=9-',
        'bytes=5-4',
        'x',
        'bytes=0-1,3-4',
      ]) {
        await s3(range, 'GET', '/b/one', { headers: { range } });
        await s3(range, 'HEAD', '/b/one', { headers: { range } });
      }
      for (const [name, value] of [
        ['if-none-match', tag],
        ['if-none-match', '"x"'],
        ['if-match', tag],
        ['if-match', '"x"'],
        ['if-modified-since', ago(3_600_000).toUTCString()],
        ['if-modified-since', ago(-60_000).toUTCString()],
        ['if-unmodified-since', ago(3_600_000).toUTCString()],
        ['if-modified-since', 'x'],
      ] as const) {
        await s3(`${name} ${value === tag ? 'tag' : value.slice(0, 3)}`, 'GET', '/b/one', {
          headers: { [name]: value },
        });
        await s3(`${name} ${value === tag ? 'tag' : value.slice(0, 3)}`, 'HEAD', '/b/one', {
          headers: { [name]: value },
        });
      }
      await s3(
        'overrides',
        'GET',
        '/b/one?response-content-type=x%2Fy&response-content-disposition=attachment&response-cache-control=no-store&response-content-language=de&response-content-encoding=gzip&response-expires=x',
      );
      await s3('bad override', 'GET', '/b/one?response-content-type=a%0Ab');
      await s3('conditional put', 'PUT', '/b/one', { body: 'x', headers: { ...text, 'if-none-match': '*' } });
      const copy = (step: string, path: string, headers: Record<string, string>) =>
        target.s3(`copy ${step}`, 'PUT', path, { headers });
      await copy('plain', '/b/c1', { 'x-amz-copy-source': '/b/one' });
      await copy('no slash', '/b/c2', { 'x-amz-copy-source': 'b/one' });
      await copy('encoded', '/b/c3', { 'x-amz-copy-source': 'b/a%20b' });
      await copy('missing', '/b/c4', { 'x-amz-copy-source': 'b/none' });
      await copy('missing bucket', '/b/c4', { 'x-amz-copy-source': 'none/one' });
      await copy('nonsense', '/b/c4', { 'x-amz-copy-source': 'x' });
      await copy('empty', '/b/c4', { 'x-amz-copy-source': '' });
      await copy('only bucket', '/b/c4', { 'x-amz-copy-source': 'b/' });
      await copy('to missing', '/none/c4', { 'x-amz-copy-source': 'b/one' });
      await copy('to bad name', '/b/%C3%BC', { 'x-amz-copy-source': 'b/one' });
      await copy('replace', '/b/c5', {
        'x-amz-copy-source': 'b/one',
        'x-amz-metadata-directive': 'REPLACE',
        'content-type': 'image/png',
        'cache-control': 'no-store',
        'x-amz-meta-new': '1',
      });
      await copy('replace nothing', '/b/c6', {
        'x-amz-copy-source': 'b/one',
        'x-amz-metadata-directive': 'REPLACE',
      });
      await copy('directive copy', '/b/c7', {
        'x-amz-copy-source': 'b/one',
        'x-amz-metadata-directive': 'COPY',
        'content-type': 'image/png',
      });
      await copy('onto itself', '/b/one', { 'x-amz-copy-source': 'b/one' });
      await copy('onto itself replacing', '/b/one', {
        'x-amz-copy-source': 'b/one',
        'x-amz-metadata-directive': 'REPLACE',
        'x-amz-meta-self': '1',
      });
      await copy('if-match wrong', '/b/c8', {
        'x-amz-copy-source': 'b/one',
        'x-amz-copy-source-if-match': '"x"',
      });
      await copy('if-none-match wrong', '/b/c8', {
        'x-amz-copy-source': 'b/one',
        'x-amz-copy-source-if-none-match': '"x"',
      });
      await target.rows('rows after copies', state);
      await s3('delete', 'DELETE', '/b/c1');
      await s3('delete again', 'DELETE', '/b/c1');
      await s3('delete in missing bucket', 'DELETE', '/none/c1');
      const many = (body: string, headers: Record<string, string> = { 'content-type': 'application/xml' }) =>
        target.s3(`delete many ${body.slice(0, 60)}`, 'POST', '/b?delete=', { body, headers });
      await many('<Delete><Object><Key>c2</Key></Object><Object><Key>none</Key></Object></Delete>');
      await many(
        '<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet><Object><Key>c3</Key></Object></Delete>',
      );
      await many('<Delete></Delete>');
      await many('<Delete/>');
      await many('<Other/>');
      await many('<Delete><Object></Object></Delete>');
      await many('<Delete><Object><Key></Key></Object></Delete>');
      await many('nonsense');
      await many('<Delete><Object><Key>a</Delete>');
      await many('');
      await many('<!DOCTYPE x [<!ENTITY e "x">]><Delete><Object><Key>&e;</Key></Object></Delete>');
      await many(`<Delete>${'<Object><Key>x</Key></Object>'.repeat(1001)}</Delete>`);
      await many('<Delete><Object><Key>c5</Key></Object></Delete>', {});
      await target.s3('delete many in missing bucket', 'POST', '/none?delete=', {
        body: '<Delete><Object><Key>x</Key></Object></Delete>',
        headers: { 'content-type': 'application/xml' },
      });
    },
  },
  {
    name: 's3: uploads in parts',
    async run(target) {
      await makeBucket(target, 'b');
      await makeBucket(target, 'small', { file_size_limit: 5, allowed_mime_types: ['text/plain'] });
      const s3 = (step: string, method: string, path: string, ask = {}) => target.s3(step, method, path, ask);
      const begin = async (
        step: string,
        path: string,
        headers: Record<string, string> = { 'content-type': 'text/plain' },
      ) =>
        /<UploadId>([^<]+)</.exec((await s3(step, 'POST', `${path}?uploads=`, { headers })).text)?.[1] ??
        'none';
      const id = await begin('begin', '/b/big', {
        'content-type': 'text/plain',
        'cache-control': 'max-age=3',
        'x-amz-meta-k': 'v',
      });
      await begin('begin in missing bucket', '/none/big');
      await begin('begin with bad name', '/b/%C3%BC');
      await begin('begin with wrong type', '/small/x', { 'content-type': 'image/png' });
      await begin('begin without type', '/small/x', {});
      const part = (
        step: string,
        number: string,
        body: string,
        options: { path?: string; upload?: string; headers?: object; isChunked?: boolean } = {},
      ) =>
        s3(
          `part ${step}`,
          'PUT',
          `${options.path ?? '/b/big'}?partNumber=${number}&uploadId=${encodeURIComponent(options.upload ?? id)}`,
          {
            body,
            headers: options.headers ?? {},
            ...(options.isChunked === undefined ? {} : { isChunked: options.isChunked }),
          },
        );
      const large = 'x'.repeat(5 * 1024 * 1024);
      const first = (await part('1', '1', large)).headers.etag;
      const third = (await part('3', '3', 'end')).headers.etag;
      const second = (await part('2', '2', large)).headers.etag;
      for (const number of ['0', '10001', '-1', 'x', '1.5', '']) await part(number, number, 'x');
      await part('of another key', '1', 'x', { path: '/b/other' });
      await part('of another bucket', '1', 'x', { path: '/small/big' });
      await part('of no upload', '1', 'x', { upload: 'none' });
      await s3('list parts', 'GET', `/b/big?uploadId=${encodeURIComponent(id)}`);
      await s3('list two parts', 'GET', `/b/big?uploadId=${encodeURIComponent(id)}&max-parts=2`);
      await s3('list parts behind', 'GET', `/b/big?uploadId=${encodeURIComponent(id)}&part-number-marker=1`);
      await s3('list parts badly', 'GET', `/b/big?uploadId=${encodeURIComponent(id)}&max-parts=x`);
      await s3('list parts of none', 'GET', '/b/big?uploadId=none');
      for (const query of [
        '',
        'max-uploads=1',
        'max-uploads=0',
        'max-uploads=x',
        'prefix=b',
        'prefix=x',
        'delimiter=i',
        'key-marker=a',
        'encoding-type=url',
      ])
        await s3(`uploads ${query}`, 'GET', `/b?uploads=&${query}`.replace(/&$/, ''));
      await target.ask('delete bucket with an upload', 'DELETE', '/bucket/b', { as: 'service' });
      const complete = (step: string, xml: string, options: { path?: string; upload?: string } = {}) =>
        s3(
          `complete ${step}`,
          'POST',
          `${options.path ?? '/b/big'}?uploadId=${encodeURIComponent(options.upload ?? id)}`,
          { body: xml, headers: { 'content-type': 'application/xml' } },
        );
      const xml = (parts: readonly (readonly [number: number | string, tag: unknown])[]) =>
        `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.map(([number, tag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${String(tag)}</ETag></Part>`).join('')}</CompleteMultipartUpload>`;
      await complete(
        'with a missing part',
        xml([
          [1, first],
          [9, first],
        ]),
      );
      await complete('with a wrong tag', xml([[1, '"x"']]));
      await complete(
        'out of order',
        xml([
          [3, third],
          [1, first],
        ]),
      );
      await complete('nonsense', 'nonsense');
      await complete('another root', '<Other/>');
      await complete('of another key', xml([[1, first]]), { path: '/b/other' });
      await complete('of no upload', xml([[1, first]]), { upload: 'none' });
      await complete(
        'rightly',
        xml([
          [1, first],
          [2, second],
          [3, third],
        ]),
      );
      await complete(
        'again',
        xml([
          [1, first],
          [2, second],
          [3, third],
        ]),
      );
      await s3('head', 'HEAD', '/b/big');
      await s3('tail', 'GET', '/b/big', { headers: { range: 'bytes=-5' } });
      const empty = await begin('begin without parts', '/b/none');
      await complete('without parts', xml([]), { path: '/b/none', upload: empty });
      const all = await begin('begin for all', '/b/all');
      await part('for all', '1', 'abc', { path: '/b/all', upload: all });
      await complete('with all parts', '', { path: '/b/all', upload: all });
      const copied = await begin('begin for a copy', '/b/copied');
      const copyPart = (step: string, headers: Record<string, string>) =>
        s3(`copy part ${step}`, 'PUT', `/b/copied?partNumber=1&uploadId=${encodeURIComponent(copied)}`, {
          headers,
        });
      await put(target, 'b/source', '0123456789');
      await copyPart('whole', { 'x-amz-copy-source': 'b/source' });
      await copyPart('range', { 'x-amz-copy-source': 'b/source', 'x-amz-copy-source-range': 'bytes=2-4' });
      for (const range of ['bytes=5-', 'bytes=-5', 'bytes=5-99', 'x', 'bytes=4-2'])
        await copyPart(range, { 'x-amz-copy-source': 'b/source', 'x-amz-copy-source-range': range });
      await copyPart('missing', { 'x-amz-copy-source': 'b/none' });
      await s3('abort', 'DELETE', `/b/copied?uploadId=${encodeURIComponent(copied)}`);
      await s3('abort again', 'DELETE', `/b/copied?uploadId=${encodeURIComponent(copied)}`);
      const limited = await begin('begin in a small bucket', '/small/x');
      await part('fits', '1', '123', { path: '/small/x', upload: limited });
      await part('does not', '2', '456', { path: '/small/x', upload: limited });
      await part('too large alone', '3', '1234567', { path: '/small/x', upload: limited });
      await target.rows('rows', state);
    },
  },
];
