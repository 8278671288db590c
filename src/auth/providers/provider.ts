import type { JsonObject } from '../store/rows.ts';

/** A mail address that a provider names. */
export type ProviderEmail = { readonly email: string; readonly verified: boolean; readonly primary: boolean };

/** Who somebody is at a provider. */
export type ProviderUser = {
  readonly emails: readonly ProviderEmail[];
  /** What becomes the identity's data; empty members are left out of it. */
  readonly claims: { readonly sub: string } & JsonObject;
};

/** Tokens that a provider gave for a code. */
export type ProviderTokens = {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly idToken: string | null;
  /** The whole answer, for providers that put the profile into it. */
  readonly raw: JsonObject;
};

/** What reading a profile may look at besides the profile itself. */
export type ProfileContext = {
  readonly tokens: ProviderTokens;
  readonly clientId: string;
  readonly clientSecret: string;
  /** A URL of the definition with the configured host in it. */
  readonly at: (template: string) => string;
};

/** What sign-ins of OAuth 1.0a need besides. */
export type OAuth1Endpoints = {
  readonly requestToken: string;
  readonly profile: string;
  /** Reads the profile, which came from this URL. */
  readonly read: (answer: unknown, url: string) => ProviderUser;
};

/**
 * A provider, as data. URLs name their host as `{host}`, which the configured URL replaces; `{host|/suffix}` adds the
 * suffix when it does.
 */
export type ProviderDefinition = {
  readonly scopes: readonly string[];
  /** Whether an app can ask for no further ones. */
  readonly hasFixedScopes?: true;
  readonly authorize: string;
  readonly token: string;
  /** Further members of the authorize URL. */
  readonly params?: Readonly<Record<string, string>>;
  /** Set for sign-ins of OAuth 1.0a, where `token` gives the access token. */
  readonly oauth1?: OAuth1Endpoints;
  /** How the secret travels: `basic` unless the provider takes only the body. */
  readonly secretIn?: 'basic' | 'body';
  /** Whether the provider itself demands PKCE. */
  readonly needsPkce?: true;
  /** Whether there is no host that the provider has of its own. */
  readonly needsUrl?: true;
  /** Issuer whose ID tokens say who the user is; `tenant` takes it from the token. */
  readonly issuer?: string | 'tenant';
  /** Requests that make up a profile, in order. */
  readonly profile?: readonly string[];
  readonly profileHeaders?: (context: ProfileContext) => Readonly<Record<string, string>>;
  /** Further members of the profile's query. */
  readonly profileQuery?: (context: ProfileContext) => string;
  /** Reads the answers of those requests; throws `TypeError` when they do not say who the user is. */
  readonly read?: (answers: readonly unknown[], context: ProfileContext) => ProviderUser;
};

/** A member of a value that may be anything. */
export function member(value: unknown, ...path: readonly string[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as JsonObject)[key];
  }
  return here;
}

/** A member as text; numbers (ids) are written out, anything else is empty. */
export function text(value: unknown, ...path: readonly string[]): string {
  const found = member(value, ...path);
  return typeof found === 'string' ? found : typeof found === 'number' ? String(found) : '';
}

/** The only address that a provider names; none when it is empty. */
export const primary = (email: string, verified: boolean): readonly ProviderEmail[] =>
  email === '' ? [] : [{ email, verified, primary: true }];

/** Name, picture and id under all the names that they have come to have. */
export const profileClaims = (
  issuer: string,
  id: string,
  name: string,
  picture: string,
): { readonly sub: string } & JsonObject => ({
  iss: issuer,
  sub: id,
  name,
  picture,
  avatar_url: picture,
  full_name: name,
  provider_id: id,
});

/** The address that a provider's account goes by: the primary one, or the last. */
const chosenEmail = ({ emails }: ProviderUser): ProviderEmail | undefined =>
  emails.find(({ primary }) => primary) ?? emails.at(-1);

/** The same as the provider wrote it; empty without one. */
export const providedEmail = (user: ProviderUser): string => chosenEmail(user)?.email ?? '';

/** The data of an identity as the provider gave it, before it is stored: the address is in the provider's spelling. */
export function providedData(user: ProviderUser): JsonObject {
  const email = providedEmail(user);
  return { ...identityData(user), ...(email === '' ? {} : { email }) };
}

/**
 * The data of an identity: what the provider said, without what it left empty, and whether the address is verified.
 * Upstream: internal/api/provider/provider.go (Claims).
 */
export function identityData(user: ProviderUser): JsonObject {
  const { claims } = user;
  const chosen = chosenEmail(user);
  const filled = Object.entries(claims).filter(
    ([name, value]) =>
      value !== '' &&
      value !== null &&
      value !== undefined &&
      // A provider that may have claims of its own tells of them even when there are none.
      (name === 'custom_claims' || !(typeof value === 'object' && Object.keys(value).length === 0)),
  );
  return {
    ...Object.fromEntries(filled),
    ...(chosen === undefined || chosen.email === '' ? {} : { email: chosen.email.toLowerCase() }),
    email_verified: chosen?.verified ?? false,
    phone_verified: false,
  };
}
