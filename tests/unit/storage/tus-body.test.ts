import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../../src/http/exchange.ts';
import { toWebRequest } from '../../../src/storage/tus/web-request.ts';

const requestWith = (body: Readable): HttpRequest => ({
  id: 'test',
  method: 'PATCH',
  path: '/upload/resumable/x',
  fullPath: '/storage/v1/upload/resumable/x',
  query: '',
  headers: { 'tus-resumable': '1.0.0', 'set-cookie': ['a=1', 'b=2'] },
  rawHeaders: [],
  authorization: null,
  ip: '127.0.0.1',
  protocol: 'http',
  body,
  onGone: () => () => {},
});

const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 20 });

describe('a body', () => {
  it('arrives as it was sent', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, async (sent) => {
        const body = Readable.from(sent.map((chunk) => Buffer.from(chunk)));
        const { request } = toWebRequest(requestWith(body));
        expect(Buffer.from(await request.arrayBuffer()).equals(Buffer.concat(sent))).toBe(true);
      }),
    );
  });

  it('ends where it breaks off, with what had arrived', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, async (sent) => {
        const body = new PassThrough();
        const { request } = toWebRequest(requestWith(body));
        const received: Buffer[] = [];
        for (const chunk of sent) body.write(chunk);
        let left = Buffer.concat(sent).length;
        if (left === 0) body.destroy(new Error('the connection broke'));
        for await (const chunk of request.body ?? []) {
          received.push(Buffer.from(chunk));
          left -= chunk.length;
          if (left === 0) body.destroy(new Error('the connection broke'));
        }
        expect(Buffer.concat(received).equals(Buffer.concat(sent))).toBe(true);
      }),
    );
  });

  it('is not read before it is asked for, and left to the next reader once it is released', async () => {
    const body = new PassThrough();
    const { request, release } = toWebRequest(requestWith(body));
    body.write('first');
    body.write('second');
    const reader = request.body?.getReader();
    expect(body.listenerCount('data')).toBe(0);
    expect(String(Buffer.from((await reader?.read())?.value ?? ''))).toBe('first');
    release();
    body.end('third');
    expect(String(Buffer.concat(await body.toArray()))).toBe('secondthird');
  });

  it('is not destroyed with its reader, since its socket has to carry the answer', async () => {
    const body = new PassThrough();
    const { request } = toWebRequest(requestWith(body));
    body.write('first');
    const reader = request.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    body.end('second');
    expect(String(Buffer.concat(await body.toArray()))).toBe('second');
  });
});

it('headers that came more than once arrive as one', () => {
  const { request } = toWebRequest(requestWith(Readable.from([])));
  expect(Object.fromEntries(request.headers)).toEqual({ 'tus-resumable': '1.0.0', 'set-cookie': 'a=1,b=2' });
});
