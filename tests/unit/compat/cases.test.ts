import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCases, selectCases } from '../../../src/compat/cases/load.ts';
import { type Case, services } from '../../../src/compat/cases/model.ts';
import { CaseFileError, parseCaseFile } from '../../../src/compat/cases/parse.ts';
import { runCase } from '../../../src/compat/run/run-case.ts';
import type { World } from '../../../src/compat/run/world.ts';

let cases: readonly Case[];
let stub: Server;
let world: World;

beforeAll(async () => {
  cases = await loadCases();
  stub = createServer((_, answer) => answer.writeHead(404, { 'content-type': 'application/json' }).end('{}'));
  stub.on('upgrade', (_, socket) => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'));
  await new Promise<void>((resolve) => stub.listen(0, '127.0.0.1', resolve));
  const address = stub.address();
  const port = typeof address === 'object' ? address?.port : 0;
  world = {
    target: { url: `http://127.0.0.1:${port}`, anonKey: 'anon', serviceKey: 'service', dbUrl: null },
    prefix: 'compat_test_',
    cast: async (name) => ({ id: name, email: `${name}@example.com`, token: 'token' }),
    database: {
      query: async () => [],
      exec: async () => {},
      onNotice: () => {},
      end: async () => {},
    },
    noteUser: () => {},
    signal: new AbortController().signal,
    patienceMs: 50,
  };
});

afterAll(async () => {
  stub.closeAllConnections();
  await new Promise((resolve) => stub.close(resolve));
});

describe('the cases', () => {
  it('are several hundred, of every service, each with its own id', () => {
    expect(cases.length).toBeGreaterThanOrEqual(300);
    expect(new Set(cases.map(({ service }) => service))).toEqual(new Set(services));
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length);
  });

  it('bear the name of their service', () => {
    for (const { id, service } of cases) expect(id.split('.')[0]).toBe(service);
  });

  it('all fail where every request is answered 404', async () => {
    const outcomes = await Promise.all(
      cases.map((one) => runCase(one, { ...world, signal: new AbortController().signal })),
    );
    expect(outcomes.filter(({ outcome }) => outcome !== 'failed').map(({ id }) => id)).toEqual([]);
  });

  it('that need tables say so', () => {
    const touchesTables = (one: Case): boolean =>
      one.steps.some((step) => step.kind === 'sql') || /\/rest\/v1\/\$\{p\}/.test(JSON.stringify(one.steps));
    expect(
      cases.filter((one) => touchesTables(one) && !one.needs.includes('database')).map(({ id }) => id),
    ).toEqual([]);
  });

  it('are chosen by service and by the beginning of their ids', () => {
    expect(new Set(selectCases(cases, { services: ['auth'] }).map(({ service }) => service))).toEqual(
      new Set(['auth']),
    );
    const chosen = selectCases(cases, { ids: ['rest.rpc', 'storage.move'] });
    expect(chosen.map(({ id }) => id)).toContain('storage.move');
    expect(chosen.every(({ id }) => id.startsWith('rest.rpc.') || id.startsWith('storage.move'))).toBe(true);
  });
});

describe('a case file', () => {
  const file = (steps: string): string => `service: rest
feature: Filters
cases:
  - id: rest.x
    title: t
    method: m
    weight: 1
    why: w
    steps:
${steps}`;

  it('that cannot be read names the file, the place and the mistake', () => {
    expect(() => parseCaseFile(file('      - get: /a\n        expects: {}'), 'rest/a.yaml')).toThrow(
      /rest\/a\.yaml:\n {2}cases\.0\.steps\.0/,
    );
    expect(() => parseCaseFile('a: [', 'rest/b.yaml')).toThrow(CaseFileError);
    expect(() => parseCaseFile(file('      - get: /a\n        post: /b\n        expect: {}'), 'f')).toThrow(
      'one method per request',
    );
  });

  it('gives requests their defaults', () => {
    const [one] = parseCaseFile(file('      - get: /a\n        expect: { status: 200 }'), 'f');
    expect(one?.steps[0]).toMatchObject({ kind: 'request', method: 'GET', path: '/a', as: 'anon', save: {} });
  });
});
