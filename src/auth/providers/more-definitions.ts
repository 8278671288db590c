import { snapchatIssuer } from './id-token-user.ts';
import { member, type ProviderDefinition, primary, profileClaims, text } from './provider.ts';

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const snapchatScope = (name: string): string => `https://auth.snapchat.com/oauth2/api/user.${name}`;

const slackUser: NonNullable<ProviderDefinition['read']> = ([user], { at }) => ({
  emails: primary(text(user, 'email'), true),
  claims: {
    ...profileClaims(
      at('{slack.com}/api'),
      text(user, 'https://slack.com/user_id'),
      text(user, 'name'),
      text(user, 'picture'),
    ),
    custom_claims: { 'https://slack.com/team_id': text(user, 'https://slack.com/team_id') },
  },
});

/** The rest of the providers, and those that say who the user is by an ID token. Upstream: internal/api/provider/*.go. */
const moreProviders = {
  slack: {
    scopes: ['profile', 'email', 'openid'],
    authorize: '{slack.com}/oauth/authorize',
    token: '{slack.com}/api/oauth.access',
    profile: ['{slack.com}/api/openid.connect.userInfo'],
    read: slackUser,
  },
  slack_oidc: {
    scopes: ['profile', 'email', 'openid'],
    authorize: '{slack.com}/openid/connect/authorize',
    token: '{slack.com}/api/openid.connect.token',
    profile: ['{slack.com}/api/openid.connect.userInfo'],
    read: ([user], context) => ({
      ...slackUser([user], context),
      emails: primary(text(user, 'email'), member(user, 'email_verified') === true),
    }),
  },
  snapchat: {
    scopes: ['external_id', 'display_name', 'bitmoji.avatar'].map(snapchatScope),
    authorize: '{accounts.snapchat.com}/accounts/oauth2/auth',
    token: '{accounts.snapchat.com}/accounts/oauth2/token',
    profile: [
      `{kit.snapchat.com}/v1/me?query=${encodeURIComponent('{me { externalId displayName bitmoji { avatar id } email } }')}`,
    ],
    read: ([answer]) => {
      const me = member(answer, 'data', 'me');
      const name = text(me, 'displayName');
      return {
        emails: primary(text(me, 'email'), true),
        claims: {
          ...profileClaims(snapchatIssuer, text(me, 'externalId'), name, text(me, 'bitmoji', 'avatar')),
          slug: name,
        },
      };
    },
  },
  spotify: {
    scopes: ['user-read-email'],
    authorize: '{accounts.spotify.com}/authorize',
    token: '{accounts.spotify.com}/api/token',
    profile: ['{api.spotify.com/v1}/me'],
    read: ([user], { at }) => {
      const area = (image: unknown): number =>
        Number(member(image, 'height')) * Number(member(image, 'width')) || 0;
      const [largest] = [...list(member(user, 'images'))].sort((a, b) => area(b) - area(a));
      return {
        // Spotify does not say whether an address is verified.
        emails: primary(text(user, 'email'), false),
        claims: profileClaims(
          at('{api.spotify.com/v1}'),
          text(user, 'id'),
          text(user, 'display_name'),
          text(largest, 'url'),
        ),
      };
    },
  },
  twitch: {
    scopes: ['user:read:email'],
    authorize: '{id.twitch.tv}/oauth2/authorize',
    token: '{id.twitch.tv}/oauth2/token',
    secretIn: 'body',
    profile: ['{api.twitch.tv}/helix/users'],
    profileHeaders: ({ clientId }) => ({ 'client-id': clientId }),
    read: ([answer], { at }) => {
      const [user] = list(member(answer, 'data'));
      const displayName = text(user, 'display_name');
      return {
        emails: primary(text(user, 'email'), true),
        claims: {
          ...profileClaims(
            at('{api.twitch.tv}'),
            text(user, 'id'),
            text(user, 'login'),
            text(user, 'profile_image_url'),
          ),
          nickname: displayName,
          slug: displayName,
          custom_claims: {
            broadcaster_type: text(user, 'broadcaster_type'),
            description: text(user, 'description'),
            type: text(user, 'type'),
            offline_image_url: text(user, 'offline_image_url'),
            view_count: member(user, 'view_count') ?? 0,
          },
        },
      };
    },
  },
  workos: {
    scopes: [],
    hasFixedScopes: true,
    authorize: '{api.workos.com}/sso/authorize',
    token: '{api.workos.com}/sso/token',
    profile: [],
    // The profile comes with the token.
    read: (_answers, { at, tokens }) => {
      const user = member(tokens.raw, 'profile');
      const name = `${text(user, 'first_name')} ${text(user, 'last_name')}`.trim();
      return {
        emails: primary(text(user, 'email'), true),
        claims: {
          ...profileClaims(at('{api.workos.com}'), text(user, 'id'), name, ''),
          custom_claims: {
            connection_id: text(user, 'connection_id'),
            organization_id: text(user, 'organization_id'),
          },
        },
      };
    },
  },
  twitter: {
    scopes: [],
    authorize: '{api.twitter.com}/oauth/authenticate',
    token: '{api.twitter.com}/oauth/access_token',
    oauth1: {
      requestToken: '{api.twitter.com}/oauth/request_token',
      profile:
        '{api.twitter.com}/1.1/account/verify_credentials.json?include_email=true&include_entities=false&skip_status=true',
      read: (user, url) => {
        const username = text(user, 'screen_name');
        return {
          emails: primary(text(user, 'email'), true),
          claims: {
            ...profileClaims(
              url,
              text(user, 'id_str'),
              text(user, 'name'),
              text(user, 'profile_image_url_https'),
            ),
            preferred_username: username,
            user_name: username,
          },
        };
      },
    },
  },
  x: {
    scopes: ['users.email', 'tweet.read', 'users.read', 'offline.access'],
    needsPkce: true,
    authorize: '{x.com}/i/oauth2/authorize',
    token: '{api.x.com}/2/oauth2/token',
    profile: [
      '{api.x.com}/2/users/me?user.fields=id,name,username,confirmed_email,profile_image_url,url,created_at',
    ],
    read: ([answer], { at }) => {
      const user = member(answer, 'data');
      const username = text(user, 'username');
      return {
        emails: primary(text(user, 'confirmed_email'), true),
        claims: {
          ...profileClaims(
            at('{api.x.com}'),
            text(user, 'id'),
            text(user, 'name'),
            text(user, 'profile_image_url'),
          ),
          preferred_username: username,
          user_name: username,
          profile: `https://x.com/${username}`,
          website: text(user, 'url'),
          custom_claims: { created_at: text(user, 'created_at') },
        },
      };
    },
  },
  zoom: {
    scopes: [],
    hasFixedScopes: true,
    authorize: '{zoom.us}/oauth/authorize',
    token: '{zoom.us}/oauth/token',
    profile: ['{api.zoom.us}/v2/users/me'],
    read: ([user], { at }) => {
      const name = `${text(user, 'first_name')} ${text(user, 'last_name')}`.trim();
      // Type 100 signs in by address, where only `verified` tells whether it is theirs.
      const isVerified = text(user, 'login_type') !== '100' || Number(member(user, 'verified') ?? 0) !== 0;
      return {
        emails: primary(text(user, 'email'), isVerified),
        claims: profileClaims(at('{api.zoom.us}/v2'), text(user, 'id'), name, text(user, 'pic_url')),
      };
    },
  },

  apple: {
    scopes: ['email', 'name'],
    hasFixedScopes: true,
    authorize: 'https://appleid.apple.com/auth/authorize',
    token: 'https://appleid.apple.com/auth/token',
    params: { response_mode: 'form_post' },
    secretIn: 'body',
    issuer: 'https://appleid.apple.com',
  },
  azure: {
    scopes: ['openid'],
    authorize: '{login.microsoftonline.com/common}/oauth2/v2.0/authorize',
    token: '{login.microsoftonline.com/common}/oauth2/v2.0/token',
    secretIn: 'body',
    issuer: 'tenant',
  },
  google: {
    scopes: ['email', 'profile'],
    authorize: 'https://accounts.google.com/o/oauth2/v2/auth',
    token: 'https://oauth2.googleapis.com/token',
    issuer: 'https://accounts.google.com',
    // For the case that there is no ID token.
    profile: ['https://www.googleapis.com/userinfo/v2/me'],
    read: ([user]) => {
      const isVerified = member(user, 'verified_email') === true || member(user, 'email_verified') === true;
      return {
        emails: primary(text(user, 'email'), isVerified),
        claims: profileClaims(
          'https://www.googleapis.com/userinfo/v2/me',
          text(user, 'id'),
          text(user, 'name'),
          text(user, 'picture'),
        ),
      };
    },
  },
  linkedin_oidc: {
    scopes: ['openid', 'email', 'profile'],
    authorize: '{api.linkedin.com}/oauth/v2/authorization',
    token: '{api.linkedin.com}/oauth/v2/accessToken',
    secretIn: 'body',
    issuer: 'https://www.linkedin.com/oauth',
  },
  vercel_marketplace: {
    scopes: [],
    authorize: '{api.vercel.com}/oauth/v2/authorization',
    token: '{api.vercel.com}/oauth/v2/accessToken',
    issuer: 'https://marketplace.vercel.com',
  },
} as const satisfies Readonly<Record<string, ProviderDefinition>>;

export { moreProviders };
