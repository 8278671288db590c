import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Observation, silent } from '../../../src/core/observe.ts';
import { BodyTooLarge, readBody } from '../../../src/http/body.ts';
import { trustProxies } from '../../../src/http/client-address.ts';
import { type Handler, type HttpReply, type HttpRequest, jsonReply } from '../../../src/http/exchange.ts';
import { createGateway } from '../../../src/http/gateway.ts';
import { createHttpServer, type HttpServer } from '../../../src/http/server.ts';
import { send } from '../../support/http.ts';
import { until } from '../../support/until.ts';

const keys = {
  publishableKey: 'sb_publishable_x',
  secretKey: 'sb_secret_x',
  anonToken: 'anon.jwt',
  serviceToken: 'service.jwt',
};
const seen: Observation[] = [];

/** Shows what the service was given, and misbehaves on request. */
async function echo(request: HttpRequest): Promise<HttpReply> {
  const { path, query, authorization, ip, protocol } = request;
  if (path === '/throws') throw new Error('a secret detail');
  if (path === '/stream') return { status: 200, headers: {}, body: Readable.from(['a', 'b']) };
  if (path === '/breaks') {
    const body = Readable.from(
      (async function* () {
        yield 'the beginning';
        throw new Error('the source broke');
      })(),
    );
    return { status: 200, headers: {}, body };
  }
  if (path === '/endless') {
    const chunk = Buffer.alloc(64 * 1024);
    const body = Readable.from(
      (function* () {
        for (;;) yield chunk;
      })(),
    );
    return { status: 200, headers: {}, body, route: '/endless' };
  }
  if (path === '/limited') {
    try {
      return jsonReply(200, { size: (await readBody(request, 10)).length });
    } catch (error) {
      if (error instanceof BodyTooLarge) return jsonReply(413, { limit: error.limitBytes });
      throw error;
    }
  }
  return { ...jsonReply(200, { path, query, authorization, ip, protocol }), route: '/echo' };
}

const serverWith = (requireApikey: boolean): HttpServer =>
  createHttpServer({
    router: createGateway({
      keys,
      requireApikey,
      mounts: [
        { prefix: '/rest/v1', service: 'rest', handler: echo, credentials: 'apikey', isGuarded: true },
        { prefix: '/auth/v1', service: 'auth', handler: echo, credentials: 'apikey', isGuarded: true },
        { prefix: '/storage/v1', service: 'storage', handler: echo, credentials: 'apikey', isGuarded: false },
        {
          prefix: '/storage/v1/s3',
          service: 'storage',
          handler: echo,
          credentials: 'untouched',
          isGuarded: false,
        },
      ],
    }),
    observer: (observation) => seen.push(observation),
    isTrustedProxy: trustProxies(['127.0.0.0/8']),
    requestTimeoutMs: 5000,
  });

const open = serverWith(false);
const guarded = serverWith(true);
let port = 0;
let guardedPort = 0;
beforeAll(async () => {
  port = await open.listen(0, '127.0.0.1');
  guardedPort = await guarded.listen(0, '127.0.0.1');
});
afterAll(async () => {
  await open.close(1000);
  await guarded.close(1000);
});

