import { failures } from './table.ts';

/** Refusals about providers that the project makes itself. */
export const customProviderFailure = failures({
  disabled: [404, 'feature_disabled', 'Custom OAuth providers are disabled'],
  invalid: [400, 'validation_failed', (problem: string) => problem],
  notFound: [404, 'custom_provider_not_found', 'Custom OAuth provider not found'],
  quota: [400, 'over_custom_provider_quota', 'Maximum number of custom OAuth/OIDC providers reached'],
  exists: [400, 'conflict', 'A custom OAuth provider with this identifier already exists'],
  discovery: [
    400,
    'validation_failed',
    (url: string, reason: string) => `OIDC discovery from ${JSON.stringify(url)} failed: ${reason}`,
  ],
  tokenUnknown: [
    400,
    'validation_failed',
    (name: string) => `Custom provider ${JSON.stringify(name)} not found`,
  ],
  tokenDisabled: [
    400,
    'provider_disabled',
    (name: string) => `Custom provider ${JSON.stringify(name)} is disabled`,
  ],
  tokenNotOidc: [
    400,
    'validation_failed',
    (name: string) => `Provider ${JSON.stringify(name)} is not an OIDC provider`,
  ],
});
