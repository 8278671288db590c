import { failures } from './table.ts';

/** Refusals of the OAuth server. */
export const oauthServerFailure = failures({
  disabled: [404, 'feature_disabled', 'OAuth server is disabled'],
  registrationDisabled: [
    403,
    'oauth_dynamic_client_registration_disabled',
    'Dynamic client registration is not enabled',
  ],
  badBody: [400, 'bad_json', 'Invalid JSON body'],
  clientIdFormat: [400, 'validation_failed', 'invalid client_id format'],
  clientNotFound: [404, 'oauth_client_not_found', 'OAuth client not found'],
  invalid: [400, 'validation_failed', (problem: string) => problem],
  unusableClientId: [400, 'oauth_client_not_found', (problem: string) => problem],
  badCredentials: [400, 'invalid_credentials', (problem: string) => problem],
  badConsent: [400, 'bad_json', 'invalid JSON body'],
  authorizationNotFound: [404, 'oauth_authorization_not_found', 'authorization not found'],
  consentNotFound: [404, 'oauth_consent_not_found', 'No active grant found for this client'],
  nothingToUpdate: [400, 'validation_failed', 'No fields provided for update'],
  publicHasNoSecret: [400, 'validation_failed', 'Cannot regenerate secret for public client'],
});
