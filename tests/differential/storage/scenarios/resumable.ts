import { badTokens, makeBucket, put, type Scenario } from '../scenario.ts';
import type { Answer, Ask, Target } from '../target.ts';

const state = `select bucket_id || '/' || name, owner_id, metadata - 'eTag', user_metadata from storage.objects order by 1`;
const base = '/upload/resumable';
const version = { 'tus-resumable': '1.0.0' };
const pieceType = { 'content-type': 'application/offset+octet-stream' };

const metadataOf = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',');

type Creation = {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly length?: string;
  readonly headers?: Record<string, string>;
};

const create = (target: Target, step: string, { metadata, length, headers }: Creation, ask: Ask = {}) =>
  target.ask(step, 'POST', base, {
    as: 'service',
    ...ask,
    headers: {
      ...version,
      ...(length === undefined ? {} : { 'upload-length': length }),
      ...(metadata === undefined ? {} : { 'upload-metadata': metadataOf(metadata) }),
      ...headers,
    },
  });

/** Path of an upload below the service's URL. */
const pathOf = ({ headers }: Answer): string => {
  const location = String(headers.location ?? `${base}/none`);
  return location.slice(location.indexOf(base));
};

const patch = (target: Target, step: string, path: string, offset: string, body: string, ask: Ask = {}) =>
  target.ask(step, 'PATCH', path, {
    as: 'service',
    body,
    ...ask,
    headers: { ...version, ...pieceType, 'upload-offset': offset, ...ask.headers },
  });

const head = (target: Target, step: string, path: string, ask: Ask = {}) =>
  target.ask(step, 'HEAD', path, { as: 'service', ...ask, headers: { ...version, ...ask.headers } });

const names = { bucketName: 'b', objectName: 'dir/x.txt' };

