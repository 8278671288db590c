import { z } from 'zod';
import {
  boolean,
  duration,
  integer,
  type Kind,
  list,
  oneOf,
  optional,
  secret,
  share,
  string,
  table,
} from '../kind.ts';
import { option } from '../option.ts';

const lower = 'abcdefghijklmnopqrstuvwxyz';
const upper = lower.toUpperCase();
const digits = '0123456789';
const symbols = '!@#$%^&*()_+-=[]{};\'\\:"|<>?,./`~';

/** The named requirements of config.toml as character sets, one character of each being required. */
const namedRequirements: Readonly<Record<string, readonly string[]>> = {
  '': [],
  letters_digits: [lower + upper, digits],
  lower_upper_letters_digits: [lower, upper, digits],
  lower_upper_letters_digits_symbols: [lower, upper, digits, symbols],
};

/** A name of config.toml, or upstream's text form: sets separated by colons, `\:` being a colon. */
const characterSets: Kind<readonly string[]> = {
  name: 'password requirements',
  parse(raw) {
    const text = string.parse(raw);
    return (
      namedRequirements[text] ??
      text
        .split(/(?<!\\):/)
        .map((set) => set.replaceAll('\\:', ':'))
        .filter((set) => set !== '')
    );
  },
  print: (value) => JSON.stringify(value),
};

/** Passwords and what protects them. */
export const authPasswordOptions = {
  passwordMinLength: option({
    kind: integer(0, 72),
    default: 6,
    toml: 'auth.minimum_password_length',
    env: ['GOTRUE_PASSWORD_MIN_LENGTH'],
    description: 'Shortest password in bytes; less than 6 counts as 6.',
  }),
  passwordRequiredCharacters: option({
    kind: characterSets,
    default: [],
    toml: 'auth.password_requirements',
    env: ['GOTRUE_PASSWORD_REQUIRED_CHARACTERS'],
    description: 'Sets of characters of which a password needs one each.',
  }),
  passwordHibpEnabled: option({
    kind: boolean,
    default: false,
    env: ['GOTRUE_PASSWORD_HIBP_ENABLED'],
    description:
      'Refuse passwords that haveibeenpwned.com knows; only five characters of their hash are sent.',
  }),
  passwordHibpFailClosed: option({
    kind: boolean,
    default: false,
    env: ['GOTRUE_PASSWORD_HIBP_FAIL_CLOSED'],
    description: 'Refuse every password while that service cannot be asked.',
  }),
  passwordHibpUserAgent: option({
    kind: string,
    default: 'ownbase',
    env: ['GOTRUE_PASSWORD_HIBP_USER_AGENT'],
    description: 'How this instance names itself to that service.',
  }),
  passwordHibpBloomEnabled: option({
    kind: boolean,
    default: false,
    env: ['GOTRUE_PASSWORD_HIBP_BLOOM_ENABLED'],
    description: 'Keep what that service answered in a Bloom filter and refuse what is in it without asking.',
  }),
  passwordHibpBloomItems: option({
    kind: integer(1, 10_000_000),
    default: 100_000,
    env: ['GOTRUE_PASSWORD_HIBP_BLOOM_ITEMS'],
    description: 'Hashes that the filter is made for; it begins anew when four fifths of them are in it.',
  }),
  passwordHibpBloomFalsePositives: option({
    kind: share,
    default: 0.0000099,
    env: ['GOTRUE_PASSWORD_HIBP_BLOOM_FALSE_POSITIVES'],
    description: 'Share of good passwords that a full filter refuses by mistake.',
  }),
  securePasswordChange: option({
    kind: boolean,
    default: false,
    toml: 'auth.email.secure_password_change',
    env: ['GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_REAUTHENTICATION'],
    description: 'A session older than a day needs a code by mail to change the password.',
  }),
  requireCurrentPassword: option({
    kind: boolean,
    default: false,
    env: ['GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_CURRENT_PASSWORD'],
    description: 'Changing the password needs the old one.',
  }),
  captchaEnabled: option({
    kind: boolean,
    default: false,
    toml: 'auth.captcha.enabled',
    env: ['GOTRUE_SECURITY_CAPTCHA_ENABLED'],
    description: 'Demand a captcha token where users sign up and in.',
  }),
  captchaProvider: option({
    kind: oneOf('hcaptcha', 'turnstile'),
    default: 'hcaptcha',
    toml: 'auth.captcha.provider',
    env: ['GOTRUE_SECURITY_CAPTCHA_PROVIDER'],
    description: 'Who checks the captcha.',
  }),
  captchaSecret: option({
    kind: optional(secret),
    default: null,
    toml: 'auth.captcha.secret',
    env: ['GOTRUE_SECURITY_CAPTCHA_SECRET'],
    description: 'Secret of the captcha account.',
  }),
  captchaTimeoutMs: option({
    kind: duration,
    default: 10_000,
    env: ['GOTRUE_SECURITY_CAPTCHA_TIMEOUT'],
    description: 'Time that who checks the captcha gets to answer; 0 counts as 10s.',
  }),
  encryptionEnabled: option({
    kind: boolean,
    default: false,
    env: ['GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPT'],
    description: 'Encrypt password hashes and other secrets in the database.',
  }),
  encryptionKeyId: option({
    kind: optional(string),
    default: null,
    env: ['GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY_ID'],
    description: 'Name of the key that new values are encrypted with.',
  }),
  encryptionKey: option({
    kind: optional(secret),
    default: null,
    env: ['GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY'],
    description: 'That key: 32 bytes in base64url.',
  }),
  decryptionKeys: option({
    kind: table(z.record(z.string(), z.string())),
    default: {},
    env: [],
    fromEnv: (env) => decryptionKeys(env.GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS),
    description: 'Keys that values may be encrypted with, as id:key,id:key.',
  }),
};

const decryptionKeys = (text: string | undefined): Record<string, string> | undefined =>
  text === undefined || text === ''
    ? undefined
    : Object.fromEntries(
        list.parse(text).map((pair) => [pair.split(':')[0] ?? '', pair.split(':')[1] ?? '']),
      );
