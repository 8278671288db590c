import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type Answer, startStorage } from '../../support/storage.ts';

const instance = await startStorage();
const { call, serviceKey: token } = instance;
await call('POST', '/bucket', { token, body: { name: 'p', public: true } });
await call('POST', '/bucket', { token, body: { name: 'private' } });

/** Left half red, right half blue. */
const halves = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: 'red' } }).composite([
    {
      input: { create: { width: width / 2, height, channels: 3, background: 'blue' } },
      left: width / 2,
      top: 0,
    },
  ]);

const put = (path: string, body: Buffer, type: string): Promise<Answer> =>
  call('POST', `/object/${path}`, { token, body, headers: { 'content-type': type, 'x-upsert': 'true' } });

await put('p/a.jpg', await halves(400, 200).jpeg().toBuffer(), 'image/jpeg');
await put('private/a.jpg', await halves(400, 200).jpeg().toBuffer(), 'image/jpeg');

const render = (query: string, headers: Record<string, string> = {}, name = 'a.jpg') =>
  call('GET', `/render/image/public/p/${name}?${query}`, { headers });
const sizeOf = async (answer: Answer) => {
  const { width, height, format } = await sharp(answer.bytes).metadata();
  return [width, height, format];
};
/** Whether the pixel at a place is red or blue. */
const colourAt = async (answer: Answer, x: number, y: number): Promise<string> => {
  const { data } = await sharp(answer.bytes)
    .extract({ left: x, top: y, width: 1, height: 1 })
    .raw()
    .toBuffer({
      resolveWithObject: true,
    });
  return (data[0] ?? 0) > (data[2] ?? 0) ? 'red' : 'blue';
};

describe('a rendering', () => {
  it.each([
    ['width=100&height=100', [100, 100, 'jpeg'], 'height:100,width:100,resizing_type:fill'],
    ['width=100&height=100&resize=contain', [100, 50, 'jpeg'], 'height:100,width:100,resizing_type:fit'],
    ['width=100&height=100&resize=fill', [100, 100, 'jpeg'], 'height:100,width:100,resizing_type:force'],
    ['width=100', [100, 50, 'jpeg'], 'width:100,resizing_type:fill'],
    ['height=50&quality=20', [100, 50, 'jpeg'], 'height:50,resizing_type:fill,quality:20'],
    ['width=0', [400, 200, 'jpeg'], null],
    ['width=99999', [400, 200, 'jpeg'], 'width:2000,resizing_type:fill'],
    ['width=1&quality=100', [1, 1, 'jpeg'], 'width:1,resizing_type:fill,quality:100'],
    ['width=20&format=webp', [20, 10, 'webp'], 'width:20,resizing_type:fill,format:webp'],
    ['width=20&format=avif', [20, 10, 'heif'], 'width:20,resizing_type:fill,format:avif'],
  ])('by %s is as asked', async (query, size, transformations) => {
    const answer = await render(query);
    expect(answer.status).toBe(200);
    expect(await sizeOf(answer)).toEqual(size);
    expect(answer.headers.get('x-transformations')).toBe(transformations);
    expect(Number(answer.headers.get('content-length'))).toBe(answer.bytes.length);
  });

  it('cuts where it is told to', async () => {
    const at = async (gravity: string) => colourAt(await render(`width=50&height=100&${gravity}`), 25, 50);
    expect(await at('gravity=we')).toBe('red');
    expect(await at('gravity=ea')).toBe('blue');
    expect(await at('gravity=fp&x_offset=0.9&y_offset=0.5')).toBe('blue');
  });

  it('is in a format that the client takes, unless it says which', async () => {
    const accept = { accept: 'image/avif,image/webp,*/*' };
    expect((await render('width=20', accept)).headers.get('content-type')).toBe('image/webp');
    expect((await render('width=20&format=origin', accept)).headers.get('content-type')).toBe('image/jpeg');
    expect((await render('width=20')).headers.get('vary')).toBe('Accept');
  });

  it('has an ETag of its own, which saves it', async () => {
    const [small, large] = [await render('width=20'), await render('width=30')];
    expect(small.headers.get('etag')).not.toBe(large.headers.get('etag'));
    const again = await render('width=20', { 'if-none-match': small.headers.get('etag') ?? '' });
    expect([again.status, again.text]).toEqual([304, '']);
    await put('p/changing.jpg', await halves(40, 20).jpeg().toBuffer(), 'image/jpeg');
    const before = (await render('width=20', {}, 'changing.jpg')).headers.get('etag');
    await put('p/changing.jpg', await halves(80, 20).jpeg().toBuffer(), 'image/jpeg');
    const after = await render('width=20', {}, 'changing.jpg');
    expect(after.headers.get('etag')).not.toBe(before);
    expect(await sizeOf(after)).toEqual([20, 5, 'jpeg']);
  });

  it.each([
    ['quality=19', 'querystring/quality must be >= 20'],
    ['quality=101', 'querystring/quality must be <= 100'],
    ['width=-1', 'querystring/width must be >= 0'],
    ['width=a', 'querystring/width must be integer'],
    ['resize=crop', 'querystring/resize must be equal to one of the allowed values'],
    ['format=png', 'querystring/format must be equal to one of the allowed values'],
    ['gravity=fp', "querystring must have required property 'x_offset'"],
    ['gravity=fp&x_offset=2&y_offset=0', 'querystring/x_offset must be <= 1'],
  ])('by %s is refused', async (query, message) => {
    const answer = await render(query);
    expect([answer.status, answer.json()]).toMatchObject([400, { statusCode: '400', message }]);
  });

  it('turns by the camera’s note and drops it', async () => {
    await put(
      'p/turned.jpg',
      await halves(400, 200).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
      'image/jpeg',
    );
    const answer = await render('width=100', {}, 'turned.jpg');
    expect(await sizeOf(answer)).toEqual([100, 200, 'jpeg']);
    expect((await sharp(answer.bytes).metadata()).orientation).toBeUndefined();
  });
});

