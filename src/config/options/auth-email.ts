import { z } from 'zod';
import { inverted } from '../inverted.ts';
import { boolean, duration, integer, list, optional, port, secret, string, table } from '../kind.ts';
import { type Environment, option } from '../option.ts';

/** Subject and body of one kind of mail; unset parts are the built-in ones. */
const mailContent = z.looseObject({
  subject: z.string().optional(),
  /** File with the HTML body, relative to the project. */
  content_path: z.string().optional(),
  /** The HTML body itself. */
  content: z.string().optional(),
  /** URL that the HTML body is fetched from. */
  content_url: z.string().optional(),
  enabled: z.boolean().optional(),
});

/** Subject and body of one kind of mail. */
export type MailContent = z.infer<typeof mailContent>;

const contents = table(z.record(z.string(), mailContent));

const templateNames = [
  'invite',
  'confirmation',
  'recovery',
  'magic_link',
  'email_change',
  'reauthentication',
];
const notificationNames = [
  'password_changed',
  'email_changed',
  'phone_changed',
  'identity_linked',
  'identity_unlinked',
  'mfa_factor_enrolled',
  'mfa_factor_unenrolled',
];

/** Adds `GOTRUE_MAILER_{SUBJECTS,TEMPLATES}_<NAME>` to what config.toml says. */
function contentsFromEnv(
  env: Environment,
  toml: Record<string, MailContent>,
  names: readonly string[],
  suffix: string,
): Record<string, MailContent> | undefined {
  const merged: Record<string, MailContent> = { ...toml };
  let found = false;
  for (const name of names) {
    const key = `${name}${suffix}`.toUpperCase();
    const subject = env[`GOTRUE_MAILER_SUBJECTS_${key}`];
    const url = env[`GOTRUE_MAILER_TEMPLATES_${key}`];
    const enabled =
      suffix === '' ? undefined : env[`GOTRUE_MAILER_NOTIFICATIONS_${name.toUpperCase()}_ENABLED`];
    if (!subject && !url && !enabled) continue;
    found = true;
    merged[name] = {
      ...merged[name],
      ...(subject ? { subject } : {}),
      ...(url ? { content_url: url } : {}),
      ...(enabled ? { enabled: boolean.parse(enabled) } : {}),
    };
  }
  return found ? merged : undefined;
}

