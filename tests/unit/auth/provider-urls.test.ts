import { describe, expect, it } from 'vitest';
import { authorizeUrl, configuredProvider } from '../../../src/auth/providers/client.ts';
import { signatureBase, signBase } from '../../../src/auth/providers/oauth1.ts';
import { loadConfig } from '../../../src/config/load.ts';

/** Where browsers go while nobody configures another host. Upstream: internal/api/provider/*.go. */
const pages: Readonly<Record<string, string>> = {
  apple: 'https://appleid.apple.com/auth/authorize',
  azure: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
  bitbucket: 'https://bitbucket.org/site/oauth2/authorize',
  discord: 'https://discord.com/api/oauth2/authorize',
  facebook: 'https://www.facebook.com/dialog/oauth',
  figma: 'https://www.figma.com/oauth',
  fly: 'https://api.fly.io/oauth/authorize',
  github: 'https://github.com/login/oauth/authorize',
  gitlab: 'https://gitlab.com/oauth/authorize',
  google: 'https://accounts.google.com/o/oauth2/v2/auth',
  kakao: 'https://kauth.kakao.com/oauth/authorize',
  linkedin: 'https://api.linkedin.com/oauth/v2/authorization',
  linkedin_oidc: 'https://api.linkedin.com/oauth/v2/authorization',
  notion: 'https://api.notion.com/v1/oauth/authorize',
  slack: 'https://slack.com/oauth/authorize',
  slack_oidc: 'https://slack.com/openid/connect/authorize',
  snapchat: 'https://accounts.snapchat.com/accounts/oauth2/auth',
  spotify: 'https://accounts.spotify.com/authorize',
  twitch: 'https://id.twitch.tv/oauth2/authorize',
  vercel_marketplace: 'https://api.vercel.com/oauth/v2/authorization',
  workos: 'https://api.workos.com/sso/authorize',
  x: 'https://x.com/i/oauth2/authorize',
  zoom: 'https://zoom.us/oauth/authorize',
};

/** Those that an app cannot ask for more. */
const fixedScopes = new Set(['apple', 'bitbucket', 'notion', 'workos', 'zoom']);

const configOf = (env: Record<string, string>) => ({
  config: loadConfig({ projectDir: '/nonexistent', env, flags: {} }).config.auth,
  externalUrl: 'https://example.com/auth/v1',
});

describe.each(Object.entries(pages))('%s', (name, page) => {
  const prefix = `GOTRUE_EXTERNAL_${name.toUpperCase()}`;
  const on = { [`${prefix}_ENABLED`]: 'true' };

  it('has its own page', () => {
    const found = configuredProvider(
      configOf({ ...on, [`${prefix}_CLIENT_ID`]: 'c', [`${prefix}_SECRET`]: 's' }),
      name.toUpperCase(),
    );
    if ('problem' in found) throw new Error(found.problem);
    const url = new URL(authorizeUrl(found, 'state', ['one', 'two'], { extra: 'x' }, null));
    expect(url.origin + url.pathname).toBe(page);
    expect(url.searchParams.get('redirect_uri')).toBe('https://example.com/auth/v1/callback');
    // Apple refuses members that it does not know.
    expect(url.searchParams.get('extra')).toBe(name === 'apple' ? null : 'x');
    expect(url.searchParams.get('scope')?.endsWith('one two') ?? false).toBe(!fixedScopes.has(name));
  });

  it.each([
    [{}, 'provider is not enabled'],
    [on, 'missing OAuth client ID'],
    [{ ...on, [`${prefix}_CLIENT_ID`]: 'c' }, 'missing OAuth secret'],
  ])('cannot be used with %j', (env, problem) => {
    expect(configuredProvider(configOf(env as Record<string, string>), name)).toEqual({ problem });
  });
});

describe('OAuth 1.0a', () => {
  it('signs as the example of OAuth Core 1.0 is signed', () => {
    const base = signatureBase('GET', 'http://photos.example.net/photos', [
      ['file', 'vacation.jpg'],
      ['size', 'original'],
      ['oauth_consumer_key', 'dpf43f3p2l4k3l03'],
      ['oauth_token', 'nnch734d00sl2jdk'],
      ['oauth_signature_method', 'HMAC-SHA1'],
      ['oauth_timestamp', '1191242096'],
      ['oauth_nonce', 'kllo9940pd9333jh'],
      ['oauth_version', '1.0'],
    ]);
    expect(signBase(base, 'kd94hf93k423kf44', 'pfkkdhi9sl3r4s00')).toBe('tR3+Ty81lMeYAr/Fid0kMTYa/WM=');
  });
});
