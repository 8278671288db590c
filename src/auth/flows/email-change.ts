import type { AuthContext } from '../context.ts';
import { verificationLink } from '../mail/link.ts';
import type { User } from '../store/rows.ts';
import { updateUser } from '../store/users.ts';
import { hashOtp, makeOtp, pkcePrefix } from '../tokens/one-time.ts';
import type { Flow } from './flow.ts';
import { keepToken } from './keep-token.ts';
import { deliver, demandAuthorized, demandMailable, demandPause, demandQuota } from './send-mail.ts';

/** A token and the address that it is sent to. */
type Recipient = { readonly address: string; readonly otp: string; readonly hash: string };

/**
 * Asks the new address, and the current one when changes need both, to confirm a change of address.
 * Upstream: internal/api/mail.go (sendEmailChange).
 */
export async function sendEmailChange(
  context: AuthContext,
  flow: Flow,
  user: User,
  newEmail: string,
  isPkce: boolean,
): Promise<User> {
  demandPause(context, user.email_change_sent_at);
  const needsCurrent = context.config.doubleConfirmChanges && Boolean(user.email);
  demandAuthorized(context, newEmail);
  if (needsCurrent) demandAuthorized(context, user.email ?? '');
  demandQuota(context);
  const toNew = recipient(context, newEmail, isPkce);
  const toCurrent = needsCurrent ? recipient(context, user.email ?? '', isPkce) : null;
  const now = context.now();
  const updated = await updateUser(
    flow.tx,
    user,
    {
      email_change: newEmail,
      email_change_sent_at: now,
      email_change_confirm_status: 0,
      email_change_token_new: toNew.hash,
      email_change_token_current: toCurrent?.hash ?? '',
    },
    now,
  );
  await keepToken(context, flow, user.id, 'email_change_token_new', toNew, now);
  if (toCurrent !== null) {
    await keepToken(context, flow, user.id, 'email_change_token_current', toCurrent, now);
  }
  const before = { ...updated, email_change_sent_at: user.email_change_sent_at };
  await deliver(context, flow, before, 'email_change', eventOf(toNew, toCurrent), async () => {
    for (const to of toCurrent === null ? [toNew] : [toNew, toCurrent]) {
      await demandMailable(context, to.address);
      await orderMail(context, flow, updated, to);
    }
  });
  return updated;
}

function recipient(context: AuthContext, address: string, isPkce: boolean): Recipient {
  const otp = makeOtp(context.random, context.config.emailOtpLength);
  return { address, otp, hash: (isPkce ? pkcePrefix : '') + hashOtp(address, otp) };
}

/** Codes and hashes cross over in the event, which hooks have come to rely on. */
const eventOf = (toNew: Recipient, toCurrent: Recipient | null) =>
  toCurrent === null
    ? { token: toNew.otp, token_hash: toNew.hash }
    : {
        token: toCurrent.otp,
        token_hash: toNew.hash,
        token_new: toNew.otp,
        token_hash_new: toCurrent.hash,
      };

async function orderMail(context: AuthContext, flow: Flow, user: User, to: Recipient): Promise<void> {
  const redirectTo = await flow.call.redirectTo();
  const link = verificationLink(flow.call.externalUrl, context.config.mailerPaths.email_change, {
    token: to.hash,
    type: 'email_change',
    redirectTo,
  });
  const data = {
    SiteURL: context.config.siteUrl,
    ConfirmationURL: link,
    Email: user.email ?? '',
    NewEmail: user.email_change ?? '',
    SendingTo: to.address,
    Token: to.otp,
    TokenHash: to.hash,
    Data: user.raw_user_meta_data ?? {},
    RedirectTo: redirectTo,
  };
  flow.after(() => context.mailer.send({ kind: 'email_change', to: to.address, data }));
}
