import { failures } from './table.ts';

/** Refusals of sign-ins through other providers. */
export const providerFailure = failures({
  unsupported: [400, 'validation_failed', (problem: string) => `Unsupported provider: ${problem}`],
  unsupportedOnCallback: [
    400,
    'oauth_provider_not_supported',
    (problem: string) => `Unsupported provider: ${problem}`,
  ],
  inviteUnknown: [404, 'user_not_found', 'User identified by token not found'],
  stateMissing: [400, 'bad_oauth_callback', 'OAuth state parameter missing'],
  stateInvalid: [400, 'bad_oauth_state', 'OAuth state parameter is invalid'],
  stateUnknown: [400, 'bad_oauth_state', 'OAuth state not found or expired'],
  stateExpired: [400, 'bad_oauth_state', 'OAuth state has expired'],
  stateUsed: [400, 'flow_state_already_used', 'State has already been used'],
  codeMissing: [400, 'bad_oauth_callback', 'OAuth callback with missing authorization code missing'],
  exchangeFailed: [
    500,
    'unexpected_failure',
    (start: string) => `Unable to exchange external code: ${start}`,
  ],
  requestTokenFailed: [500, 'unexpected_failure', 'Unable to retrieve request token'],
  accessTokenFailed: [500, 'unexpected_failure', 'Unable to retrieve access token'],
  profileFailed: [500, 'unexpected_failure', 'Error getting user profile from external provider'],
  noEmail: [500, 'unexpected_failure', 'Error getting user email from external provider'],
  clientStateMissing: [422, 'oauth_client_state_not_found', 'OAuth state not found'],
  clientStateExpired: [422, 'oauth_client_state_expired', 'OAuth state expired'],
  clientStateMismatch: [400, 'oauth_invalid_state', 'OAuth provider mismatch'],
  verifierMissing: [400, 'oauth_invalid_state', 'OAuth PKCE code verifier missing'],
  severalAccounts: [
    500,
    'unexpected_failure',
    (domain: string) =>
      `Multiple accounts with the same email address in the same linking domain detected: ${domain}`,
  ],
  unverifiedMailed: [
    422,
    'provider_email_needs_verification',
    (provider: string) =>
      `Unverified email with ${provider}. A confirmation email has been sent to your ${provider} email`,
  ],
  unverified: [
    422,
    'provider_email_needs_verification',
    (provider: string) =>
      `Unverified email with ${provider}. Verify the email with ${provider} in order to sign in`,
  ],
  inviteNotFound: [404, 'invite_not_found', 'Invite not found'],
  inviteMismatch: [400, 'validation_failed', 'Invited email does not match emails from external provider'],
  appleIssuerUnknown: [400, 'validation_failed', 'Unable to detect issuer in ID token for Apple provider'],
  appleIssuerWrong: [400, 'validation_failed', 'Detected ID token issuer is not an Apple ID token issuer'],
  azureIssuerUnknown: [400, 'validation_failed', 'Unable to detect issuer in ID token for Azure provider'],
  azureIssuerWrong: [400, 'validation_failed', 'Detected ID token issuer is not an Azure ID token issuer'],
  issuerMismatch: [400, 'validation_failed', 'Provided issuer does not match ID token issuer'],
  url: [400, 'validation_failed', (problem: string) => problem],
  customDisabled: [400, 'validation_failed', 'Custom OAuth providers are disabled'],
  customNotAllowed: [
    400,
    'validation_failed',
    (provider: string) => `Custom OIDC provider ${JSON.stringify(provider)} not allowed`,
  ],
  issuerDisabled: [
    400,
    'provider_disabled',
    (issuer: string) => `Provider (issuer ${JSON.stringify(issuer)}) is not enabled`,
  ],
});
