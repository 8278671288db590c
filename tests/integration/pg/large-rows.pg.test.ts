import { connect as connectTo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PgFailure } from '../../../src/pg/failure.ts';
import { type ConnectionPool, createPool } from '../../../src/pg/pool.ts';
import { createRequestDb, type RequestDb } from '../../../src/pg/session.ts';
import { compile, type Statement, sql } from '../../../src/pg/sql/sql.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

const asAnon = { role: 'anon', settings: [] } as const;
const size = 3_000_000;
const text = 'aé€😀'.repeat(size / 4);
const statement: Statement = {
  ...compile(sql`select 1, repeat('aé€😀', ${size / 4}), null, repeat('b', 100000)`),
  largeColumn: 1,
};

let database: TestDatabase;
let pool: ConnectionPool;
let db: RequestDb;

const poolAt = (url: string): ConnectionPool =>
  createPool({ url, max: 1, acquireTimeoutMs: 5000, idleTimeoutMs: 10_000, applicationName: 'test' });

beforeAll(async () => {
  database = await createTestDatabase();
  pool = poolAt(database.url('authenticator'));
  db = createRequestDb(pool);
});
afterAll(() => pool.end());

describe('a large column', () => {
  it('comes as the bytes that the server sent, and the other columns as text', async () => {
    const [result] = await db.run(asAnon, [statement]);
    expect(result?.rows).toEqual([['1', '', null, 'b'.repeat(100_000)]]);
    expect(Buffer.concat(result?.large ?? []).toString()).toBe(text);
  });

  it('is text where nobody asked for bytes, and in every row but the first', async () => {
    const rows = compile(sql`select repeat(i::text, 300000) from generate_series(1, 2) as i`);
    const [plain, asked] = await db.run(asAnon, [rows, { ...rows, largeColumn: 0 }]);
    expect(plain?.large).toBeNull();
    expect(plain?.rows.map(([column]) => column?.length)).toEqual([300_000, 300_000]);
    expect(Buffer.concat(asked?.large ?? []).length).toBe(300_000);
    expect(asked?.rows.map(([column]) => column?.length)).toEqual([0, 300_000]);
  });

  it('is text in a row that is short', async () => {
    const [result] = await db.run(asAnon, [{ ...compile(sql`select 'short'`), largeColumn: 0 }]);
    expect(result).toMatchObject({ rows: [['short']], large: null });
  });

  it('does not hide that a later statement failed', async () => {
    const failing = compile(sql`select 1 / 0`);
    await expect(db.run(asAnon, [statement, failing])).rejects.toMatchObject({ sqlstate: '22012' });
    const [result] = await db.run(asAnon, [statement]);
    expect(Buffer.concat(result?.large ?? []).toString()).toBe(text);
  });
});

/** Stands between the pool and the server, and breaks its first connection in the middle of a large answer. */
async function startCutter(target: URL): Promise<Server> {
  let connections = 0;
  const cutter = createServer((client) => {
    const cutAfter = connections++ === 0 ? size / 2 : Number.POSITIVE_INFINITY;
    const server = connectTo(Number(target.port), target.hostname);
    let sent = 0;
    for (const socket of [client, server]) socket.on('error', () => {});
    client.pipe(server);
    server.on('data', (chunk) => {
      sent += chunk.length;
      if (sent > cutAfter) client.destroy();
      else client.write(chunk);
    });
    client.once('close', () => server.destroy());
    server.once('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => cutter.listen(0, '127.0.0.1', resolve));
  return cutter;
}

describe('a connection that breaks in the middle of a large row', () => {
  it('fails the statement and is replaced', async () => {
    const url = new URL(database.url('authenticator'));
    const cutter = await startCutter(new URL(url));
    const address = cutter.address();
    url.host = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    const throughCutter = poolAt(url.href);
    const broken = await createRequestDb(throughCutter)
      .run(asAnon, [statement])
      .catch((error: unknown) => error);
    expect(broken).toBeInstanceOf(PgFailure);
    const [result] = await createRequestDb(throughCutter).run(asAnon, [statement]);
    expect(Buffer.concat(result?.large ?? []).toString()).toBe(text);
    await throughCutter.end();
    cutter.close();
  });
});
