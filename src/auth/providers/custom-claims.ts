import type { JsonObject } from '../store/rows.ts';
import { type ProviderUser, primary } from './provider.ts';
import { standardClaims } from './standard-claims.ts';

/** How a project wants a provider's claims. */
export type ClaimRules = {
  /** Claims by name: text names the claim that is copied, anything else is the value itself. */
  readonly mapping: JsonObject;
  /** Names of claims that go into `custom_claims` as they came. */
  readonly allowlist: readonly string[];
};

function withAllowed(claims: JsonObject, raw: JsonObject, allowlist: readonly string[]): JsonObject {
  const allowed = allowlist.filter((key) => Object.hasOwn(raw, key)).map((key) => [key, raw[key]] as const);
  if (allowed.length === 0) return claims;
  const known = (claims.custom_claims ?? {}) as JsonObject;
  return { ...claims, custom_claims: { ...known, ...Object.fromEntries(allowed) } };
}

/** Claims after the mapping; a mapping that makes no good claims changes nothing. */
function mapped(claims: JsonObject, mapping: JsonObject): JsonObject {
  const entries = Object.entries(mapping).flatMap(([target, source]) => {
    if (typeof source !== 'string') return [[target, source] as const];
    return Object.hasOwn(claims, source) ? [[target, claims[source]] as const] : [];
  });
  return standardClaims({ ...claims, ...Object.fromEntries(entries) }) ?? claims;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const withSubject = (claims: JsonObject): ProviderUser['claims'] => ({ ...claims, sub: textOf(claims.sub) });

/**
 * Somebody as a userinfo endpoint tells it. Throws `TypeError` for claims of the wrong type.
 * Upstream: internal/api/provider/custom_oauth.go.
 */
export function userOfUserinfo(raw: JsonObject, { mapping, allowlist }: ClaimRules): ProviderUser {
  const claims = standardClaims(raw);
  if (claims === null) throw new TypeError('the profile has claims of the wrong type');
  const final = mapped(withAllowed(claims, raw, allowlist), mapping);
  return {
    emails: primary(textOf(final.email), final.email_verified === true),
    claims: withSubject(final),
  };
}

/** Somebody as an ID token told it, with what the project wants to know besides. */
export const withRules = (
  user: ProviderUser,
  raw: JsonObject,
  { mapping, allowlist }: ClaimRules,
): ProviderUser => ({
  emails: user.emails,
  claims: withSubject(mapped(withAllowed(user.claims, raw, allowlist), mapping)),
});