describe('the gateway', () => {
  it('hands a service the raw path after its prefix and the raw query', async () => {
    const answer = await send(port, '/storage/v1/object/public/b/../../x%2e%2e/?a=%20&b');
    expect(answer.json()).toMatchObject({ path: '/object/public/b/../../x%2e%2e/', query: 'a=%20&b' });
  });

  it('turns an apikey into a bearer, except on the S3 endpoint, which signs its own', async () => {
    const headers = { apikey: 'sb_secret_x', authorization: 'AWS4-HMAC-SHA256 x' };
    expect((await send(port, '/storage/v1/s3/b', { headers })).json()).toMatchObject({
      authorization: 'AWS4-HMAC-SHA256 x',
    });
    expect((await send(port, '/rest/v1/t', { headers: { apikey: 'sb_secret_x' } })).json()).toMatchObject({
      authorization: 'Bearer service.jwt',
    });
  });

  it('does not take a prefix for a path that only begins like it', async () => {
    expect(await send(port, '/rest/v1x/t')).toMatchObject({ status: 404 });
  });

  it('answers a preflight for any header and method, and lets scripts read every answer, errors too', async () => {
    const preflight = await send(port, '/rest/v1/t', {
      method: 'OPTIONS',
      headers: {
        origin: 'http://a.example',
        'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'x-new-header,apikey',
      },
    });
    expect(preflight.status).toBe(200);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'x-new-header,apikey',
    });
    expect(preflight.headers['access-control-allow-methods']).toContain('PATCH');
    for (const target of ['/rest/v1/throws', '/nowhere', '/rest/v1/t']) {
      const { headers } = await send(port, target);
      expect(headers['access-control-allow-origin']).toBe('*');
      const exposed = String(headers['access-control-expose-headers']).split(', ');
      expect(exposed).toEqual(
        expect.arrayContaining(['Content-Range', 'Link', 'X-Total-Count', 'X-Supabase-Api-Version']),
      );
    }
  });

  it('says of a service that it does not have that it does not have it', async () => {
    for (const target of ['/graphql/v1', '/functions/v1/hello', '/pg/tables']) {
      const answer = await send(port, target, { method: 'POST' });
      expect(answer.status).toBe(501);
      expect(answer.json()).toMatchObject({ code: 'not_supported' });
    }
  });

  it('answers a fault with a 500 that tells nothing, and reports it', async () => {
    const answer = await send(port, '/rest/v1/throws');
    expect(answer.status).toBe(500);
    expect(answer.body).not.toContain('secret detail');
    expect(seen.some((one) => one.kind === 'fault' && one.service === 'rest')).toBe(true);
  });

  it('answers a body over its limit with 413 and closes the connection, instead of reading on', async () => {
    const answer = await send(port, '/rest/v1/limited', { method: 'POST', body: 'x'.repeat(100_000) });
    expect(answer.status).toBe(413);
    expect(answer.json()).toEqual({ limit: 10 });
    expect(answer.headers.connection).toBe('close');
  });

  it('believes a trusted proxy about the client and its protocol', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.7, 127.0.0.2', 'x-forwarded-proto': 'https' };
    expect((await send(port, '/rest/v1/t', { headers })).json()).toMatchObject({
      ip: '203.0.113.7',
      protocol: 'https',
    });
  });

  it('streams a body', async () => {
    expect((await send(port, '/rest/v1/stream')).body).toBe('ab');
  });

  const isReported = (): boolean =>
    seen.some((one) => one.kind === 'fault' && one.message.includes('broke off'));

  it('closes the connection of a body whose source breaks, and reports it', async () => {
    await expect(send(port, '/storage/v1/breaks')).rejects.toThrow();
    expect(isReported()).toBe(true);
  });

  it('does not report a client that leaves in the middle of an answer', async () => {
    seen.length = 0;
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /storage/v1/endless HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    await until(() => seen.some((one) => one.kind === 'request-done' && one.route === '/endless'));
    expect(isReported()).toBe(false);
  });

  it('keeps a sane request id of the client and logs the route, not the path', async () => {
    const answer = await send(port, '/rest/v1/private-name', { headers: { 'x-request-id': 'abc-1' } });
    expect(answer.headers['sb-request-id']).toBe('abc-1');
    const logged = seen.find((one) => one.kind === 'request-done' && one.id === 'abc-1');
    expect(logged).toMatchObject({ route: '/echo', status: 200, service: 'rest' });
    const forged = await send(port, '/rest/v1/t', { headers: { 'x-request-id': 'a b"c' } });
    expect(forged.headers['sb-request-id']).not.toBe('a b"c');
  });
});

