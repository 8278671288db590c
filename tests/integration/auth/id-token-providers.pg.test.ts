import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { startAuth } from '../../support/auth.ts';

/*
 * The providers that say who somebody is by an ID token. Their servers live in this file: what they are asked is kept,
 * and the claims have the shapes of the providers' documents.
 */
type Case = {
  readonly authorize: string;
  readonly scope: string;
  readonly token: string;
  readonly issuer: string;
  readonly idToken: Readonly<Record<string, unknown>>;
  readonly email: string;
  readonly metadata: Readonly<Record<string, unknown>>;
};

const tenant = '9188040d-6c67-4c5b-b112-36a304b66dad';
const cases: Readonly<Record<string, Case>> = {
  apple: {
    authorize: 'https://appleid.apple.com/auth/authorize',
    scope: 'email name',
    token: 'https://appleid.apple.com/auth/token',
    issuer: 'https://appleid.apple.com',
    idToken: {
      sub: '001999.1f0aa1bcd3a64b1fa5bd8e5c1d2f3a4b.0900',
      email: 'abcdef1234@privaterelay.appleid.com',
      email_verified: 'true',
      is_private_email: 'true',
      auth_time: 1_700_000_000,
      nonce_supported: true,
    },
    email: 'abcdef1234@privaterelay.appleid.com',
    metadata: {
      iss: 'https://appleid.apple.com',
      sub: '001999.1f0aa1bcd3a64b1fa5bd8e5c1d2f3a4b.0900',
      provider_id: '001999.1f0aa1bcd3a64b1fa5bd8e5c1d2f3a4b.0900',
      custom_claims: { is_private_email: true, auth_time: 1_700_000_000 },
    },
  },
  azure: {
    authorize: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
    scope: 'openid extra',
    token: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
    issuer: `https://login.microsoftonline.com/${tenant}/v2.0`,
    idToken: {
      sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
      oid: '00000000-0000-0000-66f3-3332eca7ea81',
      tid: tenant,
      name: 'Abe Lincoln',
      preferred_username: 'abe@microsoft.test',
      email: 'Abe@microsoft.test',
      ver: '2.0',
      uti: 'x',
      rh: 'y',
      xms_edov: true,
    },
    email: 'abe@microsoft.test',
    metadata: {
      iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
      sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
      provider_id: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
      full_name: 'Abe Lincoln',
      preferred_username: 'abe@microsoft.test',
      custom_claims: {
        email: 'Abe@microsoft.test',
        oid: '00000000-0000-0000-66f3-3332eca7ea81',
        tid: tenant,
        xms_edov: true,
      },
    },
  },
  google: {
    authorize: 'https://accounts.google.com/o/oauth2/v2/auth',
    scope: 'email profile extra',
    token: 'https://oauth2.googleapis.com/token',
    issuer: 'https://accounts.google.com',
    idToken: {
      sub: '110169484474386276334',
      hd: 'example.com',
      email: 'ann@example.com',
      email_verified: true,
      name: 'Ann Example',
      picture: 'https://lh3.googleusercontent.test/a',
      given_name: 'Ann',
      family_name: 'Example',
    },
    email: 'ann@example.com',
    metadata: {
      iss: 'https://accounts.google.com',
      sub: '110169484474386276334',
      provider_id: '110169484474386276334',
      name: 'Ann Example',
      full_name: 'Ann Example',
      picture: 'https://lh3.googleusercontent.test/a',
      avatar_url: 'https://lh3.googleusercontent.test/a',
      custom_claims: { hd: 'example.com' },
    },
  },
  linkedin_oidc: {
    authorize: 'https://api.linkedin.com/oauth/v2/authorization',
    scope: 'openid email profile extra',
    token: 'https://api.linkedin.com/oauth/v2/accessToken',
    issuer: 'https://www.linkedin.com/oauth',
    idToken: {
      sub: '782bbtaQ',
      name: 'John Doe',
      given_name: 'John',
      family_name: 'Doe',
      picture: 'https://media.linkedin.test/p',
      locale: 'en-US',
      email: 'doe@linkedin.test',
      email_verified: 'true',
    },
    email: 'doe@linkedin.test',
    metadata: {
      iss: 'https://www.linkedin.com/oauth',
      sub: '782bbtaQ',
      provider_id: '782bbtaQ',
      name: 'John Doe',
      given_name: 'John',
      family_name: 'Doe',
      picture: 'https://media.linkedin.test/p',
      locale: 'en-US',
    },
  },
  vercel_marketplace: {
    authorize: 'https://api.vercel.com/oauth/v2/authorization',
    scope: 'extra',
    token: 'https://api.vercel.com/oauth/v2/accessToken',
    issuer: 'https://marketplace.vercel.com',
    idToken: {
      sub: 'account:abc:user:def',
      global_user_id: 'global-1',
      user_email: 'dev@vercel.test',
      user_name: 'Dev',
      user_avatar_url: 'https://vercel.test/a',
      user_role: 'ADMIN',
    },
    email: 'dev@vercel.test',
    metadata: {
      iss: 'https://marketplace.vercel.com',
      sub: 'global_user_id:global-1',
      provider_id: 'global_user_id:global-1',
      name: 'Dev',
      picture: 'https://vercel.test/a',
    },
  },
};
const names = Object.keys(cases);

