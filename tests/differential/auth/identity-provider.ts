import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { StageAnswer } from './stage.ts';

/** A user as a provider tells of one. */
export type ProviderUser = {
  readonly id: string;
  readonly email: string | null;
  readonly isVerified: boolean;
  readonly name: string;
};

const { publicKey, privateKey } = await generateKeyPair('RS256');
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'stage', alg: 'RS256', use: 'sig' }] };

/** Claims of an ID token; those that are undefined are left out. */
export type IdTokenClaims = Readonly<Record<string, unknown>>;

/** Signs an ID token of an issuer, for the client of the settings, that is good for an hour. */
export function signIdToken(issuer: string, claims: IdTokenClaims): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ iss: issuer, aud: 'client', iat: now, exp: now + 3600, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'stage' })
    .sign(privateKey);
}

/** What an issuer of ID tokens says of itself. */
const discoveryOf = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/auth`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
  id_token_signing_alg_values_supported: ['RS256'],
});

/** Answers as Keycloak's or GitHub's endpoints do, as far as a sign-in asks them. */
export function identityProviderAnswer(
  origin: string,
  kind: string,
  path: string,
  user: ProviderUser,
): StageAnswer {
  if (path.endsWith('/.well-known/openid-configuration')) {
    return { status: 200, body: discoveryOf(`${origin}/${kind}`) };
  }
  if (path.endsWith('/jwks')) return { status: 200, body: jwks };
  if (path.endsWith('/token') || path.endsWith('/access_token')) {
    const tokens = {
      access_token: 'provider-access',
      refresh_token: 'provider-refresh',
      token_type: 'bearer',
    };
    return { status: 200, body: { ...tokens, expires_in: 3600 } };
  }
  if (kind === 'keycloak') return { status: 200, body: keycloakUser(user) };
  if (path.endsWith('/emails')) return { status: 200, body: gitHubEmails(user) };
  return { status: 200, body: gitHubUser(user) };
}

const keycloakUser = (user: ProviderUser) => ({
  sub: user.id,
  name: user.name,
  email: user.email ?? '',
  email_verified: user.isVerified,
});

const gitHubEmails = (user: ProviderUser) =>
  user.email === null ? [] : [{ email: user.email, primary: true, verified: user.isVerified }];

const gitHubUser = (user: ProviderUser) => ({
  id: Number(user.id),
  login: user.name.toLowerCase(),
  name: user.name,
  email: user.email,
  avatar_url: 'https://avatars.example.com/1',
});
