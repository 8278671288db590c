import type { HttpRequest } from '../../http/exchange.ts';
import type { AuthDeps } from '../deps.ts';
import { requestFailure } from '../failures/request.ts';
import { forwardedAddress } from '../presented.ts';
import { createEventQuota, type EventQuota } from './event-quota.ts';
import { createKeyedLimiter, type KeyedLimiter } from './token-bucket.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const fiveMinutesMs = 5 * minuteMs;

/** Buckets let this many through at once whatever their rate, as upstream's do. */
const burst = 30;

/** What is limited per address, each counted apart. */
export type LimiterName =
  | 'signups'
  | 'anonymous'
  | 'otp'
  | 'magicLink'
  | 'recover'
  | 'resend'
  | 'user'
  | 'token'
  | 'verify'
  | 'factorChallenge'
  | 'factorVerify'
  | 'sso'
  | 'samlAssertion'
  | 'web3'
  | 'passkey'
  | 'clientRegistration';

/** The limits of one service. */
export type AuthLimits = {
  /** Counts a request; refuses it when its address asks too often. */
  demand(name: LimiterName, request: HttpRequest): void;
  readonly mails: EventQuota;
  readonly messages: EventQuota;
};

/**
 * Creates the limits. Those per address count only when the configuration names the header that tells addresses apart.
 * Upstream: internal/api/apilimiter/apilimiter.go.
 */
export function createLimits(deps: Pick<AuthDeps, 'config' | 'clock'>): AuthLimits {
  const { config, clock } = deps;
  const perFiveMinutes = (events: number): KeyedLimiter =>
    createKeyedLimiter(clock, { events, perMs: fiveMinutesMs, burst });
  const perMinute = (events: number): KeyedLimiter =>
    createKeyedLimiter(clock, { events, perMs: minuteMs, burst });
  const limiters: Readonly<Record<LimiterName, KeyedLimiter>> = {
    signups: perFiveMinutes(config.rateLimitOtp),
    anonymous: createKeyedLimiter(clock, {
      events: config.rateLimitAnonymousUsers,
      perMs: hourMs,
      burst: config.rateLimitAnonymousUsers,
    }),
    otp: perFiveMinutes(config.rateLimitOtp),
    magicLink: perFiveMinutes(config.rateLimitOtp),
    recover: perFiveMinutes(config.rateLimitOtp),
    resend: perFiveMinutes(config.rateLimitOtp),
    user: perFiveMinutes(config.rateLimitOtp),
    token: perFiveMinutes(config.rateLimitTokenRefresh),
    verify: perFiveMinutes(config.rateLimitVerify),
    factorChallenge: perMinute(config.rateLimitMfa),
    factorVerify: perMinute(config.rateLimitMfa),
    sso: perFiveMinutes(config.rateLimitSso),
    samlAssertion: perFiveMinutes(config.rateLimitSamlAssertion),
    web3: perFiveMinutes(config.rateLimitWeb3),
    passkey: perFiveMinutes(config.rateLimitPasskey),
    clientRegistration: perFiveMinutes(config.rateLimitClientRegistration),
  };
  return {
    demand(name, request) {
      const key = forwardedAddress(config, request) ?? limitKey(request, config.rateLimitHeader);
      if (key !== null && !limiters[name].take(key)) throw requestFailure.tooManyRequests();
    },
    mails: createEventQuota(clock, mailRate(config)),
    messages: createEventQuota(clock, config.rateLimitSmsSent),
  };
}

/** Without an SMTP server of its own an instance mails to its inbox, where a quota would serve nobody. */
const mailRate = (config: AuthDeps['config']): Parameters<typeof createEventQuota>[1] => {
  const fallback = { events: 360_000, overMs: hourMs, kind: 'fixed' } as const;
  if (config.smtpHost === null || !config.smtpEnabled) return fallback;
  return config.rateLimitEmailSent ?? { events: 30, overMs: hourMs, kind: 'fixed' };
};

function limitKey(request: HttpRequest, header: string | null): string | null {
  if (header === null) return null;
  const value = request.headers[header.toLowerCase()];
  const first = (Array.isArray(value) ? value.join(',') : (value ?? '')).split(',')[0]?.trim() ?? '';
  return first === '' ? null : first;
}
