import type { AuthDeps } from '../deps.ts';
import type { SmsAccount } from './account.ts';
import { type SmsSender, smsProviderName } from './channel.ts';
import { messagebird } from './messagebird.ts';
import { textlocal } from './textlocal.ts';
import { twilio, twilioVerify } from './twilio.ts';
import { vonage } from './vonage.ts';

const providers: Readonly<Record<string, (account: SmsAccount) => SmsSender>> = {
  twilio,
  twilio_verify: twilioVerify,
  messagebird,
  textlocal,
  vonage,
};

/** The sender of the configured provider; null without one. Missing credentials fail the first message. */
export function createSmsSender(deps: Pick<AuthDeps, 'config' | 'fetch'>): SmsSender | null {
  const { config } = deps;
  const name = smsProviderName(config);
  const make = name !== null && Object.hasOwn(providers, name) ? providers[name] : undefined;
  if (make === undefined) return null;
  const settings: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    twilio: config.smsTwilio,
    twilio_verify: config.smsTwilioVerify,
    messagebird: config.smsMessagebird,
    textlocal: config.smsTextlocal,
    vonage: config.smsVonage,
  };
  const optional = (key: string): string | null => {
    const value = settings[name ?? '']?.[key];
    return typeof value === 'string' && value !== '' ? value : null;
  };
  return make({
    fetch: deps.fetch,
    timeoutMs: config.outgoingTimeoutMs,
    optional,
    credential(key) {
      const value = optional(key);
      if (value === null) throw new Error(`missing ${name} ${key}`);
      return value;
    },
  });
}
