import type { AddressInfo } from 'node:net';
import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import type { MessageStore } from './message-store.ts';

/** A running SMTP server. */
export type SmtpListener = { readonly port: number; readonly close: () => Promise<void> };

const maxMailBytes = 25 * 1024 * 1024;

/** Takes every mail that is sent to it, whoever it is for. Rejects when the port is taken. */
export async function listenSmtp(host: string, port: number, store: MessageStore): Promise<SmtpListener> {
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
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(port, host, () => {
      server.server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
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