/** Mail: what is sent, when, and through whom. */
export const authEmailOptions = {
  emailEnabled: option({
    kind: boolean,
    default: true,
    toml: 'auth.email.enable_signup',
    env: ['GOTRUE_EXTERNAL_EMAIL_ENABLED', 'ENABLE_EMAIL_SIGNUP'],
    description: 'Whether users may sign up and in by mail address.',
  }),
  magicLinkEnabled: option({
    kind: boolean,
    default: true,
    env: ['GOTRUE_EXTERNAL_EMAIL_MAGIC_LINK_ENABLED'],
    description: 'Whether users may sign in by a link.',
  }),
  emailConfirmations: option({
    kind: boolean,
    default: false,
    toml: 'auth.email.enable_confirmations',
    fromEnv: inverted('GOTRUE_MAILER_AUTOCONFIRM', 'ENABLE_EMAIL_AUTOCONFIRM'),
    description: 'Whether a mail address must be confirmed before it can sign in.',
  }),
  doubleConfirmChanges: option({
    kind: boolean,
    default: true,
    toml: 'auth.email.double_confirm_changes',
    env: ['GOTRUE_MAILER_SECURE_EMAIL_CHANGE_ENABLED'],
    description: 'Whether the old address must confirm a change of address too.',
  }),
  allowUnverifiedEmailSignIns: option({
    kind: boolean,
    default: false,
    env: ['GOTRUE_MAILER_ALLOW_UNVERIFIED_EMAIL_SIGN_INS'],
    description: 'Let users of OAuth providers in before their address is confirmed.',
  }),
  emailMaxFrequencyMs: option({
    kind: duration,
    default: 1_000,
    toml: 'auth.email.max_frequency',
    env: ['GOTRUE_SMTP_MAX_FREQUENCY'],
    description: 'Time between two mails of one kind to one user.',
  }),
  emailOtpLength: option({
    kind: integer(0, 10),
    default: 6,
    toml: 'auth.email.otp_length',
    env: ['GOTRUE_MAILER_OTP_LENGTH'],
    description: 'Digits of the code in a mail, from 6 to 10.',
  }),
  emailOtpExpirySeconds: option({
    kind: integer(),
    default: 3600,
    toml: 'auth.email.otp_expiry',
    env: ['GOTRUE_MAILER_OTP_EXP'],
    description: 'Seconds for which a code or link of a mail is good.',
  }),
  mailerPaths: option({
    kind: table(z.record(z.string(), z.string())),
    default: {},
    fromEnv: (env) => {
      const names = ['invite', 'confirmation', 'recovery', 'email_change'];
      const found = names.flatMap((name) => {
        const path = env[`GOTRUE_MAILER_URLPATHS_${name.toUpperCase()}`];
        return path ? [[name, path]] : [];
      });
      return found.length === 0 ? undefined : Object.fromEntries(found);
    },
    description: 'Paths of the links in mails, relative to the public URL of the auth service.',
  }),
  mailerExternalHosts: option({
    kind: list,
    default: [],
    env: ['GOTRUE_MAILER_EXTERNAL_HOSTS'],
    description: 'Host names that links in mails may carry when a request came by one of them.',
  }),
  mailTemplates: option({
    kind: contents,
    default: {},
    toml: 'auth.email.template',
    fromEnv: (env, toml) => contentsFromEnv(env, toml, templateNames, ''),
    description: 'Subjects and bodies of mails, by kind.',
  }),
  mailNotifications: option({
    kind: contents,
    default: {},
    toml: 'auth.email.notification',
    fromEnv: (env, toml) => contentsFromEnv(env, toml, notificationNames, '_notification'),
    description: 'Mails that tell a user of a change to the account, by kind.',
  }),
  emailAuthorizedAddresses: option({
    kind: list,
    default: [],
    env: ['GOTRUE_EXTERNAL_EMAIL_AUTHORIZED_ADDRESSES'],
    description: 'The only addresses that mail may go to; empty allows all.',
  }),
  emailValidationExtended: option({
    kind: boolean,
    default: false,
    env: ['GOTRUE_MAILER_EMAIL_VALIDATION_EXTENDED'],
    description:
      'Refuse addresses that mail cannot reach: reserved and mistyped domains, and hosts that the DNS does not know.',
  }),
  emailValidationServiceUrl: option({
    kind: optional(string),
    default: null,
    env: ['GOTRUE_MAILER_EMAIL_VALIDATION_SERVICE_URL'],
    description:
      'Service that is asked about addresses before mail goes to them: POST of `{"email"}`, answered with `{"valid"}`. While it cannot be asked, addresses pass.',
  }),
  emailValidationServiceHeaders: option({
    kind: table(z.record(z.string(), z.array(z.string()))),
    default: {},
    env: ['GOTRUE_MAILER_EMAIL_VALIDATION_SERVICE_HEADERS'],
    description:
      'Headers of requests to that service: JSON of names to lists of values, the last of which counts.',
  }),
  emailValidationBlockedMx: option({
    kind: table(z.array(z.string())),
    default: [],
    env: ['GOTRUE_MAILER_EMAIL_VALIDATION_BLOCKED_MX'],
    description:
      'Mail servers, as a JSON list of names or IP addresses, whose addresses are refused where the DNS is asked about hosts.',
  }),
  mailTemplateMaxBytes: option({
    kind: integer(1),
    default: 1_000_000,
    env: ['GOTRUE_MAILER_TEMPLATE_MAX_SIZE'],
    description: 'Largest body of a mail that is fetched from a URL, in bytes.',
  }),
  mailTemplateMaxAgeMs: option({
    kind: duration,
    default: 600_000,
    env: ['GOTRUE_MAILER_TEMPLATE_MAX_AGE'],
    description: 'How long the body of a mail that was fetched or read is used before it is looked at again.',
  }),
  mailTemplateRetryMs: option({
    kind: duration,
    default: 10_000,
    env: ['GOTRUE_MAILER_TEMPLATE_RETRY_INTERVAL'],
    description: 'How long after a failure the body of a mail is not looked for again.',
  }),
  smtpEnabled: option({
    kind: boolean,
    default: true,
    toml: 'auth.email.smtp.enabled',
    description: 'Whether the SMTP server below is used.',
  }),
  smtpHost: option({
    kind: optional(string),
    default: null,
    toml: 'auth.email.smtp.host',
    env: ['SMTP_HOST', 'GOTRUE_SMTP_HOST'],
    description: 'SMTP server; unset sends mail to the development inbox.',
  }),
  smtpPort: option({
    kind: port,
    default: 587,
    toml: 'auth.email.smtp.port',
    env: ['SMTP_PORT', 'GOTRUE_SMTP_PORT'],
    description: 'Port of the SMTP server; 465 is TLS from the start.',
  }),
  smtpUser: option({
    kind: optional(string),
    default: null,
    toml: 'auth.email.smtp.user',
    env: ['SMTP_USER', 'GOTRUE_SMTP_USER'],
    description: 'Login of the SMTP server.',
  }),
  smtpPass: option({
    kind: optional(secret),
    default: null,
    toml: 'auth.email.smtp.pass',
    env: ['SMTP_PASS', 'GOTRUE_SMTP_PASS'],
    description: 'Password of the SMTP server.',
  }),
  smtpAdminEmail: option({
    kind: optional(string),
    default: null,
    toml: 'auth.email.smtp.admin_email',
    env: ['SMTP_ADMIN_EMAIL', 'GOTRUE_SMTP_ADMIN_EMAIL'],
    description: 'Sender address of mails.',
  }),
  smtpSenderName: option({
    kind: optional(string),
    default: null,
    toml: 'auth.email.smtp.sender_name',
    env: ['SMTP_SENDER_NAME', 'GOTRUE_SMTP_SENDER_NAME'],
    description: 'Sender name of mails.',
  }),
  smtpHeaders: option({
    kind: table(z.record(z.string(), z.array(z.string()))),
    default: {},
    env: ['GOTRUE_SMTP_HEADERS'],
    description: 'Further headers of mails: JSON of names to lists of values, $messageType being replaced.',
  }),
};