const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256' };
const discovery = '/.well-known/openid-configuration';
let asked: { readonly url: string; readonly form: URLSearchParams }[] = [];
let claims: Readonly<Record<string, unknown>> = {};
let audience = '';

const idToken = (issuer: string): Promise<string> =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey);

const servers: typeof fetch = async (input, init) => {
  const url = String(input);
  if (url.endsWith(discovery)) {
    const issuer = url.slice(0, -discovery.length);
    return Response.json({ issuer, jwks_uri: `${issuer}/jwks` });
  }
  if (url.endsWith('/jwks')) return Response.json({ keys: [jwk] });
  asked.push({ url, form: new URLSearchParams(String(init?.body)) });
  const found = Object.values(cases).find(({ token }) => token === url);
  const id_token = found === undefined ? undefined : await idToken(found.issuer);
  return Response.json({ access_token: 'at', refresh_token: 'rt', token_type: 'Bearer', id_token });
};

const auth = await startAuth({
  env: {
    GOTRUE_SITE_URL: 'https://app.example.com',
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
    ...Object.fromEntries(
      names.flatMap((name) => {
        const prefix = `GOTRUE_EXTERNAL_${name.toUpperCase()}`;
        return [
          [`${prefix}_ENABLED`, 'true'],
          [`${prefix}_CLIENT_ID`, `${name}-client,other`],
          [`${prefix}_SECRET`, `${name}-secret`],
        ];
      }),
    ),
  },
  fetch: servers,
});

beforeEach(() => {
  asked = [];
});

async function begin(name: string): Promise<URL> {
  const reply = await auth.call('GET', `/authorize?provider=${name}&scopes=extra`);
  return new URL(reply.headers.get('location') ?? '');
}

/** Comes back from a provider: by a link, or by a form as Apple does. */
async function comeBack(members: Readonly<Record<string, string>>, byForm = false): Promise<URL> {
  const text = new URLSearchParams(members).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const { headers: replied } = byForm
    ? await auth.call('POST', '/callback', { body: text, headers })
    : await auth.call('GET', `/callback?${text}`);
  return new URL(replied.get('location') ?? '');
}

async function signIn(name: string, more: Readonly<Record<string, string>> = {}) {
  const state = (await begin(name)).searchParams.get('state') ?? '';
  const back = await comeBack({ state, code: 'the-code', ...more }, name === 'apple');
  return { back, fragment: Object.fromEntries(new URLSearchParams(back.hash.slice(1))) };
}

describe.each(names)('%s', (name) => {
  const expected = cases[name] as Case;
  beforeEach(() => {
    claims = expected.idToken;
    audience = `${name}-client`;
  });

  it('is asked to sign somebody in', async () => {
    const url = await begin(name);
    expect(url.origin + url.pathname).toBe(expected.authorize);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: `${name}-client`,
      redirect_uri: `${auth.url}/auth/v1/callback`,
      response_type: 'code',
      scope: expected.scope,
      state: expect.stringMatching(/^[0-9a-f-]{36}$/),
      ...(name === 'apple' ? { response_mode: 'form_post' } : {}),
    });
  });

  it('says who somebody is', async () => {
    const { fragment } = await signIn(name);
    expect(fragment).toMatchObject({ provider_token: 'at', provider_refresh_token: 'rt' });
    const token = decodeJwt(fragment.access_token ?? '');
    expect(token.app_metadata).toEqual({ provider: name, providers: [name] });
    expect(token.user_metadata).toEqual({
      ...expected.metadata,
      email: expected.email,
      email_verified: true,
      phone_verified: false,
    });
    expect(asked.map(({ url, form }) => [url, form.get('code')])).toEqual([[expected.token, 'the-code']]);
  });

  it('says nothing by a token for somebody else', async () => {
    audience = 'someone-else';
    const { back, fragment } = await signIn(name);
    expect(fragment.access_token).toBeUndefined();
    expect(back.searchParams.get('error')).toBe('server_error');
  });
});

describe('apple', () => {
  beforeEach(() => {
    audience = 'apple-client';
    claims = { ...cases.apple?.idToken, sub: 'apple-named', email: 'named@apple.test' };
  });

  it('tells the name once, beside the code, and it is kept', async () => {
    const user = JSON.stringify({ name: { firstName: 'Ann', lastName: 'Example' }, email: 'x@apple.test' });
    const first = await signIn('apple', { user });
    expect(decodeJwt(first.fragment.access_token ?? '')).toMatchObject({
      email: 'named@apple.test',
      user_metadata: { name: 'Ann Example', full_name: 'Ann Example', sub: 'apple-named' },
    });
    const second = await signIn('apple');
    expect(decodeJwt(second.fragment.access_token ?? '').user_metadata).toMatchObject({
      name: 'Ann Example',
    });
  });
});

describe('azure', () => {
  beforeEach(() => {
    audience = 'azure-client';
  });

  it('does not vouch for an address that the tenant’s owner may have made up', async () => {
    claims = { ...cases.azure?.idToken, sub: 'unverified', email: 'ceo@example.com', xms_edov: false };
    const { back } = await signIn('azure');
    expect(back.searchParams.get('error_code')).toBe('provider_email_needs_verification');
  });
});
