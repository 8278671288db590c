import type { Factor, Identity, JsonObject, User } from '../store/rows.ts';
import { rfc3339 } from '../timestamp.ts';

const time = (value: string | null): string | undefined => (value === null ? undefined : rfc3339(value));
const zeroTime = '0001-01-01T00:00:00Z';

/**
 * An identity as clients see it; members that are undefined are left out of the JSON.
 * Upstream: internal/models/identity.go.
 */
const identityJson = (identity: Identity): JsonObject => ({
  identity_id: identity.id,
  id: identity.provider_id,
  user_id: identity.user_id,
  identity_data: Object.keys(identity.identity_data ?? {}).length === 0 ? undefined : identity.identity_data,
  provider: identity.provider,
  last_sign_in_at: time(identity.last_sign_in_at),
  created_at: time(identity.created_at) ?? zeroTime,
  updated_at: time(identity.updated_at) ?? zeroTime,
  email: identity.email || undefined,
});

/**
 * A factor as clients see it; its secret never is.
 * Upstream: internal/models/factor.go.
 */
export const factorJson = (factor: Factor): JsonObject => ({
  id: factor.id,
  created_at: rfc3339(factor.created_at),
  updated_at: rfc3339(factor.updated_at),
  status: factor.status,
  friendly_name: factor.friendly_name || undefined,
  factor_type: factor.factor_type,
  phone: factor.phone ?? '',
  last_challenged_at: time(factor.last_challenged_at) ?? null,
  web_authn_aaguid: factor.web_authn_aaguid ?? undefined,
  last_webauthn_challenge_data: factor.last_webauthn_challenge_data ?? undefined,
});

/** A user in a list, where identities and factors are not read. */
export const listedUserJson = (user: User): JsonObject => ({ ...userJson(user), identities: null });

/**
 * A user as clients see it: no tokens, no hash.
 * Upstream: internal/models/user.go.
 */
export const userJson = (user: User): JsonObject => ({
  id: user.id,
  aud: user.aud ?? '',
  role: user.role ?? '',
  email: user.email ?? '',
  email_confirmed_at: time(user.email_confirmed_at),
  invited_at: time(user.invited_at),
  phone: user.phone ?? '',
  phone_confirmed_at: time(user.phone_confirmed_at),
  confirmation_sent_at: time(user.confirmation_sent_at),
  confirmed_at: time(user.confirmed_at),
  recovery_sent_at: time(user.recovery_sent_at),
  new_email: user.email_change || undefined,
  email_change_sent_at: time(user.email_change_sent_at),
  new_phone: user.phone_change || undefined,
  phone_change_sent_at: time(user.phone_change_sent_at),
  reauthentication_sent_at: time(user.reauthentication_sent_at),
  last_sign_in_at: time(user.last_sign_in_at),
  app_metadata: user.raw_app_meta_data ?? {},
  user_metadata: user.raw_user_meta_data ?? {},
  factors: user.factors.length === 0 ? undefined : user.factors.map(factorJson),
  identities: user.identities.map(identityJson),
  created_at: time(user.created_at) ?? zeroTime,
  updated_at: time(user.updated_at) ?? zeroTime,
  banned_until: time(user.banned_until),
  deleted_at: time(user.deleted_at),
  is_anonymous: user.is_anonymous,
});
