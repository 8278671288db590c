import { createHash } from 'node:crypto';
import { connect as connectTo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silent } from '../../../src/core/observe.ts';
import { type RestServer, startRestServer } from '../../../src/rest/standalone/start.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

const rows = 20_000;
const fixture = `
  create table public.documents (id int primary key, content text not null);
  insert into public.documents
    select id, repeat('é€' || md5(id::text), 27) from generate_series(1, ${rows}) as id;
  create table public.owners (id int primary key);
  create table public.drafts (id int primary key, content text,
    owner int references public.owners (id) deferrable initially deferred);
  grant select on public.documents to anon;
  grant select, insert on public.drafts, public.owners to anon;

  create domain public."application/octet-stream" as bytea;
  create function public.image(size int) returns public."application/octet-stream" language sql immutable as
    $$ select convert_to(repeat('0123456789', size / 10), 'UTF8')::public."application/octet-stream" $$;
  create domain public."application/vnd.example" as jsonb;
  create function public.tree(size int) returns public."application/vnd.example" language sql immutable as
    $$ select to_jsonb(repeat('x', size))::public."application/vnd.example" $$;
  grant execute on all functions in schema public to anon;`;

let database: TestDatabase;
let server: RestServer;
let url = '';

beforeAll(async () => {
  database = await createTestDatabase(fixture);
  server = await startRestServer({
    sources: {
      file: null,
      env: {
        PGRST_DB_URI: database.url('authenticator'),
        PGRST_DB_SCHEMAS: 'public',
        PGRST_DB_ANON_ROLE: 'anon',
        PGRST_SERVER_HOST: '127.0.0.1',
        PGRST_SERVER_PORT: '0',
      },
    },
    observer: () => silent,
    onGiveUp: () => {},
  });
  url = `http://127.0.0.1:${server.port}`;
  while ((await fetch(`${url}/owners`)).status === 503) await new Promise((resolve) => setImmediate(resolve));
});
afterAll(() => server.stop());

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

describe('an answer of many megabytes', () => {
  it('arrives whole and says its length', async () => {
    const response = await fetch(`${url}/documents?select=id,content&order=id`);
    const body = await bytesOf(response);
    expect(response.status).toBe(200);
    expect(body.length).toBeGreaterThan(20_000_000);
    expect(Number(response.headers.get('content-length'))).toBe(body.length);
    expect(response.headers.get('content-range')).toBe(`0-${rows - 1}/*`);
    const documents = JSON.parse(body.toString()) as { id: number; content: string }[];
    const expected = documents.every(
      ({ id, content }, i) =>
        id === i + 1 && content === `é€${createHash('md5').update(String(id)).digest('hex')}`.repeat(27),
    );
    expect(documents).toHaveLength(rows);
    expect(expected).toBe(true);
  });

  it('is the same each time, as JSON and as CSV', async () => {
    const fetched = async (path: string, accept: string): Promise<string> =>
      sha256(await bytesOf(await fetch(`${url}${path}`, { headers: { accept } })));
    for (const accept of ['application/json', 'text/csv']) {
      const path = '/documents?order=id&limit=3000';
      expect(await fetched(path, accept)).toBe(await fetched(path, accept));
    }
  });

  it('has no body for HEAD', async () => {
    const response = await fetch(`${url}/documents`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect((await bytesOf(response)).length).toBe(0);
  });

  it('of bytes is sent as bytes', async () => {
    const accept = { headers: { accept: 'application/octet-stream' } };
    for (const size of [10, 1_000_000, 1_000_010]) {
      const body = await bytesOf(await fetch(`${url}/rpc/image?size=${size}`, accept));
      expect(sha256(body)).toBe(sha256('0123456789'.repeat(size / 10)));
    }
  });

  it('of binary JSON has the version in front', async () => {
    const accept = { headers: { accept: 'application/vnd.example' } };
    const body = await bytesOf(await fetch(`${url}/rpc/tree?size=1000000`, accept));
    expect(sha256(body)).toBe(sha256(`\x01"${'x'.repeat(1_000_000)}"`));
  });

  it('is replaced by the error when the transaction cannot end', async () => {
    const draft = { id: 1, content: 'x'.repeat(900_000), owner: 1 };
    const insert = (): Promise<Response> =>
      fetch(`${url}/drafts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', prefer: 'return=representation' },
        body: JSON.stringify([draft]),
      });
    const refused = await insert();
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({ code: '23503' });
    await database.owner.exec('insert into public.owners values (1)');
    const accepted = await insert();
    expect(accepted.status).toBe(201);
    expect(await accepted.json()).toEqual([draft]);
  });

  it('does not disturb others when its client leaves', async () => {
    const client = connectTo(server.port, '127.0.0.1');
    client.write('GET /documents HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await new Promise((resolve) => client.once('data', resolve));
    client.destroy();
    const response = await fetch(`${url}/documents?id=eq.1&select=id`);
    expect(await response.json()).toEqual([{ id: 1 }]);
  });
});
