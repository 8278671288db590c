import { makeBucket, put, type Scenario } from '../scenario.ts';
import type { Target } from '../target.ts';

/*
 * Every route with every method, and every member of every body and query in forms that it does not take.
 */

const paths = [
  ...['/', '/bucket', '/bucket/b', '/bucket/b/empty', '/bucket/b/x', '/bucket/none'],
  ...['/object', '/object/', '/object/b', '/object/b/', '/object/b/one', '/object/none/one'],
  ...['/object/public', '/object/public/b', '/object/public/b/', '/object/public/b/one'],
  ...['/object/authenticated/b', '/object/authenticated/b/one', '/object/sign/b', '/object/sign/b/one'],
  ...['/object/upload', '/object/upload/sign/b', '/object/upload/sign/b/one', '/object/upload/b/one'],
  ...['/object/info', '/object/info/b', '/object/info/b/one', '/object/info/public/b/one'],
  ...['/object/info/authenticated/b/one', '/object/info/sign/b/one', '/object/list', '/object/list/b'],
  ...['/object/list/b/x', '/object/list-v2', '/object/list-v2/b', '/object/list-v2/b/x'],
  ...['/object/copy', '/object/copy/x', '/object/move', '/object/move/x'],
  ...[
    '/render',
    '/render/image',
    '/render/image/b/one',
    '/render/image/public/b',
    '/render/video/public/b/one',
  ],
  ...['/cdn', '/cdn/b', '/cdn/b/one', '/iceberg/bucket', '/vector/ListVectorBuckets', '/health', '/status'],
  ...['/upload', '/upload/resumable/x/y', '/upload/resumable/sign/x/y', '/s3/none/one'],
];
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Values that no member of a body takes, most of them. */
const wrong: readonly unknown[] = [
  null,
  '',
  'x',
  0,
  -1,
  1.5,
  true,
  [],
  ['x'],
  {},
  { x: 1 },
  '1',
  1e20,
  'ü',
  '\u0000',
];

/** A route with a body that it takes, member by member. */
const bodies: readonly (readonly [method: string, path: string, body: Readonly<Record<string, unknown>>])[] =
  [
    [
      'POST',
      '/bucket',
      { name: 'made', id: 'made', public: false, file_size_limit: 5, allowed_mime_types: ['a/b'] },
    ],
    ['PUT', '/bucket/b', { public: true, file_size_limit: 50, allowed_mime_types: ['a/b'] }],
    [
      'POST',
      '/object/list/b',
      { prefix: '', limit: 1, offset: 0, search: '', sortBy: { column: 'name', order: 'asc' } },
    ],
    [
      'POST',
      '/object/list-v2/b',
      { prefix: '', limit: 1, cursor: '', with_delimiter: true, sortBy: { column: 'name', order: 'asc' } },
    ],
    ['POST', '/object/sign/b', { expiresIn: 60, paths: ['one'] }],
    ['POST', '/object/sign/b/one', { expiresIn: 60, transform: { width: 5 } }],
    [
      'POST',
      '/object/copy',
      {
        ...{
          bucketId: 'b',
          sourceKey: 'one',
          destinationKey: 'two',
          destinationBucket: 'b',
          copyMetadata: true,
        },
        metadata: { cacheControl: 'max-age=1', mimetype: 'a/b' },
      },
    ],
    [
      'POST',
      '/object/move',
      { bucketId: 'b', sourceKey: 'none', destinationKey: 'two', destinationBucket: 'b' },
    ],
    ['DELETE', '/object/b', { prefixes: ['none'] }],
  ];

const begin = async (target: Target): Promise<void> => {
  await makeBucket(target, 'b', { public: true });
  await put(target, 'b/one', 'text');
};

