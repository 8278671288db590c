import { boolean, optional, port, string } from '../kind.ts';
import { option } from '../option.ts';

/** The development inbox, which catches mail when no SMTP server is configured. */
export const inboxOptions = {
  enabled: option({
    kind: boolean,
    default: true,
    toml: 'inbucket.enabled',
    flag: 'inbox',
    description: 'Catch outgoing mail in a local inbox.',
  }),
  port: option({
    kind: port,
    default: 54_324,
    toml: 'inbucket.port',
    env: ['OWNBASE_INBOX_PORT'],
    flag: 'inbox-port',
    description: 'Port of the inbox page and of its Mailpit API.',
  }),
  smtpPort: option({
    kind: optional(port),
    default: null,
    toml: 'inbucket.smtp_port',
    description: 'Port of the inbox SMTP server; unset uses any free one.',
  }),
  adminEmail: option({
    kind: string,
    default: 'admin@email.com',
    toml: 'inbucket.admin_email',
    description: 'Sender address of caught mail.',
  }),
  senderName: option({
    kind: string,
    default: 'Admin',
    toml: 'inbucket.sender_name',
    description: 'Sender name of caught mail.',
  }),
};
