import type { JsonObject, User } from '../store/rows.ts';
import { epochMs } from '../timestamp.ts';

const firstText = (metadata: JsonObject, ...names: readonly string[]): string | undefined =>
  names
    .map((name) => metadata[name])
    .find((value): value is string => typeof value === 'string' && value !== '');

/** What the scope `profile` tells of a user; members that are not known are undefined. */
function profileOf(user: User) {
  const metadata = user.raw_user_meta_data ?? {};
  const updatedAt = user.updated_at === null ? 0 : Math.floor(epochMs(user.updated_at) / 1000);
  return {
    name: firstText(metadata, 'name') ?? (user.email || undefined),
    picture: firstText(metadata, 'picture', 'avatar_url'),
    preferred_username: firstText(metadata, 'preferred_username', 'username'),
    updated_at: updatedAt > 0 ? updatedAt : undefined,
  };
}

/** What an ID token is about, besides the user. */
export type IdTokenCase = {
  readonly issuer: string;
  readonly clientId: string;
  readonly nonce: string | null;
  readonly scopes: readonly string[];
  /** When the user signed in, in epoch milliseconds. */
  readonly authTimeMs: number;
  readonly nowMs: number;
};

const lifeSeconds = 3600;

/**
 * The claims of an ID token, those of scopes that were not granted left out.
 * Upstream: internal/tokens/service.go (GenerateIDToken).
 */
export function idTokenClaims(user: User, about: IdTokenCase): JsonObject {
  const has = (scope: string): boolean => about.scopes.includes(scope);
  const iat = Math.floor(about.nowMs / 1000);
  const email = has('email') ? user.email || undefined : undefined;
  const phone = has('phone') ? user.phone || undefined : undefined;
  return {
    iss: about.issuer || undefined,
    sub: user.id,
    aud: about.clientId,
    exp: iat + lifeSeconds,
    iat,
    nonce: about.nonce ?? undefined,
    auth_time: Math.floor(about.authTimeMs / 1000),
    email,
    email_verified: has('email') && user.email_confirmed_at !== null,
    phone_number: phone,
    phone_number_verified: has('phone') && user.phone_confirmed_at !== null,
    ...(has('profile') ? profileOf(user) : {}),
    client_id: about.clientId,
  };
}

/**
 * What `/oauth/userinfo` tells of a user to somebody with these scopes; null stands for a token of no session.
 * Upstream: internal/api/oauthserver/handlers.go (OAuthUserInfo).
 */
export function userInfo(user: User, scopes: readonly string[] | null): JsonObject {
  const has = (scope: string): boolean => scopes?.includes(scope) === true;
  return {
    sub: user.id,
    ...(has('email')
      ? {
          email: user.email || undefined,
          email_verified: user.email_confirmed_at === null ? undefined : true,
        }
      : {}),
    ...(has('profile') ? { ...profileOf(user), user_metadata: user.raw_user_meta_data ?? undefined } : {}),
    ...(has('phone')
      ? {
          phone: user.phone || undefined,
          phone_verified: user.phone_confirmed_at === null ? undefined : true,
        }
      : {}),
  };
}
