import type { AuthContext } from '../context.ts';
import { linkFailure } from '../failures/link.ts';
import { timestampAt } from '../timestamp.ts';
import { demandPause, demandQuota } from './send-mail.ts';
import { demandSmsPause } from './send-sms.ts';

/** What a message would have been for; each kind has a pause of its own, as those that are sent have. */
type Pretence = 'confirmation' | 'recovery';

/**
 * Refuses where a mail would have been refused to somebody who gets one: asked again too soon, or after too many mails
 * of everybody. Upstream refuses only the addresses that it has a mail for, and so tells strangers which those are.
 */
export function pretendMail(context: AuthContext, kind: Pretence, email: string): void {
  demandPause(context, lastOf(context, kind, email));
  demandQuota(context);
  context.pretences.note(kind, email);
}

/** The same for a text message. */
export function pretendSms(context: AuthContext, kind: Pretence, phone: string): void {
  const { config, clock, limits } = context;
  demandSmsPause(config.smsMaxFrequencyMs, lastOf(context, kind, phone), clock.now());
  if (config.phoneConfirmations && !limits.messages.take()) throw linkFailure.smsQuota();
  context.pretences.note(kind, phone);
}

function lastOf({ pretences }: AuthContext, kind: Pretence, address: string): string | null {
  const lastMs = pretences.lastMs(kind, address);
  return lastMs === null ? null : timestampAt(lastMs);
}
