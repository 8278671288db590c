import { type AddressInfo, createServer } from 'node:net';
import type { SMTPServer, SMTPServerDataStream, SMTPServerSession } from 'smtp-server';
import type { MessageStore } from './message-store.ts';

/** A running SMTP server. */
export type SmtpListener = { readonly port: number; readonly close: () => Promise<void> };

const maxMailBytes = 25 * 1024 * 1024;

/**
 * Takes every mail that is sent to it, whoever it is for. Rejects when the port is taken. The libraries that speak SMTP
 * are loaded with the first connection: most starts never see a mail.
 */
export async function listenSmtp(host: string, port: number, store: MessageStore): Promise<SmtpListener> {
  let smtp: Promise<SMTPServer> | undefined;
  const listener = createServer((socket) => {
    smtp ??= createSmtpServer(store);
    smtp.then(
      ({ server }) => server.emit('connection', socket),
      () => socket.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(port, host, () => {
      listener.off('error', reject);
      resolve();
    });
  });
  return {
    port: (listener.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      const speaking = await smtp;
      if (speaking) await new Promise<void>((resolve) => speaking.close(() => resolve()));
      await closed;
    },
  };
}

async function createSmtpServer(store: MessageStore): Promise<SMTPServer> {
  const { SMTPServer } = await import('smtp-server');
  const server = new SMTPServer({
    authOptional: true,
    // Without a certificate that clients trust, an offer of TLS would make them give up.
    disabledCommands: ['STARTTLS'],
    size: maxMailBytes,
    onAuth: (_auth, _session, done) => done(null, { user: 'anyone' }),
    onData: (stream, session, done) => {
      receive(stream, session, store).then(
        () => done(),
        (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
      );
    },
    logger: false,
  });
  // Clients that hang up report here; the mail was not taken, which the sender knows.
  server.on('error', () => {});
  return server;
}

async function receive(
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  store: MessageStore,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  if (stream.sizeExceeded) throw Object.assign(new Error('the mail is too large'), { responseCode: 552 });
  const raw = Buffer.concat(chunks);
  const { default: PostalMime } = await import('postal-mime');
  const { mailFrom, rcptTo } = session.envelope;
  store.add({
    raw,
    email: await PostalMime.parse(raw),
    receivedAt: new Date(),
    envelope: {
      from: mailFrom === false ? '' : mailFrom.address,
      to: rcptTo.map(({ address }) => address),
    },
  });
}
