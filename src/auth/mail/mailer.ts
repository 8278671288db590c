import type { AuthDeps } from '../deps.ts';
import { createMailBodies } from './bodies.ts';
import { builtInMails, type MailKind, type MailTemplate } from './kinds.ts';
import { createMailQueue } from './queue.ts';
import { createSmtpTransport } from './smtp.ts';
import { TemplateError } from './template/lex.ts';
import { compileTemplate, renderHtml } from './template/render.ts';

/** A mail to be written and sent. */
export type MailOrder = {
  readonly kind: MailKind;
  readonly to: string;
  /** What templates may use: SiteURL, ConfirmationURL, Email, Token, TokenHash, Data, RedirectTo, ... */
  readonly data: Readonly<Record<string, unknown>>;
};

/** Writes and sends mails beside the requests that ask for them. */
export interface Mailer {
  /** Takes an order; called after the commit of what the mail is about. */
  send(order: MailOrder): void;
  /** Resolves when every order has been carried out. */
  settled(): Promise<void>;
  drain(timeoutMs: number): Promise<void>;
}

/** Creates the mailer of a service; without an SMTP server mails are dropped with a notice. */
export function createMailer(
  deps: Pick<AuthDeps, 'config' | 'projectDir' | 'fetch' | 'clock' | 'observer' | 'smtp'>,
): Mailer {
  const bodies = createMailBodies(deps);
  const queue = createMailQueue(deps.observer);
  const transport = deps.smtp === null ? null : createSmtpTransport(deps.smtp);
  const headers = (kind: MailKind): Record<string, readonly string[]> =>
    Object.fromEntries(
      Object.entries(deps.config.smtpHeaders).map(([name, values]) => [
        name,
        values.map((value) => value.replaceAll('$messageType', kind)),
      ]),
    );
  return {
    send(order) {
      if (transport === null) {
        deps.observer({
          kind: 'notice',
          service: 'auth',
          level: 'warn',
          message: 'no SMTP server: a mail was dropped',
        });
        return;
      }
      queue.push(order.kind, order.to, async () => {
        const { subject, html } = write(deps, order, await bodies.load(order.kind));
        await transport.send({ to: order.to, subject, html, headers: headers(order.kind) });
      });
    },
    settled: () => queue.settled(),
    async drain(timeoutMs) {
      await queue.drain(timeoutMs);
      transport?.close();
    },
  };
}

/** Fills a template in; one that cannot be read is reported and the built-in mail sent instead. */
function write(deps: Pick<AuthDeps, 'observer'>, order: MailOrder, template: MailTemplate): MailTemplate {
  const fill = (source: MailTemplate): MailTemplate => ({
    // A header is one line, whatever a user's name contains.
    subject: renderHtml(compileTemplate(source.subject), order.data).replace(/[\r\n]+/g, ' '),
    html: renderHtml(compileTemplate(source.html), order.data),
  });
  try {
    return fill(template);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    deps.observer({
      kind: 'fault',
      service: 'auth',
      message: `the mail template of ${order.kind} is wrong`,
      error,
    });
    return fill(builtInMails[order.kind]);
  }
}
