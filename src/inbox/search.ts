import { textOf } from './mailpit.ts';
import { addresses, type CaughtMail } from './message-store.ts';

type Test = (mail: CaughtMail) => boolean;

const has = (text: string | undefined, part: string): boolean =>
  (text ?? '').toLowerCase().includes(part.toLowerCase());

const named = (list: Parameters<typeof addresses>[0], part: string): boolean =>
  addresses(list).some(({ Name, Address }) => has(Name, part) || has(Address, part));

/** Tests by the prefix that a term of a query may have. */
const fields: Readonly<Record<string, (mail: CaughtMail, part: string) => boolean>> = {
  to: ({ email, envelope }, part) =>
    named(email.to, part) || envelope.to.some((address) => has(address, part)),
  from: ({ email }, part) => named(email.from, part),
  cc: ({ email }, part) => named(email.cc, part),
  'reply-to': ({ email }, part) => named(email.replyTo, part),
  addressed: ({ email, envelope }, part) =>
    named(email.to, part) || named(email.from, part) || envelope.to.some((address) => has(address, part)),
  subject: ({ email }, part) => has(email.subject, part),
  'message-id': ({ email }, part) => has(email.messageId, part),
};

const states: Readonly<Record<string, Test>> = {
  'is:read': (mail) => mail.isRead,
  'is:unread': (mail) => !mail.isRead,
  'has:attachment': ({ email }) => email.attachments.length > 0,
};

const anywhere = (mail: CaughtMail, part: string): boolean =>
  has(mail.email.subject, part) ||
  has(textOf(mail), part) ||
  has(mail.email.html, part) ||
  named(mail.email.from, part) ||
  mail.envelope.to.some((address) => has(address, part));

/** The mails that match a query in Mailpit's language: terms with prefixes, quotes, `-` or `!` before what must not be. */
export function search(mails: readonly CaughtMail[], query: string): readonly CaughtMail[] {
  const terms = query.match(/[-!]?(?:[\w-]+:)?"[^"]*"|\S+/g) ?? [];
  const tests = terms.map(testOf);
  return mails.filter((mail) => tests.every((test) => test(mail)));
}

function testOf(term: string): Test {
  const isNegated = /^[-!]/.test(term);
  const plain = isNegated ? term.slice(1) : term;
  const match = /^([a-z-]+):(.*)$/is.exec(plain);
  const field = fields[match?.[1]?.toLowerCase() ?? ''];
  const unquoted = (text: string): string => text.replace(/^"|"$/g, '');
  const test: Test =
    states[plain.toLowerCase()] ??
    (field === undefined
      ? (mail) => anywhere(mail, unquoted(plain))
      : (mail) => field(mail, unquoted(match?.[2] ?? '')));
  return isNegated ? (mail) => !test(mail) : test;
}