describe('what cannot be rendered', () => {
  const unusable = 'The source image is invalid or unsupported for rendering';
  const tooLarge = 'The source image resolution is too large to process';

  /** A PNG that says it has 10,000 times 10,000 pixels. */
  function bomb(): Buffer {
    const chunk = (type: string, data: Buffer): Buffer => {
      const head = Buffer.alloc(4);
      head.writeUInt32BE(data.length);
      const body = Buffer.concat([Buffer.from(type), data]);
      const sum = Buffer.alloc(4);
      sum.writeUInt32BE(crc32(body));
      return Buffer.concat([head, body, sum]);
    };
    const header = Buffer.alloc(13);
    header.writeUInt32BE(10_000, 0);
    header.writeUInt32BE(10_000, 4);
    header.set([1, 0, 0, 0, 0], 8);
    return Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      chunk('IHDR', header),
      chunk('IDAT', deflateSync(Buffer.alloc(1251 * 10_000))),
      chunk('IEND', Buffer.alloc(0)),
    ]);
  }

  function crc32(bytes: Buffer): number {
    let crc = ~0;
    for (const byte of bytes) {
      crc ^= byte;
      for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc >>> 0;
  }

  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="/etc/passwd"/></svg>';

  it.each<[string, Buffer | Promise<Buffer>, string]>([
    ['text', Buffer.from('no image'), unusable],
    [
      'half an image',
      halves(400, 200)
        .jpeg()
        .toBuffer()
        .then((bytes) => bytes.subarray(0, 500)),
      unusable,
    ],
    ['an SVG, which may fetch files', Buffer.from(svg), unusable],
    ['more pixels than memory should hold', bomb(), tooLarge],
    ['nothing', Buffer.alloc(0), unusable],
  ])('is %s', async (_case, bytes, message) => {
    await put('p/bad.png', await bytes, 'image/png');
    const answer = await render('width=10', {}, 'bad.png');
    expect([answer.status, answer.json()]).toEqual([
      400,
      { statusCode: '400', error: 'InvalidRequest', message, code: 'InvalidRequest' },
    ]);
  });

  it('costs no memory, however many ask for it at once', async () => {
    await put('p/bomb.png', bomb(), 'image/png');
    const before = process.memoryUsage().rss;
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => render(`width=${i + 1}`, {}, 'bomb.png')),
    );
    for (const answer of answers) expect(answer.json()).toMatchObject({ message: tooLarge });
    // Decoded, one of them takes 100 MB.
    expect(process.memoryUsage().rss - before).toBeLessThan(80 * 1024 ** 2);
  });

  it('is a file of more bytes than are read at once', async () => {
    await put('p/huge.png', Buffer.from('x'), 'image/png');
    await instance.database.owner.exec(
      `update storage.objects set metadata = jsonb_set(metadata, '{size}', '26214401') where name = 'huge.png'`,
    );
    const answer = await render('width=10', {}, 'huge.png');
    expect(answer.json()).toMatchObject({
      statusCode: '400',
      message: 'The source image file is too large to process',
    });
  });

  it.each([
    ['of many frames', 1000, 1],
    ['of few frames', 3, 3],
  ])('is a film %s: of %d frames %d are shown', async (_case, frames, shown) => {
    const [width, height] = [8, 8];
    // Noise: equal frames would be put together.
    const film = await sharp(randomBytes(width * height * frames * 3), {
      raw: { width, height: height * frames, channels: 3, pageHeight: height },
    })
      .gif({ delay: Array.from({ length: frames }, () => 20) })
      .toBuffer();
    expect((await sharp(film).metadata()).pages).toBe(frames);
    await put('p/film.gif', film, 'image/gif');
    const answer = await render('width=4', {}, 'film.gif');
    expect(answer.status).toBe(200);
    expect((await sharp(answer.bytes).metadata()).pages ?? 1).toBe(shown);
  });

  it('is a row without its blob', async () => {
    await put('p/lost.png', Buffer.from('x'), 'image/png');
    await instance.deps.store.remove(await instance.blobs().then((all) => all));
    const answer = await render('width=10', {}, 'lost.png');
    expect([answer.status, answer.json()]).toMatchObject([400, { statusCode: '404' }]);
    await put('p/a.jpg', await halves(400, 200).jpeg().toBuffer(), 'image/jpeg');
    await put('private/a.jpg', await halves(400, 200).jpeg().toBuffer(), 'image/jpeg');
  });
});

