import type { ProviderUser } from '../providers/provider.ts';
import type { JsonObject } from '../store/rows.ts';

/** Claims that identities hold by themselves; whatever else a mapping makes goes into `custom_claims`. */
const standardTexts: ReadonlySet<string> = new Set([
  'name',
  'family_name',
  'given_name',
  'middle_name',
  'nickname',
  'preferred_username',
  'profile',
  'picture',
  'website',
  'gender',
  'birthdate',
  'zoneinfo',
  'locale',
  'updated_at',
  'phone',
  'full_name',
  'avatar_url',
  'slug',
  'provider_id',
  'user_name',
]);

/** Claims that the service says itself, whatever the mapping makes of them. */
const own: ReadonlySet<string> = new Set(['iss', 'sub', 'email', 'email_verified', 'phone_verified']);

/**
 * Somebody as an identity provider tells it; null when a standard claim was mapped to what is not text.
 * Upstream: internal/api/samlacs.go (handleSamlAcs).
 */
export function ssoUser(
  entityId: string,
  userId: string,
  email: string,
  mapped: JsonObject,
): ProviderUser | null {
  const entries = Object.entries(mapped).filter(([name]) => !own.has(name));
  const standard = entries.filter(([name]) => standardTexts.has(name));
  if (standard.some(([, value]) => typeof value !== 'string')) return null;
  const custom = entries.filter(([name]) => !standardTexts.has(name));
  return {
    emails: [{ email, verified: true, primary: true }],
    claims: {
      iss: entityId,
      sub: userId,
      ...Object.fromEntries(standard),
      custom_claims: Object.fromEntries(custom),
    },
  };
}
