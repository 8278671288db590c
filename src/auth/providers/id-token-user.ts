import type { JsonObject } from '../store/rows.ts';
import { type ProviderUser, primary, text } from './provider.ts';
import { standardClaims } from './standard-claims.ts';

/** Apple's issuers, of which ID tokens may name either. */
export const appleIssuers: readonly string[] = ['https://appleid.apple.com', 'https://account.apple.com'];

/** Snapchat's, which is the URL of its tokens. */
export const snapchatIssuer = 'https://accounts.snapchat.com/accounts/oauth2/token';

const azureIssuer = /^https:\/\/login\.microsoftonline\.com\/([^/]+)\/v2\.0\/?$/;
const azureCiamIssuer = /^https:\/\/[a-z0-9-]+\.ciamlogin\.com\/([^/]+)\/v2\.0\/?$/;

/** Whether an issuer is a tenant of Microsoft. */
export const isAzureIssuer = (issuer: string): boolean => azureIssuer.test(issuer);

/** Whether an issuer is a tenant of Microsoft for customers. */
export const isAzureCiamIssuer = (issuer: string): boolean => azureCiamIssuer.test(issuer);

type Reader = (claims: JsonObject) => ProviderUser;

const isTrue = (value: unknown): boolean => value === true || value === 'true';

const basics = (claims: JsonObject) => ({
  iss: text(claims, 'iss'),
  sub: text(claims, 'sub'),
  provider_id: text(claims, 'sub'),
});

const google: Reader = (claims) => ({
  emails: primary(text(claims, 'email'), isTrue(claims.email_verified) || isTrue(claims.verified_email)),
  claims: {
    ...basics(claims),
    name: text(claims, 'name'),
    picture: text(claims, 'picture'),
    avatar_url: text(claims, 'picture'),
    full_name: text(claims, 'name'),
    ...(claims.hd ? { custom_claims: { hd: claims.hd } } : {}),
  },
});

const facebook: Reader = (claims) => ({
  emails: primary(text(claims, 'email'), true),
  claims: { ...basics(claims), name: text(claims, 'name'), picture: text(claims, 'picture') },
});

/** The name comes once, in a form field beside the code, not in the token. */
const apple: Reader = (claims) => {
  const own = {
    ...(claims.is_private_email === undefined ? {} : { is_private_email: isTrue(claims.is_private_email) }),
    ...(claims.auth_time === undefined ? {} : { auth_time: claims.auth_time }),
    ...(claims.transfer_sub ? { transfer_sub: claims.transfer_sub } : {}),
  };
  return {
    emails: primary(text(claims, 'email'), true),
    claims: { ...basics(claims), ...(Object.keys(own).length === 0 ? {} : { custom_claims: own }) },
  };
};

const linkedin: Reader = (claims) => ({
  emails: primary(text(claims, 'email'), isTrue(claims.email_verified)),
  claims: {
    ...basics(claims),
    name: `${text(claims, 'given_name')} ${text(claims, 'family_name')}`.trim(),
    given_name: text(claims, 'given_name'),
    family_name: text(claims, 'family_name'),
    locale: text(claims, 'locale'),
    picture: text(claims, 'picture'),
  },
});

const kakao: Reader = (claims) => ({
  emails: primary(text(claims, 'email'), true),
  claims: {
    ...basics(claims),
    name: text(claims, 'nickname'),
    preferred_username: text(claims, 'nickname'),
    picture: text(claims, 'picture'),
  },
});

const vercel: Reader = (claims) => {
  const globalId = text(claims, 'global_user_id');
  const sub = globalId === '' ? text(claims, 'sub') : `global_user_id:${globalId}`;
  return {
    emails: primary(text(claims, 'user_email'), true),
    claims: {
      iss: text(claims, 'iss'),
      sub,
      provider_id: sub,
      name: text(claims, 'user_name'),
      picture: text(claims, 'user_avatar_url'),
    },
  };
};

const notCustom: ReadonlySet<string> = new Set([
  'aud',
  'iss',
  'iat',
  'nbf',
  'exp',
  'c_hash',
  'at_hash',
  'aio',
  'nonce',
  'rh',
  'uti',
  'jti',
  'ver',
  'sub',
  'name',
  'preferred_username',
]);

/** Microsoft vouches for an address unless the optional claim `xms_edov` says that it does not. */
const azure: Reader = (claims) => {
  const edov = claims.xms_edov;
  const isVerified = edov === undefined || edov === null || edov === true || edov === '1' || edov === 'true';
  return {
    emails: primary(text(claims, 'email'), isVerified),
    claims: {
      ...basics(claims),
      preferred_username: text(claims, 'preferred_username'),
      full_name: text(claims, 'name'),
      custom_claims: Object.fromEntries(Object.entries(claims).filter(([name]) => !notCustom.has(name))),
    },
  };
};

const snapchat: Reader = (claims) => {
  const user = generic(claims);
  return { ...user, emails: primary(text(claims, 'email'), true) };
};

const generic: Reader = (claims) => {
  const standard = standardClaims({ ...claims, email_verified: isTrue(claims.email_verified) });
  if (standard === null) throw new TypeError('the ID token has claims of the wrong type');
  return {
    emails: primary(text(claims, 'email'), isTrue(claims.email_verified)),
    claims: { ...standard, sub: text(claims, 'sub') },
  };
};

const readers: Readonly<Record<string, Reader>> = {
  'https://accounts.google.com': google,
  'https://www.facebook.com': facebook,
  'https://appleid.apple.com': apple,
  'https://account.apple.com': apple,
  'https://www.linkedin.com/oauth': linkedin,
  'https://kauth.kakao.com': kakao,
  'https://marketplace.vercel.com': vercel,
  [snapchatIssuer]: snapchat,
};

/**
 * Who a verified ID token is about, read as its issuer writes them.
 * Upstream: internal/api/provider/oidc.go.
 */
export function idTokenUser(claims: JsonObject): ProviderUser {
  const issuer = text(claims, 'iss');
  const reader = Object.hasOwn(readers, issuer) ? readers[issuer] : undefined;
  if (reader !== undefined) return reader(claims);
  return isAzureIssuer(issuer) ? azure(claims) : generic(claims);
}