describe('access to a rendering', () => {
  it('of a private object is by policies, or by a signed URL that fixes the rendering', async () => {
    const user = await instance.userToken('6dbf3c4e-0000-4000-8000-000000000000');
    const hidden = await call('GET', '/render/image/authenticated/private/a.jpg?width=10', { token: user });
    expect(hidden.json()).toMatchObject({ statusCode: '404', code: 'NoSuchKey' });
    // Unlike a download, a rendering of a public bucket's object asks policies too.
    const open = await call('GET', '/render/image/authenticated/p/a.jpg?width=10', { token: user });
    expect(open.json()).toMatchObject({ statusCode: '404', code: 'NoSuchKey' });
    const allowed = await call('GET', '/render/image/authenticated/private/a.jpg?width=10', { token });
    expect(await sizeOf(allowed)).toEqual([10, 5, 'jpeg']);
    expect((await call('GET', '/render/image/public/private/a.jpg')).json()).toMatchObject({
      code: 'NoSuchBucket',
    });
    const signed = await call('POST', '/object/sign/private/a.jpg', {
      token,
      body: { expiresIn: 60, transform: { width: 40, resize: 'contain', format: 'webp' } },
    });
    const { signedURL } = signed.json() as { signedURL: string };
    expect(signedURL).toMatch(/^\/render\/image\/sign\/private\/a\.jpg\?token=/);
    const rendered = await call('GET', `${signedURL}&width=300&format=origin`);
    expect(await sizeOf(rendered)).toEqual([40, 20, 'webp']);
    expect(rendered.headers.get('expires')).toMatch(/GMT$/);
    const head = await call('HEAD', signedURL);
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'image/webp']);
    const whole = await call('GET', signedURL.replace('/render/image/', '/object/'));
    expect([whole.status, whole.json()]).toMatchObject([400, { code: 'InvalidSignature' }]);
  });
});
