import { failures } from './table.ts';

/** Refusals about second factors. */
export const mfaFailure = failures({
  noSession: [
    500,
    'unexpected_failure',
    'A valid session and a registered user are required to enroll a factor',
  ],
  noSessionForUnenroll: [
    500,
    'unexpected_failure',
    'A valid session and factor are required to unenroll a factor',
  ],
  factorType: [400, 'validation_failed', 'factor_type needs to be totp, phone, or webauthn'],
  phoneEnrollOff: [422, 'mfa_phone_enroll_not_enabled', 'MFA enroll is disabled for Phone'],
  totpEnrollOff: [422, 'mfa_totp_enroll_not_enabled', 'MFA enroll is disabled for TOTP'],
  webauthnEnrollOff: [422, 'mfa_webauthn_enroll_not_enabled', 'MFA enroll is disabled for WebAuthn'],
  phoneVerifyOff: [422, 'mfa_phone_verify_not_enabled', 'MFA verification is disabled for Phone'],
  totpVerifyOff: [422, 'mfa_totp_verify_not_enabled', 'MFA verification is disabled for TOTP'],
  webauthnChallengeOff: [422, 'mfa_webauthn_verify_not_enabled', 'MFA verification is disabled for WebAuthn'],
  /** Upstream answers with the code of enrolment here. */
  webauthnVerifyOff: [422, 'mfa_webauthn_enroll_not_enabled', 'MFA verification is disabled for WebAuthn'],
  nameTaken: [
    422,
    'mfa_factor_name_conflict',
    (name: string) => `A factor with the friendly name ${JSON.stringify(name)} for this user already exists`,
  ],
  tooMany: [
    422,
    'too_many_enrolled_mfa_factors',
    'Maximum number of verified factors reached, unenroll to continue',
  ],
  enrollNeedsAal2: [403, 'insufficient_aal', 'AAL2 required to enroll a new factor'],
  unenrollNeedsAal2: [422, 'insufficient_aal', 'AAL2 required to unenroll verified factor'],
  phoneRequired: [400, 'validation_failed', 'Phone number required to enroll Phone factor'],
  phoneFactorExists: [
    422,
    'mfa_verified_factor_exists',
    'A verified phone factor already exists, unenroll the existing factor to continue',
  ],
  factorIdNotUuid: [404, 'validation_failed', 'factor_id must be an UUID'],
  factorNotFound: [404, 'mfa_factor_not_found', 'Factor not found'],
  codeEmpty: [400, 'validation_failed', 'Code needs to be non-empty'],
  challengeNotFound: [422, 'mfa_factor_not_found', 'MFA factor with the provided challenge ID not found'],
  challengeElsewhere: [422, 'mfa_ip_address_mismatch', 'Challenge and verify IP addresses mismatch.'],
  challengeExpired: [
    422,
    'mfa_challenge_expired',
    (id: string) =>
      `MFA challenge ${id} has expired, verify against another challenge or create a new challenge.`,
  ],
  totpWrong: [422, 'mfa_verification_failed', 'Invalid TOTP code entered'],
  phoneCodeWrong: [422, 'mfa_verification_failed', 'Invalid MFA Phone code entered'],
  rejected: [403, 'mfa_verification_rejected', (message: string) => message],
  webauthnRequired: [400, 'validation_failed', 'WebAuthn config required'],
  webauthnType: [400, 'validation_failed', 'WebAuthn type must be create or request'],
  credentialRequired: [400, 'validation_failed', 'credential_response required'],
  credentialInvalid: [400, 'validation_failed', 'Invalid credential_response'],
  assertionFailed: [500, 'unexpected_failure', 'Failed to validate WebAuthn MFA response'],
  attestationFailed: [500, 'unexpected_failure', 'Failed to create the WebAuthn credential'],
});
