import { failures } from './table.ts';

/** Refusals that any endpoint may answer with: the body, the bearer token, the limits. */
export const requestFailure = failures({
  badJson: [400, 'bad_json', (reason: string) => `Could not parse request body as JSON: ${reason}`],
  bodyTooLarge: [
    413,
    'request_entity_too_large',
    (limit: number) => `Request body too large (max ${limit} bytes)`,
  ],
  noBearer: [401, 'no_authorization', 'This endpoint requires a valid Bearer token'],
  badJwt: [403, 'bad_jwt', (reason: string) => `invalid JWT: unable to parse or verify signature, ${reason}`],
  missingSub: [403, 'bad_jwt', 'invalid claim: missing sub claim'],
  subNotUuid: [400, 'bad_jwt', 'invalid claim: sub claim must be a UUID'],
  sessionIdNotUuid: [403, 'bad_jwt', 'invalid claim: session_id claim must be a UUID'],
  userGone: [403, 'user_not_found', 'User from sub claim in JWT does not exist'],
  sessionGone: [403, 'session_not_found', 'Session from session_id claim in JWT does not exist'],
  banned: [403, 'user_banned', 'User is banned'],
  notAdmin: [403, 'not_admin', 'User not allowed'],
  adminSessionExpired: [403, 'session_expired', 'Session is no longer valid'],
  anonymousRefused: [403, 'no_authorization', 'Anonymous user not allowed to perform these actions'],
  tooManyRequests: [429, 'over_request_rate_limit', 'Request rate limit reached'],
  tooSlow: [504, 'request_timeout', 'Processing this request timed out, please retry after a moment.'],
  captchaMissing: [400, 'captcha_failed', 'captcha protection: request disallowed (no captcha_token found)'],
  captchaRefused: [
    400,
    'captcha_failed',
    (codes: readonly string[]) => `captcha protection: request disallowed (${codes.join(', ')})`,
  ],
  scimDisabled: [404, 'feature_disabled', 'SCIM server is disabled'],
  audienceMismatch: [400, 'validation_failed', "Token audience doesn't match request audience"],
});
