import type { AuthContext } from '../context.ts';
import { linkFailure } from '../failures/link.ts';
import { isMailable } from '../mail/address-check.ts';
import type { MailKind } from '../mail/kinds.ts';
import { verificationLink } from '../mail/link.ts';
import type { User } from '../store/rows.ts';
import { updateUser } from '../store/users.ts';
import { epochMs } from '../timestamp.ts';
import { hashOtp, makeOtp, pkcePrefix } from '../tokens/one-time.ts';
import { userJson } from '../wire/user.ts';
import type { Flow } from './flow.ts';
import { keepToken } from './keep-token.ts';

/** What a mail with a token asks its reader to do. */
export type TokenMail = 'signup' | 'invite' | 'recovery' | 'magiclink' | 'reauthentication';

type TokenColumns = {
  readonly token: 'confirmation_token' | 'recovery_token' | 'reauthentication_token';
  readonly sentAt: 'confirmation_sent_at' | 'recovery_sent_at' | 'reauthentication_sent_at';
  readonly template: MailKind;
  /** Name of the link's path in the configuration. */
  readonly path: string;
};

/** Where each kind keeps its token; magic links share the token, and so the pause, of recovery. */
const tokenMails: Readonly<Record<TokenMail, TokenColumns>> = {
  signup: {
    token: 'confirmation_token',
    sentAt: 'confirmation_sent_at',
    template: 'confirmation',
    path: 'confirmation',
  },
  invite: { token: 'confirmation_token', sentAt: 'confirmation_sent_at', template: 'invite', path: 'invite' },
  recovery: { token: 'recovery_token', sentAt: 'recovery_sent_at', template: 'recovery', path: 'recovery' },
  magiclink: {
    token: 'recovery_token',
    sentAt: 'recovery_sent_at',
    template: 'magic_link',
    path: 'recovery',
  },
  reauthentication: {
    token: 'reauthentication_token',
    sentAt: 'reauthentication_sent_at',
    template: 'reauthentication',
    path: 'confirmation',
  },
};

/**
 * Gives the user a token of a kind and mails it, unless one was mailed a moment ago.
 * Upstream: internal/api/mail.go (sendConfirmation and its siblings).
 */
export async function sendTokenMail(
  context: AuthContext,
  flow: Flow,
  user: User,
  kind: TokenMail,
  isPkce = false,
): Promise<User> {
  const columns = tokenMails[kind];
  const email = user.email ?? '';
  if (kind !== 'invite') demandPause(context, user[columns.sentAt]);
  const otp = makeOtp(context.random, context.config.emailOtpLength);
  const hash = (isPkce ? pkcePrefix : '') + hashOtp(email, otp);
  const now = context.now();
  const invited = kind === 'invite' ? { invited_at: now } : {};
  demandAuthorized(context, email);
  demandQuota(context);
  const updated = await updateUser(
    flow.tx,
    user,
    { [columns.token]: hash, [columns.sentAt]: now, ...invited },
    now,
  );
  await keepToken(context, flow, user.id, columns.token, { address: email, hash }, now);
  // A hook sees the user as it was before the mail.
  await deliver(context, flow, user, kind, { token: otp, token_hash: hash }, () =>
    orderTokenMail(context, flow, updated, kind, otp, hash),
  );
  return updated;
}

async function orderTokenMail(
  context: AuthContext,
  flow: Flow,
  user: User,
  kind: TokenMail,
  otp: string,
  hash: string,
): Promise<void> {
  await demandMailable(context, user.email ?? '');
  const columns = tokenMails[kind];
  const redirectTo = await flow.call.redirectTo();
  const link = verificationLink(flow.call.externalUrl, context.config.mailerPaths[columns.path], {
    token: hash,
    type: kind,
    redirectTo,
  });
  const data = {
    SiteURL: context.config.siteUrl,
    Email: user.email ?? '',
    Token: otp,
    Data: user.raw_user_meta_data ?? {},
    ...(kind === 'reauthentication'
      ? {}
      : { ConfirmationURL: link, TokenHash: hash, RedirectTo: redirectTo }),
  };
  flow.after(() => context.mailer.send({ kind: columns.template, to: user.email ?? '', data }));
}

/** Refuses when a mail of the same kind was sent less than the pause ago. */
export function demandPause(context: AuthContext, sentAt: string | null): void {
  if (sentAt === null) return;
  const leftMs = epochMs(sentAt) + context.config.emailMaxFrequencyMs - context.clock.now();
  if (leftMs > 0) throw linkFailure.tooSoonForMail(Math.floor(leftMs / 1000));
}

/** Refuses addresses that the configuration does not list; labels (`name+label@`) do not count. */
export function demandAuthorized(context: AuthContext, email: string): void {
  const listed = context.config.emailAuthorizedAddresses;
  if (email === '' || listed.length === 0) return;
  const plain = email.replace(/\+[^@]+@/, '@').toLowerCase();
  if (!listed.some((address) => address.toLowerCase() === plain))
    throw linkFailure.addressNotAuthorized(email);
}

/** Refuses addresses that mail should not go to, where the configuration asks for it. */
export async function demandMailable(context: AuthContext, email: string): Promise<void> {
  if (!(await isMailable(context, email))) throw linkFailure.addressInvalid(email);
}

/** Counts a mail against the quota of the instance; without confirmations there is none. */
export function demandQuota(context: AuthContext): void {
  if (context.config.rateLimitEmailSent?.events === 0) throw linkFailure.mailQuota();
  if (context.config.emailConfirmations && !context.limits.mails.take()) throw linkFailure.mailQuota();
}

/** Fields of a `send_email` event beside those that every mail has. */
export type EmailEvent = {
  readonly token?: string;
  readonly token_hash?: string;
  readonly token_new?: string;
  readonly token_hash_new?: string;
  readonly old_email?: string;
  readonly old_phone?: string;
  readonly provider?: string;
  readonly factor_type?: string;
};

/** Lets the project's hook send a mail, else orders it here. */
export async function deliver(
  context: AuthContext,
  flow: Flow,
  user: User,
  action: string,
  event: EmailEvent,
  order: () => Promise<void>,
): Promise<void> {
  if (!context.hooks.has('send_email')) return order();
  const emailData = {
    token: '',
    token_hash: '',
    token_new: '',
    token_hash_new: '',
    old_email: '',
    old_phone: '',
    provider: '',
    factor_type: '',
    ...event,
    redirect_to: await flow.call.redirectTo(),
    email_action_type: action,
    site_url: flow.call.externalUrl,
  };
  const input = { user: userJson(user), email_data: emailData };
  await context.hooks.call('send_email', input, flow.call.request.ip, flow.tx);
}