/** Scenarios of routes and their input. */
export const sweepScenarios: readonly Scenario[] = [
  {
    name: 'sweep: methods',
    async run(target) {
      await begin(target);
      for (const path of paths) {
        for (const method of methods) {
          // An anonymous caller changes nothing, so that each request finds the same.
          await target.ask(`${method} ${path}`, method, path, { as: 'anon' });
          await target.ask(`${method} ${path} without a token`, method, path);
        }
      }
    },
  },
  {
    name: 'sweep: bodies',
    async run(target) {
      await begin(target);
      for (const [method, path, body] of bodies) {
        for (const [member, value] of Object.entries(body)) {
          const { [member]: _left, ...others } = body;
          const step = `${method} ${path} ${member}`;
          await target.ask(`${step} absent`, method, path, { as: 'anon', body: others });
          for (const other of wrong) {
            const given = { ...body, [member]: other };
            await target.ask(`${step} ${JSON.stringify(other)}`, method, path, { as: 'anon', body: given });
          }
          if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
          for (const inner of Object.keys(value)) {
            for (const other of wrong) {
              const given = { ...body, [member]: { ...value, [inner]: other } };
              const name = `${step}.${inner} ${JSON.stringify(other)}`;
              await target.ask(name, method, path, { as: 'anon', body: given });
            }
          }
        }
      }
    },
  },
  {
    name: 'sweep: forms of bodies',
    async run(target) {
      await begin(target);
      for (const [method, path] of bodies) {
        for (const type of [
          'application/json',
          'text/plain',
          'application/x-www-form-urlencoded',
          'nonsense',
        ]) {
          for (const body of ['', '{', 'null', '[]', '"x"', '{}', '{"__proto__":{"x":1}}', '\ufeff{}']) {
            const headers = { 'content-type': type };
            await target.ask(`${method} ${path} ${type} ${body}`, method, path, {
              as: 'anon',
              body,
              headers,
            });
          }
        }
      }
    },
  },
  {
    name: 'sweep: queries',
    async run(target) {
      await begin(target);
      const values = ['', 'x', '-1', '0', '1.5', '1e2', '%00', '99999999999999999999', 'a&a', '%C3%BC'];
      for (const name of ['limit', 'offset', 'sortColumn', 'sortOrder', 'search']) {
        for (const value of values) {
          const path = `/bucket?${name}=${value.replace('&', `&${name}=`)}`;
          await target.ask(`GET ${path}`, 'GET', path, { as: 'service' });
        }
      }
      for (const name of [
        'download',
        'token',
        'width',
        'height',
        'resize',
        'quality',
        'format',
        'cacheNonce',
      ]) {
        for (const value of values) {
          const query = `?${name}=${value.replace('&', `&${name}=`)}`;
          await target.ask(`HEAD ${query}`, 'HEAD', `/object/public/b/one${query}`);
          await target.ask(`signed ${query}`, 'GET', `/object/sign/b/one${query}`);
          await target.ask(`upload ${query}`, 'PUT', `/object/upload/sign/b/one${query}`, { body: 'x' });
        }
      }
    },
  },
  {
    name: 'sweep: s3',
    async run(target) {
      await begin(target);
      const places = [
        '/',
        '/b',
        '/b/',
        '/b/one',
        '/none',
        '/none/one',
        '/b/%C3%BC',
        '/b/a%00b',
        '/%C3%BC/one',
      ];
      for (const place of places) {
        for (const method of ['GET', 'HEAD', 'POST', 'PATCH', 'OPTIONS']) {
          await target.s3(`${method} ${place}`, method, place);
        }
      }
      const values = ['', '-1', '0', '1001', 'x', '1.5', '%C3%BC', '%2F'];
      const names = [
        'max-keys',
        'prefix',
        'delimiter',
        'marker',
        'start-after',
        'continuation-token',
        'encoding-type',
      ];
      for (const name of names) {
        for (const value of values) {
          for (const type of ['', '&list-type=2']) {
            await target.s3(`list ${name}=${value}${type}`, 'GET', `/b?${name}=${value}${type}`);
          }
        }
      }
      for (const body of [
        '',
        'x',
        '<',
        '<Delete/>',
        '<Delete><Object/></Delete>',
        '<Delete><Object><Key/></Object></Delete>',
      ]) {
        await target.s3(`delete ${body}`, 'POST', '/b?delete=', {
          body,
          headers: { 'content-type': 'application/xml' },
        });
      }
      for (const header of [
        'x-amz-copy-source',
        'x-amz-acl',
        'x-amz-storage-class',
        'x-amz-tagging',
        'content-md5',
      ]) {
        for (const value of ['', 'x', 'b/none', 'none/one', 'private']) {
          await target.s3(`put ${header}: ${value}`, 'PUT', '/b/made', {
            body: 'x',
            headers: { [header]: value },
          });
        }
      }
      for (const header of [
        'if-match',
        'if-none-match',
        'if-modified-since',
        'if-unmodified-since',
        'range',
      ]) {
        for (const value of [
          'x',
          '*',
          '"x"',
          'bytes=1-',
          'Thu, 01 Jan 1970 00:00:00 GMT',
          'Fri, 01 Jan 2100 00:00:00 GMT',
        ]) {
          const headers = { [header]: value };
          await target.s3(`get ${header}: ${value}`, 'GET', '/b/one', { headers });
          await target.s3(`head ${header}: ${value}`, 'HEAD', '/b/one', { headers });
        }
      }
    },
  },
];
