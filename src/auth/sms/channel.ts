import type { AuthConfig } from '../deps.ts';
import { accountFailure } from '../failures/account.ts';

/** How a text message travels. */
export type SmsChannel = 'sms' | 'whatsapp';

/** Text messages through one provider's account. */
export interface SmsSender {
  /** Sends and yields the provider's id of the message; rejects with an `Error` whose message may be shown. */
  send(phone: string, message: string, channel: SmsChannel, otp: string): Promise<string>;
  /** For providers that make and check codes themselves; absent for all others. */
  verify?(phone: string, code: string): Promise<boolean>;
}

/** The name of the provider in use: the configured one, else the first whose account is enabled. */
export function smsProviderName(config: AuthConfig): string | null {
  if (config.smsProvider !== null) return config.smsProvider;
  const accounts = {
    twilio: config.smsTwilio,
    twilio_verify: config.smsTwilioVerify,
    messagebird: config.smsMessagebird,
    textlocal: config.smsTextlocal,
    vonage: config.smsVonage,
  };
  return Object.entries(accounts).find(([, account]) => account.enabled === true)?.[0] ?? null;
}

/** The channel that a request names, `sms` by default; refuses others than the provider has. */
export function demandChannel(config: AuthConfig, channel: string): SmsChannel {
  // A project that sends messages itself is told of any channel.
  if (channel === '' || channel === 'sms' || config.hooks.send_sms?.enabled === true) return 'sms';
  const provider = smsProviderName(config);
  if (channel === 'whatsapp' && (provider === 'twilio' || provider === 'twilio_verify')) return 'whatsapp';
  throw accountFailure.invalidChannel();
}

/** The fixed code of a test number, while it is good. */
export function testOtp(config: AuthConfig, phone: string, nowMs: number): string | null {
  const until = config.smsTestOtpValidUntil;
  if (until !== null && nowMs > Date.parse(until)) return null;
  const code = Object.hasOwn(config.smsTestOtp, phone) ? config.smsTestOtp[phone] : undefined;
  return code || null;
}
