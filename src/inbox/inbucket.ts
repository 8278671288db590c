import { headersJson, textOf } from './mailpit.ts';
import { addresses, type CaughtMail } from './message-store.ts';

/*
 * The JSON of Inbucket, the inbox before Mailpit, which older tests still read.
 */

const localPart = (address: string): string => (address.split('@')[0] ?? '').toLowerCase();

/** The mails of a mailbox, named by the part before the @ or by the whole address; oldest first. */
export function mailsOf(mails: readonly CaughtMail[], mailbox: string): readonly CaughtMail[] {
  const wanted = mailbox.toLowerCase();
  return mails
    .filter(({ envelope }) =>
      envelope.to.some(
        (address) => address.toLowerCase() === wanted || localPart(address) === localPart(wanted),
      ),
    )
    .toReversed();
}

const line = (name: string, address: string): string =>
  name === '' ? `<${address}>` : `${name} <${address}>`;

/** A mail in the list of its mailbox. */
export const inbucketHeader = (mail: CaughtMail, mailbox: string) => ({
  mailbox,
  id: mail.id,
  from:
    addresses(mail.email.from).map(({ Name, Address }) => line(Name, Address))[0] ??
    line('', mail.envelope.from),
  to: mail.envelope.to.map((address) => line('', address)),
  subject: mail.email.subject ?? '',
  date: mail.receivedAt.toISOString(),
  'posix-millis': mail.receivedAt.getTime(),
  size: mail.raw.length,
  seen: mail.isRead,
});

/** A whole mail. */
export const inbucketMessage = (mail: CaughtMail, mailbox: string) => ({
  ...inbucketHeader(mail, mailbox),
  header: headersJson(mail),
  body: { text: textOf(mail), html: mail.email.html ?? '' },
  attachments: [],
});
