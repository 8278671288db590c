import { failures } from './table.ts';

/** Refusals about passkeys. */
export const passkeyFailure = failures({
  disabled: [404, 'passkey_disabled', 'Passkeys are disabled'],
  ssoUser: [422, 'validation_failed', 'SSO users cannot register passkeys'],
  needsAal2: [403, 'insufficient_aal', 'AAL2 session is required to manage passkeys when MFA is enabled'],
  tooMany: [422, 'too_many_passkeys', 'Maximum number of passkeys reached'],
  challengeRequired: [400, 'validation_failed', 'challenge_id is required'],
  credentialRequired: [400, 'validation_failed', 'credential is required'],
  challengeNotUuid: [400, 'validation_failed', 'challenge_id must be a valid UUID'],
  challengeNotFound: [400, 'webauthn_challenge_not_found', 'Challenge not found or already used'],
  challengeExpired: [400, 'webauthn_challenge_expired', 'Challenge has expired'],
  badCredential: [400, 'webauthn_verification_failed', 'Invalid credential response'],
  failed: [400, 'webauthn_verification_failed', 'Credential verification failed'],
  exists: [422, 'webauthn_credential_exists', 'This credential is already registered'],
  emailNotConfirmed: [403, 'email_not_confirmed', 'Email not confirmed'],
  phoneNotConfirmed: [403, 'phone_not_confirmed', 'Phone not confirmed'],
  notFound: [404, 'validation_failed', 'Passkey not found'],
  nameRequired: [400, 'validation_failed', 'friendly_name is required'],
  nameTooLong: [400, 'validation_failed', 'friendly_name must be 120 characters or less'],
});
