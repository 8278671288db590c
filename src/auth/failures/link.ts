import { failures } from './table.ts';

/** Refusals about codes and links: sending them, following them, PKCE. */
export const linkFailure = failures({
  otpBothAddresses: [400, 'validation_failed', 'Only an email address or phone number should be provided'],
  otpEmailChannel: [400, 'validation_failed', 'Channel should only be specified with Phone OTP'],
  otpNoAddress: [400, 'validation_failed', 'One of email or phone must be set'],
  otpDisabled: [422, 'otp_disabled', 'Signups not allowed for otp'],
  magicLinkDisabled: [422, 'email_provider_disabled', 'Login with magic link is disabled'],
  magicLinkUnreadable: [400, 'bad_json', (reason: string) => `Could not read verification params: ${reason}`],
  magicLinkNoEmail: [422, 'validation_failed', 'Password recovery requires an email'],
  phoneOtpDisabled: [400, 'phone_provider_disabled', 'Unsupported phone provider'],
  recoverNoEmail: [400, 'validation_failed', 'Password recovery requires an email'],
  emailDisabled: [400, 'email_provider_disabled', 'Email logins are disabled'],
  phoneDisabled: [400, 'phone_provider_disabled', 'Phone logins are disabled'],

  resendType: [
    400,
    'validation_failed',
    'Missing one of these types: signup, email_change, sms, phone_change',
  ],
  resendNeedsEmail: [400, 'validation_failed', 'Type provided requires an email address'],
  resendNeedsPhone: [400, 'validation_failed', 'Type provided requires a phone number'],
  resendBothAddresses: [
    400,
    'validation_failed',
    'Only an email address or phone number should be provided.',
  ],
  resendNoAddress: [400, 'validation_failed', 'Missing email address or phone number'],

  tooSoonForMail: [429, 'over_email_send_rate_limit', (seconds: number) => tooSoon(seconds)],
  mailQuota: [429, 'over_email_send_rate_limit', 'email rate limit exceeded'],
  tooSoonForSms: [429, 'over_sms_send_rate_limit', (seconds: number) => tooSoon(seconds)],
  smsQuota: [429, 'over_sms_send_rate_limit', 'SMS rate limit exceeded'],
  smsFailed: [
    422,
    'sms_send_failed',
    (kind: string, reason: string) => `Error sending ${kind} OTP to provider: ${reason}`,
  ],
  addressNotAuthorized: [
    400,
    'email_address_not_authorized',
    (email: string) => `Email address ${JSON.stringify(email)} cannot be used as it is not authorized`,
  ],

  addressInvalid: [
    400,
    'email_address_invalid',
    (email: string) => `Email address ${JSON.stringify(email)} is invalid`,
  ],
  verifyNoType: [400, 'validation_failed', 'Verify requires a verification type'],
  verifyNoToken: [400, 'validation_failed', 'Verify requires a token or a token hash'],
  verifyTokenOrHash: [400, 'validation_failed', 'Verify requires either a token or a token hash'],
  verifyOneAddress: [
    400,
    'validation_failed',
    'Only an email address or phone number should be provided on verify',
  ],
  verifyHashOnly: [400, 'validation_failed', 'Only the token_hash and type should be provided'],
  verifyBadEmailType: [400, 'validation_failed', 'Invalid email verification type'],
  verifyUnsupportedType: [400, 'validation_failed', 'Unsupported verification type'],
  linkExpired: [403, 'otp_expired', 'Email link is invalid or has expired'],
  tokenExpired: [403, 'otp_expired', 'Token has expired or is invalid'],
  noFlowForLink: [
    400,
    'flow_state_not_found',
    (reason: string) => `No associated flow state found. ${reason}`,
  ],

  pkceBothParams: [400, 'validation_failed', 'PKCE flow requires code_challenge_method and code_challenge'],
  pkceLength: [400, 'validation_failed', 'code challenge has to be between 43 and 128 characters'],
  pkceCharacters: [
    400,
    'validation_failed',
    'code challenge can only contain alphanumeric characters, hyphens, periods, underscores and tildes',
  ],
  pkceMethod: [400, 'validation_failed', 'Invalid code_challenge_method'],
  pkceEmpty: [
    400,
    'validation_failed',
    'invalid request: both auth code and code verifier should be non-empty',
  ],
  flowNotFound: [404, 'flow_state_not_found', 'invalid flow state, no valid flow state found'],
  flowExpired: [422, 'flow_state_expired', 'invalid flow state, flow state has expired'],
  badVerifier: [400, 'bad_code_verifier', 'code challenge does not match previously saved code verifier'],
});

const tooSoon = (seconds: number): string =>
  `For security purposes, you can only request this after ${seconds} seconds.`;
