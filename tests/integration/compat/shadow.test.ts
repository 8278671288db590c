import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Shadow, type ShadowOptions, startShadow } from '../../../src/compat/shadow/shadow.ts';

const servers: Server[] = [];
const shadows: Shadow[] = [];

afterEach(async () => {
  await Promise.all(shadows.splice(0).map((shadow) => shadow.stop()));
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(answer: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

async function shadowOf(
  upstream: string,
  ownbase: string,
  over: Partial<ShadowOptions> = {},
): Promise<Shadow> {
  const shadow = await startShadow({
    upstream: new URL(upstream),
    ownbase,
    host: '127.0.0.1',
    port: 0,
    rpc: 'none',
    sample: 1,
    queueSize: 100,
    showing: 'kinds',
    keys: new Map(),
    timeoutMs: 2000,
    ...over,
  });
  shadows.push(shadow);
  return shadow;
}

const json =
  (value: unknown, status = 200): RequestListener =>
  (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));

/** A server that notes what it is asked. */
function noting(asked: string[], answer: RequestListener): RequestListener {
  return (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  };
}

describe('a shadow', () => {
  it('gives the answer of upstream as it is: status, headers, bytes', async () => {
    const body = gzipSync('[1,2]');
    const upstream = await serve((request, response) => {
      response.writeHead(206, [
        ...[
          'Content-Type',
          'application/json',
          'Content-Encoding',
          'gzip',
          'X-Asked',
          String(request.headers.host),
        ],
        ...['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Content-Length', String(body.length)],
      ]);
      response.end(body);
    });
    const own = await serve(json([1, 2]));
    const shadow = await shadowOf(upstream.url, own.url);
    const answer = await fetch(`${shadow.url}/rest/v1/films?id=eq.1`);
    expect(answer.status).toBe(206);
    expect(answer.headers.get('x-asked')).toBe(new URL(upstream.url).host);
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await answer.json()).toEqual([1, 2]);
  });

  it('compares decoded bodies and tells differences by route, without values', async () => {
    const upstream = await serve((_, response) =>
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end(gzipSync(JSON.stringify([{ id: 1, title: 'Ran' }]))),
    );
    const own = await serve(json([{ id: 1, title: 'Kagemusha', extra: null }]));
    const shadow = await shadowOf(upstream.url, own.url);
    for (const id of [1, 2]) await (await fetch(`${shadow.url}/rest/v1/films?select=*&id=eq.${id}`)).text();
    const { requests, routes } = await shadow.stop();
    expect(requests).toBe(2);
    expect(routes).toHaveLength(1);
    expect(routes[0]).toMatchObject({
      route: 'GET /rest/v1/films?id&select',
      compared: 2,
      same: 0,
      differentStatus: 0,
      differentBody: 2,
      examples: [
        { what: 'body', at: 'body[0].title', upstream: 'string of 3', ownbase: 'string of 9' },
        { what: 'body', at: 'body[0].extra', upstream: 'absent', ownbase: 'null' },
      ],
    });
  });

  it('finds a difference in status, and agreement', async () => {
    const answer =
      (status: number): RequestListener =>
      (request, response) =>
        json({ at: request.url }, request.url?.includes('hidden') ? status : 200)(request, response);
    const upstream = await serve(answer(401));
    const own = await serve(answer(200));
    const shadow = await shadowOf(upstream.url, own.url);
    for (const name of ['films', 'hidden']) await (await fetch(`${shadow.url}/rest/v1/${name}`)).text();
    const { routes } = await shadow.stop();
    expect(routes.map(({ route, same, differentStatus }) => [route, same, differentStatus])).toEqual([
      ['GET /rest/v1/hidden', 0, 1],
      ['GET /rest/v1/films', 1, 0],
    ]);
  });

  it('asks nothing again that could change something or use it up', async () => {
    const asked: string[] = [];
    const upstream = await serve(json([]));
    const own = await serve(noting(asked, json([])));
    const shadow = await shadowOf(upstream.url, own.url, { rpc: new Set(['stats']) });
    const ask = async (method: string, path: string): Promise<void> => {
      await (
        await fetch(shadow.url + path, { method, ...(method === 'GET' ? {} : { body: '{"a":1}' }) })
      ).text();
    };
    await ask('POST', '/rest/v1/films');
    await ask('PATCH', '/rest/v1/films?id=eq.1');
    await ask('GET', '/auth/v1/verify?token=abc&type=signup');
    await ask('GET', '/auth/v1/authorize?provider=github');
    await ask('POST', '/rest/v1/rpc/remove_all');
    await ask('POST', '/rest/v1/rpc/stats');
    await ask('GET', '/auth/v1/user');
    await ask('GET', '/storage/v1/object/public/a/b.txt');
    const { requests } = await shadow.stop();
    expect(requests).toBe(8);
    expect(asked.sort()).toEqual([
      'GET /auth/v1/user',
      'GET /storage/v1/object/public/a/b.txt',
      'POST /rest/v1/rpc/stats',
    ]);
  });

  it("puts this backend's keys in the place of upstream's and leaves other tokens", async () => {
    const heard: unknown[] = [];
    const upstream = await serve(json([]));
    const own = await serve((request, response) => {
      heard.push([request.headers.apikey, request.headers.authorization]);
      json([])(request, response);
    });
    const shadow = await shadowOf(upstream.url, own.url, { keys: new Map([['theirs', 'ours']]) });
    await fetch(`${shadow.url}/rest/v1/a`, { headers: { apikey: 'theirs', authorization: 'Bearer theirs' } });
    await fetch(`${shadow.url}/rest/v1/a`, { headers: { apikey: 'theirs', authorization: 'Bearer person' } });
    await shadow.stop();
    expect(heard.map(String).sort()).toEqual(['ours,Bearer ours', 'ours,Bearer person']);
  });

  it('answers although this backend hangs, and counts that it gave no answer', async () => {
    const upstream = await serve(json({ ok: true }));
    const own = await serve(() => {});
    const shadow = await shadowOf(upstream.url, own.url, { timeoutMs: 200 });
    expect(await (await fetch(`${shadow.url}/rest/v1/films`)).json()).toEqual({ ok: true });
    const { routes } = await shadow.stop();
    expect(routes[0]).toMatchObject({ route: 'GET /rest/v1/films', compared: 0, unanswered: 1 });
  });

  it('drops what would wait too long instead of keeping it', async () => {
    const upstream = await serve(json([]));
    const own = await serve(() => {});
    const shadow = await shadowOf(upstream.url, own.url, { queueSize: 2, timeoutMs: 300 });
    await Promise.all(
      Array.from({ length: 10 }, async () => (await fetch(`${shadow.url}/rest/v1/films`)).text()),
    );
    const { dropped, routes } = await shadow.stop();
    expect(dropped).toBe(4);
    expect(routes[0]?.unanswered).toBe(6);
  });

  it('compares a sample only', async () => {
    const asked: string[] = [];
    const upstream = await serve(json([]));
    const own = await serve(noting(asked, json([])));
    const shadow = await shadowOf(upstream.url, own.url, { sample: 0 });
    await (await fetch(`${shadow.url}/rest/v1/films`)).text();
    expect((await shadow.stop()).requests).toBe(1);
    expect(asked).toEqual([]);
  });

  it('streams: the first part of an answer is there before its last', async () => {
    let finish = (): void => {};
    const upstream = await serve((_: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.write('first');
      finish = () => response.end('last');
    });
    const own = await serve((_, response) =>
      response.writeHead(200, { 'content-type': 'text/plain' }).end('firstlast'),
    );
    const shadow = await shadowOf(upstream.url, own.url);
    const answer = await fetch(`${shadow.url}/storage/v1/object/public/a/b.txt`);
    const reader = answer.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('first');
    finish();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('last');
    expect((await shadow.stop()).routes[0]).toMatchObject({
      route: 'GET /storage/v1/object/public/:bucket/*',
      same: 1,
    });
  });

  it('passes uploads on whole', async () => {
    const upstream = await serve((request, response) => {
      let size = 0;
      request.on('data', (part: Buffer) => {
        size += part.length;
      });
      request.on('end', () => json({ size, type: request.headers['content-type'] })(request, response));
    });
    const shadow = await shadowOf(upstream.url, upstream.url);
    const answer = await fetch(`${shadow.url}/storage/v1/object/a/b`, {
      method: 'POST',
      headers: { 'content-type': 'image/png' },
      body: Buffer.alloc(3_000_000),
    });
    expect(await answer.json()).toEqual({ size: 3_000_000, type: 'image/png' });
  });

  it('passes sockets through in both directions', async () => {
    const { url, server } = await serve(json({}));
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket, request) => {
      socket.send(`opened ${request.url}`);
      socket.on('message', (data) => socket.send(`heard ${String(data)}`));
    });
    const shadow = await shadowOf(url, url);
    const socket = new WebSocket(`${shadow.url.replace('http', 'ws')}/realtime/v1/websocket?vsn=1.0.0`);
    const messages: string[] = [];
    await new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        if (messages.push(String(data)) === 2) resolve();
      });
      socket.on('open', () => socket.send('hello'));
    });
    expect(messages).toEqual(['opened /realtime/v1/websocket?vsn=1.0.0', 'heard hello']);
    const closed = once(socket, 'close');
    socket.close(1000);
    expect((await closed)[0]).toBe(1000);
    sockets.close();
  });

  it("passes upstream's refusal of a socket on", async () => {
    const { url, server } = await serve(json({}));
    server.on('upgrade', (_, socket) =>
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'),
    );
    const shadow = await shadowOf(url, url);
    const socket = new WebSocket(`${shadow.url.replace('http', 'ws')}/realtime/v1/websocket`);
    const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(answer.statusCode).toBe(403);
  });

  it('answers 502 when upstream cannot be reached', async () => {
    const gone = await serve(json({}));
    gone.server.close();
    const own = await serve(json({}));
    const shadow = await shadowOf(gone.url, own.url);
    const answer = await fetch(`${shadow.url}/rest/v1/films`);
    expect([answer.status, await answer.json()]).toEqual([
      502,
      { code: 'upstream_unreachable', message: 'The upstream project did not answer' },
    ]);
  });
});
