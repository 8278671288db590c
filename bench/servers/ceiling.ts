import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import pg from 'pg';
import { oneSync } from '../one-sync.ts';
import { envelope, workloads } from '../workloads.ts';

/*
 * The ceiling: a server that knows the bench's requests by heart. It verifies the token's HMAC on every request, makes
 * one round trip, and sends the JSON that Postgres built. No general server in this language can be faster by much.
 * Environment: PORT, DATABASE_URL, JWT_SECRET, POOL.
 */
const secret = process.env.JWT_SECRET ?? '';
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: Number(process.env.POOL ?? 10) });

function claimsOf(authorization: string): string | null {
  const [header = '', payload = '', signature = ''] = authorization.slice('Bearer '.length).split('.');
  const expected = createHmac('sha256', secret).update(`${header}.${payload}`).digest();
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  const text = Buffer.from(payload, 'base64url').toString();
  return (JSON.parse(text) as { exp: number }).exp > Date.now() / 1000 ? text : null;
}

async function read(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const server = createServer(async (message, response) => {
  const name = message.headers['x-workload'];
  const workload = workloads.find((candidate) => candidate.name === name);
  const claims = claimsOf(message.headers.authorization ?? '');
  if (workload === undefined || claims === null) {
    response.writeHead(400).end();
    return;
  }
  const url = message.url ?? '';
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1));
  const body = message.method === 'GET' ? '' : await read(message);
  const client = await pool.connect();
  try {
    const rows = await oneSync(client as unknown as pg.Client, [
      envelope(claims, workload.method, url),
      workload.fixed({ query, body }),
    ]);
    const answer = rows[1]?.[2] ?? '';
    response.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(answer),
    });
    response.end(answer);
  } catch (error) {
    response.writeHead(500).end(String(error));
  } finally {
    client.release();
  }
});

server.listen(Number(process.env.PORT), '127.0.0.1', () => process.stdout.write('ready\n'));
process.once('SIGTERM', () => process.exit(0));
