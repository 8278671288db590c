import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMessageStore, type MessageStore } from './message-store.ts';
import { inboxPage } from './page.ts';
import { createInboxApi, type InboxApi, type InboxReply, notFound } from './routes.ts';
import { listenSmtp } from './smtp.ts';

/** How an inbox is started. */
export type InboxOptions = {
  /** Address of both listeners; the inbox has no locks, so only the loopback address makes sense. */
  readonly host: string;
  /** Port of page and API; 0 chooses a free one. */
  readonly port: number;
  /** Port of the SMTP server; 0 chooses a free one. */
  readonly smtpPort: number;
};

/** A running inbox. */
export type Inbox = {
  readonly port: number;
  readonly smtpPort: number;
  readonly close: () => Promise<void>;
};

const limits = { maxMessages: 500, maxBytes: 64 * 1024 * 1024 };
const maxRequestBytes = 1024 * 1024;

/**
 * Starts the development inbox: an SMTP server that takes every mail, a page that shows them, and the APIs of Mailpit
 * and Inbucket for tests. Rejects when a port is taken, with nothing left open.
 */
export async function startInbox(options: InboxOptions): Promise<Inbox> {
  const store = createMessageStore(limits);
  const smtp = await listenSmtp(options.host, options.smtpPort, store);
  const api = createInboxApi(store);
  const server = createServer((request, response) => {
    void answer(api, store, request, response);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port, options.host, resolve);
    });
  } catch (thrown) {
    await smtp.close();
    throw thrown;
  }
  return {
    port: (server.address() as AddressInfo).port,
    smtpPort: smtp.port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([closed, smtp.close()]);
    },
  };
}

async function answer(
  api: InboxApi,
  store: MessageStore,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  if (path === '/api/events') {
    streamEvents(store, response);
    return;
  }
  const body = await readAll(request);
  const call = { query: new URLSearchParams(query), body: body ?? '' };
  const isPage = path === '/' || path.startsWith('/m/') || path.startsWith('/monitor');
  const reply: InboxReply =
    body === null
      ? { status: 413, type: 'text/plain', body: 'too large' }
      : (api(request.method ?? 'GET', path, call) ??
        (isPage ? { status: 200, type: 'text/html; charset=utf-8', body: inboxPage } : notFound));
  // A mail's own HTML must not run in the inbox's name.
  const policy = path.startsWith('/view/') ? { 'content-security-policy': 'sandbox allow-popups' } : {};
  response.writeHead(reply.status, {
    'content-type': reply.type,
    'access-control-allow-origin': '*',
    'x-content-type-options': 'nosniff',
    ...policy,
  });
  response.end(reply.body);
}

/** Tells the page of each mail that comes in. */
function streamEvents(store: MessageStore, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write(': open\n\n');
  const stop = store.onAdded((mail) => response.write(`data: ${JSON.stringify({ id: mail.id })}\n\n`));
  response.once('close', stop);
}

/** The body as text; null when it is too large. */
async function readAll(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request) {
      size += (chunk as Buffer).length;
      if (size > maxRequestBytes) return null;
      chunks.push(chunk as Buffer);
    }
  } catch {
    // The client went away: nobody reads the answer.
    return '';
  }
  return Buffer.concat(chunks).toString();
}
