/** The API keys of a project and the tokens that they stand for. */
export type ApiKeys = {
  readonly publishableKey: string;
  readonly secretKey: string;
  /** JWT of role anon, which the publishable key stands for. */
  readonly anonToken: string;
  /** JWT of role service_role, which the secret key stands for. */
  readonly serviceToken: string;
};

/**
 * The Authorization header that a service sees, by the rule of the CLI's gateway: an incoming one is kept unless it
 * carries a new-style key; a new-style apikey becomes the bearer of its role; any other apikey is copied as it is,
 * without "Bearer ". Null when the request has no credentials.
 *
 * Upstream: supabase/cli internal/start/templates/kong.yml.
 */
export function effectiveAuthorization(
  authorization: string | undefined,
  apikey: string | undefined,
  keys: ApiKeys,
): string | null {
  if (authorization !== undefined && !authorization.startsWith('Bearer sb_')) return authorization;
  if (apikey === keys.secretKey) return `Bearer ${keys.serviceToken}`;
  if (apikey === keys.publishableKey) return `Bearer ${keys.anonToken}`;
  if (apikey !== undefined) return apikey;
  return authorization ?? null;
}

/** The token of a bearer header; the scheme's case does not count. Null for any other header. */
export function bearerToken(authorization: string | null | undefined): string | null {
  if (authorization === null || authorization === undefined) return null;
  const match = /^bearer +(.+)$/i.exec(authorization);
  return match?.[1]?.trim() ?? null;
}
