import type { Transporter } from 'nodemailer';
import type { Values } from '../../config/option.ts';
import type { authEmailOptions } from '../../config/options/auth-email.ts';

/** An SMTP server and the sender that mails carry. */
export type SmtpSettings = {
  readonly host: string;
  readonly port: number;
  readonly user: string | null;
  readonly pass: string | null;
  readonly fromAddress: string;
  readonly fromName: string;
};

/** A mail that is ready to go. */
export type OutgoingMail = {
  readonly to: string;
  readonly subject: string;
  readonly html: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
};

/** The server of the configuration, else the development inbox, else none. */
export function smtpSettings(
  config: Values<typeof authEmailOptions>,
  inbox: { readonly port: number; readonly adminEmail: string; readonly senderName: string } | null,
): SmtpSettings | null {
  if (config.smtpEnabled && config.smtpHost !== null) {
    return {
      host: config.smtpHost,
      port: config.smtpPort,
      user: config.smtpUser,
      pass: config.smtpPass,
      fromAddress: config.smtpAdminEmail ?? config.smtpUser ?? 'noreply@localhost',
      fromName: config.smtpSenderName ?? '',
    };
  }
  if (inbox === null) return null;
  return {
    host: '127.0.0.1',
    port: inbox.port,
    user: null,
    pass: null,
    fromAddress: config.smtpAdminEmail ?? inbox.adminEmail,
    fromName: config.smtpSenderName ?? inbox.senderName,
  };
}

/** Sends mails; connections are kept for the next one. */
export interface MailTransport {
  send(mail: OutgoingMail): Promise<void>;
  close(): void;
}

const timeoutMs = 15_000;

/** Opens a transport on first use, so that an instance that sends no mail never loads the library. */
export function createSmtpTransport(settings: SmtpSettings): MailTransport {
  let opened: Promise<Transporter> | null = null;
  const open = async (): Promise<Transporter> => {
    const { createTransport } = await import('nodemailer');
    return createTransport({
      host: settings.host,
      port: settings.port,
      secure: settings.port === 465,
      pool: true,
      maxConnections: 3,
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      ...(settings.user === null ? {} : { auth: { user: settings.user, pass: settings.pass ?? '' } }),
    });
  };
  return {
    async send(mail) {
      opened ??= open();
      const transport = await opened;
      await transport.sendMail({
        from: { name: settings.fromName, address: settings.fromAddress },
        to: mail.to,
        subject: mail.subject,
        html: mail.html,
        headers: Object.entries(mail.headers).flatMap(([key, values]) =>
          values.map((value) => ({ key, value })),
        ),
      });
    },
    close() {
      void opened?.then((transport) => transport.close());
    },
  };
}
