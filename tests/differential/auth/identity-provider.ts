import type { StageAnswer } from './stage.ts';

/** A user as a provider tells of one. */
export type ProviderUser = {
  readonly id: string;
  readonly email: string | null;
  readonly isVerified: boolean;
  readonly name: string;
};

/** Answers as Keycloak's or GitHub's endpoints do, as far as a sign-in asks them. */
export function identityProviderAnswer(kind: string, path: string, user: ProviderUser): StageAnswer {
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
