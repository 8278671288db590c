import { createHash, timingSafeEqual } from 'node:crypto';
import type { OAuthClient } from '../store/oauth-clients.ts';

/** How a client proves who it is at the token endpoint. */
type AuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post';

/** What a client proves who it is with. */
export type ClientCredentials = {
  readonly clientId: string;
  readonly secret: string;
  readonly method: AuthMethod;
};

/** Credentials, or why there are none. */
export type FoundCredentials =
  | { readonly ok: true; readonly credentials: ClientCredentials }
  | { readonly ok: false; readonly problem: string };

const refuse = (problem: string): FoundCredentials => ({ ok: false, problem });

/**
 * The credentials of a request: its Basic header, else the members of its body.
 * Upstream: internal/api/oauthserver/auth.go.
 */
export function findCredentials(
  authorization: string | null,
  body: { readonly client_id: string; readonly client_secret: string } | null,
): FoundCredentials {
  if (authorization?.startsWith('Basic ')) return basicCredentials(authorization.slice('Basic '.length));
  if (body === null) return refuse('failed to parse JSON body');
  if (body.client_id === '') return refuse('client_id is required');
  const method = body.client_secret === '' ? 'none' : 'client_secret_post';
  return { ok: true, credentials: { clientId: body.client_id, secret: body.client_secret, method } };
}

function basicCredentials(encoded: string): FoundCredentials {
  const isBase64 = encoded.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(encoded);
  if (!isBase64) return refuse('invalid basic auth encoding');
  const text = Buffer.from(encoded, 'base64').toString();
  const at = text.indexOf(':');
  if (at < 0) return refuse('invalid basic auth format');
  const credentials = { clientId: text.slice(0, at), secret: text.slice(at + 1) };
  return { ok: true, credentials: { ...credentials, method: 'client_secret_basic' } };
}

/** The form in which a secret is stored. */
export const hashClientSecret = (secret: string): string =>
  createHash('sha256').update(secret).digest('base64url');

/**
 * What is wrong with the credentials of a known client; null when nothing is.
 * Upstream: internal/api/oauthserver/client_auth.go.
 */
export function credentialsProblem(
  client: OAuthClient,
  { secret, method }: ClientCredentials,
): string | null {
  if (method !== client.token_endpoint_auth_method) {
    return `invalid authentication method: client is registered for '${client.token_endpoint_auth_method}' but '${method}' was used`;
  }
  if (client.client_type === 'public') {
    return secret === '' ? null : 'public clients must not provide client_secret';
  }
  if (secret === '') return 'confidential clients must provide client_secret';
  return isSecret(secret, client.client_secret_hash ?? '') ? null : 'invalid client credentials';
}

function isSecret(secret: string, storedHash: string): boolean {
  const [given, stored] = [Buffer.from(hashClientSecret(secret)), Buffer.from(storedHash)];
  return given.length === stored.length && timingSafeEqual(given, stored);
}
