import { failures } from './table.ts';

/** Refusals of single sign-on. */
export const ssoFailure = failures({
  samlDisabled: [404, 'saml_provider_disabled', 'SAML 2.0 is disabled'],
  notInstalled: [501, 'feature_disabled', 'SAML 2.0 needs the optional package @node-saml/node-saml'],
  providerNotFound: [404, 'sso_provider_not_found', 'SSO Identity Provider not found'],
  noSuchProvider: [404, 'sso_provider_not_found', 'No such SSO provider'],
  noProviderForDomain: [404, 'sso_provider_not_found', 'No SSO provider assigned for this domain'],
  providerDisabled: [404, 'sso_provider_disabled', 'SSO Provider is currently disabled'],
  assignedDisabled: [
    404,
    'sso_provider_disabled',
    'SSO Provider assigned for this domain is currently disabled',
  ],
  invalid: [400, 'validation_failed', (problem: string) => problem],
  metadataFetch: [
    400,
    'saml_metadata_fetch_failed',
    (status: number, url: string) => `HTTP ${status} error fetching SAML Metadata from URL '${url}'`,
  ],
  metadataUnreachable: [
    400,
    'saml_metadata_fetch_failed',
    (url: string) => `SAML Metadata could not be fetched from URL '${url}'`,
  ],
  entityExists: [
    422,
    'saml_idp_already_exists',
    (entityId: string) => `SAML Identity Provider with this EntityID (${entityId}) already exists`,
  ],
  entityMismatch: [
    400,
    'saml_entity_id_mismatch',
    (expected: string, given: string) =>
      `SAML Metadata can be updated only if the EntityID matches for the provider; expected '${expected}' but got '${given}'`,
  ],
  domainAssigned: [
    400,
    'sso_domain_already_exists',
    (domain: string, id: string) =>
      `SSO Domain '${domain}' is already assigned to an SSO identity provider (${id})`,
  ],
  domainElsewhere: [
    400,
    'sso_domain_already_exists',
    (domain: string, id: string) => `SSO domain '${domain}' already assigned to another provider (${id})`,
  ],
  updateConflict: [422, 'conflict', 'Updating SSO provider failed, likely due to a conflict. Try again?'],
  relayStateUnknown: [
    404,
    'saml_relay_state_not_found',
    'SAML RelayState does not exist, try logging in again?',
  ],
  relayStateExpired: [422, 'saml_relay_state_expired', 'SAML RelayState has expired. Try logging in again?'],
  idpUnknown: [
    404,
    'saml_idp_not_found',
    'A SAML connection has not been established with this Identity Provider',
  ],
  assertionInvalid: [400, 'validation_failed', 'SAML Assertion is not valid'],
  noUserId: [
    400,
    'saml_assertion_no_user_id',
    'SAML Assertion did not contain a persistent Subject Identifier attribute or Subject NameID uniquely identifying this user',
  ],
  noEmail: [400, 'saml_assertion_no_email', 'SAML Assertion does not contain an email address'],
  claimsUnreadable: [
    500,
    'unexpected_failure',
    'Mapped claims from provider could not be deserialized from JSON',
  ],
  stateUsed: [400, 'flow_state_already_used', 'State has already been used'],
});
