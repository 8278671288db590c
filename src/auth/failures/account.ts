import { failures } from './table.ts';

const unconfirmedInvalid = 'Unable to validate email address: invalid format';

/** Refusals about addresses, sign-up, sign-in and the user's own account. */
export const accountFailure = failures({
  emailRequired: [400, 'validation_failed', 'An email address is required'],
  emailTooLong: [400, 'validation_failed', 'An email address is too long'],
  emailInvalid: [400, 'validation_failed', unconfirmedInvalid],
  emailInvalidOnVerify: [422, 'validation_failed', 'Invalid email format'],
  phoneInvalid: [400, 'validation_failed', 'Invalid phone number format (E.164 required)'],
  invalidChannel: [
    400,
    'validation_failed',
    "Invalid channel, supported values are 'sms' or 'whatsapp'. 'whatsapp' is only supported if Twilio or Twilio Verify is used as the provider.",
  ],

  signupDisabled: [422, 'signup_disabled', 'Signups not allowed for this instance'],
  anonymousDisabled: [422, 'anonymous_provider_disabled', 'Anonymous sign-ins are disabled'],
  signupPasswordRequired: [400, 'validation_failed', 'Signup requires a valid password'],
  signupBothAddresses: [
    400,
    'validation_failed',
    'Only an email address or phone number should be provided on signup.',
  ],
  signupPhonePkce: [400, 'validation_failed', 'PKCE not supported for phone signups'],
  emailSignupDisabled: [400, 'email_provider_disabled', 'Email signups are disabled'],
  phoneSignupDisabled: [400, 'phone_provider_disabled', 'Phone signups are disabled'],
  alreadyRegistered: [422, 'user_already_exists', 'User already registered'],

  unsupportedGrant: [400, 'invalid_credentials', 'unsupported_grant_type'],
  loginBothAddresses: [
    400,
    'validation_failed',
    'Only an email address or phone number should be provided on login.',
  ],
  loginNoAddress: [400, 'validation_failed', 'missing email or phone'],
  emailLoginDisabled: [422, 'email_provider_disabled', 'Email logins are disabled'],
  phoneLoginDisabled: [422, 'phone_provider_disabled', 'Phone logins are disabled'],
  invalidCredentials: [400, 'invalid_credentials', 'Invalid login credentials'],
  rejectedByHook: [400, 'invalid_credentials', (message: string) => message],
  loginBanned: [400, 'user_banned', 'User is banned'],
  emailNotConfirmed: [400, 'email_not_confirmed', 'Email not confirmed'],
  phoneNotConfirmed: [400, 'phone_not_confirmed', 'Phone not confirmed'],

  passwordTooLong: [400, 'validation_failed', 'Password cannot be longer than 72 characters'],

  appMetadataNotAdmin: [403, 'not_admin', 'Updating app_metadata requires admin privileges'],
  aal2Required: [
    401,
    'insufficient_aal',
    'AAL2 session is required to update email or password when MFA is enabled.',
  ],
  anonymousPassword: [
    422,
    'validation_failed',
    'Updating password of an anonymous user without an email or phone is not allowed',
  ],
  ssoManaged: [
    422,
    'user_sso_managed',
    'Updating email, phone, password of a SSO account only possible via SSO',
  ],
  emailExists: [422, 'email_exists', 'A user with this email address has already been registered'],
  phoneExists: [422, 'phone_exists', 'A user with this phone number has already been registered'],
  reauthenticationNeeded: [400, 'reauthentication_needed', 'Password update requires reauthentication'],
  nonceInvalid: [422, 'reauthentication_not_valid', 'Nonce has expired or is invalid'],
  nonceNoAddress: [422, 'reauthentication_not_valid', 'Reauthentication requires an email or a phone number'],
  currentPasswordRequired: [
    400,
    'current_password_required',
    'Current password required when setting new password.',
  ],
  currentPasswordInvalid: [
    400,
    'current_password_invalid',
    'Current password required when setting new password.',
  ],
  samePassword: [422, 'same_password', 'New password should be different from the old password.'],
  reauthenticateNoAddress: [
    400,
    'validation_failed',
    'Reauthentication requires the user to have an email or a phone number',
  ],
  verifyEmailFirst: [422, 'email_not_confirmed', 'Please verify your email first.'],
  verifyPhoneFirst: [422, 'phone_not_confirmed', 'Please verify your phone first.'],
  unknownLogoutScope: [
    400,
    'validation_failed',
    (scope: string) => `Unsupported logout scope ${JSON.stringify(scope)}`,
  ],
});
