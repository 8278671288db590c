import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';

/*
 * The yardstick of large files: takes a body, hashes it, writes it and flushes it to the disk; gives it back. It checks
 * nothing and remembers one file.
 */
const path = join(process.env.FOLDER ?? '.', 'bare');

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash('md5');
  const handle = await open(path, 'w');
  for await (const chunk of request) {
    hash.update(chunk as Buffer);
    await handle.write(chunk as Buffer);
  }
  await handle.sync();
  await handle.close();
  response.setHeader('etag', hash.digest('hex')).end();
}

async function give(response: ServerResponse): Promise<void> {
  response.setHeader('content-length', (await stat(path)).size);
  createReadStream(path).pipe(response);
}

createServer((request, response) => {
  if (request.url === '/status') response.end();
  else if (request.method === 'POST') void take(request, response);
  else if (request.method === 'DELETE') void rm(path, { force: true }).then(() => response.end());
  else void give(response);
}).listen(Number(process.env.PORT), '127.0.0.1');
