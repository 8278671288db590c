import type { Attachment } from 'postal-mime';
import { addresses, type CaughtMail, contentOf, type NamedAddress } from './message-store.ts';

/*
 * The JSON that Mailpit answers with; member names are its own.
 */

const snippetLength = 250;

/** Text of a mail, made from its HTML when it has no plain part. */
export const textOf = ({ email }: CaughtMail): string =>
  email.text ??
  (email.html ?? '')
    .replace(/<(style|script)[\s\S]*?<\/\1>/gi, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&nbsp;/g, ' ')
    .replace(/&#43;/g, '+')
    .replace(/&amp;/g, '&')
    .replace(/[ \t]+/g, ' ')
    .replace(/\s*\n\s*/g, '\n')
    .trim();

const attachmentJson = (attachment: Attachment, index: number) => ({
  PartID: String(index + 1),
  FileName: attachment.filename ?? '',
  ContentType: attachment.mimeType,
  ContentID: attachment.contentId?.replace(/^<|>$/g, '') ?? '',
  Size: contentOf(attachment).length,
});

const blindCopies = (mail: CaughtMail): NamedAddress[] => {
  const named = [...addresses(mail.email.to), ...addresses(mail.email.cc)].map(({ Address }) =>
    Address.toLowerCase(),
  );
  return mail.envelope.to
    .filter((address) => !named.includes(address.toLowerCase()))
    .map((address) => ({ Name: '', Address: address }));
};

const head = (mail: CaughtMail) => ({
  ID: mail.id,
  MessageID: mail.email.messageId?.replace(/^<|>$/g, '') ?? '',
  From: addresses(mail.email.from)[0] ?? { Name: '', Address: mail.envelope.from },
  To: addresses(mail.email.to),
  Cc: addresses(mail.email.cc),
  Bcc: blindCopies(mail),
  ReplyTo: addresses(mail.email.replyTo),
  Subject: mail.email.subject ?? '',
  Tags: [],
  Size: mail.raw.length,
});

/** A mail in a list. */
const summaryJson = (mail: CaughtMail) => ({
  ...head(mail),
  Read: mail.isRead,
  Created: mail.receivedAt.toISOString(),
  Username: '',
  Attachments: mail.email.attachments.length,
  Snippet: textOf(mail).replace(/\s+/g, ' ').slice(0, snippetLength),
});

/** A list of mails, a part of all that match. */
export function listJson(
  all: readonly CaughtMail[],
  matching: readonly CaughtMail[],
  start: number,
  limit: number,
) {
  return {
    total: all.length,
    unread: all.filter((mail) => !mail.isRead).length,
    count: Math.max(Math.min(matching.length - start, limit), 0),
    messages_count: matching.length,
    messages_unread: matching.filter((mail) => !mail.isRead).length,
    start,
    tags: [],
    messages: matching.slice(start, start + limit).map(summaryJson),
  };
}

/** A whole mail. */
export const messageJson = (mail: CaughtMail) => ({
  ...head(mail),
  ReturnPath: mail.envelope.from,
  Date: mail.email.date ?? mail.receivedAt.toISOString(),
  Text: textOf(mail),
  HTML: mail.email.html ?? '',
  Inline: mail.email.attachments.filter(({ related }) => related === true).map(attachmentJson),
  Attachments: mail.email.attachments.filter(({ related }) => related !== true).map(attachmentJson),
});

/** The headers of a mail: every value of each name. */
export function headersJson(mail: CaughtMail): Record<string, string[]> {
  const values: Record<string, string[]> = {};
  for (const { originalKey, value } of mail.email.headers) {
    values[originalKey] = [...(values[originalKey] ?? []), value];
  }
  return values;
}

/** Facts about the inbox, as Mailpit's `/api/v1/info` has them. */
export const infoJson = (mails: readonly CaughtMail[]) => ({
  Version: 'v1.0.0',
  LatestVersion: 'v1.0.0',
  Database: 'memory',
  DatabaseSize: mails.reduce((sum, mail) => sum + mail.raw.length, 0),
  Messages: mails.length,
  Unread: mails.filter((mail) => !mail.isRead).length,
  Tags: {},
});
