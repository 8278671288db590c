import { z } from 'zod';
import { inverted } from '../inverted.ts';
import { boolean, duration, integer, list, optional, string, table } from '../kind.ts';
import { type Environment, option } from '../option.ts';

const smsProviderNames = ['twilio', 'twilio_verify', 'messagebird', 'textlocal', 'vonage'] as const;

/** An account at one provider; which credentials it has depends on the provider. */
const smsAccount = z.looseObject({ enabled: z.boolean().optional() });

const credentialNames: Readonly<Record<(typeof smsProviderNames)[number], readonly string[]>> = {
  twilio: ['account_sid', 'auth_token', 'message_service_sid', 'content_sid'],
  twilio_verify: ['account_sid', 'auth_token', 'message_service_sid'],
  messagebird: ['access_key', 'originator'],
  textlocal: ['api_key', 'sender'],
  vonage: ['api_key', 'api_secret', 'from'],
};

/** An option for one provider's account: its config.toml table and `GOTRUE_SMS_<PROVIDER>_*`. */
const account = (provider: (typeof smsProviderNames)[number]) =>
  option({
    kind: table(smsAccount),
    default: {},
    toml: `auth.sms.${provider}`,
    fromEnv: (env, toml) => {
      const found = credentialNames[provider].flatMap((name) => {
        const value = env[`GOTRUE_SMS_${provider}_${name}`.toUpperCase()];
        return value ? [[name, value]] : [];
      });
      return found.length === 0 ? undefined : { ...toml, ...Object.fromEntries(found) };
    },
    description: `Account at ${provider}.`,
  });

/** Numbers are written as they are stored: without a plus sign and blanks. */
const testOtps = z
  .record(z.string(), z.string())
  .transform((codes) =>
    Object.fromEntries(
      Object.entries(codes).map(([phone, code]) => [phone.replace(/^\+/, '').replaceAll(' ', ''), code]),
    ),
  );

/** `15551234567=123456,...` or upstream's colon form. */
const testOtpsFromEnv = (env: Environment): Record<string, string> | undefined => {
  const text = env.GOTRUE_SMS_TEST_OTP;
  if (text === undefined || text === '') return undefined;
  return testOtps.parse(Object.fromEntries(list.parse(text).map((pair) => pair.split(/[:=]/, 2))));
};

/** Text messages. */
export const authSmsOptions = {
  phoneEnabled: option({
    kind: boolean,
    default: false,
    toml: 'auth.sms.enable_signup',
    env: ['GOTRUE_EXTERNAL_PHONE_ENABLED', 'ENABLE_PHONE_SIGNUP'],
    description: 'Whether users may sign up and in by phone number.',
  }),
  phoneConfirmations: option({
    kind: boolean,
    default: false,
    toml: 'auth.sms.enable_confirmations',
    fromEnv: inverted('GOTRUE_SMS_AUTOCONFIRM', 'ENABLE_PHONE_AUTOCONFIRM'),
    description: 'Whether a phone number must be confirmed before it can sign in.',
  }),
  smsTemplate: option({
    kind: string,
    default: 'Your code is {{ .Code }}',
    toml: 'auth.sms.template',
    env: ['GOTRUE_SMS_TEMPLATE'],
    description: 'Text of the message with a code.',
  }),
  smsMaxFrequencyMs: option({
    kind: duration,
    default: 5_000,
    toml: 'auth.sms.max_frequency',
    env: ['GOTRUE_SMS_MAX_FREQUENCY'],
    description: 'Time between two messages of one kind to one user.',
  }),
  smsOtpLength: option({
    kind: integer(0, 10),
    default: 6,
    env: ['GOTRUE_SMS_OTP_LENGTH'],
    description: 'Digits of the code in a message, from 6 to 10.',
  }),
  smsOtpExpirySeconds: option({
    kind: integer(),
    default: 6000,
    env: ['GOTRUE_SMS_OTP_EXP'],
    description: 'Seconds for which the code of a message is good.',
  }),
  smsTestOtp: option({
    kind: table(testOtps),
    default: {},
    toml: 'auth.sms.test_otp',
    fromEnv: testOtpsFromEnv,
    description: 'Fixed codes of phone numbers for tests; nothing is sent to them.',
  }),
  smsTestOtpValidUntil: option({
    kind: optional(string),
    default: null,
    env: ['GOTRUE_SMS_TEST_OTP_VALID_UNTIL'],
    description: 'Moment (RFC 3339) after which the fixed codes are no longer good.',
  }),
  smsProvider: option({
    kind: optional(string),
    default: null,
    env: ['GOTRUE_SMS_PROVIDER'],
    description: 'Who sends messages; unset is the first provider that config.toml enables.',
  }),
  smsTwilio: account('twilio'),
  smsTwilioVerify: account('twilio_verify'),
  smsMessagebird: account('messagebird'),
  smsTextlocal: account('textlocal'),
  smsVonage: account('vonage'),
};
