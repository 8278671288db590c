import { createHmac } from 'node:crypto';
import {
  member,
  type ProviderDefinition,
  type ProviderEmail,
  primary,
  profileClaims,
  text,
} from './provider.ts';

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const fullName = (first: string, last: string): string => `${first} ${last}`.trim();

/** Providers whose profile is asked for with the access token. Upstream: internal/api/provider/*.go. */
const profileProviders = {
  bitbucket: {
    scopes: ['account', 'email'],
    hasFixedScopes: true,
    authorize: '{bitbucket.org}/site/oauth2/authorize',
    token: '{bitbucket.org}/site/oauth2/access_token',
    profile: ['{api.bitbucket.org}/2.0/user', '{api.bitbucket.org}/2.0/user/emails'],
    read: ([user, emails], { at }) => ({
      emails: list(member(emails, 'values')).map((entry) => ({
        email: text(entry, 'email'),
        verified: member(entry, 'is_confirmed') === true,
        primary: member(entry, 'is_primary') === true,
      })),
      claims: profileClaims(
        at('{api.bitbucket.org}/2.0'),
        text(user, 'uuid'),
        text(user, 'display_name'),
        text(user, 'avatar', 'href'),
      ),
    }),
  },
  discord: {
    scopes: ['email', 'identify'],
    authorize: '{discord.com}/api/oauth2/authorize',
    token: '{discord.com}/api/oauth2/token',
    profile: ['{discord.com}/api/users/@me'],
    read: ([user], { at }) => {
      const id = text(user, 'id');
      const name = text(user, 'username');
      const discriminator = text(user, 'discriminator');
      const picture = discordAvatar(id, text(user, 'avatar'), discriminator);
      return {
        emails: primary(text(user, 'email'), member(user, 'verified') === true),
        claims: {
          ...profileClaims(at('{discord.com}/api'), id, `${name}#${discriminator}`, picture),
          full_name: name,
          custom_claims: { global_name: text(user, 'global_name') },
        },
      };
    },
  },
  facebook: {
    scopes: ['email'],
    authorize: '{www.facebook.com}/dialog/oauth',
    token: '{graph.facebook.com}/oauth/access_token',
    profile: ['{graph.facebook.com}/me?fields=email,first_name,last_name,name,picture'],
    profileQuery: ({ tokens, clientSecret }) =>
      `&appsecret_proof=${createHmac('sha256', clientSecret).update(tokens.accessToken).digest('hex')}`,
    read: ([user], { at }) => {
      const alias = text(user, 'name');
      const name = fullName(text(user, 'first_name'), text(user, 'last_name'));
      const issuer = at('{graph.facebook.com}/me?fields=email,first_name,last_name,name,picture');
      return {
        emails: primary(text(user, 'email'), true),
        claims: {
          ...profileClaims(issuer, text(user, 'id'), name, text(user, 'picture', 'data', 'url')),
          nickname: alias,
          slug: alias,
        },
      };
    },
  },
  figma: {
    scopes: ['current_user:read'],
    authorize: '{www.figma.com}/oauth',
    token: '{api.figma.com}/v1/oauth/token',
    profile: ['{api.figma.com}/v1/me'],
    read: ([user], { at }) => ({
      emails: primary(text(user, 'email'), true),
      claims: {
        ...profileClaims(at('{api.figma.com}'), text(user, 'id'), text(user, 'handle'), ''),
        avatar_url: text(user, 'img_url'),
      },
    }),
  },
  fly: {
    scopes: ['read'],
    authorize: '{api.fly.io}/oauth/authorize',
    token: '{api.fly.io}/oauth/token',
    profile: ['{api.fly.io}/oauth/token/info'],
    read: ([user], { at }) => ({
      emails: primary(text(user, 'email'), true),
      claims: {
        iss: at('{api.fly.io}'),
        sub: text(user, 'user_id'),
        full_name: text(user, 'user_name'),
        provider_id: text(user, 'user_id'),
        custom_claims: {
          resource_owner_id: text(user, 'resource_owner_id'),
          organizations: member(user, 'organizations') ?? null,
          application: member(user, 'application') ?? null,
          scope: member(user, 'scope') ?? null,
          created_at: member(user, 'created_at') ?? 0,
        },
      },
    }),
  },
  github: {
    scopes: ['user:email'],
    authorize: '{github.com}/login/oauth/authorize',
    token: '{github.com}/login/oauth/access_token',
    profile: ['{api.github.com|/api/v3}/user', '{api.github.com|/api/v3}/user/emails'],
    read: ([user, emails], { at }) => {
      const id = text(user, 'id');
      const login = text(user, 'login');
      return {
        emails: list(emails).map((entry) => ({
          email: text(entry, 'email'),
          verified: member(entry, 'verified') === true,
          primary: member(entry, 'primary') === true,
        })),
        claims: {
          ...profileClaims(at('{api.github.com|/api/v3}'), id, text(user, 'name'), ''),
          avatar_url: text(user, 'avatar_url'),
          preferred_username: login,
          user_name: login,
        },
      };
    },
  },
  gitlab: {
    scopes: ['read_user'],
    authorize: '{gitlab.com}/oauth/authorize',
    token: '{gitlab.com}/oauth/token',
    profile: ['{gitlab.com}/api/v4/user', '{gitlab.com}/api/v4/user/emails'],
    read: ([user, emails], { at }) => ({
      emails: [
        // GitLab does not say whether further addresses are confirmed.
        ...list(emails)
          .map((entry): ProviderEmail => ({ email: text(entry, 'email'), verified: false, primary: false }))
          .filter(({ email }) => email !== ''),
        ...primary(text(user, 'email'), text(user, 'confirmed_at') !== ''),
      ],
      claims: profileClaims(
        at('{gitlab.com}'),
        text(user, 'id'),
        text(user, 'name'),
        text(user, 'avatar_url'),
      ),
    }),
  },
  kakao: {
    scopes: ['account_email', 'profile_image', 'profile_nickname'],
    authorize: '{kauth.kakao.com}/oauth/authorize',
    token: '{kauth.kakao.com}/oauth/token',
    secretIn: 'body',
    profile: ['{kapi.kakao.com}/v2/user/me'],
    read: ([user], { at }) => {
      const account = member(user, 'kakao_account');
      const name = text(account, 'profile', 'nickname');
      const isVerified =
        member(account, 'is_email_valid') === true && member(account, 'is_email_verified') === true;
      return {
        emails: primary(text(account, 'email'), isVerified),
        claims: {
          ...profileClaims(at('{kapi.kakao.com}'), text(user, 'id'), name, ''),
          avatar_url: text(account, 'profile', 'profile_image_url'),
          preferred_username: name,
          user_name: name,
        },
      };
    },
  },
  keycloak: {
    scopes: ['profile', 'email'],
    needsUrl: true,
    authorize: '{}/protocol/openid-connect/auth',
    token: '{}/protocol/openid-connect/token',
    profile: ['{}/protocol/openid-connect/userinfo'],
    read: ([user], { at }) => {
      const sub = text(user, 'sub');
      const named = ['name', 'sub', 'email', 'email_verified'];
      const rest = Object.entries((user ?? {}) as Record<string, unknown>).filter(
        ([key]) => !named.includes(key),
      );
      return {
        emails: primary(text(user, 'email'), member(user, 'email_verified') === true),
        claims: {
          iss: at('{}'),
          sub,
          name: text(user, 'name'),
          full_name: text(user, 'name'),
          provider_id: sub,
          custom_claims: Object.fromEntries(rest),
        },
      };
    },
  },
  linkedin: {
    scopes: ['r_emailaddress', 'r_liteprofile'],
    authorize: '{api.linkedin.com}/oauth/v2/authorization',
    token: '{api.linkedin.com}/oauth/v2/accessToken',
    profile: [
      '{api.linkedin.com}/v2/me?projection=(id,firstName,lastName,profilePicture(displayImage~:playableStreams))',
      '{api.linkedin.com}/v2/emailAddress?q=members&projection=(elements*(handle~))',
    ],
    read: ([user, emails], { at }) => {
      const localized = (name: string): string => {
        const locale = member(user, name, 'preferredLocale');
        return text(user, name, 'localized', `${text(locale, 'language')}_${text(locale, 'country')}`);
      };
      const [image] = list(member(user, 'profilePicture', 'displayImage~', 'elements'));
      const [identifier] = list(member(image, 'identifiers'));
      const [address] = list(member(emails, 'elements'));
      const name = fullName(localized('firstName'), localized('lastName'));
      return {
        emails: primary(text(address, 'handle~', 'emailAddress'), true),
        claims: profileClaims(
          at('{api.linkedin.com}'),
          text(user, 'id'),
          name,
          text(identifier, 'identifier'),
        ),
      };
    },
  },
  notion: {
    scopes: [],
    hasFixedScopes: true,
    authorize: '{api.notion.com}/v1/oauth/authorize',
    token: '{api.notion.com}/v1/oauth/token',
    profile: ['{api.notion.com}/v1/users/me'],
    profileHeaders: () => ({ 'notion-version': '2021-08-16' }),
    read: ([answer], { at }) => {
      const user = member(answer, 'bot', 'owner', 'user');
      return {
        emails: primary(text(user, 'person', 'email'), true),
        claims: profileClaims(
          at('{api.notion.com}'),
          text(user, 'id'),
          text(user, 'name'),
          text(user, 'avatar_url'),
        ),
      };
    },
  },
} as const satisfies Readonly<Record<string, ProviderDefinition>>;

/** Upstream fails for new names, whose discriminator is 0; their default avatar is the first. */
function discordAvatar(id: string, avatar: string, discriminator: string): string {
  if (avatar === '') {
    return `https://cdn.discordapp.com/embed/avatars/${(Number(discriminator) || 0) % 5}.png`;
  }
  const extension = avatar.startsWith('a_') ? 'gif' : 'png';
  return `https://cdn.discordapp.com/avatars/${id}/${avatar}.${extension}`;
}

export { profileProviders };