/** Resumable uploads. */
export const resumableScenarios: readonly Scenario[] = [
  {
    name: 'resumable: whole uploads',
    async run(target) {
      await makeBucket(target, 'b');
      const path = pathOf(
        await create(target, 'create', {
          length: '10',
          metadata: {
            ...names,
            contentType: 'text/plain',
            cacheControl: '3600',
            metadata: '{"a":1}',
            other: 'kept',
          },
        }),
      );
      await head(target, 'head', path);
      await patch(target, 'first', path, '0', 'hello');
      await head(target, 'head after first', path);
      await patch(target, 'wrong offset', path, '3', 'xx');
      await patch(target, 'too much', path, '5', 'x'.repeat(20));
      await head(target, 'head after too much', path);
      await patch(target, 'second', path, '5', 'world');
      await head(target, 'head after all', path);
      await patch(target, 'after the end', path, '10', '');
      await target.ask('delete finished', 'DELETE', path, { as: 'service', headers: version });
      await target.rows('rows', state);
      await target.ask('read', 'GET', '/object/b/dir/x.txt', { as: 'service' });
      const whole = await create(
        target,
        'with upload',
        { length: '5', metadata: { ...names, objectName: 'w' }, headers: pieceType },
        { body: 'hello' },
      );
      await head(target, 'head of it', pathOf(whole));
      const part = await create(
        target,
        'with part of upload',
        { length: '10', metadata: { ...names, objectName: 'p' }, headers: pieceType },
        { body: 'hello' },
      );
      await patch(target, 'rest', pathOf(part), '5', 'world');
      await create(
        target,
        'with too much',
        { length: '2', metadata: { ...names, objectName: 't' }, headers: pieceType },
        { body: 'hello' },
      );
      await create(target, 'empty', { length: '0', metadata: { ...names, objectName: 'e' } });
      const deferred = await create(target, 'deferred', {
        metadata: { ...names, objectName: 'd' },
        headers: { 'upload-defer-length': '1' },
      });
      await head(target, 'head deferred', pathOf(deferred));
      await patch(target, 'deferred first', pathOf(deferred), '0', 'hello');
      await patch(target, 'deferred length', pathOf(deferred), '5', 'x', {
        headers: { 'upload-length': '6' },
      });
      await patch(target, 'deferred length again', pathOf(deferred), '6', '', {
        headers: { 'upload-length': '7' },
      });
      for (const cacheControl of ['max-age=5', '-1', '1.5', ''])
        await create(target, `cache ${cacheControl}`, {
          length: '0',
          metadata: { bucketName: 'b', objectName: `c${cacheControl}`, cacheControl },
        });
      for (const metadata of ['{', '5', '[1]', '""', 'null', '{}'])
        await create(target, `metadata ${metadata}`, {
          length: '0',
          metadata: { bucketName: 'b', objectName: `m${metadata.length}${metadata.charCodeAt(0)}`, metadata },
        });
      await target.rows('rows after', state);
      const gone = pathOf(
        await create(target, 'to be given up', { length: '5', metadata: { ...names, objectName: 'g' } }),
      );
      await target.ask('delete', 'DELETE', gone, { as: 'service', headers: version });
      await head(target, 'head deleted', gone);
      await patch(target, 'patch deleted', gone, '0', 'x');
      await target.ask('delete again', 'DELETE', gone, { as: 'service', headers: version });
    },
  },
  {
    name: 'resumable: refusals',
    async run(target) {
      await makeBucket(target, 'b', { file_size_limit: 10, allowed_mime_types: ['text/plain'] });
      for (const path of [base, `${base}/`, `${base}/sign`, `${base}/sign/`, `${base}/x`]) {
        await target.ask(`options ${path}`, 'OPTIONS', path);
        await target.ask(`get ${path}`, 'GET', path, { as: 'service', headers: version });
        await target.ask(`put ${path}`, 'PUT', path, { as: 'service', headers: version });
        await target.ask(`head ${path}`, 'HEAD', path, { as: 'service', headers: version });
        await target.ask(`patch ${path}`, 'PATCH', path, { as: 'service', headers: version });
        await target.ask(`delete ${path}`, 'DELETE', path, { as: 'service', headers: version });
      }
      await target.ask('preflight', 'OPTIONS', base, {
        headers: {
          ...version,
          origin: 'http://x',
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'x-new',
        },
      });
      await target.ask('no version', 'POST', base, {
        as: 'service',
        headers: { 'upload-length': '5', 'upload-metadata': metadataOf(names) },
      });
      await create(target, 'old version', {
        length: '5',
        metadata: names,
        headers: { 'tus-resumable': '0.2.2' },
      });
      await create(target, 'no length', { metadata: names });
      await create(target, 'both lengths', {
        length: '5',
        metadata: names,
        headers: { 'upload-defer-length': '1' },
      });
      for (const length of ['-1', 'x', '1.5', '', '99999999999999999999', '05', '11', '10'])
        await create(target, `length ${length}`, {
          length,
          metadata: { ...names, objectName: `l${length}` },
        });
      await create(target, 'defer 2', { metadata: names, headers: { 'upload-defer-length': '2' } });
      await create(target, 'concat', {
        length: '5',
        metadata: names,
        headers: { 'upload-concat': 'partial' },
      });
      await create(target, 'concat final', { metadata: names, headers: { 'upload-concat': 'final;/a /b' } });
      await create(target, 'concat nonsense', {
        length: '5',
        metadata: names,
        headers: { 'upload-concat': 'x' },
      });
      await create(target, 'no metadata', { length: '5' });
      for (const text of [
        '',
        'nonsense',
        'bucketName',
        'bucketName !!!',
        'a b c',
        'bucketName Yg==',
        'objectName eA==',
        `${metadataOf(names)},bucketName Yw==`,
        ' ',
        `${metadataOf(names)}, `,
      ])
        await create(target, `metadata ${text}`, { length: '5', headers: { 'upload-metadata': text } });
      await create(target, 'missing bucket', { length: '5', metadata: { ...names, bucketName: 'none' } });
      for (const objectName of [
        '',
        'ü',
        '../x',
        'a/../x',
        '/lead',
        'trail/',
        'a//b',
        '.emptyFolderPlaceholder',
      ])
        await create(target, `name ${objectName}`, { length: '5', metadata: { ...names, objectName } });
      for (const bucketName of ['', 'ü', '..', 'b/c'])
        await create(target, `bucket ${bucketName}`, { length: '5', metadata: { ...names, bucketName } });
      for (const contentType of ['text/plain', 'image/png', 'nonsense', 'text/plain; charset=utf-8'])
        await create(target, `type ${contentType}`, {
          length: '5',
          metadata: { bucketName: 'b', objectName: `t${contentType.length}`, contentType },
        });
      await create(target, 'without token', { length: '5', metadata: names }, { as: undefined } as Ask);
      for (const [name, token] of badTokens(target))
        await target.ask(`create ${name}`, 'POST', base, {
          token,
          headers: { ...version, 'upload-length': '5', 'upload-metadata': metadataOf(names) },
        });
      const path = pathOf(
        await create(target, 'create', { length: '5', metadata: { ...names, contentType: 'text/plain' } }),
      );
      for (const [name, headers] of [
        ['no version', { 'tus-resumable': undefined }],
        ['no offset', { 'upload-offset': undefined }],
        ['no type', { 'content-type': undefined }],
        ['wrong type', { 'content-type': 'text/plain' }],
        ['negative', { 'upload-offset': '-1' }],
        ['nonsense', { 'upload-offset': 'x' }],
        ['far', { 'upload-offset': '9' }],
        ['empty', { 'upload-offset': '' }],
      ] as const) {
        const all = { ...version, ...pieceType, 'upload-offset': '0', ...headers };
        const kept = Object.fromEntries(
          Object.entries(all).filter(([, value]) => value !== undefined),
        ) as Record<string, string>;
        await target.ask(`patch ${name}`, 'PATCH', path, { as: 'service', body: 'x', headers: kept });
      }
      for (const [name, token] of badTokens(target))
        await target.ask(`patch ${name}`, 'PATCH', path, {
          token,
          body: 'x',
          headers: { ...version, ...pieceType, 'upload-offset': '0' },
        });
      await patch(target, 'as anon', path, '0', 'x', { as: 'anon' });
      await patch(target, 'as user', path, '0', 'x', { as: 'user' });
      await head(target, 'head as anon', path, { as: 'anon' });
      await head(target, 'head without token', path, { token: '' });
      await target.ask('head without version', 'HEAD', path, { as: 'service' });
      await target.ask('delete as anon', 'DELETE', path, { as: 'anon', headers: version });
      await target.ask('delete without version', 'DELETE', path, { as: 'service' });
      for (const id of [
        'b/dir/x.txt/none',
        'b/none',
        'b',
        'b/../x/v',
        'c/dir/x.txt/none',
        '../../etc/passwd/x',
      ]) {
        const segment = Buffer.from(id).toString('base64url');
        await head(target, `head ${id}`, `${base}/${segment}`);
        await patch(target, `patch ${id}`, `${base}/${segment}`, '0', 'x');
        await target.ask(`delete ${id}`, 'DELETE', `${base}/${segment}`, { as: 'service', headers: version });
      }
      await patch(target, 'override', path, '0', 'x', { headers: { 'x-http-method-override': 'HEAD' } });
    },
  },
  {
    name: 'resumable: policies and upsert',
    async run(target) {
      await makeBucket(target, 'b');
      const as = 'user';
      const item = (objectName: string) => ({ length: '1', metadata: { bucketName: 'b', objectName } });
      await create(target, 'denied', item('x'), { as });
      await target.sql(
        `create policy ins on storage.objects for insert to authenticated with check (name like 'u%')`,
      );
      const path = pathOf(await create(target, 'allowed', item('u1'), { as }));
      await create(target, 'other name', item('x'), { as });
      await patch(target, 'by another', path, '0', 'x', { as: 'anon' });
      await target.sql(`alter policy ins on storage.objects with check (name like 'v%')`);
      await patch(target, 'revoked', path, '0', 'x', { as });
      await target.sql(`alter policy ins on storage.objects with check (name like 'u%')`);
      await patch(target, 'allowed again', path, '0', 'x', { as });
      await create(target, 'taken', item('u1'), { as });
      await create(target, 'taken by service', item('u1'));
      await create(
        target,
        'upsert without select',
        { ...item('u1'), headers: { 'x-upsert': 'true' } },
        { as },
      );
      await target.sql(
        'create policy sel on storage.objects for select to authenticated using (true); create policy upd on storage.objects for update to authenticated using (true)',
      );
      const over = pathOf(
        await create(target, 'upsert', { ...item('u1'), headers: { 'x-upsert': 'true' } }, { as }),
      );
      await patch(target, 'upsert forgotten', over, '0', 'y', { as });
      await patch(target, 'upsert said', over, '0', 'y', { as, headers: { 'x-upsert': 'true' } });
      const race = pathOf(await create(target, 'race', item('u2'), { as }));
      await put(target, 'b/u2', 'first');
      await patch(target, 'made meanwhile', race, '0', 'z', { as });
      await target.rows('rows', state);
      await target.sql(
        `alter policy ins on storage.objects with check (metadata ->> 'mimetype' = 'text/plain' and (metadata ->> 'contentLength')::int < 5 and user_metadata ->> 'k' = 'v' and storage.allow_only_operation('tus.upload.create'))`,
      );
      const facts = { bucketName: 'b', contentType: 'text/plain', metadata: '{"k":"v"}' };
      const made = pathOf(
        await create(target, 'facts', { length: '4', metadata: { ...facts, objectName: 'f1' } }, { as }),
      );
      await create(target, 'other length', { length: '5', metadata: { ...facts, objectName: 'f2' } }, { as });
      await create(
        target,
        'other metadata',
        { length: '4', metadata: { ...facts, objectName: 'f3', metadata: '{"k":"w"}' } },
        { as },
      );
      await patch(target, 'another operation', made, '0', 'data', { as });
    },
  },
  {
    name: 'resumable: signed',
    async run(target) {
      await makeBucket(target, 'b');
      const signed = async (step: string, path: string, ask: Ask = {}) =>
        String(
          (await target.ask(step, 'POST', `/object/upload/sign/${path}`, { as: 'service', ...ask })).json
            ?.token,
        );
      const token = await signed('sign', 'b/s1');
      const make = (step: string, objectName: string, signature: string | undefined, path = `${base}/sign`) =>
        target.ask(step, 'POST', path, {
          headers: {
            ...version,
            'upload-length': '5',
            'upload-metadata': metadataOf({ bucketName: 'b', objectName }),
            ...(signature === undefined ? {} : { 'x-signature': signature }),
          },
        });
      await make('no signature', 's1', undefined);
      await make('empty signature', 's1', '');
      for (const [name, bad] of badTokens(target)) await make(name, 's1', bad);
      await make('other name', 's2', token);
      await make('download token', 's1', target.sign({ url: 'b/s1', scope: 'download', exp: 4_000_000_000 }));
      await make('without sign in the path', 's1', token, base);
      const path = pathOf(await make('create', 's1', token));
      const send = (step: string, offset: string, body: string, signature: string | undefined) =>
        target.ask(step, 'PATCH', path, {
          body,
          headers: {
            ...version,
            ...pieceType,
            'upload-offset': offset,
            ...(signature === undefined ? {} : { 'x-signature': signature }),
          },
        });
      await send('patch without signature', '0', 'he', undefined);
      await send('patch', '0', 'he', token);
      await target.ask('head', 'HEAD', path, { headers: { ...version, 'x-signature': token } });
      await target.ask('head without signature', 'HEAD', path, { headers: version });
      await send('rest', '2', 'llo', token);
      await make('again', 's1', token);
      const upsert = await signed('sign upsert', 'b/s1', { headers: { 'x-upsert': 'true' } });
      await make('again with upsert', 's1', upsert);
      await target.rows('rows', state);
    },
  },
];
