import { duration, integer, type Kind, optional, string } from '../kind.ts';
import { option } from '../option.ts';

/** How many events are let through in which time; `fixed` starts anew each period, `rolling` refills one by one. */
export type EventRate = {
  readonly events: number;
  readonly overMs: number;
  readonly kind: 'fixed' | 'rolling';
};

const hourMs = 3_600_000;

/** `30` counts per hour, `5/10m` lets one more through every tenth minute after five at once. */
const eventRate: Kind<EventRate> = {
  name: 'rate',
  parse(raw) {
    const [events = '', over] = String(raw).split('/', 2);
    const count = Math.floor(Number(events));
    if (!Number.isFinite(count) || count < 0) throw new RangeError('must be a number, or a number/duration');
    return over === undefined
      ? { events: count, overMs: hourMs, kind: 'fixed' }
      : { events: count, overMs: duration.parse(over), kind: 'rolling' };
  },
  print: ({ events, overMs, kind }) => (kind === 'fixed' ? String(events) : `${events}/${overMs / 1000}s`),
};

/** Limits on how often things may be asked for, by upstream's names. */
export const authLimitOptions = {
  rateLimitHeader: option({
    kind: optional(string),
    default: null,
    env: ['GOTRUE_RATE_LIMIT_HEADER', 'RATE_LIMIT_HEADER'],
    description: 'Header whose first value is what the limits per address count by; unset turns them off.',
  }),
  rateLimitEmailSent: option({
    kind: optional(eventRate),
    default: null,
    toml: 'auth.rate_limit.email_sent',
    env: ['GOTRUE_RATE_LIMIT_EMAIL_SENT'],
    description: 'Mails per hour; counts only with an SMTP server of your own.',
  }),
  rateLimitSmsSent: option({
    kind: eventRate,
    default: { events: 30, overMs: hourMs, kind: 'fixed' },
    toml: 'auth.rate_limit.sms_sent',
    env: ['GOTRUE_RATE_LIMIT_SMS_SENT'],
    description: 'Text messages per hour.',
  }),
  rateLimitAnonymousUsers: option({
    kind: integer(),
    default: 30,
    toml: 'auth.rate_limit.anonymous_users',
    env: ['GOTRUE_RATE_LIMIT_ANONYMOUS_USERS'],
    description: 'Anonymous sign-ins per address and hour.',
  }),
  rateLimitTokenRefresh: option({
    kind: integer(),
    default: 150,
    toml: 'auth.rate_limit.token_refresh',
    env: ['GOTRUE_RATE_LIMIT_TOKEN_REFRESH'],
    description: 'Requests for tokens per address and five minutes.',
  }),
  rateLimitOtp: option({
    kind: integer(),
    default: 30,
    toml: 'auth.rate_limit.sign_in_sign_ups',
    env: ['GOTRUE_RATE_LIMIT_OTP'],
    description: 'Sign-ups, codes, links and user changes per address and five minutes, each counted apart.',
  }),
  rateLimitVerify: option({
    kind: integer(),
    default: 30,
    toml: 'auth.rate_limit.token_verifications',
    env: ['GOTRUE_RATE_LIMIT_VERIFY'],
    description: 'Verifications per address and five minutes.',
  }),
  rateLimitWeb3: option({
    kind: integer(),
    default: 30,
    toml: 'auth.rate_limit.web3',
    env: ['GOTRUE_RATE_LIMIT_WEB3'],
    description: 'Wallet sign-ins per address and five minutes.',
  }),
  rateLimitSso: option({
    kind: integer(),
    default: 30,
    env: ['GOTRUE_RATE_LIMIT_SSO'],
    description: 'Single sign-on requests per address and five minutes.',
  }),
  rateLimitSamlAssertion: option({
    kind: integer(),
    default: 15,
    env: ['GOTRUE_SAML_RATE_LIMIT_ASSERTION'],
    description: 'Assertions of identity providers per address and five minutes.',
  }),
  rateLimitPasskey: option({
    kind: integer(),
    default: 30,
    env: ['GOTRUE_RATE_LIMIT_PASSKEY'],
    description: 'Passkey sign-ins per address and five minutes.',
  }),
  rateLimitMfa: option({
    kind: integer(),
    default: 15,
    env: ['GOTRUE_MFA_RATE_LIMIT_CHALLENGE_AND_VERIFY'],
    description: 'Factor challenges and answers per address and minute, each counted apart.',
  }),
  rateLimitClientRegistration: option({
    kind: integer(),
    default: 10,
    env: [
      'GOTRUE_RATE_LIMIT_O_AUTH_DYNAMIC_CLIENT_REGISTER',
      'GOTRUE_RATE_LIMIT_OAUTH_DYNAMIC_CLIENT_REGISTER',
    ],
    description: 'Registrations of OAuth clients per address and five minutes.',
  }),
};
