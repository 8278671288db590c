import type { AuthContext } from '../context.ts';
import type { NotificationKind } from '../mail/kinds.ts';
import type { User } from '../store/rows.ts';
import type { Flow } from './flow.ts';
import { deliver, type EmailEvent } from './send-mail.ts';

/** Facts of a change that a notice may name, as templates know them. */
const templateNames = {
  old_email: 'OldEmail',
  old_phone: 'OldPhone',
  provider: 'Provider',
  factor_type: 'FactorType',
} as const;

/** Mails that a change has happened, when the configuration wants that and there is an address. */
export async function notify(
  context: AuthContext,
  flow: Flow,
  user: User,
  kind: NotificationKind,
  about: Pick<EmailEvent, keyof typeof templateNames> = {},
  to: string = user.email ?? '',
): Promise<void> {
  if (context.config.mailNotifications[kind]?.enabled !== true || to === '') return;
  const facts = Object.entries(templateNames).flatMap(([key, name]) => {
    const fact = about[key as keyof typeof templateNames];
    return fact === undefined ? [] : [[name, fact]];
  });
  const data = {
    SiteURL: context.config.siteUrl,
    // Who loses an identity may lose its address with it, and is written to there.
    Email: kind === 'identity_unlinked' ? to : (user.email ?? ''),
    Data: user.raw_user_meta_data ?? {},
    ...(kind === 'phone_changed' ? { Phone: user.phone ?? '' } : {}),
    ...Object.fromEntries(facts),
  };
  await deliver(context, flow, user, `${kind}_notification`, about, async () =>
    flow.after(() => context.mailer.send({ kind, to, data })),
  );
}