describe('a gateway that requires an apikey', () => {
  it('answers 401 in the words of the hosted gateway', async () => {
    expect((await send(guardedPort, '/rest/v1/t')).json()).toEqual({
      message: 'No API key found in request',
      hint: 'No `apikey` request header or url param was found.',
    });
    const wrong = await send(guardedPort, '/rest/v1/t', { headers: { apikey: 'nonsense' } });
    expect(wrong.status).toBe(401);
    expect(wrong.json()).toMatchObject({ message: 'Invalid API key' });
  });

  it('lets a known key in', async () => {
    expect((await send(guardedPort, '/rest/v1/t', { headers: { apikey: 'anon.jwt' } })).status).toBe(200);
    expect((await send(guardedPort, '/auth/v1/token')).status).toBe(401);
    expect((await send(guardedPort, '/auth/v1/authorized')).status).toBe(401);
  });

  it.each([
    'verify?token=x',
    'callback?state=x',
    'authorize?provider=x',
    '.well-known/jwks.json',
    '.well-known/openid-configuration',
    'sso/saml/acs',
    'sso/saml/metadata',
  ])('lets browsers and providers open /auth/v1/%s without one', async (path) => {
    expect((await send(guardedPort, `/auth/v1/${path}`)).status).toBe(200);
  });
});

describe('a malformed request', () => {
  const raw = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      let answer = '';
      socket.on('data', (chunk) => {
        answer += chunk.toString();
      });
      socket.once('end', () => resolve(answer));
      socket.once('error', reject);
    });

  it('is answered 400 without taking the server down', async () => {
    expect(await raw('NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect((await send(port, '/rest/v1/t')).status).toBe(200);
  });

  it('is answered 431 when its headers are huge', async () => {
    expect(await raw(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
  });
});

describe('a drain', () => {
  it('lets a running request finish and refuses new connections', async () => {
    const gate = { release: (): void => {} };
    const entered = new Promise<void>((resolveEntered) => {
      gate.release = resolveEntered;
    });
    let finish: () => void = () => {};
    const server = createHttpServer({
      router: (_method, path) => ({
        service: 'rest',
        path,
        authorization: null,
        answer: async () => {
          gate.release();
          await new Promise<void>((resolve) => {
            finish = resolve;
          });
          return jsonReply(200, 'done');
        },
      }),
      observer: silent,
      isTrustedProxy: () => false,
      requestTimeoutMs: 5000,
    });
    const drainPort = await server.listen(0, '127.0.0.1');
    const running = send(drainPort, '/');
    await entered;
    const closed = server.close(5000);
    await expect(send(drainPort, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    finish();
    expect((await running).status).toBe(200);
    expect(await closed).toEqual({ timedOut: false });
  });
});

describe('a client that does not send the body that it announced', () => {
  const head = (path: string): string => `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n`;
  const read: Handler = async ({ body }) => {
    let size = 0;
    for await (const chunk of body) size += (chunk as Buffer).length;
    return jsonReply(200, { size });
  };
  const mount = { service: 'storage', handler: read, credentials: 'apikey', isGuarded: false } as const;
  const server = createHttpServer({
    router: createGateway({
      keys,
      requireApikey: false,
      mounts: [
        { ...mount, prefix: '/brief' },
        { ...mount, prefix: '/steady', patience: { idleMs: 1500, totalMs: 0 } },
      ],
    }),
    observer: silent,
    isTrustedProxy: () => false,
    requestTimeoutMs: 600,
  });
  let serverPort = 0;
  beforeAll(async () => {
    serverPort = await server.listen(0, '127.0.0.1');
  });
  afterAll(() => server.close(1000));

  /** What comes back until the connection ends, while a byte goes out every so often. */
  function trickle(path: string, everyMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(serverPort, '127.0.0.1');
      let answer = '';
      socket.write(head(path));
      const timer = setInterval(() => socket.write('x'), everyMs);
      socket.on('data', (chunk) => {
        answer += String(chunk);
        if (answer.includes('"size"')) socket.destroy();
      });
      socket.on('error', reject);
      socket.once('close', () => {
        clearInterval(timer);
        resolve(answer);
      });
    });
  }

  it('is told so and cut off', async () => {
    expect(await trickle('/brief', 60_000)).toMatch(/^HTTP\/1.1 408 Request Timeout.*"Request Timeout"/s);
    expect(await trickle('/steady', 60_000)).toMatch(/^HTTP\/1.1 408 /);
  });

  it('is cut off when it takes too long in all, unless its service waits while it goes on', async () => {
    expect(await trickle('/brief', 50)).toMatch(/^HTTP\/1.1 408 /);
    expect(await trickle('/steady', 20)).toMatch(/^HTTP\/1.1 200 .*\{"size":100\}/s);
  });
});
